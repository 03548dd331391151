"""The agent without a model or a key: `python -m pytest`."""

from pathlib import Path

import playhead as ph
from playhead.evaluate import find_suite, run_suite_sync
from playhead.tape import ToolCallPart

FOLDER = Path(__file__).parent


def test_the_agent_asks_its_tool() -> None:
    """The tool is called before the agent answers."""
    agent = ph.read_agent(FOLDER / "agent.yaml").agent
    call = ToolCallPart(id="call_1", name="now", arguments={"zone": "America/Lima"})
    agent.model = ph.ScriptedModel([ph.assistant((call,)), "It is early in Lima."])

    tape = ph.run_sync(agent, "What time is it in Lima?", store=ph.MemoryStore())

    assert tape.answer == "It is early in Lima."
    assert [step.kind for step in tape if step.role in ("action", "observation")] == [
        "playhead.user_message",
        "playhead.tool_call",
        "playhead.tool_result",
        "playhead.assistant_message",
    ]


def test_the_suite_tells_who_looks_at_the_clock_from_who_does_not() -> None:
    """An agent that guesses passes no task of it."""
    suite = find_suite(str(FOLDER / "suite.yaml"))
    guesser = ph.Agent("guesser", model=ph.ScriptedModel(lambda request: "Noon, I guess."))

    result = run_suite_sync(suite, [guesser], store=ph.MemoryStore())

    assert [trial.passed for trial in result.trials] == [False] * len(suite.tasks)
