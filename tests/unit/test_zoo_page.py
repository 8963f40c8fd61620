"""docs/zoo.md and its picture say what the manifests of the faulty servers say, and every law has a server."""

from __future__ import annotations

import pytest
import yaml
from broken_servers import BROKEN, MANIFESTS, broken_servers
from zoo_page import PAGE, PICTURE, page, picture

from sockcheck.causes.table import TABLE as CAUSES
from sockcheck.conditions.table import TABLE as CONDITIONS

LAWS = {"plain", *(condition.law for condition in CONDITIONS)}
# What several of them share.
NO_SERVERS = {"keys_and_values.py"}


def test_the_page_and_the_picture_are_those_of_the_manifests() -> None:
    again = "run `python tests/support/zoo_page.py`"
    assert PAGE.read_text() == page(), again
    assert PICTURE.read_text() == picture(), again


@pytest.mark.parametrize("name", MANIFESTS)
def test_no_manifest_says_a_thing_twice(name: str) -> None:
    """Of two keys that are the same YAML takes the last, and says nothing."""
    root = yaml.compose((BROKEN / name).read_text())
    assert isinstance(root, yaml.MappingNode)
    for mapping in (root, *(value for _, value in root.value)):
        keys = [key.value for key, _ in mapping.value]
        assert len(keys) == len(set(keys)), mapping.start_mark


def test_the_manifests_speak_of_laws_and_causes_that_there_are() -> None:
    causes = {entry.id for entry in CAUSES}
    for server in broken_servers().values():
        assert server.laws, server.name
        assert {*server.laws, *server.may} - {"*"} <= LAWS, server.name
        assert not {*server.laws} & {*server.may}, server.name
        assert server.cause, server.name
        assert causes >= {*server.cause, *server.also} - {"unknown", "*"}, server.name


def test_each_file_is_a_server_in_a_manifest() -> None:
    commands = " ".join(server.command for server in broken_servers().values())
    files = {file.name for file in BROKEN.iterdir() if file.is_file()} - {*MANIFESTS} - NO_SERVERS
    assert [name for name in sorted(files) if name.partition(".")[0] not in commands] == []


def test_there_are_many_and_each_standard_law_is_broken_by_one() -> None:
    servers = broken_servers().values()
    assert len(servers) >= 45
    broken = {law for server in servers for law in server.laws}
    assert LAWS - broken == set()
