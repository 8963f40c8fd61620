"""Whose fault it is that a server did not start: only its own costs it points."""

import errno
import signal
import socket

import pytest

from sockcheck import target_errors
from sockcheck.addresses import Address
from sockcheck.errors import TargetError
from sockcheck.observe.sockdiag import Listener

ARGV = ("./server",)
ELSEWHERE = Listener(socket.AF_INET, "127.0.0.1", 7001, 1, 0, 0, 128, False)


def ended(status: int, why: str = "", output: bytes = b"") -> TargetError:
    return target_errors.ended_early(status, why, output, ARGV, (), None)


@pytest.mark.parametrize(
    "error",
    [
        ended(1),
        ended(0),
        ended(-signal.SIGSEGV),
        ended(0, "its first process ended, and so did 20 others"),
        target_errors.never_listened(10, b""),
        target_errors.other_port(7000, [ELSEWHERE], b"", placeholder=True),
    ],
)
def test_it_ended_or_does_not_listen_where_it_should(error: TargetError) -> None:
    assert error.fault == "server"


@pytest.mark.parametrize(
    "error",
    [
        ended(-signal.SIGKILL),
        ended(1, output=b"OSError: [Errno 98] Address already in use"),
        target_errors.other_port(7000, [ELSEWHERE], b"", placeholder=False),
        target_errors.not_executable(errno.ENOENT, ARGV),
        target_errors.in_use_again(Address("127.0.0.1", 7000), (), b""),
        TargetError("no free port was found"),
    ],
)
def test_others_may_answer_for_it(error: TargetError) -> None:
    assert error.fault == "unknown"


@pytest.mark.parametrize("status", [1, -signal.SIGKILL])
def test_in_a_network_of_its_own_that_without_it_counts(status: int) -> None:
    assert target_errors.not_even_outside(ended(2), ended(status)).fault == ended(status).fault
