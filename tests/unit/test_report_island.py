"""Data in a page: nothing in it is markup, and what is packed comes out again."""

import base64
import json
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sockcheck_reports.island import TOGETHER, as_json, held, packed

JSON = st.recursive(
    st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def unpack(chunk: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(chunk)))


@given(JSON)
def test_whatever_is_put_in_is_there_and_is_no_markup(value: Any) -> None:
    text = as_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert text.isprintable()
    assert not set("<>&") & set(text)


def test_what_is_packed_comes_out_again() -> None:
    values = [{"n": number, "text": "<\u2028\udcff>"} for number in range(2 * TOGETHER + 3)]
    chunks = list(packed(values, 10_000))
    assert [each for chunk in chunks for each in unpack(chunk)] == values
    assert held(chunks, len(values)) == len(values)
    assert list(packed([], 10)) == []


def test_no_more_than_the_limit_and_no_more_made_than_is_packed() -> None:
    made = []

    def values(number: int) -> Any:
        for each in range(number):
            made.append(each)
            yield each

    one = len(next(iter(packed(range(TOGETHER), 1000))))
    chunks = list(packed(values(10 * TOGETHER), 2 * one))
    assert (len(chunks), held(chunks, 10 * TOGETHER)) == (1, TOGETHER)
    assert len(made) <= 3 * TOGETHER
    assert list(packed(values(3), 2)) == []
