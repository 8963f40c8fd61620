"""Runs in which causes were named, and some of which is advice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from report_builder import HOSTILE, LAWS, Stream, case

from sockcheck.case import Case
from sockcheck.events import CauseNamed, Event

MEND = 'while b"\\n" not in pending:\n    data = client.recv(4096)\n    if not data: return\n    pending += data'


def named(run: Stream, *cases: str, **facts: Any) -> CauseNamed:
    """A cause of these cases, the first of which is the smallest."""
    cause = CauseNamed(
        at=run.at,
        id="one-recv",
        title="takes one recv() for one message",
        law="cut.at-k",
        advice=False,
        why=LAWS["cut.at-k"],
        thought="One send() there is one recv() here, one thinks; a stream has no messages.",
        mend_python=MEND,
        mend_c="while (!memchr(buffer, '\\n', used)) { recv() once more }",
        cases=cases,
        smallest=cases[0],
        evidence="the server closed the connection after 5 bytes: 7 of 12 bytes did not come",
    )
    return replace(cause, **facts)


def cut(position: int) -> Case:
    variation = f"client.1:{position}"
    traits = ("in-body",)
    return replace(case(), id=f"echo/pieces::cut.at-k({variation})", variation=variation, traits=traits)


def fails(run: Stream, which: Case) -> str:
    run.begin(which).connect().sent(0, 5).received(b"hello").sent(5, 7, "none", 0.0).ended()
    run.verdict("fail", run.finding())
    return which.id


def advises(run: Stream, name: str, promise: str) -> str:
    which = replace(case(name, law="merge.pipeline", title="Two requests at once"), advice=promise)
    run.begin(which).connect().sent(0, 12, "none", 0.0)
    finding = run.finding("silence", law="merge.pipeline", message="nothing came within 2.00 s")
    run.verdict("advice", finding, reason=f"the contract does not promise {promise}")
    return which.id


def causes() -> list[Event]:
    """One cause of many failures, one of two with another promise, an unknown one, advice with a cause and without."""
    run = Stream().start(total=17).serve().passes()
    cuts = [fails(run, cut(position)) for position in range(1, 12)]
    ended = fails(run, case("gone", law="end.orderly", title="The end comes in order"))
    unknown = [fails(run, case(f"odd-{number}", law="plain", title="An odd one")) for number in (1, 2)]
    piped, other = advises(run, "piped", "pipelining"), advises(run, "half", "half-close")
    run.add(named(run, *cuts))
    facts: dict[str, Any] = {
        "title": "closes by a reset",
        "law": "end.orderly",
        "why": LAWS["end.orderly"],
        "thought": "",
    }
    run.add(named(run, ended, id="hard-close", **facts))
    run.add(named(run, *unknown, id="unknown", title="no known pattern: plain", law="plain", why=LAWS["plain"]))
    facts = {
        "title": "drops what comes behind a message in one recv()",
        "law": "merge.pipeline",
        "why": "",
        "advice": True,
    }
    run.add(named(run, piped, id="tail-dropped", **facts))
    run.add(
        named(run, other, id="unknown", title="no known pattern: merge.pipeline", law="merge.pipeline", advice=True)
    )
    run.add(named(run, "echo/not-in-this-record::plain"))
    return run.finish()


def hostile_cause() -> list[Event]:
    """A cause whose texts try to be something else."""
    text = HOSTILE.decode("latin-1")
    run = Stream().start(total=2).serve(("sh", "-c", text)).passes()
    bad = replace(case(f"<script>{text}", title=text), advice=text)
    run.begin(bad).verdict("fail", run.finding(message=text))
    run.begin(replace(bad, id=f"advice {text}")).verdict("advice", run.finding(message=text), reason=text)
    facts = {"id": text, "title": text, "law": text, "why": text, "thought": text, "mend_python": text, "mend_c": text}
    run.add(named(run, bad.id, evidence=text, **facts))
    run.add(named(run, f"advice {text}", evidence=text, advice=True, **facts))
    return run.finish()
