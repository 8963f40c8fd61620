"""How clients are named, and why some were not judged."""

from dataclasses import replace

import pytest
from report_builder import Stream, case, span

from sockcheck.case import SERVER, Actor, Mark, Meet, WaitFor
from sockcheck_reports.clients import accused, bystanders, listed, prefix, reasons, told

SPAN = span(5, "connect")
CROWD = replace(case(), actors=tuple(Actor(f"crowd[{index}]", (Meet(SPAN, "all", 6),)) for index in range(6)))
PAIR = replace(
    case(),
    actors=(Actor("ann", (Mark(SPAN, "one"),)), Actor("bob", (WaitFor(SPAN, "one"), Mark(SPAN, "two")))),
    server=(Mark(SPAN, "paused"),),
)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["bob"], "bob"),
        (["bob", "ann"], "ann and bob"),
        (["crowd[10]", "crowd[9]"], "crowd[9] and crowd[10]"),
        ([f"crowd[{index}]" for index in range(64)], "crowd[0] to crowd[63]"),
        (["b[0]", "b[2]", "b[3]", "b[4]", "a", "b[7]"], "a, b[0], b[2] to b[4] and b[7]"),
        (["a", "c", "e", *(f"x[{index}]" for index in range(9)), "y"], "a, c, e and 10 more"),
        (["\x1b[31m"], "\\x1b[31m"),
    ],
)
def test_listed(names: list[str], words: str) -> None:
    assert listed(names) == words


def test_a_client_is_named_where_there_are_several() -> None:
    assert [prefix(case(), "client"), prefix(case(), SERVER), prefix(PAIR, "bob"), prefix(PAIR, "")] == [
        "",
        "server: ",
        "bob: ",
        "",
    ]


def test_what_is_said_of_the_server_accuses_no_client() -> None:
    finding = Stream().by("bob").finding()
    assert accused(PAIR, finding) == "bob: "
    assert accused(PAIR, replace(finding, kind="exited")) == ""
    assert accused(PAIR, replace(finding, client=SERVER)) == ""


def test_of_findings_that_say_the_same_one_is_told() -> None:
    one, same, *others = [replace(Stream().finding(), message=message) for message in ("a", "a", "b", "c", "d")]
    assert told([one, same, *others]) == ((one, *others[:2]), (same, others[2]))


def test_bystanders_are_those_of_a_large_crowd_that_no_finding_concerns() -> None:
    finding = Stream().by("crowd[3]").finding()
    assert bystanders(CROWD, [finding]) == {f"crowd[{index}]" for index in (0, 1, 2, 4, 5)}
    assert bystanders(replace(CROWD, actors=CROWD.actors[:4]), [finding]) == frozenset()
    assert bystanders(PAIR, []) == frozenset()


def test_why_a_client_was_not_judged() -> None:
    ann, bob = Stream().by("ann").finding(), Stream().by("bob").finding()
    assert reasons(PAIR, {"bob": "one"}, [ann]) == {"bob": "ann failed first"}
    assert reasons(PAIR, {"bob": "one", "carl": "two"}, [ann])["carl"] == "ann failed first"
    first = replace(bob, at=-1.0)
    assert reasons(PAIR, {"carl": "two", "dora": "one"}, [ann, first]) == {
        "carl": "bob failed first",
        "dora": "ann failed first",
    }
    assert reasons(PAIR, {"carl": "two"}, [bob]) == {"carl": "bob failed first"}
    assert reasons(PAIR, {"bob": "paused"}, [replace(ann, client=SERVER)]) == {
        "bob": "the server's own step failed first"
    }
    assert reasons(PAIR, {"bob": "one"}, []) == {"bob": "the mark one can no longer be set"}
    circle = {f"crowd[{index}]": "all" for index in range(5)}
    failed = [Stream().by("crowd[5]").finding()]
    assert set(reasons(CROWD, circle, failed).values()) == {"crowd[5] failed first"}


def test_a_long_row_of_clients_that_wait_for_one_another_is_told_at_once() -> None:
    actors = tuple(Actor(f"crowd[{index}]", (Mark(SPAN, f"{index}"),)) for index in range(20_000))
    released = {f"crowd[{index}]": f"{index - 1}" for index in range(1, 20_000)}
    told = reasons(replace(case(), actors=actors), released, [Stream().by("crowd[0]").finding()])
    assert set(told.values()) == {"crowd[0] failed first"}
