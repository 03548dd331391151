"""The team without a language model: `python -m pytest`."""

from pathlib import Path

import playhead as ph
from playhead.tape.kinds import Finish, Return

FOLDER = Path(__file__).parent


def rule_team() -> ph.Agent:
    """The team with the rule model, whatever model its file names."""
    from rules import model

    agent = ph.read_agent(FOLDER / "agent.yaml").agent
    agent.model = model
    return agent


def test_the_critic_finishes_when_it_is_content() -> None:
    """A typed step ends the chat, not a word in a text."""
    team, store = rule_team(), ph.MemoryStore()
    tape = ph.run_sync(team, "Announce our new shop in Oslo", store=store)
    assert tape.answer == "Announce our new shop in Oslo: come and see!"
    spoke = [step.body.agent for step in tape if isinstance(step.body, Return)]
    assert spoke == ["writer", "critic", "writer", "critic"]
    assert sum(step.kind == Finish.kind for step in tape) == 1
    assert ph.replay_sync(tape, agent=team, store=store).ok
