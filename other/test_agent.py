"""The agent without a language model: `python -m pytest`."""

from pathlib import Path

import playhead as ph
from playhead.tape.kinds import Output, Plan, ToolCall

FOLDER = Path(__file__).parent


def rule_agent() -> ph.Agent:
    """The agent with the rule model, whatever model its file names."""
    from rules import model

    agent = ph.read_agent(FOLDER / "agent.yaml").agent
    agent.model = model
    return agent


def test_a_question_is_planned_looked_up_and_answered() -> None:
    """Every prompt leaves a typed step."""
    agent, store = rule_agent(), ph.MemoryStore()
    tape = ph.run_sync(agent, "When does the shop in Lima open?", store=store)
    assert tape.answer == "Our shop in Lima is open from 9 to 18."
    kinds = [step.kind for step in tape if step.kind in (Output.kind, Plan.kind, ToolCall.kind)]
    assert kinds == [Output.kind, Plan.kind, ToolCall.kind, Output.kind]
    assert ph.replay_sync(tape, agent=agent, store=store).ok


def test_small_talk_is_just_answered() -> None:
    """No plan is made of it."""
    tape = ph.run_sync(rule_agent(), "Good morning!", store=ph.MemoryStore())
    assert (tape.answer, [s for s in tape if s.kind == Plan.kind]) == ("Hello!", [])
