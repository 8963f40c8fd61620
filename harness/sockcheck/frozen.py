"""Frozen dataclasses that are quick to define, with the name and the meaning of those of `dataclasses`.

Those are compiled, method by method, whenever a program starts: half a millisecond each, and there are more than a
hundred of them to define before a run can begin. Here only `__init__` is; all else is shared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NoReturn


def define(*, frozen: Literal[True], slots: Literal[True]) -> Callable[[type], type]:
    """As `dataclasses.dataclass(frozen=True, slots=True)`, for a class without a base and with a field at the least.

    Its instances cannot be pickled or copied, which frozen data need not be.
    """
    return _defined


def replaced(instance: Any, **changes: Any) -> Any:
    """As `dataclasses.replace`, which takes three times as long, for an instance of such a class."""
    kind = type(instance)
    replacer = _replacers.get(kind)
    if replacer is None:
        replacer = _replacers[kind] = _replacer(kind)
    return replacer(instance, **changes)


# They are made when they are wanted: of most classes nothing is ever replaced.
_replacers: dict[type, Callable[..., Any]] = {}


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import replace as replace
else:
    dataclass = define
    replace = replaced


def _defined(cls: type) -> type:
    # Where there is none, `dataclasses` asks `inspect` for the signature, which takes longer than all the rest.
    cls.__doc__ = cls.__doc__ or f"{cls.__name__}({', '.join(cls.__annotations__)})"
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    fields = dataclasses.fields(made)
    made.__init__ = _initialiser(made, fields)
    # The first one twice: of a single name attrgetter() makes no tuple.
    made._values = attrgetter(fields[0].name, *(field.name for field in fields))
    for name in ("__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__"):
        setattr(made, name, vars(_Shared)[name])
    defined: type = made
    return defined


def _initialiser(made: type, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    # A slot's own descriptor is twice as quick as object.__setattr__.
    names: dict[str, Any] = {"_none": dataclasses.MISSING}
    parameters, lines = [], []
    for field in fields:
        name, value = field.name, field.name
        names[f"_set_{name}"] = vars(made)[name].__set__
        if field.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = field.default
            parameters.append(f"{name}=_default_{name}")
        elif field.default_factory is not dataclasses.MISSING:
            names[f"_made_{name}"] = field.default_factory
            parameters.append(f"{name}=_none")
            value = f"_made_{name}() if {name} is _none else {name}"
        else:
            parameters.append(name)
        lines.append(f" _set_{name}(self, {value})")
    return _compiled(f"def __init__(self, {', '.join(parameters)}):", lines, names)


def _replacer(made: type) -> Callable[..., Any]:
    names: dict[str, Any] = {"_new": made.__new__, "_none": dataclasses.MISSING, "_made": made}
    slots = [field.name for field in dataclasses.fields(made)]
    names |= {f"_set_{name}": vars(made)[name].__set__ for name in slots}
    lines = [" _copy = _new(_made)"]
    lines += [f" _set_{name}(_copy, self.{name} if {name} is _none else {name})" for name in slots]
    parameters = ", ".join(f"{name}=_none" for name in slots)
    return _compiled(f"def replace(self, *, {parameters}):", [*lines, " return _copy"], names)


def _compiled(head: str, lines: Iterable[str], names: dict[str, Any]) -> Callable[..., Any]:
    exec("\n".join([head, *lines]), names)
    made: Callable[..., Any] = names[head.partition("(")[0].removeprefix("def ")]
    return made


class _Shared:
    """What every such class has, whatever its fields are. `_values` gives those of an instance as a tuple."""

    _values: Callable[[object], tuple[object, ...]]
    __dataclass_fields__: dict[str, object]

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        values = self.__class__._values
        return values(self) == values(other)

    def __hash__(self) -> int:
        return hash(self.__class__._values(self))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
        return f"{self.__class__.__qualname__}({values})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
