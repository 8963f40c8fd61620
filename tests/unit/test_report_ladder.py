"""The diagram of a case: which lane, which way, how far apart."""

from dataclasses import replace

import pytest
from report_builder import case, pieces_actions
from report_streams import view

from sockcheck.case import Actor
from sockcheck.verdict import Finding
from sockcheck_reports.ladder import MOST_LANES, Ladder, ladder
from sockcheck_reports.rows import Drawn, Mark, Row

TWO = replace(case(), actors=tuple(Actor(name, pieces_actions()) for name in ("ann", "bob")))
CROWD = replace(case(), actors=tuple(Actor(f"crowd[{number}]", pieces_actions()) for number in range(9)))


def row(at: float, client: str = "ann", mark: Mark = "--", drawn: Drawn = "note") -> Row:
    return Row(at, mark, client, drawn, drawn=drawn)


def drawn(shown: Ladder) -> list[tuple[int, str, str]]:
    return [(step.lane, step.way, step.drawn) for step in shown.steps]


def test_the_classic_failure_step_by_step() -> None:
    failure = view("classic").failures[0]
    shown = ladder(failure.case, failure.rows, failure.findings)
    assert shown.lanes == ("client", "server")
    assert [(step.lane, step.way, step.drawn, step.what, step.excerpt) for step in shown.steps] == [
        (0, "to", "connect", "connected to 127.0.12.1:41731 from 127.0.0.1:50524", ""),
        (1, "at", "output", "stdout", '"connection from 127.0.0.1:50524\\n"'),
        (0, "to", "data", "sent 5 bytes", '"hello"'),
        (1, "at", "read", "read by the server after 0.03 ms", ""),
        (1, "at", "output", "stdout", "\"got b'hello'\\n\""),
        (0, "from", "data", "received 5 bytes", '"hello"'),
        (0, "to", "data", "sent 7 bytes", '" world\\n"'),
        (0, "from", "fin", "end of stream (recv() gave b''), after 5 bytes", ""),
        (1, "at", "output", "stdout", '"connection closed\\n"'),
    ]
    assert [step.decisive for step in shown.steps].index(True) == 7


def test_each_client_has_a_lane_and_what_is_nobodys_goes_across() -> None:
    shown = ladder(TWO, [row(0, "bob"), row(1, ""), row(2, "ann", "<-", "rst"), row(3, "server", "->", "pause")])
    assert shown.lanes == ("ann", "bob", "server")
    assert drawn(shown) == [(1, "at", "note"), (0, "across", "note"), (0, "from", "rst"), (2, "at", "pause")]


def test_whose_segment_was_read_is_said_where_there_are_several() -> None:
    read = row(0, "bob", "--", "read")
    assert [(step.lane, step.what) for step in ladder(TWO, [row(0), read]).steps] == [(0, "note"), (2, "bob: read")]


def test_only_those_that_did_something_have_a_lane() -> None:
    assert ladder(TWO, [row(0, "bob")]).lanes == ("bob", "server")
    assert ladder(TWO, []).lanes == ("ann", "server")


def test_many_clients_share_the_last_lane_but_not_those_that_something_was_found_of() -> None:
    rows = [row(number, f"crowd[{number}]") for number in range(9)]
    finding = replace(view("classic").failures[0].findings[0], client="crowd[7]")
    findings: list[Finding] = [finding]
    shown = ladder(CROWD, rows, findings)
    assert shown.lanes == ("crowd[0]", "crowd[1]", "crowd[7]", "6 other clients", "server")
    assert len(shown.lanes) == MOST_LANES + 1
    assert [step.lane for step in shown.steps] == [0, 1, 3, 3, 3, 3, 3, 2, 3]
    assert [step.what for step in shown.steps][1:4] == ["note", "crowd[2]: note", "crowd[3]: note"]


def test_how_long_nothing_happened() -> None:
    shown = ladder(TWO, [row(at) for at in (5, 5.9, 8, 30, 150, 2150)])
    assert [(step.lead, step.later) for step in shown.steps] == [
        (0, ""),
        (0, ""),
        (1, ""),
        (2, ""),
        (3, "120 ms"),
        (4, "2.00 s"),
    ]


@pytest.mark.parametrize(
    ("done", "states"),
    [
        (("pause", "data", "resume", "data"), ["paused", "paused", "up", "up"]),
        (("down", "resume", "up"), ["down", "down", "up"]),
    ],
)
def test_the_state_of_the_server(done: tuple[Drawn, ...], states: list[str]) -> None:
    assert [step.server for step in ladder(TWO, [row(0, drawn=each) for each in done]).steps] == states


@pytest.mark.parametrize(
    ("mark", "does", "way"),
    [
        ("->", "data", "to"),
        ("->", "fin", "to"),
        ("->", "rst", "to"),
        ("->", "note", "at"),
        ("--", "connect", "to"),
        ("--", "refused", "to"),
        ("--", "silence", "at"),
        ("<-", "fin", "from"),
    ],
)
def test_which_way(mark: Mark, does: Drawn, way: str) -> None:
    assert drawn(ladder(TWO, [row(0, "ann", mark, does)])) == [(0, way, does)]
