"""What the outcome of trying a technique means to a user."""

from __future__ import annotations

import errno
from typing import get_args

from sockcheck import techniques
from sockcheck.diagnosis import Group, Technique
from sockcheck.techniques import CATALOGUE, had, lacking, refused, untried, weaker


def test_a_technique_that_works_has_nothing_to_mend() -> None:
    assert had("pause", "stopped after 0.4 ms") == Technique(
        "pause", "keep", "servers are paused (SIGSTOP)", "yes", "stopped after 0.4 ms"
    )


def test_one_that_does_not_says_what_is_done_instead() -> None:
    found = lacking("pause", "it went on", "see")
    assert (found.state, found.why, found.remedy) == ("no", "it went on", "see")
    assert found.instead == "cases that pause the server are not run"


def test_one_that_works_in_part_may_have_another_way_round() -> None:
    assert weaker("queue", "why").instead == CATALOGUE["queue"].instead
    found = weaker("queue", "why", instead="the queue alone", remedy="none", detail="3")
    assert (found.state, found.instead, found.remedy, found.detail) == ("weaker", "the queue alone", "none", "3")


def test_an_errno_is_told_with_what_it_usually_means() -> None:
    found = refused("sock-diag", errno.EPERM, "Operation not permitted")
    assert found.why.startswith("EPERM (Operation not permitted): usually the seccomp profile")
    assert "seccomp=unconfined" in found.remedy
    assert (
        refused("ipv6", errno.EADDRNOTAVAIL, "Cannot assign").why
        == "EADDRNOTAVAIL (Cannot assign): IPv6 is switched off"
    )


def test_an_errno_that_means_nothing_special_is_told_as_it_is() -> None:
    found = refused("folder", errno.ENOSPC, "No space left on device")
    assert (found.why, found.remedy) == ("ENOSPC (No space left on device)", "")
    assert refused("folder", 99999, "?").why == "errno 99999 (?)"


def test_what_was_not_tried_says_what_it_needs() -> None:
    found = untried("merge", "start")
    assert (found.state, found.instead) == ("untried", "")
    assert found.why == "it needs what is lacking: servers are started, watched and stopped"


def test_all_meanings_are_of_techniques_that_there_are_and_every_group_has_some() -> None:
    assert {id for id, _ in techniques.MEANINGS} <= set(CATALOGUE)
    assert {entry.group for entry in CATALOGUE.values()} == set(get_args(Group))


def test_every_title_fits_a_line() -> None:
    assert [entry.title for entry in CATALOGUE.values() if len(entry.title) > 70] == []
