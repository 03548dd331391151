"""Checks from traces: what good ones share, tried before it is kept, with its evidence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lending import LENT, NOW, Lending, lend_experience

import playhead as ph
from playhead.experience.checks import Case, CheckEngine, SeenCall, as_played, case_of, mine
from playhead.experience.checks._literals import cel, shape_of
from playhead.experience.document import Check
from playhead.experience.play import play
from playhead.experience.routine import PastCall
from playhead.govern import Relation, Shape
from playhead.tape import Json
from playhead.tape.kinds import Checked

PLAIN = lend_experience(checks=[])


def trace(
    name: str, title: str, reader: str, *, book: int, to: int, good: bool = True, **odd: Any
) -> Case:
    """A session that lent a book, as a live agent did it."""
    books: Json = [{"id": book, "title": title, "free": True, "shelf": "B2"}]
    readers: Json = [{"id": to, "name": reader, "mail": f"{reader.lower()}@example.org"}]
    mail = odd.get("mail", f"{reader.lower()}@example.org")
    calls = (
        SeenCall("find_books", "read", {"title": title}, books),
        SeenCall("find_readers", "read", {"name": reader}, readers),
        SeenCall("lend", "write", {"book": odd.get("lent", book), "reader": to}, {"loan": 41}),
        SeenCall("write_to", "irreversible", {"mail": mail, "text": "Your book waits."}, "sent"),
    )
    parameters: dict[str, Json] = {"title": title, "reader": reader}
    return Case(name, f"Lend '{title}' to {reader}", calls, parameters, NOW, good=good)


GOOD = [
    trace("t1", "Emma", "Ada", book=7, to=1),
    trace("t2", "Ulysses", "Ben", book=8, to=2),
    trace("t3", "Persuasion", "Ada", book=9, to=1),
]
FAILED = [
    trace("f1", "Emma", "Ben", book=7, to=2, lent=8, good=False),
    trace("f2", "Emma", "Ben", book=7, to=2, mail="ada@example.org", good=False),
]


def mined(*cases: Case) -> dict[str, Check]:
    return {check.id: check for check in mine(PLAIN, cases)}


def test_what_good_traces_share_becomes_checks_with_their_evidence() -> None:
    checks = mined(*GOOD, *FAILED)
    assert {check.kind for check in checks.values()} == {
        "flow",
        "precondition",
        "data",
        "postcondition",
    }
    order = checks["order"]
    assert order.check.model_dump() == {
        "cel": "at == 'call' || [wrote, next] in "
        '[["", "lend"], ["lend", "write_to"], ["write_to", ""]]'
    }
    assert order.supports == ("t1", "t2", "t3")
    assert order.contradicts == ()
    row = checks["lend.book.row.find_books.id"]
    assert row.check.model_dump() == {
        "cel": 'next != "lend" || (calls.exists(c, c.tool == "find_books" && c.result.exists(r, '
        "r.id == call.arguments.book && r.title == parameters.title)))"
    }
    assert row.contradicts == ("f1",)
    mail = checks["write_to.mail.row.find_readers.mail"]
    assert "r.name == parameters.reader" in str(mail.check.model_dump())
    assert mail.contradicts == ("f2",)
    assert checks["lend.count"].message == "`lend` is called 1 times at most"


def test_all_of_them_hold_in_all_good_traces() -> None:
    engine = CheckEngine(list(mine(PLAIN, GOOD)), limited=False)
    for case in GOOD:
        for moment in case.moments():
            assert engine.judge(moment).failed == ()


def test_what_a_good_trace_contradicts_is_not_kept() -> None:
    other = trace("t4", "Emma", "Ben", book=7, to=2, lent=8)  # right, for whatever reason
    assert "lend.book.row.find_books.id" in mined(*GOOD)
    assert "lend.book.row.find_books.id" not in mined(*GOOD, other)


def test_nothing_is_mined_of_failures_alone() -> None:
    assert mine(PLAIN, FAILED) == ()
    assert mine(PLAIN, []) == ()


def test_a_constant_is_checked_where_it_was_another_in_a_failed_trace() -> None:
    wrong = trace("f3", "Emma", "Ada", book=7, to=1, good=False)
    letter = SeenCall("write_to", "irreversible", {"mail": "x", "text": "Come at once!"}, "sent")
    wrong = Case("f3", wrong.task, (*wrong.calls[:3], letter), wrong.parameters, NOW, good=False)
    checks = mined(*GOOD, wrong)
    assert checks["write_to.text.constant"].contradicts == ("f3",)
    assert "write_to.text.constant" not in mined(*GOOD)


def test_what_would_have_stopped_a_failure_comes_first() -> None:
    checks = list(mine(PLAIN, [*GOOD, *FAILED]))
    stopping = [len(check.contradicts) for check in checks]
    assert stopping[0] > 0
    assert stopping == sorted(stopping, reverse=True)
    unsorted = [check.id for check in mine(PLAIN, GOOD)]
    rest = [check.id for check in checks if not check.contradicts]
    assert rest == [name for name in unsorted if name in rest]


def test_a_failed_trace_shows_what_may_not_be_left_out() -> None:
    odd = GOOD[0]
    unread = Case("f4", odd.task, odd.calls[1:], odd.parameters, NOW, good=False)
    stopped = Case("f5", odd.task, odd.calls[:2], odd.parameters, NOW, good=False)
    plain = mined(*GOOD)
    assert not {"lend.after.find_books", "lend.done", "write_to.done"} & set(plain)
    checks = mined(*GOOD, unread, stopped)
    assert checks["lend.after.find_books"].contradicts == ("f4",)
    assert checks["lend.after.find_books"].supports == ("t1", "t2", "t3")
    assert "lend.after.find_readers" not in checks, "no failure shows that it is needed"
    assert checks["lend.done"].contradicts == ("f5",)
    assert checks["lend.done"].kind == "postcondition"


def test_good_traces_count_as_the_routine_plays_them() -> None:
    """What a live agent read beside is no part of the order."""
    odd = GOOD[0]
    more = SeenCall("loans_of", "read", {"reader": 1}, [])
    detour = Case("t9", odd.task, (*odd.calls[:2], more, *odd.calls[2:]), odd.parameters, NOW)
    played = as_played(with_mentions(), detour)
    assert played is not None
    assert [call.tool for call in played.calls] == [
        "find_books",
        "find_readers",
        "lend",
        "write_to",
    ]
    assert [call.state for call in played.calls] == ["book", "reader", "lend", "letter"]
    strange = Case("t8", odd.task, odd.calls[1:], odd.parameters, NOW)
    assert as_played(with_mentions(), strange) is None


def with_mentions() -> Any:
    """The experience, with parameters that are read out of the task."""
    parameters = {
        "title": {"sources": [{"mention": {"kind": "quoted", "nth": 0}}]},
        "reader": {"sources": [{"mention": {"kind": "name", "after": "to"}}]},
    }
    return lend_experience(checks=[], parameters=parameters)


def test_a_case_is_made_of_a_trace() -> None:
    calls = [PastCall(c.tool, dict(c.arguments), c.result) for c in GOOD[0].calls]  # type: ignore[arg-type]
    case = case_of(with_mentions(), trace="t1", task="Lend 'Emma' to Ada", now=NOW, calls=calls)
    assert case.parameters == {"title": "Emma", "reader": "Ada"}
    assert [call.effect for call in case.calls] == ["read", "read", "write", "irreversible"]


async def test_mined_checks_let_right_plays_pass_and_stop_wrong_ones(
    world: Lending, store: ph.MemoryStore
) -> None:
    checks = mine(PLAIN, [*GOOD, *FAILED])
    for row in world.readers:
        row.pop("blocked")
    experience = PLAIN.model_copy(update={"checks": checks})
    given = {"title": "Emma", "reader": "Ada"}

    async def played() -> Any:
        return await play(
            experience,
            parameters=given,
            environment=world.environment(),
            store=store,
            limited=False,
            now=NOW,
        )

    done = await played()
    assert done.outcome == "done", done.why
    assert world.effects == LENT
    world.effects.clear()
    world.books[0]["id"] = "7"  # a text now
    done = await played()
    assert world.effects == []
    assert "does not hold" in done.why
    world.books[0].update(id=7)
    world.books[0]["name"] = world.books[0].pop("title")  # drift: a member has another name
    done = await played()
    assert world.effects == []
    told = [step.body for step in done.tape if isinstance(step.body, Checked)][-1]
    assert "find_books.answer" in [each.id for each in told.failed]


# --- Laws ----------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(values, min_size=1, max_size=4))
def test_a_shape_fits_all_values_that_it_was_made_of(seen: list[Json]) -> None:
    shape = shape_of(seen)
    assert isinstance(shape, dict)
    checked = Shape({"properties": {"a": shape}, "required": ["a"]})
    for value in seen:
        assert checked.fault({"a": value}) is None


@given(st.text(max_size=30))
def test_a_text_stands_in_an_expression_as_it_is(text: str) -> None:
    if "\0" not in text:
        assert Relation(f"value == {cel(text)}").fault(text) is None


@pytest.mark.parametrize("name", ["in", "a b", "1", 'x"y', "é", "size"])
def test_members_of_any_name_are_told(name: str) -> None:
    calls = (SeenCall("put", "write", {name: "a"}, "ok"),)
    cases = [Case(str(n), "t", calls, {"p": "a"}, NOW) for n in range(2)]
    checks = {check.id: check for check in mine(PLAIN, cases)}
    assert f"put.{name}.p" in checks
