"""Records on disk: what was measured is never lost, and what is no record is told from one."""

import io
import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from sockcheck.client_events import (
    Received,
)
from sockcheck.codec import encode
from sockcheck.errors import RecordError, UsageError
from sockcheck.events import (
    RECORD_VERSION,
    Event,
    RunFinished,
    RunStarted,
    SourceRead,
)
from sockcheck.recording import Recorder, read

STARTED = RunStarted(0.0, RECORD_VERSION, "0.1.0", "2026-01-01T00:00:00Z", ("./s",), "/", 7, 1.0, True, "Linux", 1)
SOURCE = SourceRead(0.1, "greets.sock.yaml", "title: Grüße\n")
RECEIVED = Received(0.2, 1, "client", b"\xff\n")
FINISHED = RunFinished(0.3, 0, "")
RUN: list[Event] = [STARTED, SOURCE, RECEIVED, FINISHED]


def lines(*events: Event) -> bytes:
    return b"".join(encode(event).encode() + b"\n" for event in events)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Recorder(path) as recorder:
        for event in RUN:
            recorder.write(event)
    assert recorder.trouble is None
    assert path.read_bytes() == lines(*RUN)
    assert list(read(path)) == RUN


def test_each_event_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Recorder(path) as recorder:
        for number, event in enumerate(RUN, 1):
            recorder.write(event)
            assert list(read(path)) == RUN[:number]


def test_an_older_record_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"x" * 10_000)
    with Recorder(str(path)) as recorder:
        recorder.write(STARTED)
    assert path.read_bytes() == lines(STARTED)


def test_a_record_that_cannot_be_opened_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Recorder(tmp_path)
    assert caught.value.message == f"cannot write the record {tmp_path}: Is a directory"
    assert caught.value.hint == "name a file in a folder that you can write to"
    with pytest.raises(UsageError, match=r"No such file or directory$"):
        Recorder(tmp_path / "missing" / "run.jsonl")


def test_a_full_disk_is_told_once_and_harms_nothing() -> None:
    with Recorder("/dev/full") as recorder:
        recorder.write(STARTED)
        assert recorder.trouble == "the record /dev/full is not whole: No space left on device"
        recorder.write(SOURCE)
    assert recorder.trouble == "the record /dev/full is not whole: No space left on device"


def test_an_event_that_json_cannot_hold_is_trouble(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.jsonl") as recorder:
        recorder.write(RunFinished(float("inf"), 0, ""))
    assert recorder.trouble is not None
    assert "is not whole: Out of range float values are not JSON compliant" in recorder.trouble


def test_closing_twice_is_harmless_and_writing_afterwards_is_trouble(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.jsonl")
    recorder.close()
    recorder.close()
    assert recorder.trouble is None
    recorder.write(STARTED)
    assert recorder.trouble == f"the record {tmp_path}/run.jsonl is not whole: write to closed file"


@pytest.mark.parametrize("lost", range(1, len(lines(FINISHED)) + 1))
def test_a_record_cut_off_in_its_last_line_keeps_the_rest(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(lines(*RUN)[:-lost])
    assert list(read(path)) == (RUN if lost == 1 else RUN[:-1])


def test_a_tail_of_nulls_is_a_cut(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(lines(STARTED, SOURCE) + bytes(4096))
    assert list(read(path)) == [STARTED, SOURCE]


def test_a_tail_that_is_no_text_is_a_cut(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(lines(STARTED, SOURCE) + b"\xff")
    assert list(read(path)) == [STARTED, SOURCE]


def test_line_endings_of_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(lines(*RUN).replace(b"\n", b"\r\n"))
    assert list(read(path)) == RUN


NEWER = json.dumps({**json.loads(encode(STARTED)), "version": RECORD_VERSION + 1, "shard": 1}).encode() + b"\n"
A_RECORD_IS = "a record is what `sockcheck run --record FILE` writes"
DAMAGED = "the file was changed or damaged after it was written"


@pytest.mark.parametrize(
    ("content", "whole", "message", "hint"),
    [
        (b"", 0, ": the file is empty, so it is no record", A_RECORD_IS),
        (b"\n", 0, ":1: this is no event: it is not JSON (Expecting value at column 1)", A_RECORD_IS),
        (b"title: x\n", 0, ":1: this is no event: it is not JSON (Expecting value at column 1)", A_RECORD_IS),
        (b"\x7fELF\x80", 0, ":1: this is no event: it is not text", A_RECORD_IS),
        (lines(STARTED)[:20], 0, ":1: this is no event: it is not JSON", A_RECORD_IS),
        (
            NEWER,
            0,
            ":1: the record is of version 2, but this sockcheck reads only up to version 1",
            "read it with the sockcheck that wrote it, or upgrade this one",
        ),
        (lines(SOURCE), 0, ":1: a record begins with RunStarted", "give one whole record at a time"),
        (
            lines(STARTED, SOURCE) + b"oops\n" + lines(FINISHED),
            2,
            ":3: this is no event: it is not JSON (Expecting value at column 1)",
            DAMAGED,
        ),
        (lines(STARTED) + b"\xff\n" + lines(FINISHED), 1, ":2: this is no event: it is not text", DAMAGED),
        (lines(STARTED) + b"\n" + lines(FINISHED), 1, ":2: this is no event: it is not JSON", DAMAGED),
        (lines(STARTED, STARTED), 1, ":2: a second record begins here", "give one whole record at a time"),
        (lines(*RUN, SOURCE), 4, ":5: the record goes on after its end", "give one whole record at a time"),
    ],
)
def test_what_is_no_record_is_told_with_its_line(
    tmp_path: Path, content: bytes, whole: int, message: str, hint: str
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    events: list[Event] = []
    with pytest.raises(RecordError) as caught:
        events.extend(read(path))
    assert len(events) == whole
    assert caught.value.message.startswith(f"{path}{message}")
    assert caught.value.hint == hint


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as caught:
        list(read(tmp_path))
    assert caught.value.message == f"cannot read the record {tmp_path}: Is a directory"
    with pytest.raises(RecordError, match=r"none\.jsonl: No such file or directory$"):
        list(read(tmp_path / "none.jsonl"))


def test_a_file_that_fails_while_it_is_read_is_told() -> None:
    with pytest.raises(RecordError, match=r"^/proc/self/mem:1: cannot be read: Input/output error$"):
        list(read("/proc/self/mem"))


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(RecordError, match=r"^/dev/zero:1: the line is longer than any event$"):
        list(read("/dev/zero"))


def test_standard_input_is_read_as_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(lines(*RUN)))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(read("-")) == RUN
    assert not stdin.closed


def test_a_long_record_is_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    line = lines(Received(0.2, 1, "client", b"x" * 10_000))
    with path.open("wb") as file:
        file.write(lines(STARTED))
        for _ in range(5000):
            file.write(line)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(path)) == 5001
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000, f"{peak} bytes for a record of {path.stat().st_size}"
