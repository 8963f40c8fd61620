"""`sockcheck doctor`: here, where techniques are lacking, and with servers of all kinds."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from command_line import LIMIT, sockcheck
from confinement import NOT_HERE, confined
from tools import CHECKOUT

from sockcheck.diagnosis import Technique
from sockcheck.doctor import machine
from sockcheck.doctor.guard import tried, tried_at_once
from sockcheck.errors import TargetError
from sockcheck.techniques import CATALOGUE, had

GIVEN = {id for id, entry in CATALOGUE.items() if entry.group == "server"}
# What tells of the machine rather than of what it allows: a busy one may well be late.
MOODS = {"timer", "processors"}

Found = dict[str, dict[str, Any]]


def found(out: str) -> Found:
    return {technique["id"]: technique for technique in json.loads(out)["techniques"]}


def here(*words: str) -> Found:
    ran = sockcheck("doctor", "--json", *words)
    assert (ran.code, ran.err) == (0, "")
    return found(ran.out)


@pytest.fixture(scope="module")
def usual() -> Found:
    """What is found here, where nothing was taken away."""
    return here()


def in_a(*places: str) -> Found | None:
    """What is found in such a place, None where there can be none."""
    done = subprocess.run(
        [*confined(*places), sys.executable, "-m", "sockcheck", "doctor", "--json"],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode == NOT_HERE:
        return None
    assert (done.returncode, done.stderr) == (0, "")
    return found(done.stdout)


def states(techniques: Found, *ids: str) -> list[str]:
    return [techniques[id]["state"] for id in ids]


def not_had(techniques: Found) -> set[str]:
    """The ids of what verdicts rest on that cannot be had, or only in part."""
    return {
        id
        for id, technique in techniques.items()
        if technique["state"] != "yes" and technique["group"] not in ("option", "extra") and id not in MOODS
    }


def test_all_is_tried_and_what_a_run_needs_is_here(usual: Found) -> None:
    assert set(usual) == set(CATALOGUE) - GIVEN
    assert not_had(usual) <= {"ipv6", "others", "descriptors"}, usual
    for technique in usual.values():
        assert bool(technique["why"]) == (technique["state"] != "yes"), technique


def test_nothing_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = f"SOCKCHECK_MARK={os.getpid()}-{tmp_path.name}"
    monkeypatch.setenv(*mark.split("=", 1))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    here()
    assert list(tmp_path.iterdir()) == []
    assert marked(mark) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    """The signal comes while a server that takes its time is waited for."""
    program = tmp_path / "slow.py"
    program.write_text("import signal, sys\nopen(sys.argv[1], 'w').close()\nsignal.pause()\n")
    mark = f"SOCKCHECK_MARK={os.getpid()}-{tmp_path.name}"
    words = ["--", sys.executable, str(program), str(tmp_path / "up")]
    process = subprocess.Popen(
        [sys.executable, "-m", "sockcheck", "doctor", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **dict([mark.split("=", 1)])},
    )
    end = time.monotonic() + LIMIT / 2
    while not (tmp_path / "up").exists():
        assert time.monotonic() < end, "the server was not started"
        os.sched_yield()
    process.send_signal(number)
    out, _ = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (130, "")
    assert marked(mark) == []


def marked(mark: str) -> list[str]:
    """The processes that were started with this variable."""
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                left.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return left


def test_the_page_fits_the_screen() -> None:
    ran = sockcheck("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "\x1b" not in ran.out
    assert "segments are cut for certain" in ran.out
    assert "that verdicts rest on" in ran.out


def test_without_netlink_claims_are_weaker_and_all_else_is_as_usual(usual: Found) -> None:
    techniques = in_a("no-netlink")
    assert techniques is not None
    diag = techniques["sock-diag"]
    assert diag["state"] == "no"
    assert diag["why"].startswith("EPERM (Operation not permitted): usually the seccomp profile")
    assert diag["remedy"]
    assert states(techniques, "read-barrier", "settling", "listening", "queue") == ["weaker"] * 4
    assert "gap of 20 ms" in techniques["read-barrier"]["instead"]
    assert states(techniques, "isolation") == ["no"]
    assert not_had(techniques) - not_had(usual) == {"sock-diag", "read-barrier", "settling", "listening", "queue"}


def test_without_ipv6_and_namespaces(usual: Found) -> None:
    techniques = in_a("no-ipv6", "no-namespaces")
    assert techniques is not None
    assert states(techniques, "ipv6", "isolation") == ["no", "no"]
    assert "the kernel has no IPv6" in techniques["ipv6"]["why"]
    assert "EPERM" in techniques["isolation"]["why"]
    assert "unprivileged_userns_clone" in techniques["isolation"]["remedy"]
    assert not_had(techniques) - not_had(usual) <= {"ipv6"}, techniques


def test_with_few_descriptors(usual: Found) -> None:
    techniques = in_a("few-files")
    assert techniques is not None
    descriptors = techniques["descriptors"]
    assert descriptors["state"] == "weaker"
    assert "256" in descriptors["why"]
    assert not_had(techniques) - not_had(usual) <= {"descriptors"}


def test_where_the_loopback_interface_is_down_that_is_the_one_thing_that_is_lacking(usual: Found) -> None:
    techniques = in_a("new-network")
    if techniques is None:
        assert states(usual, "isolation") == ["no"]
        return
    assert techniques["loopback"]["state"] == "no"
    assert techniques["loopback"]["remedy"] == "ip link set lo up"
    assert {id for id, each in techniques.items() if each["state"] == "untried"} == {
        "read-barrier",
        "merge",
        "endings",
        "settling",
        "queue",
        "small-window",
        "tcp-info",
        "addresses",
        "ipv6",
        "timestamps",
    }
    assert states(techniques, "start", "pause", "reap", "health") == ["yes"] * 4


def test_without_proc_no_server_is_started(usual: Found) -> None:
    techniques = in_a("no-proc")
    if techniques is None:
        assert states(usual, "isolation") == ["no"]
        return
    assert techniques["start"]["state"] == "no"
    assert "/proc is not mounted" in techniques["start"]["why"]
    assert states(techniques, "read-barrier", "pause", "reap", "health") == ["untried"] * 4
    assert states(techniques, "loopback", "tcp-info", "small-window") == ["yes"] * 3


def test_no_privilege_is_needed(usual: Found) -> None:
    techniques = in_a("unprivileged")
    assert techniques is not None
    assert not_had(techniques) - not_had(usual) <= {"others"}


def test_a_good_server_is_found_good() -> None:
    techniques = here("--", "{python}", "-m", "sockcheck.servers.echo", "{host}", "{port}")
    assert set(techniques) == set(CATALOGUE)
    assert states(techniques, *sorted(GIVEN)) == ["yes"] * 4
    assert "1 process " in techniques["given-seen"]["detail"]


def test_a_server_that_a_pause_ends_is_found_out_and_connected_to_all_the_same(tmp_path: Path) -> None:
    program = tmp_path / "sleepless.py"
    program.write_text(
        "import os, signal, socket, sys\n"
        "signal.signal(signal.SIGCONT, lambda *_: os._exit(3))\n"
        "server = socket.create_server((sys.argv[1], int(sys.argv[2])))\n"
        "while True:\n"
        "    server.accept()[0].close()\n"
    )
    techniques = here("--", "{python}", str(program), "{host}", "{port}")
    assert states(techniques, "given-start", "given-pause", "given-connection") == ["yes", "no", "yes"]
    assert "cases that pause the server are not run" in techniques["given-pause"]["instead"]


def test_a_server_that_ends_with_its_first_client_is_found_out(tmp_path: Path) -> None:
    program = tmp_path / "once.py"
    program.write_text(
        "import socket, sys\n"
        "client, _ = socket.create_server((sys.argv[1], int(sys.argv[2]))).accept()\n"
        "client.recv(1)\n"
    )
    techniques = here("--", "{python}", str(program), "{host}", "{port}")
    assert states(techniques, "given-pause", "given-connection") == ["yes", "no"]
    assert "connected and left" in techniques["given-connection"]["why"]


def test_a_server_that_cannot_be_started_is_told_with_its_last_words() -> None:
    ran = sockcheck("doctor", "--json", "--", "{python}", "-c", "raise SystemExit('no configuration')")
    assert (ran.code, ran.err) == (3, "")
    techniques = found(ran.out)
    assert "the last that it wrote: no configuration" in techniques["given-start"]["why"]
    assert states(techniques, "given-start", "given-seen", "given-pause") == ["no", "untried", "untried"]
    assert techniques["read-barrier"]["state"] == "yes"


def test_a_server_that_runs_already_is_never_signalled() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        techniques = here("--connect", f"127.0.0.1:{server.getsockname()[1]}")
    assert states(techniques, "given-start", "given-seen", "given-pause", "given-connection") == [
        "yes",
        "yes",
        "no",
        "yes",
    ]
    assert "signals no process that it did not start" in techniques["given-pause"]["why"]


def test_nobody_listens() -> None:
    ran = sockcheck("doctor", "--connect", "127.0.0.1:1")
    assert ran.code == 3
    assert "nothing listens on 127.0.0.1:1" in ran.out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--connect", "127.0.0.1:1", "--", "x"), "both --connect and a command"),
        (("--connect", "127.0.0.1"), "names no port"),
        (("--",), "there is no command behind --"),
    ],
)
def test_bad_usage(words: tuple[str, ...], part: str) -> None:
    ran = sockcheck("doctor", *words)
    assert (ran.code, ran.out) == (2, "")
    assert part in ran.err


async def _hangs() -> Technique:
    await trio.sleep_forever()
    raise AssertionError


async def _breaks() -> Technique:
    raise ValueError("what is this?")


def test_a_probe_that_hangs_or_breaks_is_a_finding_and_no_more() -> None:
    async def both() -> tuple[Technique, Technique]:
        return await tried("pause", _hangs), await tried("merge", _breaks)

    hung, broken = trio.run(both, clock=trio.testing.MockClock(autojump_threshold=0))
    assert (hung.id, hung.state, hung.why) == ("pause", "no", "it came to no end within 3 s")
    assert (broken.state, broken.why) == ("no", "the probe failed: ValueError: what is this?")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TargetError("it is gone", "look"), "it is gone"),
        (TimeoutError("timed out"), "no answer came in time: something between drops it, as a firewall on loopback"),
        (PermissionError(1, "in our words"), "EPERM (Operation not permitted)"),
        (OSError("odd"), "the probe failed: OSError: odd"),
    ],
)
def test_what_a_probe_raises_is_told(error: Exception, why: str) -> None:
    def raises() -> Technique:
        raise error

    assert tried_at_once("folder", raises).why == why
    assert tried_at_once("folder", lambda: had("folder")).state == "yes"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "50000 100000\n"}, 0.5),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/of/the/host\n", "sys/fs/cgroup/cpu.max": "20000 100000\n"}, 0.2),
        (
            {
                "proc/self/cgroup": "4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "25000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            },
            0.25,
        ),
        ({}, None),
    ],
)
def test_the_quota_of_a_cgroup_is_the_smallest_above_us(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert machine.cpu_quota(tmp_path) == quota
    assert machine.processors(tmp_path).state == ("weaker" if quota and quota < len(os.sched_getaffinity(0)) else "yes")
