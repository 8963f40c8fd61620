"""A Python script that shows the fault of one case by itself: standard library only, and no sockcheck.

Its head says what the case is and what was seen. Then each client is a function with the steps of the case; then come
those of the helpers (`client_helpers`, `form_helpers`, `server_helpers`) that the script uses, and no others.
"""

from __future__ import annotations

from collections.abc import Sequence

from sockcheck.case import Case
from sockcheck.reproducing import head, program
from sockcheck.reproducing.actors import block, functions
from sockcheck.reproducing.forms import foreign_pattern
from sockcheck.reproducing.statements import of_server, unseen_measure
from sockcheck.verdict import Finding


def script(
    case: Case,
    *,
    command: Sequence[str] | None,
    address: str | None,
    finding: Finding | None,
    unique: str,
    before: Sequence[tuple[Case, str]] = (),
) -> str:
    """The script: exit status 1 where the fault shows, 0 where it does not, 2 where it cannot be tried.

    `command` starts the server; in it `{host}`, `{port}`, `{dir}` and `{python}` are filled in by the script, and other
    braces stay. `address`, HOST:PORT or [IPV6]:PORT, is that of a server that runs already; with a command it is where
    that one is to listen, None being where it likes. `finding` is what sockcheck saw, `unique` what `${unique}` was.
    `before`: what goes before it on the same server, without which the case does not fail, each with its `unique`.
    """
    cases = [*before, (case, unique)]
    obstacle = next(filter(None, (_obstacle(each, finding, started=command is not None) for each, _ in cases)), "")
    told = head.told(case, finding, started=command is not None, before=[each.id for each, _ in before])
    if obstacle:
        return program.apology(told, obstacle)
    taken = program.names()
    exchanges = []
    for number, (each, its_unique) in enumerate(cases):
        made = functions(each.actors, its_unique, taken)
        steps = f"server_{number + 1}" if before else "server"
        source = "\n\n".join(function.source for function in made)
        if each.server:
            source += f"\n\ndef {steps}():\n{block(of_server(each.server))}"
        exchanges.append(
            program.Exchange(
                each, source, [call for function in made for call in function.calls], steps if each.server else ""
            )
        )
    return program.whole(told, exchanges, command, address, finding)


def _obstacle(case: Case, finding: Finding | None, *, started: bool) -> str:
    """Why the standard library cannot show it, or ""."""
    if case.server and not started:
        return "its steps of the server need a server that is started here, and no command is known"
    if finding is not None and finding.kind in program.NEED_PROCESSES and not started:
        return "only the processes of a server that is started here show it, and no command is known"
    if unseen_measure(case.server):
        return "it asks how many connections may wait (backlog), which /proc does not tell"
    pattern = foreign_pattern(case)
    return f"it needs a regular expression that Python's re does not take: {pattern}" if pattern else ""
