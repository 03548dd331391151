"""Kinds that this process does not know."""

from __future__ import annotations

from typing import Any

import pytest
from session_kit import Lab, agent_of, by_history, kinds

import playhead as ph
from playhead.errors import KindError, RunError
from playhead.tape import _body


def forget(*kinds_: type[ph.tape.Body]) -> None:
    """As if the package that defines them were not imported."""
    for kind in kinds_:
        del _body._kinds[kind.kind]


class Bells(ph.Environment):
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def effect_of(self, name):
        return "read"

    async def answer(self, action, context):
        return self._answer if action.kind == "test.ring" else None


def ringer(ring: type[ph.Action]) -> ph.Agent:
    class Play(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [ring()]

    nodes = [Play("play"), ph.ToolCallingNode()]
    return ph.Agent("a", model=by_history("ok", "more"), nodes=nodes)


async def unanswered(lab: Lab, agent: ph.Agent) -> ph.Tape:
    with pytest.raises(RunError, match="nobody answers"):
        await lab.run(agent)
    return await lab.newest()


async def test_an_open_action_of_an_unknown_kind_stops_resume_fork_and_replay(lab: Lab) -> None:
    class Ring(ph.Action, kind="test.ring"):
        pass

    agent = ringer(Ring)
    tape = await unanswered(lab, agent)
    forget(Ring)
    tape = await lab.store.open(tape.id)
    for work in (
        lambda: lab.resume(tape, agent=agent),
        lambda: lab.fork(tape, agent=agent),
        lambda: lab.replay(tape, agent=agent),
    ):
        with pytest.raises(KindError, match=r"`test\.ring`: import the package"):
            await work()
    assert (await lab.store.open(tape.id)).head == tape.head
    assert len(await lab.tape_ids()) == 1
    lab.agents.clear()


async def test_an_unknown_action_that_is_answered_stops_replay_only(lab: Lab) -> None:
    class Ring(ph.Action, kind="test.ring"):
        pass

    class Rang(ph.Observation, kind="test.rang"):
        times: int

    agent = ringer(Ring)
    tape = await lab.run(agent, environment=Bells(Rang(times=2)))
    forget(Ring, Rang)
    tape = await lab.store.open(tape.id)
    with pytest.raises(KindError):
        await lab.replay(tape, agent=agent)
    seen: list[str] = []

    def script(request: Any) -> str:
        seen.extend(message.text for message in request.prompt)
        return "more"

    other = ph.Agent("a", model=ph.ScriptedModel(script))
    tape = await lab.run(other, "go on", tape=tape)
    assert '{"times":2}' in seen  # an unknown observation, as the text that is stored
    assert tape.answer == "more"
    lab.agents.clear()


async def test_a_newer_version_of_a_known_action_is_unknown(lab: Lab) -> None:
    class Ring(ph.Action, kind="test.ring", version=2):
        pass

    agent = ringer(Ring)
    tape = await unanswered(lab, agent)
    forget(Ring)

    class Older(ph.Action, kind="test.ring"):
        pass

    with pytest.raises(KindError):
        await lab.resume(tape.id, agent=ringer(Older))
    lab.agents.clear()


async def test_unknown_thoughts_and_notes_are_no_matter(lab: Lab) -> None:
    class Idea(ph.Thought, kind="test.idea"):
        text: str

    class Mark(ph.Note, kind="test.mark"):
        text: str

    class Think(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Idea(text="hm"), Mark(text="m")]

    agent = agent_of("ok", "more", nodes=[Think("think"), ph.ToolCallingNode()])
    tape = await lab.run(agent)
    assert "test.idea" in kinds(tape)
    forget(Idea, Mark)
    plain = agent_of("more", nodes=[ph.ToolCallingNode("think"), ph.ToolCallingNode()])
    tape = await lab.run(plain, "and?", tape=tape.id)
    assert tape.answer == "more"
    lab.agents.clear()
