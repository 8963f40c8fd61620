"""Small scenarios that a server passes if it keeps a promise, made of an exchange that it keeps up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sockcheck.drafting.exchanges import Exchange
from sockcheck.drafting.writing import inline, steps

NUMBERS = (4, 16, 64)
"""So many clients are tried at once, one number after the other, and half of the first that is too many."""

MOST_QUEUED = 16
"""At most so many clients are let wait in the queue, however long the server makes it."""

# What a client floods the server with before it vanishes: more than fits into the reply's way back.
_FLOOD_SIZE = 256 * 1024
_DEAF_SIZE = 8 * 1024 * 1024
# So many requests, whose answers a server still has to send when it reads the client's end of stream.
_MANY = 2000
_PROMPTLY, _PROMPT_TIMES = "200ms", 30
_SMALL_WINDOW = "connect: {segment-size: 536, receive-buffer: 4KiB}"
# So many clients connect at a time, since the queue of a server may be short.
_GROUP = 4
_RUDE = "-rude"
_LAST = "all-in"


@dataclass(frozen=True, slots=True)
class Probes:
    """`scenarios` by their names: the promise is kept where all of them pass, each time. `seen` says what that shows.

    Where there are none, `untried` says why.
    """

    promise: str
    value: str = "yes"
    seen: str = ""
    scenarios: Mapping[str, str] = field(default_factory=dict)
    untried: str = ""


@dataclass(frozen=True, slots=True)
class _Others:
    """So many clients that do the same. `pushes`: they may be sent what they do not ask for."""

    steps: Sequence[str]
    count: int = 1
    pushes: bool = False


def half_close(exchange: Exchange, *, pipelines: bool) -> Probes:
    """`pipelines`: many requests may come at once."""
    if not exchange.asked or not (exchange.answers or exchange.last):
        return Probes("half-close", untried="it answered nothing")
    if not exchange.answers:
        return Probes("half-close", seen="the answer came after the client's end of stream", scenarios=_whole(exchange))
    opened = ["connect", *exchange.greeting, *exchange.request(0)]
    end = [*exchange.answer(0), "end: any"]
    scenarios = {
        "an end of stream behind a request": _scenario({"one": [*opened, "await: read", "shutdown: write", *end]}),
        "an end of stream with a request": _scenario({"one": [*opened, "shutdown: write", *end]}),
    }
    if exchange.echoes:
        scenarios["a large request"] = _large(exchange, "any")
    elif exchange.repeats and pipelines:
        # An answer that fits into the server's buffer gets through even if the server closes too early.
        many = _MANY * len(exchange.opening.messages[0])
        repeat = _repeat(exchange.answer(0), _MANY)
        found = [_SMALL_WINDOW, *exchange.greeting, "send: {payload: big}", "shutdown: write", repeat, "end: any"]
        scenarios["an end of stream behind many requests"] = _scenario({"one": found}, payload=_flood(exchange, many))
    return Probes("half-close", seen="the answer came whole after the client's end of stream", scenarios=scenarios)


def orderly_close(exchange: Exchange) -> Probes:
    if not exchange.ending:
        return Probes("orderly-close", untried="it was not seen to end a connection")
    found = exchange.steps()
    scenarios = {"the whole exchange": _scenario({"one": [*found[:-1], "end: eof"]})}
    if exchange.shuts and not exchange.last:
        quiet = ["connect", *exchange.greeting, "shutdown: write", "end: eof"]
        scenarios["an end of stream without a request"] = _scenario({"one": quiet})
    if exchange.echoes:
        scenarios["a large request"] = _large(exchange, "eof")
    return Probes("orderly-close", seen="connections ended by b'', not by a reset", scenarios=scenarios)


def pipelining(exchange: Exchange) -> Probes:
    if len(exchange.asked) < 2 or exchange.pushes:
        return Probes("pipelining", untried="it was not seen to answer two requests on one connection")
    opened = ["connect", *exchange.greeting]
    answers = [step for asked in exchange.asked for step in asked.answer]
    together = f"send: {inline([part for asked in exchange.asked for part in asked.parts])}"
    length = len(exchange.opening.messages[0]) + 2
    scenarios = {
        "requests that come together": _scenario({"one": [*opened, together, *answers]}),
        "a cut in the second request": _scenario({"one": [*opened, f"{together}\ncut: {length}", *answers]}),
    }
    return Probes("pipelining", seen="requests that came together were answered in order", scenarios=scenarios)


def prompt(exchange: Exchange) -> Probes:
    if not exchange.repeats:
        return Probes("prompt", untried="it was not seen to answer the same request twice on one connection")
    turn = [*exchange.request(0), *(f"{step}\nwithin: {_PROMPTLY}" for step in exchange.answer(0))]
    scenario = _scenario({"one": ["connect", *exchange.greeting, _repeat(turn, _PROMPT_TIMES)]})
    seen = f"{_PROMPT_TIMES} answers one after the other, each within {_PROMPTLY}"
    return Probes("prompt", seen=seen, scenarios={"prompt": scenario})


def restart(exchange: Exchange) -> Probes:
    if not exchange.shows:
        return Probes("restart", untried="a client cannot tell whether it is served")
    server = ["wait-for: served", "kill", "mark: killed", "wait-for: closed", "start", "mark: again"]
    ann = [*exchange.served(), "mark: served", "wait-for: killed"]
    if not exchange.served()[-1].startswith("end:"):
        ann.append("end: any")
    if "shutdown: write" not in ann:
        # Our end of stream comes second, so that the TIME_WAIT is on the server's side.
        ann.append("shutdown: write")
    bob = ["wait-for: again", *exchange.served()]
    scenario = _scenario({"ann": [*ann, "close", "mark: closed"], "bob": bob}, server=server)
    return Probes("restart", seen="killed with a client, it listened again at once", scenarios={"restart": scenario})


def stops_on_sigterm(exchange: Exchange) -> Probes:
    server = ["wait-for: served", "signal: TERM", "exits: {status: [0, TERM, 143], within: 2s}", "mark: ended"]
    ann = [*exchange.served(), "close", "mark: served"]
    scenario = _scenario({"ann": ann, "late": ["wait-for: ended", "connect: refused"]}, server=server)
    return Probes("stops-on-sigterm", "2s", "idle, it ended in time", {"stop": scenario})


def survives_reset(exchange: Exchange) -> Probes:
    if not exchange.shows:
        return Probes("survives-reset", untried="a client cannot tell whether it is served")
    opened = ["connect", *exchange.greeting]
    rude = {"a reset at once": ["connect", "await: accepted", "reset"]}
    if not exchange.ends_itself or exchange.asked:
        half = exchange.opening.messages[0][:3]
        rude["a reset in mid-message"] = [*opened, f'send: {{hex: "{half.hex()}"}}', "await: read", "reset"]
    if exchange.asked:
        rude["a reset with the answer unread"] = [*opened, *exchange.request(0, _RUDE), "await: read", "reset"]
    scenarios = {name: _after(exchange, found) for name, found in rude.items()}
    if exchange.asked:
        flood = [_SMALL_WINDOW, *exchange.greeting]
        flood += ["send: {payload: big}\nread: no\nuntil: blocked", "reset"]
        scenarios["a reset in mid-answer"] = _after(exchange, flood, _flood(exchange))
    paused = ["wait-for: paused", *exchange.request(0, _RUDE), "reset"]
    paused.insert(1, "connect")
    server = ["pause", "mark: paused", "wait-for: gone", "resume", "mark: resumed"]
    bob = ["wait-for: resumed", *exchange.served()]
    scenarios["a reset in the queue"] = _scenario({"rude": [*paused, "mark: gone"], "bob": bob}, server=server)
    seen = "clients vanished by a reset, and the next was served"
    return Probes("survives-reset", seen=seen, scenarios=scenarios)


@dataclass(frozen=True, slots=True)
class Style:
    """How several clients keep up the exchange at once.

    `personal`: each says a word of its own. `pushes`: they may be sent more than they ask for.
    """

    personal: bool
    pushes: bool

    @property
    def suffix(self) -> str:
        """What goes behind the word of each of a `count`."""
        return "-${index}" if self.personal else ""


def styles(exchange: Exchange) -> list[Style]:
    """Those that may do, the strictest first."""
    first = Style(exchange.personal, exchange.pushes)
    looser = [Style(first.personal, pushes=True), Style(personal=False, pushes=exchange.pushes)]
    return list(dict.fromkeys([first, *looser]))


def crowd(exchange: Exchange, style: Style, number: int) -> str:
    """So many clients, all connected before the first of them goes on."""
    return _scenario(_groups(number, style, lambda suffix: exchange.served(suffix)[1:]), pushes=style.pushes)


def silent(exchange: Exchange, style: Style, number: int) -> str:
    """One client is served beside so many others that say nothing."""
    others = _groups(number, style, lambda _: ["wait-for: served"], pushes=True)
    bob = [f"wait-for: {_LAST}", *_bob(exchange, style), "mark: served"]
    return _scenario({"bob": bob, **others}, pushes=style.pushes)


def neighbours(exchange: Exchange, style: Style, *, survives_reset: bool) -> dict[str, str]:
    """One client is served beside another, which is silent, or stalls in mid-message, or never reads its answers.

    The last can only leave by a reset, which the server has to survive.
    """
    opened = ["connect", *exchange.greeting]
    found = {"beside a silent client": _beside(exchange, style, ["connect", "await: accepted"])}
    if exchange.asked:
        half = exchange.opening.messages[0][:3]
        stalled = [*opened, f'send: {{hex: "{half.hex()}"}}', "await: read"]
        found["beside a client that stalls in mid-message"] = _beside(exchange, style, stalled)
    if exchange.answers and survives_reset:
        deaf = [_SMALL_WINDOW, *exchange.greeting, "send: {payload: big}\nread: no\nuntil: blocked\nwithin: 5s"]
        flood = _flood(exchange, _DEAF_SIZE)
        found["beside a client that never reads"] = _beside(exchange, style, deaf, "reset", payload=flood)
    return found


def none_waited(beside: Collection[str]) -> str:
    """What is shown where all of these `neighbours` pass."""
    kinds = ("silent", "silent or stalled", "silent, stalled or deaf")[len(beside) - 1]
    return f"none waited for one that is {kinds}"


def backlog(exchange: Exchange) -> str:
    """The kernel tells how many may wait: the first figure of the only check."""
    server = ["wait-for: served", 'check: {backlog: ">= 1"}']
    return _scenario({"ann": [*exchange.served(), "mark: served"]}, server=server)


def queued(exchange: Exchange, style: Style, number: int) -> str:
    """So many clients wait while the server is paused, and all of them are served."""
    server = ["pause", "mark: paused", "wait-for: all-in", f'check: {{queue: ">= {number}"}}', "resume"]
    served = exchange.served(style.suffix)
    ann = ["wait-for: paused", "connect", "meet: all-in", *(_patiently(step) for step in served[1:])]
    return _scenario({"crowd": _Others(ann, number)}, server=server, pushes=style.pushes)


def _patiently(step: str) -> str:
    return f"{step}\nwithin: 5s" if step.startswith(("expect:", "end:")) else step


def _whole(exchange: Exchange) -> dict[str, str]:
    return {"the whole exchange": _scenario({"one": exchange.steps()})}


def _after(exchange: Exchange, rude: Sequence[str], payload: str = "") -> str:
    """One client vanishes, then another is served."""
    return _scenario({"rude": [*rude, "mark: gone"], "bob": ["wait-for: gone", *exchange.served()]}, payload=payload)


def _large(exchange: Exchange, ending: str) -> str:
    """A request that comes back through a small window, behind the client's end of stream."""
    found = [_SMALL_WINDOW, *exchange.greeting, "send: {payload: big}", "shutdown: write"]
    found += ["expect: {payload: big}\nwithin: 15s", f"end: {ending}"]
    return _scenario({"one": found}, payload=_flood(exchange))


def _beside(exchange: Exchange, style: Style, other: Sequence[str], *leaves: str, payload: str = "") -> str:
    bob = ["wait-for: there", *_bob(exchange, style), "mark: served"]
    others = _Others([*other, "mark: there", "wait-for: served", *leaves], pushes=True)
    return _scenario({"other": others, "bob": bob}, payload=payload, pushes=style.pushes)


def _bob(exchange: Exchange, style: Style) -> list[str]:
    return exchange.served("-bob" if style.personal else "")


def _groups(
    number: int, style: Style, then: Callable[[str], Sequence[str]], *, pushes: bool = False
) -> dict[str, _Others]:
    """Clients that connect in groups, one group behind the other, and go on when the last of all is accepted."""
    sizes = [_GROUP] * (number // _GROUP) + [number % _GROUP] * (number % _GROUP > 0)
    connect = ["connect", "await: accepted"]
    found = {}
    for group, size in enumerate(sizes):
        before = [f"wait-for: group-{group - 1}"] if group else []
        met = _LAST if group == len(sizes) - 1 else f"group-{group}"
        after = [f"wait-for: {_LAST}"] if met != _LAST else []
        suffix = f"-{group}{style.suffix}" if style.personal else ""
        found[f"group{group}"] = _Others([*before, *connect, f"meet: {met}", *after, *then(suffix)], size, pushes)
    return found


def _repeat(found: Sequence[str], times: int) -> str:
    return f"repeat:\n  times: {times}\n  steps:\n{steps(found, 4)}".rstrip()


def _flood(exchange: Exchange, size: int = _FLOOD_SIZE) -> str:
    """The recipe of a payload: the first message over and over."""
    return f'{{repeat: {{hex: "{exchange.opening.messages[0].hex()}"}}, size: {size}}}'


def _scenario(
    clients: Mapping[str, Sequence[str] | _Others],
    *,
    server: Sequence[str] = (),
    payload: str = "",
    pushes: bool = False,
) -> str:
    """The text of a scenario. `payload`: the recipe of one that is called `big`."""
    lines = ["scenario: A promise is tried"]
    if pushes:
        lines.append("pushes: yes")
    if payload:
        lines.append(f"payloads:\n  big: {payload}")
    if server:
        lines.append("server:\n" + steps(server, 2).rstrip())
    lines.append("clients:")
    for name, found in clients.items():
        if isinstance(found, _Others):
            keys = f"    count: {found.count}\n" + "    pushes: yes\n" * (found.pushes or pushes)
            lines.append(f"  {name}:\n{keys}    steps:\n{steps(found.steps, 6)}".rstrip())
        else:
            lines.append(f"  {name}:\n{steps(found, 4)}".rstrip())
    return "\n".join(lines) + "\n"
