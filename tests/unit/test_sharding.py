"""Which cases are in which shard: each in one, with those that it belongs with, and about as much work in all."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from sockcheck.case import Actor, Case, Connect, Wait
from sockcheck.errors import UsageError
from sockcheck.events import Share
from sockcheck.exit_codes import worst
from sockcheck.forms import (
    Span,
)
from sockcheck.idling import effort
from sockcheck.sharding import MOST, missing, parse, shard_of, stem

HERE = Span("x.sock.yaml", 1, 1, 2)


def case(name: str, law: str = "plain", clients: int = 1, waits: float = 0.0) -> Case:
    actions = (Connect(HERE, 5.0), *((Wait(HERE, waits),) if waits else ()))
    actors = tuple(Actor(f"client[{number}]", actions) for number in range(clients))
    return Case(f"{name}::{law}", "c", name, "", law, "", actors, 30.0, HERE)


@pytest.mark.parametrize("text", ["1/1", "2/5", f"{MOST}/{MOST}"])
def test_a_share_is_written_as_one_of_so_many(text: str) -> None:
    share = parse(text)
    assert f"{share.numbers[0]}/{share.of}" == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0/5", "there is no shard 0 of 5"),
        ("6/5", "there is no shard 6 of 5"),
        ("1/0", "among 1 to 1000 shards, not 0"),
        ("1/1001", "among 1 to 1000 shards, not 1001"),
        ("x", "'x' is no share"),
        ("", "'' is no share"),
        ("2/5/7", "is no share"),
        ("-1/5", "is no share"),
        ("²/5", "is no share"),
        ("9" * 5000 + "/5", "is no share"),
    ],
)
def test_any_other_share_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.message.startswith("--shard: ")
    assert said in caught.value.message
    assert caught.value.hint


def test_all_cases_of_a_scenario_with_a_row_of_its_matrix_are_in_one_shard() -> None:
    cases = [case(f"c/s[size={size}]", law) for size in range(9) for law in ("plain", "cut.at-k", "end.half")]
    shards = shard_of(cases, 3)
    assert set(shards) == {stem(each) for each in cases}
    assert Counter(shards.values()) == {1: 3, 2: 3, 3: 3}


def test_the_same_cases_are_shared_out_in_the_same_way_in_whatever_order() -> None:
    chance = random.Random(1)
    cases = [case(f"c/s{number}", clients=chance.randrange(1, 40), waits=chance.random()) for number in range(60)]
    shards = shard_of(cases, 7)
    chance.shuffle(cases)
    assert shard_of(cases, 7) == shards


def test_each_shard_has_about_as_much_to_do() -> None:
    chance = random.Random(2)
    cases = [case(f"c/s{number}", clients=chance.randrange(1, 40), waits=chance.random()) for number in range(200)]
    shards = shard_of(cases, 5)
    loads = Counter[int]()
    for each in cases:
        loads[shards[stem(each)]] += round(effort(each) * 1000)
    assert max(loads.values()) < 1.05 * min(loads.values())


def test_waiting_is_less_work_than_doing() -> None:
    assert effort(case("c/s", waits=0.8)) < effort(case("c/s", clients=20))
    assert effort(case("c/s")) < effort(replace(case("c/s"), server=(Wait(HERE, 0.0),)))


def test_there_may_be_more_shards_than_scenarios() -> None:
    assert shard_of([case("c/a"), case("c/b")], 5) == {"c/a": 1, "c/b": 2}
    assert shard_of([], 5) == {}


def test_what_is_missing() -> None:
    assert missing(None) == ()
    assert missing(Share((1, 2, 3), 3)) == ()
    assert missing(Share((1, 4), 4)) == (2, 3)


@pytest.mark.parametrize(
    ("codes", "code"),
    [((), 0), ((0, 0), 0), ((0, 5), 5), ((5, 3), 3), ((3, 1), 1), ((1, 4, 5), 4), ((4, 130, 0), 130)],
)
def test_of_several_exit_codes_the_worst_counts(codes: tuple[int, ...], code: int) -> None:
    assert worst(codes) == code
