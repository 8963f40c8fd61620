"""Which conditions an exchange is tried under, by which names they are chosen, and what all derived cases keep to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest
from tools import CHECKOUT
from varied import ECHO, contract, scenario, varied

from sockcheck.case import Capabilities, Case, Connect, Mark, Meet, WaitFor
from sockcheck.codec import decode, encode
from sockcheck.conditions import crowds
from sockcheck.conditions.base import Base, NotDerivedError
from sockcheck.conditions.table import TABLE
from sockcheck.deriving import NotDerived, Planned, Tried, Wish, conditions_of, derive
from sockcheck.errors import UsageError
from sockcheck.events import CaseStarted
from sockcheck.laws import LAWS
from sockcheck.scenario import Contract, Scenario
from sockcheck.suite import load

OBSERVED = Capabilities(started=True, observable=True)


def laws_of(*scenarios: Scenario, **wish: object) -> list[str]:
    """The laws of all cases, each once, in their order."""
    found = derive(scenarios, Wish(seed=1, **wish))  # type: ignore[arg-type]  # the fields of a Wish
    return list(dict.fromkeys(planned.case.law for planned in found if isinstance(planned, Planned)))


def skips(planned: Iterable[Planned | NotDerived]) -> dict[str, str]:
    return {each.case.id: each.case.skip for each in planned if isinstance(each, Planned) and each.case.skip}


def reasons(planned: Iterable[Planned | NotDerived]) -> dict[str, str]:
    return {f"{each.stem}::{each.law}": each.why for each in planned if isinstance(each, NotDerived)}


def about(**keys: object) -> Contract:
    return replace(contract(), **keys)  # type: ignore[arg-type]  # the fields of a Contract


def test_every_law_but_plain_has_a_condition_and_each_only_one() -> None:
    assert {condition.law for condition in TABLE} == set(LAWS) - {"plain", "datagram.whole"}
    assert max(Counter(condition.law for condition in TABLE).values()) == 1


def test_an_exchange_is_tried_as_written_first_and_under_the_standard_conditions_where_nobody_says_otherwise() -> None:
    laws = laws_of(scenario(ECHO, contract()))
    assert laws[0] == "plain"
    assert laws[1:] == [condition.law for condition in TABLE if condition.law in laws]
    assert not set(laws) & {condition.law for condition in TABLE if not condition.standard}
    thorough = laws_of(scenario(ECHO, contract()), conditions=("thorough",))
    assert set(thorough) - set(laws) == {"limit.files", "life.drain", "life.taken", "host.any"}


@pytest.mark.parametrize(
    ("conditions", "laws"),
    [
        (("none",), ["plain"]),
        (("cut.at-k",), ["plain", "cut.at-k"]),
        (("cut.*", "plain.again"), ["plain", "plain.again", "cut.at-k", "cut.every-byte"]),
        (("none", "pace.slow"), ["plain", "pace.slow"]),
    ],
)
def test_conditions_are_chosen_by_name(conditions: tuple[str, ...], laws: list[str]) -> None:
    assert laws_of(scenario(ECHO, contract()), conditions=conditions) == laws
    assert laws_of(scenario(ECHO, about(conditions=conditions))) == laws
    written = f"conditions: [{', '.join(map(repr, conditions))}]\n{ECHO}"
    assert laws_of(scenario(written, contract())) == laws


def test_the_command_line_is_before_the_contract_and_a_scenario_may_only_leave_out() -> None:
    none = about(conditions=("none",))
    assert laws_of(scenario(ECHO, none), conditions=("pace.slow",)) == ["plain", "pace.slow"]
    few = scenario(f"conditions: [cut.*]\n{ECHO}", none)
    assert laws_of(few) == ["plain", "cut.at-k", "cut.every-byte"]
    assert laws_of(few, conditions=("pace.slow", "cut.at-k")) == ["plain", "cut.at-k"]


@pytest.mark.parametrize(
    "text",
    [
        f"law: cut.at-k\n{ECHO}",
        f"{ECHO}server: [pause, resume]\n",
        f"known-failure: slow\n{ECHO}",
    ],
)
def test_a_scenario_that_is_a_hard_case_already_is_run_as_written(text: str) -> None:
    assert len(laws_of(scenario(text, contract()), conditions=("thorough",))) == 1
    if "law" in text:
        asked = scenario(f"conditions: [pace.slow]\n{text}", contract())
        assert laws_of(asked) == ["cut.at-k", "pace.slow"]


def test_what_is_not_run_as_written_is_not_derived_from() -> None:
    lacks = scenario(f"needs: drains\n{ECHO}", contract({}))
    (planned,) = derive([lacks], Wish(seed=1))
    assert isinstance(planned, Planned)
    assert planned.case.skip


def test_what_the_command_line_names_is_a_set_or_a_law_or_a_pattern_of_laws() -> None:
    assert conditions_of("standard, cut.*") == ("standard", "cut.*")
    with pytest.raises(UsageError) as caught:
        conditions_of("standard,cut.at-q")
    assert caught.value.message == "--conditions: there is no condition 'cut.at-q'"
    assert caught.value.hint == "did you mean 'cut.at-k'? `sockcheck explain` lists them"
    with pytest.raises(UsageError) as caught:
        conditions_of("xyzzy")
    assert caught.value.hint == "`sockcheck explain` lists them"


def test_a_law_about_the_server_as_a_whole_is_tried_with_one_exchange_of_each_contract() -> None:
    other = replace(contract(), path="walk/contract.yaml")
    planned = list(
        derive(
            [
                scenario("state: own\nclient: [connect]", contract(), "a"),
                scenario(ECHO, contract(), "b"),
                scenario(ECHO, contract(), "c"),
                replace(scenario(ECHO, other, "d"), contract=other),
            ],
            Wish(seed=1, conditions=("churn.spin",)),
        )
    )
    tried = [each.case.id.partition("::")[0] for each in planned if isinstance(each, Planned) and each.case.variation]
    assert list(dict.fromkeys(tried)) == ["talk/b", "talk/d"]
    why = "it is about the server as a whole, and tried with talk/b"
    assert reasons(planned)["talk/c::churn.spin"] == why
    assert "talk/b::churn.spin" not in reasons(planned)


def test_so_it_is_where_scenarios_come_bit_by_bit() -> None:
    tried: Tried = {}
    wish = Wish(seed=1, conditions=("churn.spin",))
    first, second = (list(derive([scenario(ECHO, contract(), name)], wish, tried)) for name in ("a", "b"))
    assert reasons(first) == {}
    assert reasons(second) == {"talk/b::churn.spin": "it is about the server as a whole, and tried with talk/a"}


def test_who_does_not_connect_has_no_exchange_to_vary() -> None:
    text = "clients: {a: [connect, send: ab, mark: x], b: [wait-for: x, connect: refused]}"
    planned = list(derive([scenario(f"conditions: [cut.at-k]\n{text}", contract())], Wish(seed=1)))
    assert reasons(planned) == {"talk/hello::cut.at-k": "not all of its clients connect once, and successfully"}


def test_what_the_contract_does_not_promise_is_skipped_and_says_so() -> None:
    planned = derive([scenario(ECHO, contract({}))], Wish(seed=1, conditions=("end.half", "neighbour.idle")))
    assert skips(planned) == {
        "talk/hello::end.half": "'half-close' is needed, which the contract 'talk' does not promise",
        "talk/hello::neighbour.idle": "'clients' is needed, which the contract 'talk' does not promise",
    }


@pytest.mark.parametrize("clients", ["1", "many", "0"])
def test_one_client_at_a_time_is_no_promise_to_serve_several(clients: str) -> None:
    planned = derive([scenario(ECHO, contract({"clients": clients}))], Wish(seed=1, conditions=("crowd.at-once",)))
    assert list(skips(planned)) == ["talk/hello::crowd.at-once"]


def test_even_where_no_promise_is_asked_for_there_must_be_room_for_two() -> None:
    (planned, *_) = derive([scenario(ECHO, contract({"clients": "1"}))], Wish(seed=1, conditions=("none",)))
    assert isinstance(planned, Planned)
    base = Base(
        planned.case,
        contract({"clients": "1"}),
        seed=1,
        thorough=False,
        observable=True,
        stretch=1.0,
        parameters={},
    )
    with pytest.raises(NotDerivedError, match="all in it already"):
        list(crowds.at_once(base))


def test_where_there_is_no_contract_what_nobody_promised_is_advice_unless_it_is_strict() -> None:
    alone = [scenario(ECHO, contract(None))]
    wish = Wish(seed=1, conditions=("end.half", "cut.every-byte", "neighbour.deaf"))
    advice = {each.case.law: each.case.advice for each in derive(alone, wish) if isinstance(each, Planned)}
    assert advice == {"plain": "", "cut.every-byte": "", "end.half": "half-close", "neighbour.deaf": "clients"}
    strict = [each.case.advice for each in derive(alone, replace(wish, strict=True)) if isinstance(each, Planned)]
    assert set(strict) == {""}


def test_a_server_that_runs_already_is_neither_signalled_nor_looked_into() -> None:
    wish = Wish(
        seed=1,
        conditions=("life.stop", "leave.reset-at-k", "cut.every-byte"),
        capabilities=Capabilities(started=False, observable=True),
    )
    why = "it needs a server that sockcheck starts, and this one was running already"
    assert skips(derive([scenario(ECHO, contract())], wish)) == {
        "talk/hello::leave.reset-at-k(queued)": why,
        "talk/hello::life.stop": why,
    }


def test_a_derived_case_keeps_what_its_exchange_says_of_itself() -> None:
    text = f"state: own\npoints: 2\nvisibility: hidden\ngate: yes\n{ECHO.replace('ping', '${unique}')}"
    (case,) = varied("plain.again", text).cases.values()
    assert (case.state, case.points, case.visibility) == ("own", 2.0, "hidden")
    assert not case.gate, "the exchange as it is written is the gate, not what is made of it"
    assert (case.id, case.law, case.variation) == ("talk/hello::plain.again", "plain.again", "")
    assert case.hint == "`sockcheck explain plain.again` says why this is a law, and how to keep it."


def test_deadlines_stretch() -> None:
    one, two = (
        [
            each.case
            for each in derive([scenario(ECHO, contract())], Wish(seed=1, stretch=stretch))
            if isinstance(each, Planned)
        ]
        for stretch in (1.0, 2.0)
    )
    assert [case.id for case in one] == [case.id for case in two]
    assert all(
        before.deadline < after.deadline
        for before, after in zip(one, two, strict=True)
        if before.law != "limit.endless"
    )


@cache
def everything(seed: int = 0) -> tuple[Case, ...]:
    """All cases of the bundled scenarios under all conditions."""
    scenarios = load([str(CHECKOUT / "scenarios")]).scenarios
    wish = Wish(seed=seed, conditions=("thorough",), capabilities=OBSERVED)
    return tuple(each.case for each in derive(scenarios, wish) if isinstance(each, Planned))


def test_the_same_wish_gives_the_same_cases_in_the_same_order_and_each_id_is_unique() -> None:
    before = everything()
    everything.cache_clear()
    assert before == everything()
    assert len({case.id for case in before}) == len(before)


def test_a_case_of_its_own_is_the_same_as_among_all_others() -> None:
    path = str(CHECKOUT / "scenarios" / "echo" / "hello.sock.yaml")
    wish = Wish(seed=0, conditions=("cut.*",), capabilities=OBSERVED)
    alone = [each.case for each in derive(load([path]).scenarios, wish) if isinstance(each, Planned)]
    assert len(alone) > 2
    known = {case.id: case for case in everything()}
    assert all(known[case.id] == case for case in alone)


def test_every_case_has_a_deadline_and_comes_back_from_its_record() -> None:
    for case in everything():
        assert 0 < case.deadline < 24 * 3600, case.id
        started = CaseStarted(0.0, 1, 1, case, "abc", 1, "first")
        assert decode(encode(started)) == started, case.id


def test_every_mark_can_be_set_and_every_client_connects_at_most_once() -> None:
    for case in everything():
        assert len({actor.name for actor in case.actors}) == len(case.actors), case.id
        for actor in case.actors:
            assert sum(isinstance(action, Connect) for action in actor.actions) <= 1, case.id
        assert _ends(case), case.id


def _ends(case: Case) -> bool:
    """Whether all actors come to their ends, if each step succeeds."""
    left = [list(actor.actions) for actor in case.actors] + [list(case.server)]
    marks: set[str] = set()
    moved = True
    while moved:
        moved = False
        meeting = Counter(steps[0].name for steps in left if steps and isinstance(steps[0], Meet))
        for steps in left:
            while steps and _goes_on(steps[0], marks, meeting):
                done = steps.pop(0)
                moved = True
                if isinstance(done, Mark | Meet):
                    marks.add(done.name)
    return not any(left)


def _goes_on(action: object, marks: set[str], meeting: Counter[str]) -> bool:
    match action:
        case WaitFor(name=name):
            return name in marks
        case Meet(name=name, parties=parties):
            return name in marks or meeting[name] >= parties
        case _:
            return True
