"""The middle level: sub-goals with what is known of them, which a small model can follow."""

from __future__ import annotations

from typing import Any

import pytest
from lending import (
    LEND,
    LEND_STATES,
    LENT,
    TEXT,
    Conversation,
    Lending,
    call,
    document,
    lend_experience,
    rule_agent,
)
from test_hand_over import broken_loop, failing_letter

import playhead as ph
from playhead.experience.document import Experience, experience_of
from playhead.experience.play import ROUTINE, Played, guidance, play


def goals(talk: Conversation) -> list[dict[str, Any]]:
    plan: list[dict[str, Any]] = talk.said("how_it_was_done_before")["plan"]
    return plan


def follow(talk: Conversation) -> Any:
    """A model that knows nothing of the world: it does what the plan says is left and known."""
    for goal in goals(talk):
        for known in goal.get("left", [goal.get("known")]):
            due = not (goal["done"] or goal.get("find") or goal.get("if"))
            if due and not talk.called(goal["tool"], **known):
                return call(goal["tool"], **known)
    return "All done."


async def handed_over(
    experience: Experience, world: Lending, store: ph.MemoryStore, **given: Any
) -> Played:
    return await play(
        experience,
        parameters=given,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE],
        limited=False,
    )


def by_goal(experience: Experience, done: Played) -> dict[str, dict[str, Any]]:
    plan: Any = guidance(experience, done.tape)["plan"]
    return {each["goal"]: each for each in plan}


async def test_what_is_done_is_marked_and_what_is_left_is_bound(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    done = await handed_over(lend_experience(), world, store, **LEND)
    plan = by_goal(lend_experience(), done)
    assert list(plan) == ["book", "reader", "lend", "letter"]
    assert [plan[name]["done"] for name in plan] == [True, True, True, False]
    assert plan["letter"] == {
        "goal": "letter",
        "tool": "write_to",
        "effect": "irreversible",
        "done": False,
        "known": {"mail": "ada@example.org", "text": "Your book waits."},
        "find": {},
    }


async def test_a_model_that_knows_nothing_finishes_by_the_plan(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, rule_agent(follow)],
        limited=False,
    )
    assert (done.outcome, done.level) == ("done", "clerk")
    assert world.effects == LENT


async def test_a_loop_says_which_rows_are_left(world: Lending, store: ph.MemoryStore) -> None:
    kind = broken_loop()
    kind.broken(world)
    experience = experience_of(kind.experience)
    done = await play(
        experience,
        parameters=kind.parameters,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, rule_agent(follow)],
        limited=False,
    )
    assert done.outcome == "done"
    assert world.effects == kind.effects
    plan = by_goal(experience, done)
    assert plan["each"]["done"] is True


async def test_what_a_check_stopped_is_not_told_as_known(
    world: Lending, store: ph.MemoryStore
) -> None:
    world.books[0]["free"] = False
    done = await handed_over(lend_experience(), world, store, **LEND)
    assert "the-book-is-free" in str(done.why)
    lend = by_goal(lend_experience(), done)["lend"]
    assert lend["known"] == {}
    assert lend["find"] == {"book": ["book"], "reader": ["reader"]}


async def test_what_cannot_be_known_names_the_goals_that_tell_it(
    world: Lending, store: ph.MemoryStore
) -> None:
    world.readers.append(dict(world.readers[0], id=9))  # two of that name
    done = await handed_over(lend_experience(), world, store, **LEND)
    plan = by_goal(lend_experience(), done)
    assert plan["lend"]["known"] == {"book": 7}
    assert plan["lend"]["find"] == {"reader": ["reader"]}
    assert plan["letter"]["known"] == {"text": "Your book waits."}


def branching() -> Experience:
    """A book that is free is lent; of one that is not, the reader is told."""
    free = {
        "fn": "equal",
        "of": [{"result": "book", "pick": "only", "at": ["free"]}, {"const": True}],
    }
    states = LEND_STATES | {
        "reader": LEND_STATES["reader"]
        | {"next": [{"when": free, "to": "lend"}, {"to": "letter"}]},
    }
    return experience_of(
        document(
            "lend-or-tell",
            states,
            tools=["find_books", "find_readers", "lend", "write_to"],
            parameters={"title": TEXT, "reader": TEXT},
        )
    )


@pytest.mark.parametrize(("free", "names"), [(True, {"lend"}), (False, set())])
async def test_of_several_ways_only_those_that_are_possible_are_told(
    world: Lending, store: ph.MemoryStore, free: bool, names: set[str]
) -> None:
    world.books[0]["free"] = free
    failing_letter(world)
    done = await handed_over(branching(), world, store, **LEND)
    plan = by_goal(branching(), done)
    assert set(plan) == {"book", "reader", "letter"} | names
    assert not any("if" in goal for goal in plan.values())


async def test_a_way_that_nobody_knows_yet_says_when(world: Lending, store: ph.MemoryStore) -> None:
    world.books.clear()
    done = await handed_over(branching(), world, store, **LEND)
    plan = by_goal(branching(), done)
    assert "book.only.free" in plan["lend"]["if"]
    assert plan["letter"]["if"]
    assert "if" not in plan["reader"]


async def test_where_nothing_is_played_there_is_no_plan(store: ph.MemoryStore) -> None:
    assert guidance(lend_experience(), None)["plan"] == []
    agent = ph.Agent("a", model=ph.ScriptedModel(["hi"]))
    tape = await ph.run(agent, "hello", store=store)
    assert guidance(lend_experience(), tape)["plan"] == []


async def test_what_was_done_twice_counts_twice(world: Lending, store: ph.MemoryStore) -> None:
    """Two goals with the same call are two calls."""
    again = {"call": LEND_STATES["letter"]["call"], "next": [{"to": "done"}]}
    states = LEND_STATES | {
        "letter": LEND_STATES["letter"] | {"next": [{"to": "again"}]},
        "again": again,
    }
    experience = experience_of(
        document(
            "write-twice",
            states,
            tools=["find_books", "find_readers", "lend", "write_to"],
            parameters={"title": TEXT, "reader": TEXT},
        )
    )
    tries = iter([None, OSError("stuck")])
    world.break_on = lambda tool, given: next(tries, None) if tool == "write_to" else None
    done = await handed_over(experience, world, store, **LEND)
    plan = by_goal(experience, done)
    assert (plan["letter"]["done"], plan["again"]["done"]) == (True, False)
