"""What `sockcheck list` shows, as text and as data."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sockcheck.case import Capabilities, Case
from sockcheck.planning import plan
from sockcheck.reading import read_contract, read_scenario
from sockcheck.scenario import Contract, Scenario
from sockcheck_reports.listing import data, render

ECHO = """\
contract: echo
about: Every byte that is received is sent back, unchanged and in order, to many clients at once.
promises:
  clients: 64
  half-close: yes
  pipelining: no
parameters:
  idle: 1s
target:
  command: "{python} -m sockcheck.servers.echo {host} {port} --an-option-that-makes-this-command-quite-long"
"""
BODY = "client:\n  - connect\n"

Row = tuple[Scenario, Sequence[Case]]


def contract(name: str = "echo", text: str = ECHO) -> Contract:
    return read_contract(f"scenarios/{name}/contract.yaml", text, name)


def row(name: str, text: str, of: Contract, *, started: bool = True) -> Row:
    scenario = read_scenario(f"{name}.sock.yaml", text, of, lambda _: b"")
    return scenario, plan(scenario, seed=0, capabilities=Capabilities(started=started, observable=True))


def rows(*, started: bool = True) -> list[Row]:
    of = contract()
    return [
        row("hello", f"scenario: What is sent comes back\n{BODY}", of),
        row(
            "cut",
            f"scenario: A message may arrive in pieces, however many they may be\nlaw: cut.at-k\n"
            f"needs: [clients, half-close]\nmatrix:\n  size: [1, 2, 3]\n{BODY}",
            of,
        ),
        row("many", f"scenario: Many at once\nneeds: pipelining\n{BODY}", of),
        row("paused", f"scenario: It is paused\nserver: [pause, resume]\n{BODY}", of, started=started),
        row("later", f"scenario: Not now\nskip: it is not written yet\n{BODY}", of),
        row("known", f"scenario: Not yet\nknown-failure: see the list of faults\n{BODY}", of),
        row("a-name-that-is-longer-than-any-other", f"scenario: A long name\n{BODY}", of),
    ]


EXPECTED = """\
echo  (scenarios/echo/contract.yaml)
  Every byte that is received is sent back, unchanged and in order, to many
  clients at once.
  Promises: clients 64, half-close, pipelining no
  Parameters: idle = 1s
  Server: {python} -m sockcheck.servers.echo {host} {port} --an-option-that-makes-this-command-quite-long

  hello   What is sent comes back
  cut     A message may arrive in pieces, however many they may be [cut.at-k; 3
          cases; needs clients and half-close]
  many    Many at once [needs pipelining]
          ! not run: 'pipelining' is needed, which the contract 'echo' does not
            promise
  paused  It is paused [not with --connect]
  later   Not now
          ! not run: it is not written yet
  known   Not yet
          ! known to fail: see the list of faults
  a-name-that-is-longer-than-any-other
          A long name

7 scenarios, 9 cases; 2 would not run; 1 known to fail
"""


def test_each_contract_with_its_promises_and_scenarios_and_what_would_not_run() -> None:
    assert render(rows()) == EXPECTED


def test_what_a_connected_server_leaves_out_is_told() -> None:
    text = render(rows(started=False))
    assert "! not run: its `server:` steps need a server that sockcheck starts" in text
    assert text.endswith("7 scenarios, 9 cases; 3 would not run; 1 known to fail\n")


def test_contracts_are_told_apart_and_one_may_be_missing() -> None:
    bare = contract("bare", "contract: bare\n")
    none = Contract(name="mine", path="mine")
    text = render([row(f"hello-{of.name}", f"scenario: Hello\n{BODY}", of) for of in (none, bare)])
    assert text == (
        "mine  (mine)\n"
        "  There is no contract.yaml: nothing is promised, and all is run.\n"
        "\n"
        "  hello-mine  Hello\n"
        "\n"
        "bare  (scenarios/bare/contract.yaml)\n"
        "  Promises: nothing\n"
        "  Server: none; name one behind -- or with --connect\n"
        "\n"
        "  hello-bare  Hello\n"
        "\n"
        "2 scenarios, 2 cases\n"
    )


def test_titles_bring_no_control_characters_to_a_terminal() -> None:
    text = render([row("evil", f'scenario: "red \\e[31m"\n{BODY}', contract())])
    assert "\x1b" not in text
    assert "red \\x1b[31m" in text


def test_the_same_for_programs() -> None:
    found = data(rows())
    assert json.loads(json.dumps(found)) == found
    (echo,) = found["contracts"]
    assert {**echo, "scenarios": []} == {
        "name": "echo",
        "path": "scenarios/echo/contract.yaml",
        "about": "Every byte that is received is sent back, unchanged and in order, to many clients at once.",
        "promises": {"clients": "64", "half-close": "yes", "pipelining": "no"},
        "parameters": {"idle": "1s"},
        "target": "{python} -m sockcheck.servers.echo {host} {port} --an-option-that-makes-this-command-quite-long",
        "scenarios": [],
    }
    cut, many = echo["scenarios"][1:3]
    assert (cut["law"], cut["needs"], cut["steers_server"]) == ("cut.at-k", ["clients", "half-close"], False)
    assert [each["id"] for each in cut["cases"]] == [f"echo/cut[size={size}]::plain" for size in (1, 2, 3)]
    assert many["cases"] == [
        {"id": "echo/many::plain", "not_run": "'pipelining' is needed, which the contract 'echo' does not promise"}
    ]
