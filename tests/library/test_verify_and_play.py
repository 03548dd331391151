"""Verifying over recorded sessions, and what real plays count as."""

from __future__ import annotations

from typing import Any

import pytest
from library_kit import experience

import playhead as ph
from playhead.errors import LibraryError
from playhead.experience.library import (
    Library,
    PackageBudget,
    Verification,
    budget_of,
    grants,
    over_tape,
    package_of,
    play_of,
    verify,
)
from playhead.experience.play import VERIFIED, LevelKey, Played, Record, play
from playhead.tape import ToolCallPart, assistant

MEETINGS = {"ana": [{"id": 1}, {"id": 2}], "luis": [{"id": 3}], "kofi": []}


class Calendar:
    def __init__(self) -> None:
        self.deleted: list[int] = []

    def environment(self) -> ph.Toolbox:
        @ph.tool(effect="read", name="calendar.search")
        def search(query: str) -> list[dict[str, int]]:
            return MEETINGS[query]

        @ph.tool(effect="write", name="calendar.delete")
        def delete(id: int) -> str:
            self.deleted.append(id)
            return "deleted"

        return ph.Toolbox([search, delete])


def plain(**changes: Any) -> Any:
    """The experience, with tools whose schemas nobody compares."""
    tools = {"calendar.search": {"effect": "read"}, "calendar.delete": {"effect": "write"}}
    parameters = {
        "person": {
            "schema": {"type": "string"},
            "sources": [{"given": True}, {"mention": {"kind": "name", "nth": 0}}],
        }
    }
    return experience(**{"tools": tools, "parameters": parameters} | changes)


def call(name: str, **arguments: Any) -> ph.Message:
    return assistant((ToolCallPart(id=name, name=name, arguments=arguments),))


async def session(person: str, meeting: int | None, store: ph.MemoryStore) -> ph.Tape:
    """A live agent that cancels a meeting, or none."""
    script: list[Any] = [call("calendar.search", query=person)]
    if meeting is not None:
        script.append(call("calendar.delete", id=meeting))
    agent = ph.Agent("live", model=ph.ScriptedModel([*script, "Done."]))
    return await ph.run(
        agent,
        f"Cancel my next meeting with {person}",
        environment=Calendar().environment(),
        store=store,
    )


async def test_what_does_as_the_session_did_is_right() -> None:
    store = ph.MemoryStore()
    assert over_tape(plain(), await session("ana", 1, store)) == ("right", "")
    ended, why = over_tape(plain(), await session("ana", 2, store))
    assert ended == "wrong"
    assert 'calendar.delete {"id":1}' in why
    ended, why = over_tape(plain(), await session("luis", None, store))
    assert ended == "wrong"
    ended, why = over_tape(plain(), await session("kofi", None, store))
    assert ended == "refused"  # there is no first row


async def test_what_the_recording_does_not_hold_is_refused() -> None:
    store = ph.MemoryStore()
    agent = ph.Agent("live", model=ph.ScriptedModel(["Nothing done."]))
    tape = await ph.run(agent, "Cancel my next meeting with ana", store=store)
    ended, why = over_tape(plain(), tape)
    assert ended == "refused"
    assert "does not hold" in why
    with pytest.raises(LibraryError, match="nobody asked for anything"):
        over_tape(plain(), ph.Tape.new())


async def test_an_imported_one_is_trusted_after_local_sessions_bear_it_out(
    library: Library,
) -> None:
    store = ph.MemoryStore()
    kept = library.add(plain())
    tapes = [await session("ana", 1, store), await session("luis", 3, store)]
    found = verify(library.document(kept.digest), tapes, over_tape)
    assert found == Verification(right=2)
    assert library.trust(kept.digest, found).state == "trusted"
    worse = verify(library.document(kept.digest), [await session("ana", 2, store)], over_tape)
    assert library.trust(kept.digest, worse).state == "quarantined"


async def played(document: Any, person: str, **more: Any) -> tuple[Played, Calendar]:
    world = Calendar()
    done = await play(
        document,
        person=person,
        environment=world.environment(),
        store=ph.MemoryStore(),
        limited=False,
        **more,
    )
    return done, world


async def test_a_play_counts_as_what_became_of_it(library: Library) -> None:
    document = plain()
    kept = library.add(document, origin="learnt")
    done, world = await played(document, "ana")
    assert world.deleted == [1]
    solved = play_of(done)
    assert solved is not None
    assert (solved.outcome, solved.cost.model_calls, solved.experience) == (
        "solved",
        0,
        kept.digest,
    )
    library.plays.record(solved)
    refused, world = await played(document, "kofi")
    counted = play_of(refused)
    assert counted is not None
    assert counted.outcome == "refused"
    library.plays.record(counted)
    key = LevelKey(kept.digest, "routine", done.tools)
    verified = LevelKey(kept.digest, "routine", VERIFIED)
    assert library.plays.statistics() == {key: Record(1, 2), verified: Record(3, 3)}
    assert library.plays.counts(kept.digest).solved == 1
    dry, world = await played(document, "ana", dry=True)
    assert play_of(dry) is None
    assert world.deleted == []


async def test_a_strangers_own_validation_counts_for_nothing(library: Library) -> None:
    kept = library.add(plain(evidence={"validation": {"played": 99, "right": 99}}))
    assert library.plays.statistics() == {}
    library.trust(kept.digest, Verification(right=2, refused=1))
    key = LevelKey(kept.digest, "routine", VERIFIED)
    assert library.plays.statistics() == {key: Record(2, 3)}


async def test_the_next_level_is_counted_by_itself(library: Library) -> None:
    document = plain()
    helper = ph.Agent("helper", model=ph.ScriptedModel(["There was none."]))
    done, _ = await played(document, "kofi", levels=["routine", helper])
    counted = play_of(done)
    assert counted is not None
    assert (counted.outcome, counted.cost.model_calls) == ("handed_over", 1)
    assert dict(counted.trials) == {"routine": False, "helper": True}


async def test_a_play_that_meets_a_changed_tool_ends_trust(library: Library) -> None:
    changed = {
        "calendar.search": {"effect": "read"},
        "calendar.delete": {"effect": "write", "digest": "sha256:" + "0" * 64},
    }
    document = plain(tools=changed)
    kept = library.add(document, origin="learnt")
    done, world = await played(document, "ana")
    assert world.deleted == []
    counted = library.count(done)
    assert counted is not None
    assert counted.outcome == "refused"
    assert library.get(kept.digest).state == "drifted"
    elsewhere, _ = await played(plain(version=5), "ana")
    assert library.count(elsewhere) is None  # it is not of this library


async def test_a_judged_play_is_a_failure_and_a_guard(library: Library) -> None:
    document = plain()
    kept = library.add(document, origin="learnt")
    done, _ = await played(document, "ana")
    counted = play_of(done)
    assert counted is not None
    library.plays.record(counted)
    assert library.plays.judge(done.tape.id, 1, reason="the other one was meant") == 1
    assert library.plays.counts(kept.digest).failed == 1
    key = LevelKey(kept.digest, "routine", done.tools)
    assert library.plays.statistics()[key] == Record(0, 1)
    assert library.plays.judge("nothing", 1) == 0


async def test_a_play_keeps_to_the_manifest_of_the_package(library: Library) -> None:
    made = package_of(plain(), budget=PackageBudget(writes=0))
    kept = library.install(made)
    declared = library.capabilities(kept.digest)
    assert declared is not None
    assert budget_of(declared).seconds is None
    done, world = await played(plain(), "ana", limits=grants(declared))
    assert done.outcome == "handed_over"
    assert world.deleted == []
    assert library.add(experience(version=9)).label == "cancel-meeting@9"
    assert library.capabilities("cancel-meeting@9") is None
