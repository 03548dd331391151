"""Playing an experience: a tape like any other, stopped before the effect on doubt."""

from __future__ import annotations

from typing import Any

import pytest
from lending import LEND, LENT, NOW, Lending, kinds, lend_document, lend_experience

import playhead as ph
from playhead.errors import ExperienceError
from playhead.experience.document import experience_of
from playhead.experience.play import Limits, Played, play, player_agent, read_played
from playhead.tape.kinds import Checked, Pause, Play, ToolCall


async def played(world: Lending, store: ph.MemoryStore, **more: Any) -> Played:
    experience = more.pop("experience", None) or lend_experience()
    given = more.pop("parameters", LEND)
    return await play(
        experience,
        parameters=given,
        environment=world.environment(),
        store=store,
        now=NOW,
        limited=more.pop("limited", False),
        **more,
    )


async def test_a_play_does_what_the_routine_says(world: Lending, store: ph.MemoryStore) -> None:
    done = await played(world, store)
    assert world.effects == LENT
    assert (done.outcome, done.level, done.answer) == ("done", "routine", "Lent.")
    assert done.handed_over == ()
    assert (done.model_calls, done.writes) == (0, 2)
    done.tape.verify()
    assert kinds(done.tape)[:6] == [
        "tape",
        "run",
        "play",
        "user_message",
        "node_run",
        "check",
    ]
    assert kinds(done.tape)[-4:] == ["node_run", "check", "assistant_message", "stop"]


async def test_steps_of_a_play_are_by_the_player(world: Lending, store: ph.MemoryStore) -> None:
    tape = (await played(world, store)).tape
    calls = [step for step in tape if step.kind == ToolCall.kind]
    assert [step.by.as_json() for step in calls] == [
        {"type": "player", "name": "lend-a-book", "version": "1"}
    ] * 4
    before = [tape[step.seq - 1] for step in calls]
    assert {step.kind for step in before} == {Checked.kind}
    assert [step.body.passed for step in before if isinstance(step.body, Checked)] == [
        ("order",),
        ("order",),
        ("the-book-is-free", "the-right-book", "order", "few"),
        ("order", "few"),
    ]


async def test_a_replay_of_a_play_has_no_divergence(world: Lending, store: ph.MemoryStore) -> None:
    experience = lend_experience()
    done = await played(world, store, experience=experience)
    agent = player_agent(experience, limited=False)
    report = await ph.replay(done.tape, agent=agent, store=store)
    assert report.ok
    assert (report.turns, report.steps) == (5, 4 * 2 + 3)
    other = lend_document()
    other["routine"]["states"]["letter"]["call"]["arguments"]["text"] = {"const": "Come."}
    changed = player_agent(experience_of(other), limited=False)
    report = await ph.replay(done.tape, agent=changed, store=store)
    (found,) = report.divergences
    assert (found.what, found.recorded, found.now) == ("steps", "Your book waits.", "Come.")


async def test_the_tape_says_what_was_played(world: Lending, store: ph.MemoryStore) -> None:
    done = await played(world, store)
    (note,) = [step.body for step in done.tape if isinstance(step.body, Play)]
    assert (note.experience, note.version, note.level) == ("lend-a-book", 1, "routine")
    assert note.parameters == LEND
    assert note.now == NOW
    assert set(note.tools) == {"find_books", "find_readers", "lend", "write_to"}
    assert done.tape[3].data is not None
    assert b'Play `lend-a-book` (title: \\"Emma\\", reader: \\"Ada\\")' in done.tape[3].data
    again = read_played(await store.open(done.tape.id))
    assert again.as_json() == done.as_json()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda world: world.books.clear(), "needs something that the task and the results"),
        (lambda world: world.books[0].update(free=False), "the check `the-book-is-free`"),
        (lambda world: world.books.append(dict(world.books[0], id=70)), "several things"),
        (lambda world: world.books[0].pop("title"), "the check `the-right-book`"),
    ],
)
async def test_doubt_stops_before_the_effect(
    change: Any, why: str, world: Lending, store: ph.MemoryStore
) -> None:
    change(world)
    done = await played(world, store)
    assert world.effects == []
    assert done.outcome == "handed_over"
    assert done.why is not None
    assert why in done.why
    assert done.tape.status == "paused"
    assert isinstance(done.tape[-1].body, Pause)


async def test_a_check_that_does_not_hold_is_on_the_tape(
    world: Lending, store: ph.MemoryStore
) -> None:
    world.books[0].update(free=False)
    tape = (await played(world, store)).tape
    note = tape[-2].body
    assert isinstance(note, Checked)
    assert (note.at, note.state, note.tool) == ("write", "lend", "lend")
    assert note.passed == ("the-right-book", "order", "few")
    assert [failed.id for failed in note.failed] == ["the-book-is-free"]
    assert tape[-2].by.type == "player"


async def test_a_check_that_a_later_write_would_fail_stops_the_first_one(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    document["checks"][3]["check"] = {"cel": "writes < 1"}  # the letter would be one too many
    done = await played(world, store, experience=experience_of(document))
    assert world.effects == []
    assert done.why == "the check `few` does not hold: `writes < 1` is false"


async def test_checks_of_strangers_are_asked_in_the_limited_process(
    world: Lending, store: ph.MemoryStore
) -> None:
    hungry = '["' + "a" * 100 + '"]' + ".map(a,a+a+a+a+a+a+a+a+a+a)" * 6 + ".all(a,size(a)>0)"
    document = lend_document()
    document["checks"].append(
        {"id": "hungry", "kind": "invariant", "at": "write", "check": {"cel": hungry}}
    )
    done = await played(world, store, experience=experience_of(document), limited=True)
    assert world.effects == []
    assert done.why is not None
    assert "`hungry`" in done.why
    assert "more memory" in done.why


# --- What it begins with -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"title": "Emma"}, "missing: `reader`"),
        ({}, "say what to play"),
        ({**LEND, "colour": "red"}, "no parameter `colour`"),
        ({**LEND, "reader": 5}, "the parameter `reader` does not fit"),
        ({**LEND, "reader": "A"}, "the parameter `reader` does not fit"),
    ],
)
async def test_parameters_are_looked_at_before_anything_begins(
    parameters: dict[str, Any], why: str, world: Lending, store: ph.MemoryStore
) -> None:
    with pytest.raises(ExperienceError, match=why):
        await played(world, store, parameters=parameters)
    assert await store.tapes() == []


async def test_somebody_can_be_asked_for_what_is_missing(
    world: Lending, store: ph.MemoryStore
) -> None:
    asked: list[str] = []

    async def ask(name: str, parameter: object) -> str:
        asked.append(name)
        return "Ada"

    done = await played(world, store, parameters={"title": "Emma"}, ask=ask)
    assert asked == ["reader"]
    assert done.outcome == "done"
    assert world.effects == LENT


async def test_a_task_in_words_that_cannot_be_read_is_handed_over(
    world: Lending, store: ph.MemoryStore
) -> None:
    done = await played(world, store, parameters={}, task="Lend something to somebody")
    assert done.outcome == "handed_over"
    assert world.effects == []


async def test_keyword_arguments_are_parameters(world: Lending, store: ph.MemoryStore) -> None:
    done = await play(
        lend_experience(),
        title="Emma",
        reader="Ada",
        environment=world.environment(),
        store=store,
        limited=False,
    )
    assert done.outcome == "done"


async def test_an_experience_without_parameters_is_played_by_its_name(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document(parameters={}, checks=[])
    states = document["routine"]["states"]
    states["book"]["call"]["arguments"] = {"title": {"const": "Emma"}}
    states["reader"]["call"]["arguments"] = {"name": {"const": "Ada"}}
    done = await played(world, store, experience=experience_of(document), parameters={})
    assert done.outcome == "done", done.why
    assert world.effects == LENT
    assert b"Play `lend-a-book`" in (done.tape[3].data or b"")


async def test_a_wrong_clock_is_refused(world: Lending, store: ph.MemoryStore) -> None:
    with pytest.raises(ExperienceError, match="`now` is a time"):
        await play(lend_experience(), title="Emma", reader="Ada", now="soon", store=store)


# --- Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (
            Limits(tools=("find_books", "find_readers", "lend")),
            "calls `write_to`, which its limits",
        ),
        (Limits(effects=("read", "write")), "`write_to`, which is `irreversible`"),
    ],
)
async def test_what_needs_more_than_is_granted_does_not_begin(
    limits: Limits, why: str, world: Lending, store: ph.MemoryStore
) -> None:
    with pytest.raises(ExperienceError, match=why):
        await played(world, store, limits=limits)
    assert await store.tapes() == []


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(calls=2), "it may make 2 tool calls"),
        (Limits(calls=3), "it may make 3 tool calls"),
        (Limits(writes=1), "it may make 1 calls that change something"),
    ],
)
async def test_a_budget_that_would_be_passed_stops_the_first_write(
    limits: Limits, why: str, world: Lending, store: ph.MemoryStore
) -> None:
    done = await played(world, store, limits=limits)
    assert world.effects == []
    assert done.why is not None
    assert why in done.why


async def test_hosts_that_are_not_granted_are_not_reached(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    text = {"const": "See https://evil.example:8080/x and http://good.example/."}
    document["routine"]["states"]["letter"]["call"]["arguments"]["text"] = text
    experience = experience_of(document)
    done = await played(world, store, experience=experience, limits=Limits(hosts=("good.example",)))
    assert world.effects == []
    assert done.why == "the limits of this play: it may not reach `evil.example`"
    both = Limits(hosts=("good.example", "evil.example"))
    assert (await played(world, store, experience=experience, limits=both)).outcome == "done"


@pytest.mark.parametrize(
    "data",
    [
        {"tools": "find_books"},
        {"effects": ["fly"]},
        {"calls": -1},
        {"calls": True},
        {"colour": "red"},
        [],
        "none",
    ],
)
def test_limits_that_are_none_are_refused(data: Any) -> None:
    with pytest.raises(ExperienceError):
        Limits.of(data)


def test_limits_read_back() -> None:
    limits = Limits(tools=("a",), hosts=("b",), effects=("read",), calls=1, writes=0, seconds=2.5)
    assert Limits.of(limits.as_json()) == limits


# --- Drift ---------------------------------------------------------------------------------------


async def test_a_tool_with_another_schema_stops_the_play_before_anything(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    document["tools"]["lend"] = {"digest": "sha256:" + "0" * 64, "effect": "write"}
    done = await played(world, store, experience=experience_of(document))
    assert done.why is not None
    assert "the tool `lend` has another schema" in done.why
    assert [step for step in done.tape if step.kind == ToolCall.kind] == []


async def test_a_tool_that_does_more_than_the_experience_says_stops_the_play(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    document["tools"]["write_to"] = {**document["tools"]["write_to"], "effect": "read"}
    done = await played(world, store, experience=experience_of(document))
    assert done.why == (
        "the tool `write_to` is `irreversible` now, the experience takes it for `read`"
    )
    assert world.effects == []


async def test_a_tool_that_is_gone_stops_the_play(world: Lending, store: ph.MemoryStore) -> None:
    done = await play(lend_experience(), **LEND, store=store, limited=False)
    assert done.why == "there is no tool `find_books` here"


# --- Dry runs ------------------------------------------------------------------------------------


async def test_a_dry_run_reads_and_shows_what_would_be_written(
    world: Lending, store: ph.MemoryStore
) -> None:
    done = await played(world, store, dry=True)
    assert world.effects == []
    assert done.outcome == "dry"
    assert done.would == {
        "writes": [
            {
                "tool": "lend",
                "effect": "write",
                "arguments": {"book": 7, "reader": 1},
                "state": "lend",
            },
            {
                "tool": "write_to",
                "effect": "irreversible",
                "arguments": {"mail": "ada@example.org", "text": "Your book waits."},
                "state": "letter",
            },
        ],
        "answer": "Lent.",
        "noop": False,
        "refused": None,
    }
    assert [s.body.name for s in done.tape if isinstance(s.body, ToolCall)] == [
        "find_books",
        "find_readers",
    ]


async def test_a_dry_run_says_why_it_would_be_stopped(
    world: Lending, store: ph.MemoryStore
) -> None:
    world.books[0].update(free=False)
    done = await played(world, store, dry=True)
    assert isinstance(done.would, dict)
    assert done.would["writes"] == []
    assert "`lend` would be stopped: the-book-is-free" in str(done.would["refused"])
    world.books.clear()
    done = await played(world, store, dry=True)
    assert isinstance(done.would, dict)
    assert "absent" in str(done.would["refused"])
