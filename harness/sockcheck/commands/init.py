"""`sockcheck init`: a contract and a first scenario for a server, from what it is seen to do."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sockcheck.addresses import parse as parse_address
from sockcheck.commands import actions
from sockcheck.commands.outputs import coloured, width
from sockcheck.commands.probing import Performed, Prober
from sockcheck.drafting import contracts, exchanges, probes
from sockcheck.drafting.contracts import Tried
from sockcheck.drafting.exchanges import LINES, OTHERS, Exchange, Opening, draft
from sockcheck.drafting.transcripts import Transcript
from sockcheck.drafting.writing import command_line
from sockcheck.errors import TargetError, UsageError
from sockcheck.events import TargetFailed
from sockcheck.exit_codes import FAILED, INTERRUPTED, UNAVAILABLE
from sockcheck.place import Server
from sockcheck.suite import CONTRACT, SUFFIX
from sockcheck.target import Command
from sockcheck_reports import failure, terminal

SCENARIO = f"first{SUFFIX}"

# How long the server may say nothing before it is taken to have no more to say: at first, and where that was not right.
_PAUSES = ("500ms", "2s")
# How long is waited for more behind what was heard before.
_AFTER = "150ms"
# How often each thing is seen before it is written down.
_TIMES = 3
# Beyond this, in seconds, no further promise is tried.
_LIMIT = 60.0
# A server that does not care for SIGTERM is not waited for longer than this between two tries, in seconds.
_GRACE = 0.5
# What signals the server, or may end it.
_NEED_A_START = ("backlog", "restart", "stops-on-sigterm", "survives-reset")
_HINT = "name another folder: sockcheck init FOLDER"


class NothingError(Exception):
    """No exchange was seen that the server keeps up each time; the message is what went wrong with the last."""


def init(options: argparse.Namespace, run: Callable[[Sequence[str]], int]) -> int:
    """Write a contract and a first scenario; `run` runs the words of a command line. The exit code.

    Raises UsageError before anything is started where nothing could be written.
    """
    server = _server(options)
    folder = Path(options.folder or Path("scenarios") / contracts.name_of(options.command))
    _check_free(folder)
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    if server is None:
        _write(folder, contracts.starting_contract(name), contracts.STARTING_SCENARIO)
        return _finish(folder, options, run, [])
    try:
        contract, scenario, tried = _draft(server, options, name)
    except NothingError as error:
        _say(f"No scenario was found that passes each time, so nothing was written. The last one: {error}")
        return FAILED
    except TargetError as error:
        lines = failure.target_failure(TargetFailed(0.0, 1, error.message, error.hint, error.output), width())
        with actions.fenced(options, sys.stdout):
            print(terminal.to_text(lines, coloured(options)), end="")
        print("Nothing was written.")
        return UNAVAILABLE
    _write(folder, contract, scenario)
    return _finish(folder, options, run, tried)


def _server(options: argparse.Namespace) -> Server | None:
    if options.connect is not None:
        if options.command:
            raise UsageError("both --connect and a command were given", "give one of them")
        if options.port is not None:
            raise UsageError("--port belongs to a command", "give the port in --connect HOST:PORT")
        return parse_address(options.connect)
    if not options.command:
        if options.port is not None:
            raise UsageError("--port belongs to a command", "name the server's command behind --: -- ./server")
        return None
    if any("\udc80" <= character <= "\udcff" for word in options.command for character in word):
        raise UsageError("the command has bytes that are not UTF-8, which a contract cannot hold", "use a script")
    return Command(tuple(options.command), {}, options.port, ready=10.0, grace=_GRACE)


def _check_free(folder: Path) -> None:
    """Raises UsageError where something would be overwritten, or cannot be written."""
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"'{folder}' is a file", _HINT)
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    except OSError as error:
        raise _unwritable(folder, error) from None
    taken = [name for name in names if name == CONTRACT or name.endswith(SUFFIX)]
    if taken:
        raise UsageError(f"the folder '{folder}' has a {taken[0]} already, and nothing is overwritten", _HINT)
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UsageError(f"'{folder}' cannot be written: '{there}' is not a folder that you may write to", _HINT)


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"'{folder}' cannot be written: {error.strerror or error}", _HINT)


def _write(folder: Path, contract: str, scenario: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((CONTRACT, contract), (SCENARIO, scenario)):
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _draft(server: Server, options: argparse.Namespace, name: str) -> tuple[str, str, list[Tried]]:
    """The contract, the scenario and what was tried. Raises TargetError, and NothingError."""
    prober = Prober(server)
    _tell("looking at what the server does")
    exchange, connections = _exchange(prober)
    began = time.monotonic()
    prober.pushes = exchange.pushes
    tried: list[Tried] = []
    for promise, attempt in _attempts(prober, exchange, tried):
        if time.monotonic() - began > _LIMIT:
            tried.append(Tried(promise, None, "there was no time left"))
            continue
        if promise in _NEED_A_START and not prober.started:
            tried.append(Tried(promise, None, "it needs a server that sockcheck starts, and ends"))
            continue
        _tell(f"trying {promise}")
        tried.append(attempt())
    where = options.connect or command_line(options.command)
    contract = contracts.contract(name, f"`{where}`", options.command, tried, pushes=prober.pushes)
    return contract, exchanges.first_scenario(exchange, connections), tried


def _exchange(prober: Prober) -> tuple[Exchange, int]:
    """An exchange that the server keeps up each time, and on how many connections it was seen. Raises NothingError."""
    why = ""
    for pause in _PAUSES:
        openings = OTHERS if pause == _PAUSES[0] else ()
        opening, heard = _first_look(prober, pause, openings)
        if pause != _PAUSES[-1] and not draft(opening, heard).plain:
            continue
        again = exchanges.look_again(opening, heard[0], _AFTER)
        for times in (2, 5):
            heard += [each.transcript for each in prober.perform({"again": again}, times)]
            if times == 2 and len(set(heard)) > 1:
                continue  # what differs must be seen more often, so that it is known how
            exchange = draft(opening, heard)
            prober.pushes = exchange.pushes
            scenario = exchanges.first_scenario(exchange, 0)
            performed = prober.perform({"first": scenario}, times * _TIMES, fail_fast=True)
            failed = next((each for each in performed if not each.passed), None)
            if failed is None:
                return exchange, len(heard) + len(performed)
            why = failed.why
            if any(finding.kind in ("exited", "deaf") for finding in failed.verdict.findings):
                raise NothingError(why)
    raise NothingError(why)


def _first_look(prober: Prober, pause: str, others: Sequence[Opening]) -> tuple[Opening, list[Transcript]]:
    """The first opening that is answered, lines or one of `others`, else lines, and what was heard."""
    [first] = prober.perform({"look": exchanges.look(LINES, pause)})
    heard = first.transcript
    # An HTTP server says of a line that it is no request: ask it what it knows.
    is_http = any(turn.received.startswith(b"HTTP/") or b"<html" in turn.received.lower() for turn in heard)
    endless = not all(turn.whole for turn in heard)
    if heard[0].ending or endless or (any(turn.received for turn in heard[1:]) and not is_http):
        return LINES, [heard]
    for opening in others[:1] if is_http else others:
        [other] = prober.perform({"look": exchanges.look(opening, pause)})
        if any(turn.received for turn in other.transcript[1:]):
            return opening, [other.transcript]
    return LINES, [heard]


def _attempts(prober: Prober, exchange: Exchange, tried: Sequence[Tried]) -> Iterator[tuple[str, Callable[[], Tried]]]:
    """What there is to try, promise by promise. `tried` holds what came of those before."""
    yield "pipelining", lambda: _try(prober, probes.pipelining(exchange))
    pipelines = tried[0].kept is True
    yield "half-close", lambda: _try(prober, probes.half_close(exchange, pipelines=pipelines))
    yield "orderly-close", lambda: _try(prober, probes.orderly_close(exchange))
    yield "prompt", lambda: _try(prober, probes.prompt(exchange))
    yield "restart", lambda: _try(prober, probes.restart(exchange))
    yield "stops-on-sigterm", lambda: _try(prober, probes.stops_on_sigterm(exchange))
    yield "survives-reset", lambda: _try(prober, probes.survives_reset(exchange))
    survives_reset = tried[-1].kept is True
    yield "backlog", lambda: _backlog(prober, exchange)
    yield "clients", lambda: _clients(prober, exchange, survives_reset=survives_reset)


def _try(prober: Prober, each: probes.Probes) -> Tried:
    if each.untried:
        return Tried(each.promise, None, each.untried)
    performed = prober.perform(each.scenarios, _TIMES, fail_fast=True)
    return _judged(each.promise, performed, each.value, each.seen)


def _judged(promise: str, performed: Sequence[Performed], value: str, seen: str) -> Tried:
    failed = next((each for each in performed if each.verdict.outcome not in ("pass", "skip")), None)
    if failed is not None:
        seen_to_fail = failed.verdict.outcome in ("fail", "flaky")
        return Tried(promise, False if seen_to_fail else None, f"{failed.name}: {failed.why}", value)
    passed = {each.name for each in performed if each.passed}
    skipped = {each.name: each.why for each in performed if not each.passed and each.name not in passed}
    if not passed:
        return Tried(promise, None, next(iter(skipped.values()), "it was not run"), value)
    return Tried(promise, True, seen, value)


def _clients(prober: Prober, exchange: Exchange, *, survives_reset: bool) -> Tried:
    """How many at once, and beside others that are silent, stalled or deaf."""
    if not exchange.shows:
        return Tried("clients", None, "a client cannot tell whether it is served")
    performed: list[Performed] = []
    for style in probes.styles(exchange):
        beside = probes.neighbours(exchange, style, survives_reset=survives_reset)
        performed = prober.perform({"two at once": probes.crowd(exchange, style, 2), **beside}, _TIMES, fail_fast=True)
        kinds = {each.finding.kind for each in performed if each.finding}
        if not kinds & {"surplus-bytes", "wrong-bytes"}:
            break
    tried = _judged("clients", performed, "2", f"2 at once, and {probes.none_waited(beside)}")
    if not tried.kept:
        return tried
    prober.pushes = prober.pushes or style.pushes
    served = _most_served(prober, exchange, style)
    return Tried("clients", True, f"{served} at once, and {probes.none_waited(beside)}", str(served))


def _most_served(prober: Prober, exchange: Exchange, style: probes.Style) -> int:
    """How many clients are served at once, where two are. One number that is too many is enough: it takes its time."""

    def are_served(number: int) -> bool:
        crowd, silent = probes.crowd(exchange, style, number), probes.silent(exchange, style, number - 1)
        performed = prober.perform({"crowd": crowd, "silent": silent}, _TIMES, fail_fast=True)
        return all(each.passed for each in performed)

    most = 2
    for number in probes.NUMBERS:
        if not are_served(number):
            return number // 2 if number // 2 > most and are_served(number // 2) else most
        most = number
    return most


def _backlog(prober: Prober, exchange: Exchange) -> Tried:
    """What the kernel says, and that those who wait are served."""
    [told] = prober.perform({"backlog": probes.backlog(exchange)})
    number = int(told.checked or 0)
    if not told.passed or number < 1:
        return _judged("backlog", [told], "", "")
    if not exchange.shows:
        return Tried("backlog", True, "the kernel says so", str(number))
    waiting = min(number, probes.MOST_QUEUED)
    performed: list[Performed] = []
    for style in probes.styles(exchange):
        performed = prober.perform({"queued": probes.queued(exchange, style, waiting)}, _TIMES, fail_fast=True)
        if all(each.passed for each in performed):
            break
    return _judged("backlog", performed, str(number), f"the kernel says so; {waiting} waited, and all were served")


def _finish(folder: Path, options: argparse.Namespace, run: Callable[[Sequence[str]], int], tried: list[Tried]) -> int:
    """Say what was written and seen, run it, and say what to do next."""
    print(f"{folder / CONTRACT}\n{folder / SCENARIO}\n")
    kept = [each.promise + (f" ({each.value})" if each.value != "yes" else "") for each in tried if each.kept]
    if tried:
        _say(f"promises that were seen kept: {', '.join(kept) or 'none'}")
    for each in tried:
        if each.kept is False:
            _say(f"not seen: {each.promise} ({each.why})")
    if untried := [each.promise for each in tried if each.kept is None]:
        _say(f"not tried: {', '.join(untried)}; {CONTRACT} says why")
    words = ["run", str(folder)]
    if options.connect:
        words += ["--connect", options.connect]
    if options.port is not None:
        words += ["--port", str(options.port)]
    code = run([*words, "--conditions", "none"])
    if code == INTERRUPTED:
        return code
    if code == 0:
        _say(f"It passes. Edit {SCENARIO}, write more like it, and run them again:")
    else:
        _say("What was written does not pass, though it did before: see above. Edit it, and run it again:")
    print(f"\n    sockcheck {shlex.join(words)}")
    return code


def _say(text: str) -> None:
    print(textwrap.fill(text, min(width(), 80), subsequent_indent="  ", break_on_hyphens=False))


def _tell(text: str) -> None:
    print(f"sockcheck: {text}", file=sys.stderr, flush=True)
