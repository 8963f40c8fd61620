"""Numbers, sizes, times and statuses in words."""

import pytest

from sockcheck_reports.wording import count, duration, size, status


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (99_999, "99,999 bytes"),
        (100_000, "100.0 kB"),
        (8_200_000, "8.2 MB"),
        (3_000_000_000, "3.0 GB"),
        (3_000_000_000_000, "3000.0 GB"),
    ],
)
def test_size(octets: int, text: str) -> None:
    assert size(octets) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00003, "0.03 ms"), (0.00999, "10 ms"), (0.02, "20 ms"), (0.9999, "1.00 s"), (2, "2.00 s"), (185, "3 min 05 s")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_count() -> None:
    assert count(1, "case") == "1 case"
    assert count(1024, "case") == "1,024 cases"
    assert count(2, "reply", "replies") == "2 replies"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "exited with status 0"), (-11, "was killed by SIGSEGV"), (-200, "was killed by signal 200")],
)
def test_status(number: int, text: str) -> None:
    assert status(number) == text
