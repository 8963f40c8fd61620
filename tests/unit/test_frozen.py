"""Our frozen dataclasses behave as those of the standard library."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from sockcheck.frozen import define, replaced

Define = Callable[..., Callable[[type], Any]]


def example(defined_by: Define) -> Any:
    class Example:
        one: int
        two: str = "two"
        three: list[int] = dataclasses.field(default_factory=list)

        @property
        def double(self) -> int:
            return 2 * self.one

    return defined_by(frozen=True, slots=True)(Example)


def lone(defined_by: Define) -> Any:
    class Lone:
        """Has one field."""

        one: tuple[int, ...]

    return defined_by(frozen=True, slots=True)(Lone)


@pytest.fixture(params=[define, dataclasses.dataclass], ids=["ours", "the standard library's"])
def defined_by(request: pytest.FixtureRequest) -> Define:
    chosen: Define = request.param
    return chosen


def test_fields_are_set_and_default(defined_by: Define) -> None:
    cls = example(defined_by)
    made = cls(1)
    assert (made.one, made.two, made.three, made.double) == (1, "two", [], 2)
    assert cls(1).three is not made.three
    assert cls(1, "b", [3]).three == [3]
    assert cls(one=1, three=[]).three == []
    assert [field.name for field in dataclasses.fields(cls)] == ["one", "two", "three"]
    assert not hasattr(made, "__dict__")


def test_what_is_missing_or_too_much_is_an_error(defined_by: Define) -> None:
    cls = example(defined_by)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'one'"):
        cls()
    with pytest.raises(TypeError, match="unexpected keyword argument 'four'"):
        cls(1, four=4)


def test_equal_are_those_of_the_same_class_with_equal_values(defined_by: Define) -> None:
    cls, other = lone(defined_by), lone(defined_by)
    assert cls((1, 2)) == cls((1, 2))
    assert cls((1, 2)) != cls((2, 1))
    assert cls((1, 2)) != other((1, 2))
    assert cls((1, 2)) != (1, 2)
    assert len({cls((1, 2)), cls((1, 2)), cls((3,))}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(example(defined_by)(1))


def test_nothing_is_changed_after_it_was_made(defined_by: Define) -> None:
    made = lone(defined_by)((1,))
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'one'"):
        made.one = (2,)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'one'"):
        del made.one
    assert dataclasses.replace(made, one=(2,)).one == (2,)
    assert made.one == (1,)


def test_it_shows_what_it_holds(defined_by: Define) -> None:
    made = example(defined_by)(1)
    assert repr(made) == "example.<locals>.Example(one=1, two='two', three=[])"
    assert lone(defined_by).__doc__ == "Has one field."
    assert example(defined_by).__doc__.startswith("Example(one")


def test_its_fields_can_be_matched_in_order(defined_by: Define) -> None:
    assert example(defined_by).__match_args__ == ("one", "two", "three")


@pytest.mark.parametrize("replace", [replaced, dataclasses.replace])
def test_another_is_made_with_some_of_its_values(replace: Callable[..., Any]) -> None:
    made = example(define)(1, "b", [3])
    other = replace(made, one=2)
    assert type(other) is type(made)
    assert (other.one, other.two, other.three) == (2, "b", [3])
    assert other.three is made.three
    assert made.one == 1
    assert replace(lone(define)((1,)), one=(2,)).one == (2,)
    with pytest.raises(TypeError, match="unexpected keyword argument 'four'"):
        replace(made, four=4)
