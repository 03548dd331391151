"""Experiences of strangers: what is hostile in them is refused, with words, and does no harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lending import (
    LEND,
    Conversation,
    Lending,
    call,
    lend_document,
    lend_experience,
    rule_agent,
)

import playhead as ph
from playhead.errors import ExperienceError, PlayheadError
from playhead.experience.checks import Case, SeenCall, case_of_tape, check_over
from playhead.experience.document import experience_of, read_experience
from playhead.experience.play import Limits, play

BOMB = "^(a+)+$"


def nested(depth: int) -> Any:
    found: Any = {"const": 1}
    for _ in range(depth):
        found = {"fn": "text", "of": [found]}
    return found


def change(path: str, value: Any) -> dict[str, Any]:
    """The document with another value at a path, as `routine.start`."""
    document = lend_document()
    *names, last = path.split(".")
    at = document
    for name in names:
        at = at[int(name)] if isinstance(at, list) else at[name]
    at[int(last) if isinstance(at, list) else last] = value
    return document


HOSTILE: dict[str, dict[str, Any]] = {
    "cyclic graph": change("routine.states.lend.next", [{"to": "book"}]),
    "no such state": change("routine.states.lend.next", [{"to": "nowhere"}]),
    "no such start": change("routine.start", "nowhere"),
    "no such parameter": change("routine.states.book.call.arguments.title", {"param": "x"}),
    "no such tool": change("routine.states.lend.call.tool", "burn"),
    "no such function": change("routine.states.done.finish.text", {"fn": "system", "of": []}),
    "no such member": change("routine.states.book.call.code", "import os"),
    "deep nesting": change("routine.states.done.finish.text", nested(3000)),
    "a name that climbs": change("name", "../../etc/passwd"),
    "a huge expression": change("checks.0.check", {"cel": "true" + " && true" * 2000}),
    "another version": change("experience", 2),
    "an effect that is none": change("tools.lend.effect", "harmless"),
    "a loop without end": change(
        "routine.states.lend",
        {
            "for_each": {"rows": {"const": []}, "do": [], "at_most": 10**9},
            "next": [{"to": "done"}],
        },
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_when_it_is_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExperienceError) as caught:
        experience_of(HOSTILE[name])
    assert 0 < len(str(caught.value)) < 4000
    file = tmp_path / "hostile.json"
    try:
        file.write_text(json.dumps(HOSTILE[name]))
    except RecursionError:
        return
    with pytest.raises(PlayheadError):
        read_experience(file)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"cel": "(" * 200 + "true" + ")" * 200}, "recursion"),
        ({"cel": "task.matches('(')"}, "regular expression"),
        ({"shape": {"pattern": "(?<=a)b"}}, "JSON Schema"),
        ({"shape": {"$ref": "file:///etc/passwd"}}, "JSON Schema"),
        ({"shape": {"properties": {"call": {"pattern": "(a{1000}){1000}"}}}}, ""),
    ],
)
async def test_a_hostile_check_stops_its_play(
    condition: dict[str, Any], why: str, world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    document["checks"] = [
        {"id": "c", "kind": "invariant", "at": "always", "check": condition, "message": "x"}
    ]
    try:
        done = await play(
            experience_of(document), **LEND, environment=world.environment(), store=store
        )
        said = done.why or ""
    except ExperienceError as error:
        said = error.message
    assert world.effects == []
    assert "`c`" in said
    assert why in said


async def test_a_pattern_that_hangs_other_engines_does_no_harm(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    document["checks"] = [
        {
            "id": "bomb",
            "kind": "data",
            "at": "always",
            "check": {"shape": {"properties": {"task": {"pattern": BOMB}}}},
        },
        {
            "id": "fuse",
            "kind": "data",
            "at": "always",
            "check": {"cel": f"task.matches('{BOMB}')"},
        },
    ]
    given = {**LEND, "title": "a" * 50_000 + "b"}
    done = await play(
        experience_of(document), parameters=given, environment=world.environment(), store=store
    )
    assert done.why is not None
    assert "`bomb`" in done.why
    assert done.seconds < 60


async def test_a_schema_of_a_parameter_is_limited_too(
    world: Lending, store: ph.MemoryStore
) -> None:
    document = lend_document()
    document["parameters"]["title"]["schema"] = {"type": "string", "pattern": BOMB}
    with pytest.raises(ExperienceError, match="the parameter `title` does not fit"):
        await play(
            experience_of(document),
            title="a" * 50_000 + "b",
            reader="Ada",
            environment=world.environment(),
            store=store,
        )


async def test_a_loop_over_more_rows_than_allowed_writes_nothing(
    world: Lending, store: ph.MemoryStore
) -> None:
    world.loans = [{"loan": n, "reader": 1, "late": True} for n in range(200)]
    document = lend_document(checks=[])
    document["tools"]["loans_of"] = {"effect": "read"}
    document["tools"]["end_loan"] = {"effect": "write"}
    document["routine"] = {
        "start": "loans",
        "states": {
            "loans": {
                "call": {"tool": "loans_of", "arguments": {"reader": {"const": 1}}},
                "next": [{"to": "each"}],
            },
            "each": {
                "for_each": {
                    "rows": {"result": "loans"},
                    "do": [{"tool": "end_loan", "arguments": {"loan": {"item": ["loan"]}}}],
                },
                "next": [{"to": "done"}],
            },
            "done": {"finish": {}},
        },
    }
    experience = experience_of(document)
    common: dict[str, Any] = {"environment": world.environment(), "store": store, "limited": False}
    done = await play(experience, **LEND, **common)
    assert done.why is not None
    assert "more than 100" in done.why
    world.loans = world.loans[:60]
    done = await play(experience, **LEND, limits=Limits(writes=50), **common)
    assert done.why == "the limits of this play: it may make 50 calls that change something"
    assert world.effects == []


# --- Checks over recorded sessions ---------------------------------------------------------------


async def test_checks_are_asked_about_a_session_that_an_agent_made(
    world: Lending, store: ph.MemoryStore
) -> None:
    experience = lend_experience()
    done = await play(
        experience, **LEND, environment=world.environment(), store=store, limited=False
    )
    case = case_of_tape(experience, done.tape)
    assert [call.state for call in case.calls] == ["book", "reader", "lend", "letter"]
    (found,) = check_over(experience, [case], limited=False)
    assert found.failed == {}
    assert set(found.held) == {check.id for check in experience.checks}
    assert found.missing == ()
    wrong = SeenCall("lend", "write", {"book": 8, "reader": 1}, {"loan": 41}, state="lend")
    calls = (*case.calls[:2], wrong, case.calls[3])
    other = Case("other", case.task, calls, case.parameters, case.now)
    worker_calls = list(check_over(experience, [case, other]))
    assert worker_calls[0] == found
    assert list(worker_calls[1].failed) == ["the-right-book"]
    assert worker_calls[1].failed["the-right-book"].startswith("before call 3: The book has the")
    assert worker_calls[1].unasked == ()


async def test_calls_of_other_agents_are_known_by_their_tool(
    world: Lending, store: ph.MemoryStore
) -> None:
    """An agent that lends the wrong book is found out by the checks of the experience."""
    world.books.append({"id": 8, "title": "Emma II", "free": True})

    def rule(talk: Conversation) -> Any:
        if talk.said("find_books") is None:
            return call("find_books", title="Emma")
        if not talk.called("lend"):
            return call("lend", book=8, reader=1)
        return "Lent."

    tape = await ph.run(
        rule_agent(rule), "Lend 'Emma' to Ada", environment=world.environment(), store=store
    )
    document = lend_document()
    document["parameters"]["title"] = {"sources": [{"mention": {"kind": "quoted", "nth": 0}}]}
    experience = experience_of(document)
    (found,) = check_over(experience, [case_of_tape(experience, tape)], limited=False)
    assert set(found.failed) == {"the-right-book", "order", "lent"}
    assert found.missing == ("reader",)


async def test_a_tape_without_a_request_cannot_be_checked(store: ph.MemoryStore) -> None:
    with pytest.raises(ExperienceError, match="nobody asked for anything"):
        case_of_tape(lend_experience(), ph.Tape.new())
