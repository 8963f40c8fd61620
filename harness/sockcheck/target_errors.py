"""Why a target could not be started, in a sentence, and what to do about it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from sockcheck.addresses import Address, reached_at, serves
from sockcheck.errors import TargetError
from sockcheck.observe import processes
from sockcheck.observe.sockdiag import Listener

# As C, Python, Java, Go, Node.js, Rust and their libraries say it.
_IN_USE = re.compile(rb"EADDRINUSE|AddrInUse|address (is )?(already )?in use|errno:? ?98\b", re.IGNORECASE)
_READY_HINT = (
    "a server has to bind() and listen(); if it only needs longer, raise `ready` under `timeouts` in contract.yaml"
)
_SCRIPT_LIMIT = 1 << 18


class AddressInUseError(TargetError):
    """The target ended because its address is in use."""


class SignalError(TargetError):
    """A signal cannot be given to the target, or does not do what it should. The target itself is not lost."""


def not_executable(number: int, argv: Sequence[str]) -> TargetError:
    """execve(2) of this command failed with this errno."""
    word = argv[0]
    found = word if "/" in word else shutil.which(word, mode=os.F_OK)
    path = Path(found or word)
    # A folder of PATH that may not be searched gives EACCES too.
    if number == errno.ENOENT or (number == errno.EACCES and found is None):
        return _not_found(word, path)
    if number == errno.ENOTDIR:
        return TargetError(f"there is no command {word!r}: a part of the path is no folder", "check the spelling")
    if number == errno.EACCES and path.is_dir():
        return TargetError(f"{word!r} is a folder, not a program", "name the program in it")
    if number == errno.EACCES:
        return TargetError(f"{word!r} may not be executed", _interpreter_hint(path) or f"chmod +x {path}")
    if number == errno.ENOEXEC:
        return TargetError(
            f"{word!r} is neither a program for this machine nor a script that begins with `#!`",
            _interpreter_hint(path) or "begin the script with `#!` and its interpreter, or name the interpreter first",
        )
    return TargetError(f"{word!r} could not be executed: {os.strerror(number)}")


def ended_early(
    status: int, why: str, output: bytes, argv: Sequence[str], before: Sequence[Listener], chosen: Address | None
) -> TargetError:
    """No process was left before it listened. `chosen`: the address that sockcheck chose for it."""
    if why:
        hint = "does it start itself again and again?"
        return TargetError(f"the server never listened: {why}", hint, output, "server")
    if says_in_use(output):
        return in_use(output, argv, before, chosen)
    if status < 0:
        # SIGKILL is what comes of too little memory, or of somebody else; a program hardly sends it to itself.
        fault: Literal["server", "unknown"] = "unknown" if status == -signal.SIGKILL else "server"
        return TargetError(f"the server was killed by {_signal_name(-status)} before it listened", "", output, fault)
    how = f"with status {status}"
    hint = "what it wrote may say why" if output else "it wrote nothing; run the command by hand to see what it does"
    return TargetError(f"the server exited {how} before it listened", hint, output, "server")


def says_in_use(output: bytes) -> bool:
    """Whether the target complains that its address is in use."""
    return _IN_USE.search(output) is not None


def in_use(output: bytes, argv: Sequence[str], before: Sequence[Listener], chosen: Address | None) -> AddressInUseError:
    """It could not bind. `before`: who listened before it was started."""
    for row in _mentioned(before, output, argv):
        address = reached_at(row)
        return AddressInUseError(
            f"the server's address is in use: {_holder(row)} listens on {address}",
            f"end that one first, or test it as it is: --connect {address}",
            output,
        )
    if chosen is not None:
        return AddressInUseError(
            f"the server finds its address in use, although {chosen} was free",
            "does it bind twice, or to another port than the one it is given?",
            output,
        )
    return AddressInUseError(
        "the server's address is in use",
        "another program listens there (`ss -ltnp` shows which), or connections of an earlier run are in TIME_WAIT: "
        "a server that sets SO_REUSEADDR before bind() need not wait for their end",
        output,
    )


def in_use_again(address: Address, before: Iterable[Listener], output: bytes) -> AddressInUseError:
    """Started again, it could not bind where it listened before. `before`: who listened before it was started again."""
    for row in before:
        if serves(row, address):
            return AddressInUseError(
                f"its address is in use: {_holder(row)} listens on {address}", "end that one first", output
            )
    return AddressInUseError(
        f"its address {address} is still in use: connections of its earlier life keep it, in TIME_WAIT as a rule",
        "a server that sets SO_REUSEADDR before bind() need not wait for their end",
        output,
    )


def elsewhere(address: Address, rows: Iterable[Listener], output: bytes) -> TargetError:
    """Started again, it listens, but not where it did before."""
    return TargetError(
        f"it listens on {_places(rows)} now, not on {address} as before",
        "let it take its address from the command line, as {host} and {port}",
        output,
    )


def still_running(address: Address) -> TargetError:
    """It is to be started again, but it has not ended."""
    return TargetError(f"it is still running, on {address}", "let `exits` or `kill` stand before `start`")


def not_stopped(pids: Sequence[int]) -> SignalError:
    """SIGSTOP did not stop these processes of it."""
    names = ", ".join(f"{pid} ({processes.name(pid)})" for pid in pids)
    return SignalError(f"the server could not be paused: SIGSTOP does not stop {names}")


def not_started_here(address: Address) -> SignalError:
    """It is asked for what is only done to a server that sockcheck started."""
    return SignalError(
        f"the server on {address} was not started by sockcheck, so it is neither signalled nor measured",
        "let sockcheck start it: sockcheck run PATHS -- COMMAND",
    )


def never_listened(ready: float, output: bytes) -> TargetError:
    """It is alive, but there is no listening socket in its processes."""
    return TargetError(f"the server is alive, but listens nowhere after {ready:g} s", _READY_HINT, output, "server")


def other_port(port: int, rows: Iterable[Listener], output: bytes, *, placeholder: bool) -> TargetError:
    """It listens, but not on the port that it was given, or that the user named by --port."""
    where = _places(rows)
    if placeholder:
        return TargetError(
            f"the server listens on {where}, not on port {port} that it was given",
            "let it take its port from the command line, or leave {port} out of the command: its address is then "
            "looked up in the kernel",
            output,
            "server",
        )
    return TargetError(f"the server listens on {where}, not on port {port}", "correct --port, or leave it out", output)


def several_ports(rows: Iterable[Listener], output: bytes) -> TargetError:
    """It listens on more than one port, and nobody said which is meant."""
    rows = list(rows)
    first = min(row.port for row in rows)
    return TargetError(
        f"the server listens on {len({row.port for row in rows})} ports: {_places(rows)}",
        f"say which one is meant: --port {first}",
        output,
    )


def not_even_outside(inside: TargetError, outside: TargetError) -> TargetError:
    """It could not be started in a network of its own, and without neither."""
    if inside.message == outside.message:
        return outside
    return TargetError(
        f"{inside.message} (in a network of its own, --isolate net); without that, {outside.message}",
        outside.hint,
        inside.output or outside.output,
        outside.fault,
    )


def _not_found(word: str, path: Path) -> TargetError:
    if " " in word and shutil.which(word.split()[0]):
        return TargetError(
            f"there is no command {word!r}", "it is one word with blanks in it: write the words without the quotes"
        )
    if "/" in word:
        if path.exists():
            return TargetError(
                f"{word!r} cannot be executed: its interpreter does not exist",
                "look at its first line, `#! …`, or name the interpreter first in the command",
            )
        return TargetError(f"there is no file {word!r}", f"the working directory is {Path.cwd()}")
    if _is_file(Path(word)):
        return TargetError(f"there is no command {word!r}", _interpreter_hint(Path(word)) or f"write ./{word}")
    if word == "python" and shutil.which("python3"):
        return TargetError("there is no command 'python'", "write python3, or {python} for sockcheck's own")
    return TargetError(f"there is no command {word!r} in any folder of PATH", "check the spelling, or write its path")


def _is_file(path: Path) -> bool:
    """Path.is_file() raises errors for what can be no file's name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _interpreter_hint(path: Path) -> str:
    interpreter = {".py": "python3", ".js": "node", ".sh": "sh", ".rb": "ruby", ".pl": "perl"}.get(path.suffix)
    return f"write {interpreter} {path}" if interpreter else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _mentioned(before: Sequence[Listener], output: bytes, argv: Sequence[str]) -> list[Listener]:
    """The listening sockets whose port stands in the output, in the command, or in a script that the command names."""
    texts = [output, *map(os.fsencode, argv)]
    for word in argv:
        path = Path(word)
        if _is_file(path):
            try:
                with path.open("rb") as script:
                    text = script.read(_SCRIPT_LIMIT)
            except OSError:
                continue
            if b"\0" not in text:  # not a program in machine code, which holds any number
                texts.append(text)
    numbers = {int(number) for text in texts for number in re.findall(rb"\b[1-9][0-9]{1,4}\b", text)}
    return [row for row in before if row.port in numbers]


def _holder(row: Listener) -> str:
    for pid in processes.holders(row.inode):
        return f"process {pid} ({processes.name(pid)})"
    return "another program"


def _places(rows: Iterable[Listener]) -> str:
    places = sorted({str(reached_at(row)) for row in rows})
    return places[0] if len(places) == 1 else ", ".join(places[:-1]) + " and " + places[-1]
