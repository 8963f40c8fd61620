"""`sockcheck run`: from paths and options to verdicts and reports."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import resource
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Sequence

import trio

from sockcheck import __version__
from sockcheck.addresses import parse as parse_address
from sockcheck.baseline import Baseline, Failures
from sockcheck.case import Capabilities, Case
from sockcheck.commands import actions, baselines
from sockcheck.commands.drafts import Drafts
from sockcheck.commands.outputs import check_reports, coloured, people, record_notes, uncollected, width, write_reports
from sockcheck.commands.planned import plan_of, read_for, shared
from sockcheck.deriving import NotDerived, Wish, conditions_of, derive
from sockcheck.errors import UsageError
from sockcheck.events import RECORD_VERSION, Event, Plan, RunFinished, RunStarted, Share, SourceRead
from sockcheck.exit_codes import INTERNAL
from sockcheck.facts import Facts
from sockcheck.idling import estimate
from sockcheck.place import Server
from sockcheck.queues import Item
from sockcheck.reading.durations import seconds
from sockcheck.recording import Recorder
from sockcheck.run import Options, Run, clients_at_once, files_needed, performed, servers_at_once
from sockcheck.scenario import Contract
from sockcheck.selection import nothing_selected, selected
from sockcheck.sharding import parse as parse_shard
from sockcheck.suite import Suite, load
from sockcheck.target import Command
from sockcheck_reports.progress import Progress
from sockcheck_reports.view import Folder
from sockcheck_reports.wording import duration

# Seconds between looks at how far the run is.
_TICK = 0.5


def run(options: argparse.Namespace) -> int:
    """Run the scenarios; the exit code. UsageError and MistakesError before anything is started."""
    suite = load(options.paths)
    share = parse_shard(options.shard) if options.shard is not None else None
    whys = baselines.to_write(options)
    entries, known = baselines.read(options.baseline) if options.baseline is not None else ((), "")
    everything, cases = items_of(suite, options)
    sources = read_for(everything, suite.sources)
    if options.baseline is not None:
        sources[options.baseline] = known
        baselines.check_present(entries, sources, suite, cases, derived=options.conditions is None)
    plan = plan_of(everything, sources, options)
    items = shared(everything, share)
    check_reports(options, record=options.record)
    jobs = jobs_for(options, items)
    if options.isolate is not None:
        _try_isolation()
    if options.verbosity >= 0 and "thorough" in (options.conditions or ""):
        took = estimate([item.case for item in items], jobs)
        print(f"sockcheck: {len(items):,} cases, which take about {duration(took)} if none fails", file=sys.stderr)
    # In GitHub Actions all goes one way: two streams would come to the fence in any order.
    stream = people(options) if actions.wanted(options) else sys.stderr
    progress = (
        Progress(stream, terminal=stream.isatty(), colour=coloured(options), width=lambda: width(stream))
        if options.verbosity >= 0 and stream is not None
        else None
    )
    folder = Folder()
    sinks: list[Callable[[Event], None]] = [folder.add]
    if progress is not None:
        sinks.append(progress.add)
    recorder = Recorder(options.record) if options.record else None
    if recorder is not None:
        sinks.append(recorder.write)
    failures = Failures()
    if options.write_baseline is not None:
        sinks.append(failures.tell)
    drafts = Drafts(options)
    sinks.append(drafts.add)
    facts = Facts(sinks, Baseline(entries, cases * options.repeat))
    origin = time.monotonic()
    facts.emit(run_started(options, len(items), plan, share))
    for path, text in sources.items():
        facts.emit(SourceRead(time.monotonic() - origin, path, text))
    ticks: list[Callable[[], None]] = [drafts.tick]
    if progress is not None:
        ticks.append(lambda: progress.tick(time.monotonic() - origin))
    with actions.fenced(options, stream):
        try:
            running = Run(items, _options(options, jobs), facts, origin)
            code = performed(lambda: _execute(running, ticks))
            if not running.finished:
                facts.emit(RunFinished(time.monotonic() - origin, code, "interrupted by SIGINT"))
        except Exception:  # noqa: BLE001 - whatever it was, what has been measured is reported
            code = INTERNAL
            traceback.print_exc()
            told = "sockcheck: this is a fault of sockcheck's own; please report it with the lines above"
            print(told, file=sys.stderr)
            facts.emit(RunFinished(time.monotonic() - origin, code, "a fault of sockcheck's own"))
        finally:
            if progress is not None:
                progress.close()
    notes = record_notes(recorder)
    if options.write_baseline is not None:
        notes.append(baselines.write(options.write_baseline, failures, whys, code))
    write_reports(folder.view(), options, notes)
    return code


async def _execute(run: Run, ticks: Sequence[Callable[[], None]]) -> int:
    """The run, and beside it, now and then, what says how far it is: also where nothing happens for long."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_tick, ticks)
        code = await run.execute()
        nursery.cancel_scope.cancel()
    return code


async def _tick(ticks: Sequence[Callable[[], None]]) -> None:
    while True:
        await trio.sleep(_TICK)
        for tick in ticks:
            tick()


def items_of(suite: Suite, options: argparse.Namespace) -> tuple[list[Item], list[Case]]:
    """Every case that is chosen, `--repeat` times, each with its server; and all the cases that there are."""
    wish = Wish(
        seed=options.seed,
        conditions=None if options.conditions is None else conditions_of(options.conditions),
        strict=options.strict,
        stretch=options.stretch,
        case_timeout=_duration(options.timeout) if options.timeout is not None else None,
        capabilities=Capabilities(started=options.connect is None, observable=not options.no_observe),
    )
    items: list[Item] = []
    everything: list[Case] = []
    servers: dict[str, Server] = {}
    for planned in uncollected(derive(suite.scenarios, wish)):
        if isinstance(planned, NotDerived):
            continue
        case, contract = planned.case, planned.scenario.contract
        everything.append(case)
        if selected(case.id, options.select):
            if contract.path not in servers:
                servers[contract.path] = server_of(contract, options)
            items.append(Item(case, servers[contract.path], clients_promised(contract)))
    if not items:
        raise nothing_selected(options.select, [case.id for case in everything])
    return items * int(options.repeat), everything


def _options(options: argparse.Namespace, jobs: int) -> Options:
    return Options(jobs, options.fail_fast, not options.no_observe, options.flaky, options.exhaustive)


def clients_promised(contract: Contract) -> int:
    """How many clients at once the server promises to serve."""
    promised = contract.promises.get("clients", "1")
    return int(promised) if promised.isdecimal() else 1


def server_of(contract: Contract, options: argparse.Namespace) -> Server:
    """The server that is to be tested by a contract. UsageError where none is named, or two are."""
    if options.connect is not None:
        if options.command:
            raise UsageError("both --connect and a command were given", "give one of them")
        if options.port is not None:
            raise UsageError("--port belongs to a command", "give the port in --connect HOST:PORT")
        if options.isolate is not None:
            raise UsageError(
                "--isolate belongs to a command: a server that runs already stays in its network",
                "let sockcheck start it: sockcheck run PATHS --isolate net -- COMMAND",
            )
        return parse_address(options.connect)
    words = options.command or _contract_command(contract)
    ready = contract.timeouts.ready * options.stretch
    isolate = options.isolate is not None
    return Command(tuple(words), dict(contract.parameters), options.port, ready, isolate=isolate)


def _contract_command(contract: Contract) -> Sequence[str]:
    if not contract.target:
        raise UsageError(
            f"no server to test: the contract {contract.name} names none",
            "name its command behind --, as in `-- ./server {port}`, or its address with --connect",
        )
    return shlex.split(contract.target)


def _duration(text: str) -> float:
    found = seconds(text)
    if not found:
        raise UsageError(f"--timeout: {text!r} is not a length of time", "write 30s, 500ms or 2m")
    return found


def _try_isolation() -> None:
    """UsageError where no server can have a network of its own here."""
    from sockcheck.doctor.isolation import isolation

    found = trio.run(isolation, strict_exception_groups=True)
    if found.state == "no":
        raise UsageError(
            f"--isolate net cannot be had here: {found.why}",
            f"{found.remedy}; or leave it out" if found.remedy else "leave it out: servers then run as usual",
        )


def jobs_for(options: argparse.Namespace, items: Sequence[Item]) -> int:
    """How many servers at a time, when it is sure that there are descriptors for so many."""
    jobs: int = options.jobs or len(os.sched_getaffinity(0))
    servers = servers_at_once(jobs)
    clients = clients_at_once(items, servers)
    wanted = files_needed(servers, isolated=options.isolate is not None, clients=clients)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return jobs
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise UsageError(
            f"too few open files: this run needs {wanted}, and the limit is {hard}",
            f"raise it (ulimit -n {wanted}), or use fewer --jobs or fewer clients",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return jobs


def run_started(
    options: argparse.Namespace, total: int, plan: Plan | None = None, share: Share | None = None
) -> RunStarted:
    """The first event of a run of so many cases."""
    return RunStarted(
        at=0.0,
        version=RECORD_VERSION,
        sockcheck=__version__,
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        command=("sockcheck", *options.words),
        directory=os.getcwd(),
        seed=options.seed,
        stretch=options.stretch,
        observe=not options.no_observe,
        platform=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        total=total,
        plan=plan,
        share=share,
        flaky=options.flaky,
    )
