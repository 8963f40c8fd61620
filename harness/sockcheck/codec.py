"""Events as lines of JSON and back, by the type hints of the frozen data; docs/record.md describes the lines.

An object is a dataclass, its keys are the fields. Where a hint permits several classes, `type` names the one. Bytes are
`{"text": …}` where they are UTF-8 and readable, `{"base64": …}` where they are not. A line is ASCII, so it passes
through any terminal, editor and locale unharmed; numbers, texts and bytes come back exactly as they were.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, NoReturn, Union, cast, get_args, get_origin, get_type_hints

from sockcheck.errors import RecordError
from sockcheck.events import RECORD_VERSION, Event, RunStarted

_TAG = "type"
_SHOWN = 40
_UNREADABLE = "this is no event: a number is too long or not finite, or lists stand in each other too deep"

_Tree = Any
_Encode = Callable[[Any], _Tree]
_Decode = Callable[[_Tree], Any]


class _Codec(NamedTuple):
    """How one type is written and read. `encode` is None where the value is JSON already."""

    encode: _Encode | None
    decode: _Decode


class _MismatchError(Exception):
    """A value that its hint does not permit. `place` leads to it and is completed on the way up, innermost first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.place: list[str] = []


def encode(event: Event) -> str:
    """`event` as one line of JSON in ASCII, without the newline.

    Raises ValueError for a number that is not finite: JSON has none.
    """
    return _JSON_ENCODER.encode(_encoder(Event)(event))


def decode(line: str) -> Event:
    """The event that `encode` wrote; whitespace around it is ignored.

    Raises RecordError, saying what is wrong and at which value, for any other text. What a newer version wrote is
    known by its first event, and refused with that reason.
    """
    try:
        tree = _JSON_DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise RecordError(f"this is no event: it is not JSON ({error.msg} at column {error.colno})") from None
    except (ValueError, RecursionError):
        raise RecordError(_UNREADABLE) from None
    _refuse_newer(tree)
    try:
        return cast(Event, _codec(Event).decode(tree))
    except RecursionError:
        raise RecordError(_UNREADABLE) from None
    except _MismatchError as error:
        place = "".join(reversed(error.place)).removeprefix(".")
        subject = f"`{place}`" if place else "it"
        raise RecordError(f"this is no event: {subject} {error.message}") from None


def _refuse_newer(tree: _Tree) -> None:
    """Before anything else is judged, since a newer version may hold what this one cannot know."""
    if type(tree) is dict and tree.get(_TAG) == RunStarted.__name__:
        version = tree.get("version")
        if type(version) is int and version > RECORD_VERSION:
            raise RecordError(
                f"the record is of version {version}, but this sockcheck reads only up to version {RECORD_VERSION}",
                "read it with the sockcheck that wrote it, or upgrade this one",
            )


def _not_finite(name: str) -> NoReturn:
    raise ValueError(name)


_JSON_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_JSON_DECODER = json.JSONDecoder(parse_constant=_not_finite)


@cache
def _codec(hint: Any) -> _Codec:
    """Compiled once for each hint. TypeError for a hint that records have no form for."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if is_dataclass(hint):
        return _dataclass_codec(cast(type, hint), "")
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _literal_codec(arguments)
    if origin is tuple and arguments[1:] == (...,):
        return _tuple_codec(arguments[0])
    if origin in (Union, UnionType):
        return _union_codec(arguments)
    raise TypeError(f"records have no form for {hint}")


@cache
def _encoder(hint: Any) -> _Encode:
    encode = _codec(hint).encode
    return encode if encode is not None else _as_it_is


def _as_it_is(value: _Tree) -> _Tree:
    return value


def _dataclass_codec(cls: type, tag: str) -> _Codec:
    """`tag` is "" where the hint permits no other class, so that nothing need be said about which one it is."""
    hints = get_type_hints(cls)
    codecs = {field.name: _codec(hints[field.name]) for field in fields(cls)}
    encoders = [(name, codec.encode) for name, codec in codecs.items()]
    decoders = [(name, codec.decode) for name, codec in codecs.items()]
    known = {_TAG, *codecs} if tag else set(codecs)

    def encode(value: Any) -> _Tree:
        tree: dict[str, _Tree] = {_TAG: tag} if tag else {}
        for name, encode_field in encoders:
            field = getattr(value, name)
            tree[name] = field if encode_field is None else encode_field(field)
        return tree

    def decode(tree: _Tree) -> Any:
        if type(tree) is not dict:
            raise _wrong("an object", tree)
        if tree.keys() != known:
            raise _wrong_keys(known, tree)
        values = []
        name = ""
        try:
            for name, decode_field in decoders:
                values.append(decode_field(tree[name]))
        except _MismatchError as error:
            error.place.append(f".{name}")
            raise
        return cls(*values)

    return _Codec(encode, decode)


def _tuple_codec(member: Any) -> _Codec:
    """The codec of the member is looked up when it is used: a class may hold others of its own kind."""

    def encode(values: Any) -> _Tree:
        encode_item = _encoder(member)
        return [encode_item(value) for value in values]

    def decode(tree: _Tree) -> Any:
        if type(tree) is not list:
            raise _wrong("a list", tree)
        decode_item = _codec(member).decode
        values = []
        try:
            for item in tree:
                values.append(decode_item(item))
        except _MismatchError as error:
            error.place.append(f"[{len(values)}]")
            raise
        return tuple(values)

    return _Codec(encode, decode)


def _union_codec(members: tuple[Any, ...]) -> _Codec:
    """The members are told apart by their JSON; a lone class among them needs no tag."""
    present = [member for member in members if member is not NoneType]
    codec = _codec(present[0]) if len(present) == 1 else _choice_codec(present)
    if len(present) == len(members):
        return codec
    encode_present = codec.encode

    def encode(value: Any) -> _Tree:
        return value if value is None or encode_present is None else encode_present(value)

    def decode(tree: _Tree) -> Any:
        return None if tree is None else codec.decode(tree)

    return _Codec(encode if encode_present is not None else None, decode)


def _choice_codec(members: list[Any]) -> _Codec:
    """Scalars of different types, and classes and bytes, which are objects."""
    objects: list[Any] = [member for member in members if member is bytes or is_dataclass(member)]
    scalars = [member for member in members if member not in objects]
    encoders: dict[type, _Encode] = {}
    decoders: dict[type, _Decode] = {}
    if objects:
        codec = _codec(objects[0]) if len(objects) == 1 else _object_codec(objects)
        if not scalars:
            return codec
        encoders.update(dict.fromkeys(objects, cast(_Encode, codec.encode)))
        decoders[dict] = codec.decode
    for member in scalars:
        for kind in (float, int) if member is float else (member,):
            if member not in _SCALARS or kind in decoders:
                raise TypeError(f"records cannot tell {members} apart")
            encoders[kind], decoders[kind] = _encoder(member), _codec(member).decode
    due = " or ".join(dict.fromkeys(_JSON_NAMES[dict if member in objects else member] for member in members))

    def encode(value: Any) -> _Tree:
        return encoders[type(value)](value)

    def decode(tree: _Tree) -> Any:
        decode_kind = decoders.get(type(tree))
        if decode_kind is None:
            raise _wrong(due, tree)
        return decode_kind(tree)

    return _Codec(encode, decode)


def _object_codec(members: list[Any]) -> _Codec:
    """Several classes, told apart by their tag; bytes bear none."""
    classes = [member for member in members if member is not bytes]
    codecs = {cls.__name__: _dataclass_codec(cls, cls.__name__) for cls in classes}
    encoders: dict[type, _Encode] = {cls: cast(_Encode, codecs[cls.__name__].encode) for cls in classes}
    decoders = {name: codec.decode for name, codec in codecs.items()}
    if bytes in members:
        encoders[bytes] = _encode_bytes
    bytes_allowed = bytes in members

    def encode(value: Any) -> _Tree:
        return encoders[type(value)](value)

    def decode(tree: _Tree) -> Any:
        if type(tree) is not dict:
            raise _wrong("an object", tree)
        if _TAG not in tree:
            if bytes_allowed:
                return _decode_bytes(tree)
            raise _MismatchError(f"lacks `{_TAG}`")
        tag = tree[_TAG]
        decode_class = decoders.get(tag) if type(tag) is str else None
        if decode_class is None:
            raise _MismatchError(f"has the unknown `{_TAG}` {_shown(tag)}")
        return decode_class(tree)

    return _Codec(encode, decode)


def _literal_codec(permitted: tuple[Any, ...]) -> _Codec:
    def decode(tree: _Tree) -> Any:
        if type(tree) is str and tree in permitted:
            return tree
        raise _MismatchError(f"must be one of {', '.join(permitted)}, not {_shown(tree)}")

    return _Codec(None, decode)


def _decode_str(tree: _Tree) -> str:
    if type(tree) is str:
        return tree
    raise _wrong("a text", tree)


def _decode_int(tree: _Tree) -> int:
    if type(tree) is int:
        return tree
    raise _wrong("a whole number", tree)


def _decode_float(tree: _Tree) -> float:
    """A whole number is a number too: JSON knows no difference, and other programs write 2.0 as 2."""
    if type(tree) is float and math.isfinite(tree):
        return tree
    if type(tree) is int:
        try:
            return float(tree)
        except OverflowError:
            raise _MismatchError("is too large a number") from None
    raise _MismatchError("is too large a number") if type(tree) is float else _wrong("a number", tree)


def _decode_bool(tree: _Tree) -> bool:
    if type(tree) is bool:
        return tree
    raise _wrong("true or false", tree)


def _encode_bytes(data: bytes) -> _Tree:
    """Text costs at most half as much again as base64 would: 2 characters a byte and a few for short ones."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
    if len(json.dumps(text)) > 2 * len(data) + 8:
        return {"base64": base64.b64encode(data).decode()}
    return {"text": text}


def _decode_bytes(tree: _Tree) -> bytes:
    if type(tree) is not dict or len(tree) != 1:
        raise _MismatchError("must be an object with either `text` or `base64`")
    [(form, content)] = tree.items()
    if type(content) is not str or form not in ("text", "base64"):
        raise _MismatchError("must be an object with a text as either `text` or `base64`")
    try:
        return content.encode() if form == "text" else base64.b64decode(content, validate=True)
    except ValueError:
        raise _MismatchError("is no UTF-8" if form == "text" else "is no base64") from None


_SCALARS: dict[Any, _Codec] = {
    str: _Codec(None, _decode_str),
    int: _Codec(None, _decode_int),
    float: _Codec(None, _decode_float),
    bool: _Codec(None, _decode_bool),
    bytes: _Codec(_encode_bytes, _decode_bytes),
}

_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
}


def _wrong(due: str, tree: _Tree) -> _MismatchError:
    return _MismatchError(f"must be {due}, not {_JSON_NAMES[type(tree)]}")


def _wrong_keys(known: set[str], tree: dict[str, _Tree]) -> _MismatchError:
    missing = [name for name in sorted(known) if name not in tree]
    if missing:
        return _MismatchError(f"lacks `{missing[0]}`")
    surplus = next(name for name in tree if name not in known)
    return _MismatchError(f"has the unknown key {_shown(surplus)}")


def _shown(tree: _Tree) -> str:
    """A value of somebody else's in a message of ours: as JSON, which is ASCII, and short."""
    shown = json.dumps(tree)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
