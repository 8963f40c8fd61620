"""JSON Schemas of scenarios and contracts, for editors: made of the tables that the readers read by.

They know keys, types and words, not meanings: what a schema refuses, the reader refuses too, while the reader goes on
to ask whether names are known, steps are in order and waits can end. Values are seen as an editor sees them (YAML 1.2,
chapter 10.3): a plain `12` is a number and `~` is null, where the reader takes both for texts if a text is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sockcheck.case import SERVER
from sockcheck.laws import LAWS
from sockcheck.payloads import INTEGERS
from sockcheck.reading import clients, conditions, contracts, cuts, durations, forms, parts, scenarios, server, steps
from sockcheck.reading.names import NAME, RESERVED
from sockcheck.reading.values import LARGEST_SIZE

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_WHOLE = r"[0-9]{1,20}|0x[0-9a-fA-F]{1,16}"
_SIZE = r"[0-9]{1,12}\s*(KiB|MiB|GiB)?"
_NAMED = r"\$\{[^}]*\}"

_KEYS: Mapping[str, str] = {
    "scenario": "The title, for people.",
    "about": "More about it, for people.",
    "client": "The steps of the only client, the first of which is `connect`.",
    "clients": "Several clients, by name: each a list of steps, or {count, steps, pushes}.",
    "server": "What is done to the server itself: it needs a server that sockcheck starts.",
    "payloads": "Large data by recipes.",
    "matrix": "Names and their values: a case for each combination.",
    "needs": "Promises without which the scenario is not run.",
    "state": "own: the exchange leaves something behind on the server.",
    "pushes": "The server may send what no step asks for.",
    "conditions": "The laws under which the exchange is tried.",
    "tags": "Words of your own.",
    "points": "What the scenario is worth where results are graded.",
    "visibility": "Who may see the result where results are graded.",
    "gate": "Where results are graded, no other points of the contract are earned unless this passes.",
    "hint": "What may help whoever fails it.",
    "skip": "Why it is not run.",
    "known-failure": "Why it is known to fail. The run fails when it passes.",
    "law": "The law that the exchange tests.",
}
_VERBS: Mapping[str, str] = {
    "connect": "Connect to the server, or be refused.",
    "send": "Hand bytes to the kernel, in one send() where it can be.",
    "expect": "These bytes come next.",
    "end": "How the server ends the connection.",
    "quiet": "Neither a byte nor an ending for that long.",
    "shutdown": "End one direction, or both.",
    "close": "Close the connection in order, or with what came unread.",
    "reset": "Break the connection off (RST).",
    "await": "Wait until the server has accepted, or read.",
    "mark": "Set a mark. It never blocks, and the mark stays set.",
    "wait-for": "Wait for a mark.",
    "wait": "Sleep.",
    "meet": "Go on when all of this client's `count` are here.",
    "repeat": "Steps that are done several times; ${turn} counts from 0.",
    "pause": "Stop all processes of the server (SIGSTOP).",
    "resume": "Let them go on (SIGCONT).",
    "signal": "Send a signal to the server's first process.",
    "exits": "The server ends in time, and so.",
    "kill": "Kill all processes of the server (SIGKILL).",
    "start": "Start the server again, at the same address.",
    "restart": "Stop the server, and start it again at the same address.",
    "check": "Figures of the server, asked of the kernel until they are so.",
    "rests": "The server waits for its clients, and uses no CPU meanwhile.",
    "limit": "How many descriptors the server may have open from here on.",
    "taken": "The same command once more, while the server runs: it must fail, and say why.",
}


def scenario_schema() -> Schema:
    """The schema of `*.sock.yaml`."""
    values: Schema = {
        "scenario": _ref("text"),
        "about": _ref("text"),
        "client": _ref("steps"),
        "clients": _clients(),
        "server": {"type": "array", "items": _ref("server-step"), "minItems": 1},
        "payloads": {"type": "object", "additionalProperties": _ref("payload")},
        "matrix": {
            "type": "object",
            "propertyNames": {"pattern": f"^{NAME.pattern}$", "not": {"enum": list(RESERVED)}},
            "additionalProperties": {"type": "array", "items": _ref("text"), "minItems": 1},
        },
        "needs": _one_or_several({"enum": list(contracts.PROMISES)}),
        "state": {"enum": list(scenarios.STATES)},
        "pushes": _ref("flag"),
        "conditions": _conditions(),
        "tags": _one_or_several(_ref("text")),
        "points": _any({"type": "number", "minimum": 0, "maximum": scenarios.MOST_POINTS}, _pattern(r"[0-9.]+")),
        "visibility": {"enum": list(scenarios.VISIBILITIES)},
        "gate": _ref("flag"),
        "hint": _ref("text"),
        "skip": _ref("text"),
        "known-failure": _ref("text"),
        "law": {"enum": list(LAWS)},
    }
    properties = {key: {**values[key], "description": _KEYS[key]} for key in scenarios.KEYS}
    return {
        "$schema": _DIALECT,
        "title": "A scenario of sockcheck",
        "type": "object",
        "properties": properties,
        "required": ["scenario"],
        "anyOf": [{"required": [key]} for key in scenarios.ACTORS],
        "not": {"required": ["client", "clients"]},
        "additionalProperties": False,
        "$defs": {
            "text": _TEXT,
            "flag": _FLAG,
            "duration": _pattern_itself(durations.PATTERN),
            "size": _size(_SIZE),
            "size-or-name": _size(f"{_SIZE}|{_NAMED}"),
            "part": _part(),
            "parts": _any(_ref("part"), {"type": "array", "items": _ref("part"), "minItems": 1}),
            "patterns": _one_or_several(_ref("text")),
            "form": _any(_ref("positive-form"), _object({"not": _unwanted(), "for": _ref("duration")}, "not", "for")),
            "positive-form": _any(_ref("parts"), *_positive_forms()),
            "line": _line(),
            "payload": _payload(),
            "cut": _cut(),
            "step": _step(steps.VERBS, steps.BARE, _client_values()),
            "steps": {"type": "array", "items": _ref("step"), "minItems": 1},
            "server-step": _step(server.VERBS, server.BARE, _server_values()),
        },
    }


def contract_schema() -> Schema:
    """The schema of `contract.yaml`."""
    values: Schema = {
        "contract": _ref("text"),
        "about": _ref("text"),
        "transport": {"enum": list(contracts.SUPPORTED_TRANSPORTS)},
        "promises": {
            "type": "object",
            "properties": {promise: _ref("text") for promise in contracts.PROMISES},
            "additionalProperties": False,
        },
        "parameters": {
            "type": "object",
            "propertyNames": {
                "pattern": f"^{NAME.pattern}$",
                "not": {"enum": [*contracts.PLACEHOLDERS, *RESERVED]},
            },
            "additionalProperties": _ref("text"),
        },
        "pushes": _ref("flag"),
        "conditions": _conditions(),
        "target": _object({"command": _ref("text")}, *contracts.TARGET_KEYS),
        "timeouts": _object(dict.fromkeys(contracts.TIMEOUTS, _ref("duration"))),
    }
    return {
        "$schema": _DIALECT,
        "title": "A contract of sockcheck",
        **_object({key: values[key] for key in contracts.KEYS}, contracts.KEYS[0]),
        "$defs": {"text": _TEXT, "flag": _FLAG, "duration": _pattern_itself(durations.FIXED_PATTERN)},
    }


_TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}
_FLAG: Schema = {"enum": [True, False, "yes", "no", "true", "false"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _any(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _one_or_several(schema: Schema) -> Schema:
    return _any(schema, {"type": "array", "items": schema})


def _object(properties: Schema, *required: str, **more: Any) -> Schema:
    needed: Schema = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, **more, "additionalProperties": False}


def _pattern(expression: str) -> Schema:
    return _pattern_itself(f"^({expression})$")


def _pattern_itself(expression: str) -> Schema:
    return {"type": "string", "pattern": expression}


def _size(expression: str, lowest: int = 0, highest: int = LARGEST_SIZE) -> Schema:
    return _any({"type": "integer", "minimum": lowest, "maximum": highest}, _pattern(expression))


def _whole(lowest: int, highest: int, more: str = "") -> Schema:
    return _any({"type": "integer", "minimum": lowest, "maximum": highest}, _pattern(f"{_WHOLE}{more}"))


def _named_whole(lowest: int, highest: int) -> Schema:
    return _whole(lowest, highest, f"|{_NAMED}")


def _conditions() -> Schema:
    each = _any({"enum": [*conditions.SETS, *LAWS]}, _pattern_itself(r"[*?\[]"))
    return _any({"enum": list(conditions.SETS)}, {"type": "array", "items": each})


def _clients() -> Schema:
    values: Schema = {
        "count": _named_whole(1, clients.MOST_CLIENTS),
        "steps": _ref("steps"),
        "pushes": _ref("flag"),
    }
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"not": {"enum": [SERVER]}},
        "additionalProperties": _any(
            _ref("steps"), _object({key: values[key] for key in clients.CLIENT_KEYS}, "steps")
        ),
    }


def _part() -> Schema:
    values: Schema = {
        "text": _ref("text"),
        # What is written in digits may look like a number.
        "hex": {"type": ["string", "number"], "pattern": r"^[\s0-9a-fA-F]*$"},
        "base64": _ref("text"),
        "payload": _ref("text"),
        "file": _ref("text"),
        "frame": {"enum": list(INTEGERS)},
        **{kind: _named_whole(0, 256**width - 1) for kind, (width, _) in INTEGERS.items()},
    }
    options: Schema = {
        "newline": {"enum": list(parts.NEWLINES)},
        "dot-block": _ref("flag"),
        "first": _ref("size-or-name"),
        "of": _ref("parts"),
    }
    objects = []
    for kind, keys in parts.KINDS.items():
        needed = (kind, *keys) if kind == "frame" else (kind,)
        objects.append(_object({kind: values[kind], **{key: options[key] for key in keys}}, *needed))
    return _any(_ref("text"), *objects)


def _positive_forms() -> Iterable[Schema]:
    """The forms that are no parts, but for `not`."""
    several: Schema = {
        "type": "array",
        "items": _ref("positive-form"),
        "minItems": 1,
        "maxItems": forms.MOST_FORMS,
    }
    values: Schema = {
        "line": _ref("text"),
        "lines": _ref("text"),
        "until": _ref("parts"),
        "bytes": _size(f"{_SIZE}|{_NAMED}", lowest=1),
        "frame": {"enum": list(INTEGERS)},
        "unordered": several,
        "any": several,
    }
    options: Schema = {
        "ends": {"enum": list(forms.ENDS)},
        "last": _ref("text"),
        "matches": _ref("patterns"),
        "sha256": {"type": ["string", "number"], "pattern": "^[0-9a-fA-F]{64}$"},
        "equals": _ref("parts"),
    }
    for kind, keys in forms.FORMS.items():
        if kind == "line":
            yield _ref("line")
        elif kind != "not":
            needed = (kind, "last") if kind == "lines" else (kind,)
            more: Schema = {"not": {"required": list(keys)}} if kind == "frame" else {}
            yield _object({kind: values[kind], **{key: options[key] for key in keys}}, *needed, **more)


def _line() -> Schema:
    return _object({"line": _ref("text"), "ends": {"enum": list(forms.ENDS)}}, "line")


def _unwanted() -> Schema:
    return _any(_ref("parts"), _ref("line"))


def _payload() -> Schema:
    seed = _whole(0, cuts.LARGEST_SEED)
    return _any(
        _object({"random": _ref("size-or-name"), "seed": seed}, "random"),
        _object({"repeat": _ref("parts"), "size": _ref("size-or-name")}, "repeat", "size"),
    )


def _cut() -> Schema:
    position = _whole(1, LARGEST_SIZE)
    return _any(
        {"enum": [cuts.EVERY_BYTE]},
        position,
        {"type": "array", "items": position, "minItems": 1, "maxItems": cuts.MOST_CUTS},
        _object({"random": _whole(1, cuts.MOST_CUTS), "seed": _whole(0, cuts.LARGEST_SEED)}, "random"),
    )


def _step(verbs: Mapping[str, tuple[str, ...]], bare: Iterable[str], values: Schema) -> Schema:
    options: Schema = {
        "within": _ref("duration"),
        "after": _ref("duration"),
        "gap": _ref("duration"),
        "cut": _ref("cut"),
        "read": _ref("flag"),
        "until": {"enum": list(steps.UNTIL)},
        "everyone": _ref("flag"),
    }
    objects = []
    for verb, keys in verbs.items():
        step = _object(
            {verb: {**values[verb], "description": _VERBS[verb]}, **{key: options[key] for key in keys}}, verb
        )
        if verb == "send":
            step |= {"dependentRequired": {"gap": ["cut"]}, "not": {"required": ["cut", "until"]}}
        objects.append(step)
    return _any({"enum": list(bare)}, *objects)


def _shared_values() -> Schema:
    return {"mark": _ref("text"), "wait-for": _ref("text"), "wait": _ref("duration")}


def _client_values() -> Schema:
    buffer = _size(_SIZE, 1, steps.LARGEST_BUFFER)
    options: Schema = {
        "within": _ref("duration"),
        "port": _named_whole(*steps.PORTS),
        "host": {"type": "string"},
        "from": {"type": "string"},
        "receive-buffer": buffer,
        "send-buffer": buffer,
        "segment-size": _size(_SIZE, *steps.SEGMENT_SIZES),
        "no-delay": _ref("flag"),
    }
    repeat: Schema = {"times": _named_whole(1, steps.MOST_TURNS), "steps": _ref("steps")}
    return {
        "connect": _any(
            {"type": "null"},
            {"enum": list(steps.OUTCOMES)},
            _object({key: options[key] for key in steps.CONNECT_OPTIONS}),
        ),
        "send": _ref("parts"),
        "expect": _ref("form"),
        "end": {"enum": list(steps.ENDINGS)},
        "quiet": _ref("duration"),
        "shutdown": {"enum": list(steps.DIRECTIONS)},
        "close": _any({"type": "null"}, {"enum": list(steps.CLOSINGS)}),
        "reset": {"type": "null"},
        "await": {"enum": list(steps.STATES)},
        **_shared_values(),
        "meet": _ref("text"),
        "repeat": _object({key: repeat[key] for key in steps.REPEAT_KEYS}, *steps.REPEAT_KEYS),
    }


def _server_values() -> Schema:
    signals = f"(SIG)?({'|'.join(server.signal_names())})"
    status = _whole(0, server.LAST_STATUS, f"|{signals}")
    exits: Schema = {
        "status": _any(status, {"type": "array", "items": status, "minItems": 1}),
        "within": _ref("duration"),
    }
    number = _comparison(r"[0-9]{1,15}", {"type": "integer", "minimum": 0})
    files = _whole(1, server.MOST_FILES, r"|\+[0-9]{1,7}")
    measures: Schema = {
        **dict.fromkeys(server.NUMBERS, number),
        "cpu": _comparison(r"[0-9].*", {"type": "number", "minimum": 0}),
        **dict.fromkeys(server.FLAGS, _ref("flag")),
    }
    return {
        **{verb: {"type": "null"} for verb in server.BARE},
        "signal": _whole(1, server.LAST_SIGNAL, f"|{signals}"),
        "exits": _object({key: exits[key] for key in server.EXITS_KEYS}, "status"),
        "limit": _object(dict.fromkeys(server.LIMIT_KEYS, files), "open-files"),
        "check": _object({measure: measures[measure] for measure in server.MEASURES}, minProperties=1),
        **_shared_values(),
    }


def _comparison(amount: str, number: Schema) -> Schema:
    return _any(number, _pattern(rf"\s*({'|'.join(server.OPERATORS)})?\s*{amount}\s*"))
