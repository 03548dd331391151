"""The office as an environment: lenient arguments, its own messages, a state that is rebuilt."""

from __future__ import annotations

import pytest

import playhead as ph
from playhead.environment import Environments, ToolContext
from playhead.errors import RunError
from playhead.office import (
    OfficeEnvironment,
    same_tables,
    sample_office,
    sample_runs,
    sample_tasks,
)
from playhead.tape import Json
from playhead.tape.kinds import ToolCall, ToolError, ToolResult

DATA = sample_office()


async def call(
    environment: ph.Environment, name: str, arguments: Json
) -> ToolResult | ToolError | None:
    observation = await environment.answer(
        ToolCall(name=name, arguments=arguments), ToolContext("key", "tape")
    )
    assert observation is None or isinstance(observation, ToolResult | ToolError)
    return observation


def test_it_offers_the_27_tools_with_their_effects():
    environment = OfficeEnvironment(DATA)
    assert [tool.name for tool in environment.tools()] == [t.name for t in DATA.fresh().tools]
    assert len(environment.tools()) == 27
    for tool in DATA.fresh().tools:
        assert environment.effect_of(tool.name) == tool.effect
    assert environment.state_contract == "rebuildable"
    schema = environment.tools()[0].schema
    assert schema.description.startswith("Send an email")
    assert schema.parameters["properties"]["recipient"] == {  # type: ignore[index,call-overload]
        "description": "Address of the recipient.", "type": "string",
    }  # fmt: skip


def test_it_offers_the_tools_of_some_domains_and_the_directory():
    environment = OfficeEnvironment(DATA, domains=["calendar"])
    domains = {tool.name.partition(".")[0] for tool in environment.tools()}
    assert domains == {"calendar", "company_directory"}


@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: Environments([e])])
async def test_an_unknown_tool_is_told_with_the_choice(wrap):
    environment = wrap(OfficeEnvironment(DATA, domains=["company_directory"]))
    observation = await call(environment, "calendar.search_events", {})
    assert isinstance(observation, ToolError)
    assert observation.code == "unknown_tool"
    assert observation.message == (
        "calendar.search_events is not a valid tool, try one of "
        "[company_directory.find_email_address]."
    )


async def test_arguments_are_read_leniently_and_not_checked():
    environment = OfficeEnvironment(DATA)
    find = "company_directory.find_email_address"
    exact = await call(environment, find, {"name": "hassan"})
    assert isinstance(exact, ToolResult)
    assert exact.result == ["hassan.demir@northwind.example"]
    for arguments in ("hassan", {"name": "hassan", "nobody": "asks"}):
        assert await call(environment, find, arguments) == exact
    own = await call(environment, "calendar.create_event", {"event_name": 7})
    assert isinstance(own, ToolResult)
    assert own.result == "Participant email not provided."
    nothing = await call(environment, find, {})
    assert isinstance(nothing, ToolResult)
    assert nothing.result == "Name not provided."


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("calendar.search_events", {"time_min": "soon"}, "ValueError: cannot read 'soon'"),
        ("calendar.search_events", {"query": "("}, "missing ), unterminated"),
        ("company_directory.find_email_address", {"name": 3}, "AttributeError: "),
        ("email.search_emails", [1], "TypeError: the input of a tool is an object"),
        ("email.search_emails", None, "TypeError: the input of a tool is an object"),
    ],
)
async def test_what_the_office_raises_becomes_an_error(name: str, arguments: Json, message: str):
    observation = await call(OfficeEnvironment(DATA), name, arguments)
    assert isinstance(observation, ToolError)
    assert observation.code == "raised"
    assert message in observation.message


async def test_reset_gives_a_clean_office_and_two_environments_share_nothing():
    one, other = OfficeEnvironment(DATA), OfficeEnvironment(DATA)
    await call(one, "calendar.delete_event", {"event_id": "00000027"})
    assert not same_tables(one.office, other.office)
    before = one.office
    await one.reset("a task")
    assert one.office is not before
    assert same_tables(one.office, other.office)


async def test_a_resumed_session_finds_its_office_rebuilt():
    task, run = sample_tasks()[7], sample_runs()[7]

    def agent(*completions: str) -> ph.Agent:
        model = ph.ScriptedModel(completions, name="hand-written")
        return ph.Agent("office", model=model, nodes=[ph.ReActNode()])

    store, live = ph.MemoryStore(), OfficeEnvironment(DATA)
    paused = await ph.run(
        agent(*run.completions), task.query, environment=live, store=store,
        budget=ph.Budget(model_calls=4),
    )  # fmt: skip
    assert paused.status == "paused"
    rebuilt = OfficeEnvironment(DATA)
    tape = await ph.resume(
        paused.id, agent=agent(*run.completions[4:]), environment=rebuilt, store=store
    )
    assert tape.status == "answered"
    whole = OfficeEnvironment(DATA)
    await ph.run(agent(*run.completions), task.query, environment=whole, store=store)
    assert same_tables(rebuilt.office, whole.office)
    assert not same_tables(rebuilt.office, live.office)


async def test_an_office_that_answers_otherwise_is_not_taken_for_the_recorded_one():
    class Changed(OfficeEnvironment):
        async def reset(self, task: str | None = None) -> None:
            await super().reset(task)
            self.office.call("calendar.delete_event", {"event_id": "00000027"})

    task, run = sample_tasks()[0], sample_runs()[0]
    model = ph.ScriptedModel(run.completions)
    agent = ph.Agent("office", model=model, nodes=[ph.ReActNode()])
    store = ph.MemoryStore()
    budget = ph.Budget(model_calls=2)
    tape = await ph.run(
        agent, task.query, environment=OfficeEnvironment(DATA), store=store, budget=budget
    )
    with pytest.raises(RunError, match="could not be rebuilt"):
        await ph.resume(tape.id, agent=agent, environment=Changed(DATA), store=store)
