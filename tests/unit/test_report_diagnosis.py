"""The page that `sockcheck doctor` shows."""

from __future__ import annotations

import pytest

from sockcheck.diagnosis import Diagnosis, Technique
from sockcheck.techniques import CATALOGUE, had, lacking, untried, weaker
from sockcheck_reports.diagnosis import render

ESCAPE = "\x1b"


def diagnosis(*techniques: Technique) -> Diagnosis:
    return Diagnosis("0.1.0", "Linux 6.18 x86_64", "CPython 3.11.7", "not root", 0.32, techniques)


WELL = (had("read-barrier", "each was read before the next was sent, 0.05 ms at most"), had("merge"), had("folder"))
LACKING = (
    had("merge"),
    weaker("read-barrier", "EPERM (Operation not permitted): usually the seccomp profile of a container", remedy="try"),
    lacking("pause", "a process that was sent SIGSTOP went on"),
    untried("reap", "start"),
    lacking("timestamps", "data came without a stamp"),
)

EXPECTED = """\
sockcheck 0.1.0 on Linux 6.18 x86_64, CPython 3.11.7, not root; looked for 320
ms

Cut and merged for certain, endings told apart
  yes      sends are merged for certain
  weaker   segments are cut for certain
           why      EPERM (Operation not permitted): usually the seccomp profile
                    of a container
           instead  a gap of 20 ms between two segments: on a busy machine some
                    of them are merged
           to mend  try

Started, paused, ended
  no       servers are paused (SIGSTOP)
           why      a process that was sent SIGSTOP went on
           instead  cases that pause the server are not run
  untried  nothing of a server is left, daemons neither
           why      it needs what is lacking: servers are started, watched and
                    stopped

For bug reports: this version needs none of these
  no       the kernel stamps arrivals (SO_TIMESTAMPNS)
           why      data came without a stamp

Of 4 techniques that verdicts rest on, 1 can be had in part, 1 cannot be had, 1
could not be tried. Verdicts are as weak as that and say so; none accuses a
server for it.
"""


def test_what_is_lacking_says_why_what_is_done_instead_and_how_to_have_it() -> None:
    assert render(diagnosis(*LACKING)) == EXPECTED


def test_where_all_is_well_it_is_short() -> None:
    text = render(diagnosis(*WELL))
    assert text.splitlines()[3:] == [
        "Cut and merged for certain, endings told apart",
        "  yes      segments are cut for certain: each was read before the next was sent,",
        "           0.05 ms at most",
        "  yes      sends are merged for certain",
        "",
        "Started, paused, ended",
        "  yes      servers get an empty folder ({dir})",
        "",
        "All 3 techniques that verdicts rest on can be had here.",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_it_fits(width: int) -> None:
    long = " ".join(["a reason of many words"] * 20)
    text = render(diagnosis(*(weaker(id, long, remedy=long) for id in CATALOGUE)), width=width)
    assert max(map(len, text.splitlines())) <= max(60, width)


def test_colour_is_of_the_state_alone_and_only_where_it_is_asked_for() -> None:
    assert ESCAPE not in render(diagnosis(*LACKING))
    coloured = render(diagnosis(*LACKING), colour=True)
    assert f"  {ESCAPE}[32myes" in coloured
    assert f"  {ESCAPE}[31mno" in coloured


def test_what_a_server_wrote_brings_no_escape_to_a_terminal() -> None:
    assert ESCAPE not in render(diagnosis(lacking("given-start", f"it wrote {ESCAPE}[31m")))
