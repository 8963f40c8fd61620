"""Small scenarios that a server passes if it keeps a promise, made of an exchange that it keeps up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sockcheck.drafting.exchanges import Exchange
from sockcheck.drafting.writing import steps

NUMBERS = (64, 32, 16, 8, 4, 2)
"""How many clients are tried at once, until so many are served."""

MOST_QUEUED = 16
"""At most so many clients are let wait in the queue, however long the server makes it."""

# What a client floods the server with before it vanishes: more than fits into the reply's way back.
_FLOOD = "256KiB"
_PROMPTLY, _PROMPT_TIMES = "200ms", 30
_RUDE = "-rude"


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


def probes(exchange: Exchange) -> list[Probes]:
    """Those of all promises but `clients` and `backlog`, which hold a number that must be found."""
    return [
        half_close(exchange),
        orderly_close(exchange),
        pipelining(exchange),
        prompt(exchange),
        restart(exchange),
        stops_on_sigterm(exchange),
        survives_reset(exchange),
    ]


def half_close(exchange: Exchange) -> Probes:
    if not exchange.asked or not (exchange.answers or exchange.last):
        return Probes("half-close", untried="it answered nothing")
    if not exchange.answers:
        return Probes("half-close", seen="the answer came after the client's end of stream", scenarios=_whole(exchange))
    opened = ["connect", *exchange.greeting, *exchange.request(0)]
    end = [*exchange.answer(0), "end: any"]
    scenarios = {
        "read-then-end": _scenario(one=[*opened, "await: read", "shutdown: write", *end]),
        "data-with-end": _scenario(one=[*opened, "shutdown: write", *end]),
    }
    if exchange.echoes:
        big = ["send: {payload: big}", "shutdown: write", "expect: {payload: big}\nwithin: 15s", "end: any"]
        connect = ["connect: {segment-size: 536, receive-buffer: 4KiB}", *exchange.greeting]
        scenarios["large"] = _scenario(one=[*connect, *big], payload=_flood(exchange))
    return Probes("half-close", seen="the answer came whole after the client's end of stream", scenarios=scenarios)


def orderly_close(exchange: Exchange) -> Probes:
    if not exchange.ending:
        return Probes("orderly-close", untried="it was not seen to end a connection")
    found = exchange.steps()
    scenarios = {"whole": _scenario(one=[*found[:-1], "end: eof"])}
    if exchange.shuts and not exchange.last:
        quiet = ["connect", *exchange.greeting, "shutdown: write", "end: eof"]
        scenarios["nothing-asked"] = _scenario(one=quiet)
    return Probes("orderly-close", seen="connections ended by b'', not by a reset", scenarios=scenarios)


def pipelining(exchange: Exchange) -> Probes:
    if len(exchange.asked) < 2 or exchange.pushes:
        return Probes("pipelining", untried="it was not seen to answer two requests on one connection")
    opened = ["connect", *exchange.greeting]
    sends = [asked.send for asked in exchange.asked]
    answers = [step for asked in exchange.asked for step in asked.answer]
    together = f"send: [{', '.join(send.strip() for send in sends)}]"
    length = len(exchange.opening.messages[0]) + 2
    scenarios = {
        "together": _scenario(one=[*opened, together, *answers]),
        "cut-in-the-second": _scenario(one=[*opened, f"{together}\ncut: {length}", *answers]),
    }
    return Probes("pipelining", seen="requests that came together were answered in order", scenarios=scenarios)


def prompt(exchange: Exchange) -> Probes:
    if len(exchange.asked) < 3 or exchange.asked[0] != exchange.asked[2] or exchange.ends_itself or exchange.pushes:
        return Probes("prompt", untried="it was not seen to answer the same request twice on one connection")
    turn = [*exchange.request(0), *(f"{step}\nwithin: {_PROMPTLY}" for step in exchange.answer(0))]
    repeat = f"repeat:\n  times: {_PROMPT_TIMES}\n  steps:\n{steps(turn, 4)}".rstrip()
    scenario = _scenario(one=["connect", *exchange.greeting, repeat])
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
    scenario = _scenario(server=server, ann=[*ann, "close", "mark: closed"], bob=bob)
    return Probes("restart", seen="killed with a client, it listened again at once", scenarios={"restart": scenario})


def stops_on_sigterm(exchange: Exchange) -> Probes:
    server = ["wait-for: served", "signal: TERM", "exits: {status: [0, TERM, 143], within: 2s}", "mark: ended"]
    ann = [*exchange.served(), "close", "mark: served"]
    scenario = _scenario(server=server, ann=ann, late=["wait-for: ended", "connect: refused"])
    return Probes("stops-on-sigterm", "2s", "idle, it ended in time", {"stop": scenario})


def survives_reset(exchange: Exchange) -> Probes:
    if not exchange.shows:
        return Probes("survives-reset", untried="a client cannot tell whether it is served")
    opened = ["connect", *exchange.greeting]
    rude = {"reset-at-once": ["connect", "await: accepted", "reset"]}
    if not exchange.ends_itself or exchange.asked:
        half = exchange.opening.messages[0][:3]
        rude["reset-in-message"] = [*opened, f'send: {{hex: "{half.hex()}"}}', "await: read", "reset"]
    if exchange.asked:
        rude["answer-unread"] = [*opened, *exchange.request(0, _RUDE), "await: read", "reset"]
    scenarios = {name: _after(exchange, found) for name, found in rude.items()}
    if exchange.asked:
        flood = ["connect: {receive-buffer: 4KiB, segment-size: 536}", *exchange.greeting]
        flood += ["send: {payload: big}\nread: no\nuntil: blocked", "reset"]
        scenarios["reset-in-answer"] = _after(exchange, flood, _flood(exchange))
    paused = ["wait-for: paused", *exchange.request(0, _RUDE), "reset"]
    paused.insert(1, "connect")
    server = ["pause", "mark: paused", "wait-for: gone", "resume", "mark: resumed"]
    bob = ["wait-for: resumed", *exchange.served()]
    scenarios["reset-in-queue"] = _scenario(server=server, rude=[*paused, "mark: gone"], bob=bob)
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
    served = exchange.served(style.suffix)
    return _scenario(crowd=(number, ["connect", "meet: all-in", *served[1:]]), pushes=style.pushes)


def neighbours(exchange: Exchange, style: Style, number: int) -> dict[str, str]:
    """One client is served beside all the others, which are silent, or stalled in mid-message, or never read."""
    bob = exchange.served("-bob" if style.personal else "")

    def beside(others: Sequence[str], payload: str = "", count: int = number - 1) -> str:
        waiting = (count, [*others, "meet: there", "wait-for: served", "reset"])
        here = ["wait-for: there", *bob, "mark: served"]
        return _scenario(others=waiting, bob=here, payload=payload, pushes=style.pushes)

    found = {"silent": beside(["connect", "await: accepted"])}
    if exchange.asked:
        opened = ["connect", *exchange.greeting]
        half = exchange.opening.messages[0][:3]
        found["stalled"] = beside([*opened, f'send: {{hex: "{half.hex()}"}}', "await: read"])
        deaf = ["connect: {receive-buffer: 4KiB, segment-size: 536}", *exchange.greeting]
        deaf.append("send: {payload: big}\nread: no\nuntil: blocked\nwithin: 5s")
        found["deaf"] = beside(deaf, _flood(exchange, "8MiB"), 1)
    return found


def backlog(exchange: Exchange) -> str:
    """The kernel tells how many may wait: the first figure of the only check."""
    return _scenario(server=["wait-for: served", 'check: {backlog: ">= 1"}'], ann=[*exchange.served(), "mark: served"])


def queued(exchange: Exchange, style: Style, number: int) -> str:
    """So many clients wait while the server is paused, and all of them are served."""
    server = ["pause", "mark: paused", "wait-for: all-in", f'check: {{queue: ">= {number}"}}', "resume"]
    served = exchange.served(style.suffix)
    ann = ["wait-for: paused", "connect", "meet: all-in", *(_patiently(step) for step in served[1:])]
    return _scenario(server=server, crowd=(number, ann), pushes=style.pushes)


def _patiently(step: str) -> str:
    return f"{step}\nwithin: 5s" if step.startswith(("expect:", "end:")) else step


def _whole(exchange: Exchange) -> dict[str, str]:
    return {"whole": _scenario(one=exchange.steps())}


def _after(exchange: Exchange, rude: Sequence[str], payload: str = "") -> str:
    """One client vanishes, then another is served."""
    return _scenario(rude=[*rude, "mark: gone"], bob=["wait-for: gone", *exchange.served()], payload=payload)


def _flood(exchange: Exchange, size: str = _FLOOD) -> str:
    """The recipe of a payload: the first message over and over."""
    return f'{{repeat: {{hex: "{exchange.opening.messages[0].hex()}"}}, size: {size}}}'


def _scenario(
    *,
    server: Sequence[str] = (),
    payload: str = "",
    pushes: bool = False,
    **clients: Sequence[str] | tuple[int, Sequence[str]],
) -> str:
    lines = ["scenario: A promise is tried"]
    if pushes:
        lines.append("pushes: yes")
    if payload:
        lines.append(f"payloads:\n  big: {payload}")
    if server:
        lines.append("server:\n" + steps(server, 2).rstrip())
    lines.append("clients:")
    for name, found in clients.items():
        if isinstance(found, tuple):
            count, its_steps = found
            lines.append(f"  {name}:\n    count: {count}\n    steps:\n{steps(its_steps, 6)}".rstrip())
        else:
            lines.append(f"  {name}:\n{steps(found, 4)}".rstrip())
    return "\n".join(lines) + "\n"
