"""Runs the good servers of tests/zoo/good again and again while the machine is busy, and collects every accusation.

    python tests/stability/soak.py [--times 50] [--rounds-of 5] [--conditions standard] [--surroundings alone …]
                                   [--servers NAME …] [--folder F]

What was run is kept in FOLDER/done.jsonl, a line for each server, surroundings and round. Started again, it goes on
where it was interrupted, by a signal or by --limit; `--afresh` forgets what was run. The record of a run in which a
case did not pass is kept beside it.

The table at the end tells, for each surroundings, how many cases passed, failed or were in error, and how many were
flaky: they failed now and then. Since all of these servers are good, each failure is a false accusation, and a fault of
sockcheck's; an error is none, since it accuses nobody. The exit status is 1 where anybody was accused.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from good_servers import GoodServer, good_servers, outcomes
from tools import CHECKOUT

LOOPS = {"alone": 0, "loops-2": 2, "loops-8": 8, "half-a-cpu": 0}
"""The surroundings, and how many busy loops each has."""

LONGEST = 1800
"""Seconds that one run of sockcheck may take; it is given up then, which counts as an error."""

LOOP = "import signal\nsignal.alarm(3600)\nwhile True: pass"


class UnavailableError(Exception):
    """The surroundings cannot be had here. The message says why."""


@dataclass(frozen=True)
class Result:
    """One run of sockcheck, in which each case was run `times` times.

    `failed`: how often, for each case that failed. `accusations`, `errors`: a line for each attempt that ended so.
    """

    surroundings: str
    server: str
    round: int
    times: int
    seconds: float
    passed: int
    failed: Mapping[str, int]
    accusations: Sequence[str]
    errors: Sequence[str]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.surroundings, self.server, self.round


@dataclass(frozen=True)
class How:
    """Each case so many `times` in a run, under which `conditions`; in which `folder` records are kept."""

    times: int
    conditions: str
    folder: Path


def main() -> int:
    options = read_options()
    if options.afresh:
        shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    how = How(options.rounds_of, options.conditions, options.folder)
    done = options.folder / "done.jsonl"
    results = {result.key: result for result in read_results(done)}
    servers = good_servers()
    ends = time.monotonic() + options.limit * 60
    missing = {}
    for number in range(-(-options.times // options.rounds_of)):
        for surroundings in options.surroundings:
            todo = [name for name in options.servers if (surroundings, name, number) not in results]
            if not todo or surroundings in missing or time.monotonic() > ends:
                continue
            try:
                with surrounded(surroundings) as before:
                    for name in todo:
                        if time.monotonic() > ends:
                            break
                        result = run(servers[name], surroundings, number, before, how)
                        results[result.key] = result
                        with done.open("a") as file:
                            file.write(json.dumps(asdict(result)) + "\n")
                        print(progress(result), flush=True)
            except UnavailableError as reason:
                missing[surroundings] = str(reason)
    print(summary(list(results.values()), missing))
    if time.monotonic() > ends:
        print(f"stopped after {options.limit:g} minutes; the same command goes on from here")
    return 1 if any(result.accusations for result in results.values()) else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the good servers again and again, and collect every accusation.")
    parser.add_argument("--times", type=int, default=50, help="how often each case is run (default: 50)")
    parser.add_argument("--rounds-of", type=int, default=5, help="how often in one run of sockcheck (default: 5)")
    parser.add_argument("--conditions", default="standard", help="as for `sockcheck run` (default: %(default)s)")
    parser.add_argument("--surroundings", nargs="+", choices=LOOPS, default=list(LOOPS))
    parser.add_argument("--servers", nargs="+", choices=good_servers(), default=list(good_servers()), metavar="NAME")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".tox" / "stability-results")
    parser.add_argument("--limit", type=float, default=900, help="minutes after which no run is begun (default: 900)")
    parser.add_argument("--afresh", action="store_true", help="forget what was run before")
    return parser.parse_args()


def read_results(done: Path) -> Iterator[Result]:
    if done.exists():
        for line in done.read_text().splitlines():
            yield Result(**json.loads(line))


def run(server: GoodServer, surroundings: str, number: int, before: Sequence[str], how: How) -> Result:
    """Run sockcheck once. `before` is what its command begins with."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch, "record.jsonl")
        words = [sys.executable, "-m", "sockcheck", "run", server.scenarios(Path(scratch)), "--record", record]
        words += ["--conditions", how.conditions, "--repeat", how.times, "--", *server.words(Path(scratch))]
        errors = []
        try:
            done = subprocess.run(
                [*before, *map(str, words)], cwd=CHECKOUT, capture_output=True, errors="replace", timeout=LONGEST
            )
            if done.returncode not in (0, 1):
                errors.append(f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
        except subprocess.TimeoutExpired:
            errors.append(f"not over after {LONGEST} s")
        cases = [case for case in outcomes(record) if case.outcome != "not run"] if record.exists() else []
        failed = server.accusations(cases)
        errors += [str(case) for case in cases if case.outcome not in ("pass", "fail", "flaky")]
        if (failed or errors) and record.exists():
            shutil.copy(record, how.folder / f"{surroundings}-{server.name}-{number}.jsonl")
    return Result(
        surroundings=surroundings,
        server=server.name,
        round=number,
        times=how.times,
        seconds=time.monotonic() - began,
        passed=sum(case.outcome == "pass" for case in cases),
        failed=Counter(case.case for case in failed),
        accusations=[str(case) for case in failed],
        errors=errors,
    )


@contextlib.contextmanager
def surrounded(surroundings: str) -> Iterator[Sequence[str]]:
    """Make the machine what `surroundings` says; with what a command must begin there. Raises UnavailableError."""
    with contextlib.ExitStack() as stack:
        for _ in range(LOOPS[surroundings]):
            loop = subprocess.Popen([sys.executable, "-c", LOOP])
            stack.callback(loop.wait)
            stack.callback(loop.kill)
        if surroundings != "half-a-cpu":
            yield ()
            return
        group = stack.enter_context(half_a_cpu())
        yield ("sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group))


@contextlib.contextmanager
def half_a_cpu() -> Iterator[Path]:
    """A control group whose processes have 50 ms of CPU in every 100 ms (cgroups(7), version 2 or 1)."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    group = Path("/sys/fs/cgroup", "" if unified else "cpu", "sockcheck-stability")
    quota = {"cpu.max": "50000 100000"} if unified else {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}
    try:
        group.mkdir(exist_ok=True)
        for name, value in quota.items():
            (group / name).write_text(value)
    except OSError as error:
        raise UnavailableError(f"no control group with a quota can be made: {error}") from None
    try:
        yield group
    finally:
        # What sockcheck started ends with it; the kernel may need a moment to see it gone.
        for _ in range(100):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.05)


def progress(result: Result) -> str:
    lines = [f"{result.surroundings} {result.server} {result.round}: {result.passed} passed, {result.seconds:.0f} s"]
    lines += [f"  ACCUSED {line}" for line in result.accusations]
    lines += [f"  error   {line}" for line in result.errors]
    return "\n".join(lines)


def summary(results: Sequence[Result], missing: dict[str, str]) -> str:
    """A row for each surroundings, then each case that failed, by how often."""
    lines = [f"{'':12} {'servers':>8} {'passed':>8} {'failed':>8} {'errors':>8} {'flaky':>8} {'minutes':>8}"]
    for name in LOOPS:
        of = [result for result in results if result.surroundings == name]
        if of:
            figures = (
                len({result.server for result in of}),
                sum(result.passed for result in of),
                sum(len(result.accusations) for result in of),
                sum(len(result.errors) for result in of),
                flaky(of),
                round(sum(result.seconds for result in of) / 60),
            )
            lines.append(f"{name:12} " + " ".join(f"{figure:8,}" for figure in figures))
        elif name in missing:
            lines.append(f"{name:12} not to be had here: {missing[name]}")
    for result in results:
        lines += [f"{result.surroundings} {result.server}: {line}" for line in result.accusations]
    return "\n".join(lines)


def flaky(results: Sequence[Result]) -> int:
    """How many cases of how many servers failed in some of these runs' attempts and not in others."""
    attempts, failed = Counter[str](), Counter[tuple[str, str]]()
    for result in results:
        attempts[result.server] += result.times
        failed.update({(result.server, case): times for case, times in result.failed.items()})
    return sum(times < attempts[server] for (server, _), times in failed.items())


if __name__ == "__main__":
    sys.exit(main())
