"""Rows that come first are there also where results are cut off."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.experience.learn._atoms import world_of
from playhead.experience.learn._order import comes_first
from playhead.experience.learn._program import Program
from playhead.experience.routine import Term, const, fn

NEWEST: Term = ("result", "read_1", None, ("highest", "sent"), ("id",))
OLDEST: Term = ("result", "read_1", None, ("lowest", "sent"), ("id",))


def program(*columns: list[Any]) -> Program:
    """A program whose read gave rows with these values of `sent`, one result a trace."""
    worlds = [world_of("2031-04-10 08:00:00", [], 0) for _ in columns]
    for world, column in zip(worlds, columns, strict=True):
        world.learn("read_1", [{"id": f"n{at}", "sent": sent} for at, sent in enumerate(column)])
    return Program(0, worlds)


FALLING = (["2031-04-09", "2031-04-02", "2031-04-02"], ["2031-03-09", "2031-01-02"])


def test_the_newest_comes_first_where_every_result_begins_with_it() -> None:
    assert comes_first(program(*FALLING), "read_1", NEWEST)
    assert comes_first(program([9, 7], [10, 9, 3]), "read_1", NEWEST)
    assert not comes_first(program(*FALLING), "read_1", OLDEST)


@pytest.mark.parametrize(
    "columns",
    [
        (["2031-04-02", "2031-04-09"], *FALLING),  # one result is in another order
        FALLING[:1],  # one result is no evidence of an order
        (FALLING[0], ["2031-04-09"]),
        (["9", "7"], ["8", "7"]),  # texts of digits: `10` would stand before `9`
        ([9, "2031-04-02"], [7, 3]),
    ],
)
def test_otherwise_it_may_have_been_cut_off(columns: tuple[list[Any], ...]) -> None:
    assert not comes_first(program(*columns), "read_1", NEWEST)


def test_a_choice_under_a_condition_may_have_been_cut_off() -> None:
    where = fn("equal", ("item", ("id",)), const("n1"))
    term: Term = ("result", "read_1", where, ("highest", "sent"), ("id",))
    assert not comes_first(program(*FALLING), "read_1", term)


def test_of_explanations_that_agree_one_is_enough() -> None:
    assert comes_first(program(*FALLING), "read_1", ("agree", (OLDEST, NEWEST)))
    assert comes_first(program(*FALLING), "read_1", ("result", "read_1", None, "first", ("id",)))
    assert not comes_first(program(*FALLING), "read_1", ("agree", (OLDEST,)))
