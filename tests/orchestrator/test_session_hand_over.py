"""Nodes that hand over, notes that a caller adds, and steps by a player."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from session_kit import kinds

import playhead as ph
from playhead.errors import NodeError
from playhead.tape import Body, By, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Checked,
    Pause,
    Play,
    Reflection,
    Snapshot,
)


class GivesUp(ph.Node):
    """Does something, and hands over."""

    plays = By("player", "lend-a-book", version="3")

    def __init__(self, *bodies: Body) -> None:
        super().__init__("gives-up", next="gives-up")
        self._bodies = bodies

    def generate_steps(self, view: Any, completion: Any, ctx: Any) -> Iterable[Body]:
        return self._bodies


class Says(ph.Node):
    def generate_steps(self, view: Any, completion: Any, ctx: Any) -> Iterable[Body]:
        return [AssistantMessage(parts=text_parts(f"said by {self.name}"))]


HANDS_OVER = Pause(reason="handed_over", message="I do not know on")
SAID = Checked(at="write", passed=("a",))


async def test_whoever_goes_on_begins_at_its_first_node() -> None:
    store = ph.MemoryStore()
    first = ph.Agent("first", nodes=[GivesUp(Reflection(text="hm"), SAID, HANDS_OVER)])
    tape = await ph.run(first, "Go.", store=store)
    assert tape.status == "paused"
    made = kinds(tape)
    assert made[-4:] == ["node_run", "reflection", "check", "pause"]
    assert {step.by.type for step in tape[-3:]} == {"player"}
    assert (await ph.replay(tape, agent=first, store=store)).ok
    second = ph.Agent("second", nodes=[Says("one"), Says("two")])
    tape = await ph.resume(tape, agent=second, store=store)
    assert tape.answer == "said by one"
    tape.verify()


async def test_a_node_that_hands_over_is_asked_again_when_it_goes_on() -> None:
    store = ph.MemoryStore()
    agent = ph.Agent("first", nodes=[Says("one", next="gives-up"), GivesUp(HANDS_OVER)])
    tape = await ph.run(agent, "Go.", store=store)
    assert tape.status == "answered"
    tape = await ph.run(agent, "And on.", tape=tape, store=store)
    assert tape.status == "paused"
    tape = await ph.resume(tape, agent=agent, store=store)
    assert tape.status == "answered"


@pytest.mark.parametrize(
    "body", [Pause(reason="budget", message="x"), Snapshot(state=None), Play.model_construct()]
)
async def test_other_notes_are_the_systems_alone(body: Body) -> None:
    agent = ph.Agent("first", nodes=[GivesUp(body)])
    with pytest.raises(NodeError, match="is a note that the system alone writes"):
        await ph.run(agent, "Go.", store=ph.MemoryStore())


async def test_notes_of_the_caller_are_stored_with_the_task() -> None:
    store = ph.MemoryStore()
    note = Play(experience="e", version=1, digest="sha256:" + "0" * 64, level="routine")
    agent = ph.Agent("first", nodes=[GivesUp(HANDS_OVER)])
    tape = await ph.run(agent, "Go.", store=store, notes=[note])
    assert kinds(tape)[:4] == ["tape", "run", "play", "user_message"]
    assert tape[2].by.type == "system"
    tape = await ph.resume(tape, agent=agent, store=store, notes=[note])
    assert kinds(tape).count("play") == 2
