"""Hand-over: whoever goes on finishes on the same tape, and nothing is repeated.

Each kind of task becomes unknown after its first write. The next level is a model that goes by
rules and by nothing but the conversation that it is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from lending import (
    LEND,
    LEND_STATES,
    LENT,
    NOW,
    TEXT,
    Conversation,
    Lending,
    Rule,
    call,
    document,
    effects_on,
    kinds,
    lend_document,
    lend_experience,
    of,
    rule_agent,
)

import playhead as ph
from playhead.errors import ExperienceError
from playhead.experience.document import experience_of
from playhead.experience.play import (
    PERSON,
    ROUTINE,
    Played,
    play,
    replay_play,
    resume_play,
)
from playhead.tape.kinds import AssistantMessage, ModelCall, Play, ToolCall, ToolError


@dataclass
class Kind:
    """A kind of task that becomes unknown after a write.

    Args:
        experience: What is played.
        parameters: Of the task.
        rule: Finishes it, by the conversation alone.
        effects: What has to be done in all, in order.
        before: How many of these the routine does.
        why: Why it stops, in part.
        broken: Breaks the world while it is played.
    """

    experience: dict[str, Any]
    parameters: dict[str, Any]
    rule: Rule
    effects: list[dict[str, Any]]
    why: str
    before: int = 1
    broken: Callable[[Lending], None] = field(default=lambda world: None)


def write_rule(talk: Conversation) -> Any:
    """Lend, then write; each only if it is not among what is done."""
    done = talk.said("how_it_was_done_before")["done"]
    if not any(each["tool"] == "lend" for each in done):
        return call("lend", book=talk.said("find_books")[0]["id"], reader=1)
    if not talk.called("write_to"):
        mail = talk.said("find_readers")[0]["mail"]
        return call("write_to", mail=mail, text="Your book waits.")
    return "All lent."


def failing_letter(world: Lending) -> None:
    """The letter fails once."""
    tries = iter([OSError("no ink")])
    world.break_on = lambda tool, given: next(tries, None) if tool == "write_to" else None


def failed_tool() -> Kind:
    """A tool fails after the first write."""
    return Kind(
        lend_document(),
        LEND,
        write_rule,
        LENT,
        "`write_to` failed: OSError: no ink",
        broken=failing_letter,
    )


def unknown_result() -> Kind:
    """What the first write gives back leads to no known state."""
    states = {
        **LEND_STATES,
        "lend": {
            **LEND_STATES["lend"],
            "next": [
                {
                    "when": {"fn": "equal", "of": [of_write("lend", "due"), {"const": "never"}]},
                    "to": "letter",
                }
            ],
        },
    }
    made = lend_document()
    made["routine"]["states"] = states
    made["checks"] = []
    return Kind(made, LEND, write_rule, LENT, "nothing is known to follow `lend`")


def of_write(state: str, name: str) -> Any:
    return {"result": state, "at": [name]}


def lost_reader() -> Kind:
    """A read after the first write gives nothing that fits."""
    states = {
        "book": LEND_STATES["book"] | {"next": [{"to": "reader"}]},
        "reader": LEND_STATES["reader"] | {"next": [{"to": "lend"}]},
        "lend": LEND_STATES["lend"] | {"next": [{"to": "loans"}]},
        "loans": {
            "call": {"tool": "loans_of", "arguments": {"reader": of("reader", "id")}},
            "next": [{"to": "letter"}],
        },
        "letter": {
            "call": {
                "tool": "write_to",
                "arguments": {
                    "mail": of("reader", "mail"),
                    "text": {
                        "result": "loans",
                        "where": {"fn": "equal", "of": [{"item": ["book"]}, of("book", "id")]},
                        "pick": "only",
                        "at": ["letter"],
                    },
                },
            },
            "next": [{"to": "done"}],
        },
        "done": {"finish": {"text": {"const": "Lent."}}},
    }
    made = document(
        "lend-and-confirm",
        states,
        tools=["find_books", "find_readers", "loans_of", "lend", "write_to"],
        parameters={"title": TEXT, "reader": TEXT},
    )
    return Kind(made, LEND, write_rule, LENT, "`letter` needs something")


def end_rule(talk: Conversation) -> Any:
    """End all loans that are late, but for those that are ended."""
    late = [row["loan"] for row in talk.said("loans_of") if row["late"]]
    for loan in late:
        if not talk.called("end_loan", loan=loan):
            return call("end_loan", loan=loan)
    return "All ended."


def broken_loop() -> Kind:
    """A loop of writes whose second one fails."""
    states = {
        "reader": LEND_STATES["reader"] | {"next": [{"to": "loans"}]},
        "loans": {
            "call": {"tool": "loans_of", "arguments": {"reader": of("reader", "id")}},
            "next": [{"to": "each"}],
        },
        "each": {
            "for_each": {
                "rows": {
                    "quantity": "rows",
                    "over": {
                        "of": {"result": "loans"},
                        "where": {"fn": "equal", "of": [{"item": ["late"]}, {"const": True}]},
                    },
                },
                "do": [{"tool": "end_loan", "arguments": {"loan": {"item": ["loan"]}}}],
            },
            "next": [{"to": "done"}],
        },
        "done": {"finish": {"text": {"const": "Ended."}}},
    }
    made = document(
        "end-late-loans",
        states,
        tools=["find_readers", "loans_of", "end_loan"],
        parameters={"reader": TEXT},
        start="reader",
    )

    def broken(world: Lending) -> None:
        tries = iter([OSError("stuck")])
        world.break_on = lambda tool, given: next(tries, None) if given["loan"] == 33 else None

    effects = [{"tool": "end_loan", "loan": 31}, {"tool": "end_loan", "loan": 33}]
    return Kind(made, {"reader": "Ada"}, end_rule, effects, "stuck", broken=broken)


def renew_rule(talk: Conversation) -> Any:
    if not talk.called("end_loan"):
        return call("end_loan", loan=31)
    if not talk.called("lend"):
        return call("lend", book=9, reader=1, days=7)
    if not talk.called("write_to"):
        return call("write_to", mail="ada@example.org", text="Renewed.")
    return "Renewed."


def failed_check() -> Kind:
    """A check that looks at what the first write gave back does not hold before the second."""
    first = {"result": "loans", "pick": "first", "at": ["loan"]}
    states = {
        "reader": LEND_STATES["reader"] | {"next": [{"to": "loans"}]},
        "loans": {
            "call": {"tool": "loans_of", "arguments": {"reader": of("reader", "id")}},
            "next": [{"to": "end"}],
        },
        "end": {"call": {"tool": "end_loan", "arguments": {"loan": first}}, "next": [{"to": "on"}]},
        "on": {
            "call": {
                "tool": "lend",
                "arguments": {
                    "book": {"result": "loans", "pick": "first", "at": ["book"]},
                    "reader": of("reader", "id"),
                    "days": {"const": 7},
                },
            },
            "next": [{"to": "letter"}],
        },
        "letter": {
            "call": {
                "tool": "write_to",
                "arguments": {"mail": of("reader", "mail"), "text": {"const": "Renewed."}},
            },
            "next": [{"to": "done"}],
        },
        "done": {"finish": {"text": {"const": "Renewed."}}},
    }
    known = "calls.all(c, c.tool != 'lend' || c.result == null || c.result.due == '2030-02-07')"
    made = document(
        "renew",
        states,
        tools=["find_readers", "loans_of", "end_loan", "lend", "write_to"],
        parameters={"reader": TEXT},
        start="reader",
        checks=[
            {"id": "due-in-a-week", "kind": "precondition", "at": "letter", "check": {"cel": known}}
        ],
    )
    effects = [
        {"tool": "end_loan", "loan": 31},
        {"tool": "lend", "book": 9, "reader": 1, "days": 7},
        {"tool": "write_to", "mail": "ada@example.org", "text": "Renewed."},
    ]
    return Kind(made, {"reader": "Ada"}, renew_rule, effects, "the check `due-in-a-week`", before=2)


def postcondition() -> Kind:
    """All writes of the routine are done, and the end is not what it should be."""
    made = lend_document()
    made["routine"]["states"]["lend"]["next"] = [{"to": "done"}]
    made["checks"] = [
        {
            "id": "told",
            "kind": "postcondition",
            "at": "end",
            "check": {"cel": "calls.exists(c, c.tool == 'write_to')"},
        }
    ]
    return Kind(made, LEND, write_rule, LENT, "the check `told` does not hold")


KINDS = {
    maker.__name__: maker
    for maker in (
        failed_tool,
        unknown_result,
        lost_reader,
        broken_loop,
        failed_check,
        postcondition,
    )
}


@pytest.mark.parametrize("name", KINDS)
async def test_a_model_finishes_what_the_routine_began_and_repeats_nothing(
    name: str, world: Lending, store: ph.MemoryStore
) -> None:
    kind = KINDS[name]()
    kind.broken(world)
    clerk = rule_agent(kind.rule)
    done = await play(
        experience_of(kind.experience),
        parameters=kind.parameters,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, clerk],
        limited=False,
        now=NOW,
    )
    (over,) = done.handed_over
    assert kind.why in over.why
    assert (over.level, over.writes) == ("routine", kind.before)
    assert (done.outcome, done.level) == ("done", "clerk")
    assert world.effects == effects_with_defaults(kind.effects)
    assert effects_with_defaults(effects_on(done.tape)) == world.effects
    assert denials(done) == []
    done.tape.verify()
    reads = [s.body for s in done.tape if isinstance(s.body, ToolCall) and s.body.effect == "read"]
    asked = [(each.name, str(each.arguments)) for each in reads]
    assert len(set(asked)) == len(asked)  # nothing was read twice either
    report = await replay_play(done.tape, levels=[ROUTINE, clerk], store=store, limited=False)
    assert report.ok, report.divergences
    assert report.turns > 4


def denials(done: Played) -> list[str]:
    bodies = [step.body for step in done.tape]
    return [b.message for b in bodies if isinstance(b, ToolError) and b.code == "denied"]


def effects_with_defaults(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"days": 14, **each} if each["tool"] == "lend" else each for each in effects]


async def test_a_model_that_wants_to_repeat_an_effect_is_refused(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    tries: list[str] = []

    def stubborn(talk: Conversation) -> Any:
        tries.append("lend" if len(tries) < 2 else "letter")
        if len(tries) == 1:
            return call("lend", book=7, reader=1)
        if len(tries) == 2:
            return call("lend", book=7, reader=1, days=14)  # the default, spelt out
        return "Well then." if talk.called("write_to") else write_rule(talk)

    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, rule_agent(stubborn)],
        limited=False,
    )
    assert world.effects == LENT
    first, _ = denials(done)
    assert "was done already, in step" in first


async def test_a_call_that_failed_may_be_made_again(world: Lending, store: ph.MemoryStore) -> None:
    failing_letter(world)
    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, rule_agent(write_rule)],
        limited=False,
    )
    letters = [s for s in done.tape if isinstance(s.body, ToolCall) and s.body.name == "write_to"]
    assert [step.by.type for step in letters] == ["player", "agent"]
    assert world.effects == LENT


async def test_levels_take_over_one_after_the_other(world: Lending, store: ph.MemoryStore) -> None:
    """A routine, a model that is at a loss, and a person."""
    failing_letter(world)
    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, PERSON],
        limited=False,
    )
    assert (done.outcome, done.level) == ("waiting", "person")
    (said,) = [s.body for s in done.tape if isinstance(s.body, AssistantMessage)]
    assert isinstance(said, AssistantMessage)
    assert said.text == (
        "# Lend a book\n\nIt stopped: `write_to` failed: OSError: no ink (failed)\n\n"
        "Done already, not to be done again:\n\n- [x] `lend` (book: 7, reader: 1)\n\n"
        "Failed, and may have happened all the same; look before you try it again:\n\n"
        "- [ ] `write_to` (mail: ada@example.org, text: Your book waits.): OSError: no ink\n\n"
        "What belongs to it:\n\n- [ ] Find the book.\n- [ ] Find the reader.\n- [ ] Lend it.\n"
        "- [ ] Write to the reader.\n\nNotes:\n\n- A blocked reader gets nothing.\n\n"
        "What went wrong before:\n\n- Once the letter went to the wrong reader.\n"
    )


async def test_what_a_person_says_ends_the_play(world: Lending, store: ph.MemoryStore) -> None:
    failing_letter(world)
    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=[world.environment(), ph.User(["I told Ada myself."])],
        store=store,
        levels=[ROUTINE, PERSON],
        limited=False,
    )
    assert (done.outcome, done.answer) == ("done", "I told Ada myself.")
    assert world.effects == LENT[:1]


async def test_a_play_that_was_handed_to_nobody_goes_on_when_there_is_somebody(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    first = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        limited=False,
    )
    assert first.outcome == "handed_over"
    with pytest.raises(ExperienceError, match="`routine` has handed over"):
        await resume_play(first.tape.id, environment=world.environment(), store=store)
    done = await resume_play(
        first.tape.id,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, rule_agent(write_rule)],
        limited=False,
    )
    assert (done.outcome, done.level) == ("done", "clerk")
    assert world.effects == LENT


async def test_an_agent_that_knows_nothing_of_plays_can_go_on(
    world: Lending, store: ph.MemoryStore
) -> None:
    """`resume` with any agent: the conversation says what was done."""
    failing_letter(world)
    first = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        limited=False,
    )

    def rule(talk: Conversation) -> Any:
        if talk.called("lend") and not talk.called("write_to"):
            mail = talk.said("find_readers")[0]["mail"]
            return call("write_to", mail=mail, text="Your book waits.")
        return "Done."

    agent = rule_agent(rule, "stranger")
    tape = await ph.resume(first.tape.id, agent=agent, environment=world.environment(), store=store)
    assert tape.status == "answered"
    assert world.effects == LENT
    assert kinds(tape).count("play") == 1


async def test_each_level_begins_with_the_tools_as_they_are_then(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        levels=[ROUTINE, rule_agent(write_rule)],
        limited=False,
    )
    notes = [step.body for step in done.tape if isinstance(step.body, Play)]
    assert [note.level for note in notes] == ["routine", "clerk"]
    assert done.model_calls == sum(step.kind == ModelCall.kind for step in done.tape) > 0


async def test_the_same_experience_guides_an_agent_from_the_beginning(
    world: Lending, store: ph.MemoryStore
) -> None:
    def rule(talk: Conversation) -> Any:
        assert talk.said("how_it_was_done_before")["steps"][0] == "Find the book."
        if talk.said("find_books") is None:
            return call("find_books", title="Emma")
        if talk.said("find_readers") is None:
            return call("find_readers", name="Ada")
        if not talk.called("lend"):
            return call("lend", book=talk.said("find_books")[0]["id"], reader=1)
        return write_rule_without_guide(talk)

    def write_rule_without_guide(talk: Conversation) -> Any:
        if not talk.called("write_to"):
            return call("write_to", mail="ada@example.org", text="Your book waits.")
        return "Lent."

    done = await play(
        lend_experience(),
        parameters=LEND,
        environment=world.environment(),
        store=store,
        levels=[rule_agent(rule)],
    )
    assert done.outcome == "done"
    assert world.effects == LENT


async def test_an_agents_own_tools_serve_the_routine_too(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    clerk = rule_agent(write_rule, tools=world.tools())
    done: Played = await play(
        lend_experience(), parameters=LEND, store=store, levels=[ROUTINE, clerk], limited=False
    )
    assert (done.outcome, world.effects) == ("done", LENT)


async def test_a_level_that_was_interrupted_goes_on_itself(
    world: Lending, store: ph.MemoryStore
) -> None:
    failing_letter(world)
    clerk = rule_agent(write_rule)
    common: dict[str, Any] = {
        "environment": world.environment(),
        "store": store,
        "levels": [ROUTINE, clerk],
        "limited": False,
    }
    paused = await play(lend_experience(), **LEND, budget=ph.Budget(model_calls=1), **common)
    assert (paused.outcome, paused.level, paused.tape.status) == ("unfinished", "clerk", "paused")
    with pytest.raises(ExperienceError, match="in the hands of `clerk`"):
        await resume_play(paused.tape, **{**common, "levels": [ROUTINE]})
    done = await resume_play(paused.tape, **common)
    assert (done.outcome, done.level) == ("done", "clerk")
    assert world.effects == LENT
    assert (await replay_play(done.tape, levels=[ROUTINE, clerk], store=store)).ok
