"""Limits of a run: it pauses at a limit, and goes on with more."""

from __future__ import annotations

import pytest
from session_kit import Lab, agent_of, bodies, calls, kinds

import playhead as ph
from playhead.llm import Completion, Rates
from playhead.tape.kinds import Pause, ToolResult, Usage


@ph.tool(effect="write", thread=False)
def act() -> str:
    return "done"


class Paid(ph.ScriptedModel):
    """Each call uses 100 tokens and costs a dollar."""

    def price(self, usage: Usage):
        return Rates(1e6, 0.0, 0.0, as_of="2026-01-01", source="test").price(
            Usage(input_tokens=1, output_tokens=0)
        )


def worker(turns: int = 4) -> ph.Agent:
    usage = Usage(input_tokens=60, output_tokens=40)
    asks = [Completion(message=calls("act", first=n), usage=usage) for n in range(turns)]
    return ph.Agent("worker", model=Paid([*asks, "done"]), tools=[act])


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        (ph.Budget(model_calls=1), "1 model calls"),
        (ph.Budget(steps=5), "5 steps"),
        (ph.Budget(tokens=100), "100 tokens (used 100)"),
        (ph.Budget(usd=1.0), "1.0 US dollars (used 1.000000)"),
        (ph.Budget(seconds=0.0), "0.0 seconds"),
    ],
)
async def test_each_kind_of_limit_pauses(lab: Lab, budget: ph.Budget, named: str) -> None:
    agent = worker()
    tape = await lab.run(agent, budget=budget)
    assert tape.status == "paused"
    (pause,) = bodies(tape, Pause)
    assert pause.reason == "budget"
    assert named in pause.message
    tape = await lab.resume(tape, agent=agent)
    assert (tape.status, tape.answer) == ("answered", "done")
    assert len(bodies(tape, ToolResult)) == 4


async def test_a_limit_counts_what_this_run_uses(lab: Lab) -> None:
    agent = worker(4)
    tape = await lab.run(agent, budget=ph.Budget(model_calls=2))
    for made in (4, 5):
        tape = await lab.resume(tape, agent=agent, budget=ph.Budget(model_calls=2))
        assert kinds(tape).count("model_call") == made
    assert tape.answer == "done"


async def test_an_action_that_was_not_begun_simply_runs_later(lab: Lab) -> None:
    agent = worker(1)
    tape = await lab.run(agent, budget=ph.Budget(model_calls=1))
    (pause,) = bodies(tape, Pause)
    assert list(pause.not_started) == list(tape.fold().open)
    assert "tool_result" not in kinds(tape)
    tape = await lab.resume(tape, agent=agent)
    assert "decision_request" not in kinds(tape)
    assert tape.answer == "done"


async def test_an_answer_within_the_limit_is_an_answer(lab: Lab) -> None:
    tape = await lab.run(agent_of("ok"), budget=ph.Budget(model_calls=1))
    assert (tape.status, tape.answer) == ("answered", "ok")


async def test_nothing_at_all_is_allowed(lab: Lab) -> None:
    agent = agent_of("ok")
    tape = await lab.run(agent, budget=ph.Budget(model_calls=0))
    assert (tape.status, agent.model.calls) == ("paused", 0)
    assert (await lab.resume(tape, agent=agent)).answer == "ok"


async def test_an_agent_that_runs_in_circles_is_stopped_by_default(quick_lab: Lab) -> None:
    agent = ph.Agent("a", model=ph.ScriptedModel(lambda request: calls("act")), tools=[act])
    tape = await quick_lab.run(agent)
    assert kinds(tape).count("model_call") == 200
    quick_lab.agents.clear()


async def test_without_any_limit(quick_lab: Lab) -> None:
    agent = worker(210)
    tape = await quick_lab.run(agent, budget=ph.Budget.unlimited())
    assert tape.answer == "done"


async def test_a_user_is_not_asked_beyond_the_limit(lab: Lab) -> None:
    agent = ph.Agent("a", model=ph.ScriptedModel(lambda request: "and?"))
    tape = await lab.run(
        agent, environment=ph.User(lambda text: "go on"), budget=ph.Budget(steps=9)
    )
    assert tape.status == "paused"
    assert len(tape) < 14
