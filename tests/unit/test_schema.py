"""The JSON Schemas agree with the readers: on every file of the project, and on made ones, whole and broken."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tools import CHECKOUT

from sockcheck import cli
from sockcheck.errors import MistakesError, ScenarioError
from sockcheck.reading import decode, read_contract, read_scenario
from sockcheck.reading.page import Page
from sockcheck.reading.schema import contract_schema, scenario_schema
from sockcheck.reading.tree import AliasNode, MappingNode, Node, ScalarNode, grow
from sockcheck.scenario import Contract

GOLDEN = CHECKOUT / "tests" / "golden" / "mistakes"
SCENARIOS = CHECKOUT / "scenarios"
SUFFIX = ".sock.yaml"

CONTRACT = Contract(name="kv", path="contract.yaml", parameters={"idle": "1s", "name": "somebody"})
SCENARIO_VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())
CONTRACT_VALIDATOR = jsonschema.Draft202012Validator(contract_schema())

# Mistakes of structure: keys, types and words. A schema must see them too.
STRUCTURAL = re.compile(
    r"unknown (key|step|part|form|option|measure|promise|law|condition|timeout) "
    r"|expected (?!a text or a part, found nothing|.*found an empty text)"
    r"|'[a-z]+' takes nothing|'[a-z-]+' needs '|'.*' is not (a duration|a size|a signal)|a duration needs a unit"
    r"|this list is empty|.*are two steps|this step has no verb|'(client|server|clients|steps)' must be"
)

# The core schema of YAML 1.2 (chapter 10.3.2), by which editors read plain scalars.
_WORDS = {"": None, "~": None} | dict.fromkeys(("null", "Null", "NULL"))
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEXADECIMAL = re.compile(r"0o([0-7]+)"), re.compile(r"0x([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def seen(node: Node) -> Any:
    """A tree as an editor sees it."""
    match node:
        case ScalarNode(value=text, style=""):
            return _plain(text)
        case ScalarNode():
            return node.value
        case MappingNode():
            return {key: seen(entry.value) for key, entry in node.entries.items()}
        case AliasNode():
            return None
        case _:
            return [seen(item) for item in node.items]


def _plain(text: str) -> Any:
    if text in _WORDS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    if found := _OCTAL.fullmatch(text):
        return int(found[1], 8)
    if found := _HEXADECIMAL.fullmatch(text):
        return int(found[1], 16)
    # A number with a point or an exponent, which Python may be too small for.
    return float(text) if _FLOAT.fullmatch(text) else text


def refused(text: str, validator: Any) -> bool:
    """Whether the schema refuses a file that is YAML with keys and values."""
    return not validator.is_valid(seen(grow(Page("a", text))))


def mistakes_of_scenario(text: str, load: Callable[[str], bytes] = lambda path: b"x") -> tuple[ScenarioError, ...]:
    try:
        read_scenario("kv/a.sock.yaml", text, CONTRACT, load)
    except MistakesError as error:
        return error.errors
    return ()


def mistakes_of_contract(text: str) -> tuple[ScenarioError, ...]:
    try:
        read_contract("kv/contract.yaml", text, "kv")
    except MistakesError as error:
        return error.errors
    return ()


def check_agreement(text: str, errors: tuple[ScenarioError, ...], validator: Any) -> None:
    by_schema = refused(text, validator)
    assert errors or not by_schema, text
    structural = [error.message for error in errors if STRUCTURAL.match(error.message)]
    assert by_schema or not structural, f"{structural}\n{text}"


def test_the_schemas_are_schemas() -> None:
    jsonschema.Draft202012Validator.check_schema(scenario_schema())
    jsonschema.Draft202012Validator.check_schema(contract_schema())


@pytest.mark.parametrize(("options", "file"), [([], "scenario.schema.json"), (["--contract"], "contract.schema.json")])
def test_the_files_beside_the_scenarios_are_what_the_command_prints(
    options: list[str], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema", *options]) == 0
    assert capsys.readouterr().out == (SCENARIOS / file).read_text()


@pytest.mark.parametrize("file", sorted(SCENARIOS.rglob("*.yaml")), ids=lambda file: str(file.relative_to(SCENARIOS)))
def test_bundled_files_are_valid(file: Path) -> None:
    validator = CONTRACT_VALIDATOR if file.name == "contract.yaml" else SCENARIO_VALIDATOR
    text = file.read_text()
    validator.validate(seen(grow(Page("a", text))))


@pytest.mark.parametrize("file", sorted(SCENARIOS.rglob("*.yaml")), ids=lambda file: str(file.relative_to(SCENARIOS)))
def test_the_modeline_of_a_bundled_file_leads_to_its_schema(file: Path) -> None:
    modelines = re.findall(r"(?m)^# yaml-language-server: \$schema=(.*)$", file.read_text())
    kind = "contract" if file.name == "contract.yaml" else "scenario"
    assert [(file.parent / path).resolve() for path in modelines] in ([], [SCENARIOS / f"{kind}.schema.json"])


def golden_files() -> Iterator[Path]:
    for file in sorted(GOLDEN.glob("*.yaml")):
        try:
            grow(Page("a", decode("a", file.read_bytes())))
        except (ScenarioError, MistakesError):
            continue
        yield file


@pytest.mark.parametrize("file", list(golden_files()), ids=lambda file: file.name)
def test_mistakes_of_structure_are_seen_by_the_schema(file: Path) -> None:
    text = file.read_text()
    if file.name.endswith(SUFFIX):
        check_agreement(text, mistakes_of_scenario(text), SCENARIO_VALIDATOR)
    else:
        check_agreement(text, mistakes_of_contract(text), CONTRACT_VALIDATOR)


@pytest.mark.parametrize(
    "step",
    [
        "send: null",
        "send: ~",
        "send: {hex: 12e4}",
        "send: {hex: 0012}",
        "send: {base64: null}",
        "mark: null",
        "mark: 5",
        "send: {u8: '0x1f'}",
        "send: {u8: 0x1f}",
        "expect: {bytes: '4 KiB'}",
        "expect: {bytes: 1, sha256: 1111111111111111111111111111111111111111111111111111111111111111}",
        "quiet: ' 1 s + 2ms'",
        "close:",
    ],
)
def test_what_looks_like_something_else_is_not_refused(step: str) -> None:
    text = f"scenario: 5\nclient:\n  - connect\n  - {step}\n"
    assert mistakes_of_scenario(text) == ()
    assert not refused(text, SCENARIO_VALIDATOR)


TEXT = st.sampled_from(["hello\n", "", "no", "12", "~", "a b"])
BYTES = st.sampled_from(["hello\n", "no", "12"])
FLAG = st.sampled_from([True, False, "yes", "no"])
DURATION = st.sampled_from(["1s", "300ms", "1m + 2s", "${idle} + 1s"])
SIZE = st.sampled_from([1, 17, "4KiB", "512"])
KIND = st.sampled_from(["u8", "u16be", "u32le"])
PATTERN = st.sampled_from([".*", "a+", "${name}", "[0-9]{3}"])


def mapping(needed: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needed, optional=optional or {})


PART = st.one_of(
    BYTES,
    mapping({"text": BYTES}, {"newline": st.sampled_from(["crlf", "lf"]), "dot-block": FLAG}),
    mapping({"hex": st.sampled_from(["00 ff", 12, "ab"])}),
    mapping({"base64": st.just("AAAA")}),
    mapping({"payload": st.just("big")}, {"first": SIZE}),
    mapping({"file": st.just("x.bin")}),
    mapping({"frame": KIND, "of": st.one_of(BYTES, st.lists(BYTES, min_size=1, max_size=2))}),
    mapping({"u16be": st.sampled_from([7, "0xff", "${unique}"])}),
)
PARTS = st.one_of(PART, st.lists(PART, min_size=1, max_size=3))
ENDS = st.sampled_from(["any", "crlf", "lf"])
SIMPLE_FORM = st.one_of(
    PARTS,
    mapping({"line": PATTERN}, {"ends": ENDS}),
    mapping({"lines": PATTERN, "last": PATTERN}, {"ends": ENDS}),
    mapping({"until": BYTES}, {"matches": st.one_of(PATTERN, st.lists(PATTERN, max_size=2))}),
    mapping({"bytes": SIZE}, {"sha256": st.just("ab" * 32)}),
    mapping({"frame": KIND}),
    mapping({"frame": KIND, "equals": BYTES}),
    mapping({"frame": KIND, "matches": PATTERN}),
)
FORM = st.one_of(
    SIMPLE_FORM,
    mapping({"unordered": st.lists(SIMPLE_FORM, min_size=1, max_size=2)}),
    mapping({"any": st.lists(SIMPLE_FORM, min_size=1, max_size=2)}),
)
STEP: st.SearchStrategy[Any] = st.one_of(
    mapping({"send": PARTS}, {"within": DURATION, "read": FLAG, "until": st.just("blocked")}),
    mapping({"send": st.just("hello")}, {"cut": st.sampled_from([1, [1, 2], "every-byte", {"random": 2, "seed": 5}])}),
    mapping({"expect": FORM}, {"within": st.just("5s"), "after": st.just("1s")}),
    mapping({"expect": mapping({"not": st.one_of(BYTES, mapping({"line": PATTERN})), "for": DURATION})}),
    mapping({"quiet": DURATION}),
    mapping({"wait": DURATION}),
    mapping({"mark": st.sampled_from(["here", "there"])}),
    mapping({"await": st.sampled_from(["accepted", "read"])}, {"within": DURATION}),
)
STEPS = st.lists(
    st.one_of(
        STEP, mapping({"repeat": mapping({"times": st.just(2), "steps": st.lists(STEP, min_size=1, max_size=2)})})
    ),
    max_size=3,
)
CONNECT = st.one_of(
    st.just("connect"),
    mapping(
        {
            "connect": mapping(
                {},
                {
                    "port": st.sampled_from([80, "${unique}"]),
                    "host": st.just("127.0.0.2"),
                    "from": st.just("::1"),
                    "within": DURATION,
                    "receive-buffer": SIZE,
                    "segment-size": st.just(536),
                    "no-delay": FLAG,
                },
            )
        }
    ),
)
CLIENT = st.builds(lambda connect, steps: [connect, *steps], CONNECT, STEPS)
SERVER = st.lists(
    st.one_of(
        mapping({"wait": DURATION}),
        mapping({"mark": st.just("here")}),
        mapping({"signal": st.sampled_from(["TERM", "SIGHUP", 15])}),
        mapping({"exits": mapping({"status": st.sampled_from([0, "TERM", [0, "KILL", 143]])}, {"within": DURATION})}),
        mapping(
            {
                "check": mapping(
                    {"alive": FLAG},
                    {"queue": st.sampled_from([5, ">= 5"]), "cpu": st.sampled_from([1.5, "< 500ms"])},
                )
            },
            {"within": DURATION},
        ),
    ),
    min_size=1,
    max_size=3,
)
KEYS: dict[str, Any] = {
    "about": TEXT.filter(str.strip),
    "needs": st.sampled_from(["clients", ["half-close", "backlog"]]),
    "state": st.sampled_from(["none", "own"]),
    "pushes": FLAG,
    "conditions": st.sampled_from(["standard", ["plain", "cut.*"]]),
    "tags": st.sampled_from(["slow", ["slow", "large"]]),
    "points": st.sampled_from([2, 0.5]),
    "visibility": st.just("hidden"),
    "gate": FLAG,
    "matrix": st.just({"word": ["a", 5]}),
    "law": st.just("cut.at-k"),
}
PAYLOADS = st.just({"big": {"random": "1MiB", "seed": 7}, "more": {"repeat": "ab", "size": 64}})
SCENARIO = st.one_of(
    mapping({"scenario": st.just("S"), "client": CLIENT, "payloads": PAYLOADS}, KEYS),
    mapping(
        {
            "scenario": st.just("S"),
            "payloads": PAYLOADS,
            "clients": mapping(
                {"bob": CLIENT}, {"crowd": mapping({"steps": CLIENT}, {"count": st.just(3), "pushes": FLAG})}
            ),
            "server": st.lists(mapping({"wait": DURATION}), min_size=1, max_size=2),
        },
        KEYS,
    ),
    mapping({"scenario": st.just("S"), "payloads": PAYLOADS, "server": SERVER.map(lambda steps: steps[:1])}, KEYS),
)
CONTRACTS = mapping(
    {"contract": st.just("kv")},
    {
        "about": st.just("A store."),
        "transport": st.just("tcp"),
        "promises": st.just({"clients": 64, "half-close": True}),
        "parameters": st.just({"idle": "1s", "size": 5}),
        "pushes": FLAG,
        "conditions": st.sampled_from(["none", ["plain"]]),
        "target": st.just({"command": "./server {port}"}),
        "timeouts": st.just({"expect": "1s", "case": "1m"}),
    },
)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """All the values in a tree, as a container and a key or an index in it."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from places(value)


def broken(tree: Any, data: st.DataObject) -> Any:
    """The tree with one thing changed in it: a value, a key, or an entry more or less."""
    made = copy.deepcopy(tree)
    container, key = data.draw(st.sampled_from(list(places(made))))
    how = data.draw(st.sampled_from(["word", "list", "mapping", "number", "nothing", "rename", "add", "remove"]))
    match how:
        case "word":
            container[key] = "zzz"
        case "list":
            container[key] = ["zzz", {"zzz": 5}]
        case "mapping":
            container[key] = {"zzz": 5}
        case "number":
            container[key] = 7
        case "nothing":
            container[key] = None
        case "rename" if isinstance(container, dict):
            container["zzz"] = container.pop(key)
        case "add" if isinstance(container, dict):
            container["zzz"] = 5
        case _:
            del container[key]
    return made


class Dumper(yaml.SafeDumper):
    """Writes out what occurs twice, since aliases are refused."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def written(tree: Any) -> str:
    return yaml.dump(tree, Dumper=Dumper, sort_keys=False, allow_unicode=True)


@given(SCENARIO)
def test_what_follows_the_grammar_is_a_scenario_for_both(tree: Any) -> None:
    text = written(tree)
    check_agreement(text, mistakes_of_scenario(text), SCENARIO_VALIDATOR)
    assert not refused(text, SCENARIO_VALIDATOR)


@given(tree=SCENARIO, data=st.data())
def test_what_breaks_a_scenario_breaks_it_for_both(tree: Any, data: st.DataObject) -> None:
    text = written(broken(tree, data))
    check_agreement(text, mistakes_of_scenario(text), SCENARIO_VALIDATOR)


@given(tree=CONTRACTS, data=st.data())
def test_what_breaks_a_contract_breaks_it_for_both(tree: Any, data: st.DataObject) -> None:
    text = written(tree)
    assert mistakes_of_contract(text) == ()
    assert not refused(text, CONTRACT_VALIDATOR)
    text = written(broken(tree, data))
    check_agreement(text, mistakes_of_contract(text), CONTRACT_VALIDATOR)
