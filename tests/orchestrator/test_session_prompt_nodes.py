"""Agents whose nodes are data: choices, structured output, repair, budgets, crashes."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from session_kit import Lab, bodies, calls, every_crash, kinds

import playhead as ph
from playhead.errors import AgentError, NodeError
from playhead.llm import ModelRequest, read_prompt
from playhead.tape import Tape, Thought
from playhead.tape.kinds import (
    AssistantMessage,
    LeftOut,
    ModelCall,
    Output,
    OutputError,
    ParseError,
    Plan,
    Return,
    ToolResult,
)


class Found(Thought, kind="acme.found"):
    city: str
    days: int = 1


class Trip(BaseModel):
    city: str
    days: int


def prompts(tape: Tape) -> list[list[ph.Message]]:
    return [read_prompt(tape, step) for step in tape if step.kind == ModelCall.kind]


def agent_of(*answers: object, nodes: list[ph.Node], **more: object) -> ph.Agent:
    return ph.Agent("helper", model=ph.ScriptedModel(list(answers)), nodes=nodes, **more)


def traveller(model: ph.Model | None = None) -> ph.Agent:
    nodes = [
        ph.PromptNode("route", prompt="Talk or task?", choose={"talk": "answer", "task": "plan"}),
        ph.PromptNode("plan", prompt="Plan.", becomes="plan"),
        ph.PromptNode("act", prompt="Do {{ plan|join(', ') }}.", output=Trip),
        ph.PromptNode("reflect", prompt="Is {{ outputs.act.city }} right?", becomes="reflection"),
        ph.PromptNode("judge", prompt="Done?", choose={"yes": "answer", "no": "plan"}),
        ph.PromptNode("answer", prompt="Answer: {{ reflection }}"),
    ]
    return ph.Agent("traveller", model=model, nodes=nodes, instructions="You plan trips.")


TRIP = '{"city": "Oslo", "days": 2}'


async def test_one_agent_of_several_prompts(lab: Lab) -> None:
    script = [
        "task",
        "- go\n- stay",
        TRIP,
        "I think so.",
        "no",
        "- fly",
        TRIP,
        "Yes.",
        "Yes.",
        "Oslo!",
    ]
    tape = await lab.run(traveller(ph.ScriptedModel(script)), "Somewhere in Norway")
    assert tape.answer == "Oslo!"
    assert [body.items for body in bodies(tape, Plan)] == [("go", "stay"), ("fly",)]
    assert [body.value for body in bodies(tape, Output)][1] == {"city": "Oslo", "days": 2}
    said = [messages[-1].text for messages in prompts(tape)]
    assert said[2].startswith("Do go, stay.")
    assert said[3] == "Is Oslo right?"
    assert said[-1] == "Answer: Yes."
    assert prompts(tape)[0][0].text == "You plan trips."


async def test_after_an_answer_the_first_node_begins(lab: Lab) -> None:
    nodes = [
        ph.PromptNode("route", choose=["short", "long"]),
        ph.PromptNode("short"),
        ph.PromptNode("long"),
    ]
    agent = agent_of("short", "Yes.", "long", "Yes, indeed.", nodes=nodes)
    tape = await lab.run(agent)
    tape = await lab.run(agent, "Once more.", tape=tape)
    ran = [step.by.node for step in tape if step.kind == ModelCall.kind]
    assert ran == ["route", "short", "route", "long"]


@pytest.mark.parametrize("said", ["task", "**Task.**", " TASK\n", "It is a task, I think."])
async def test_a_choice_is_understood(lab: Lab, said: str) -> None:
    nodes = [ph.PromptNode("route", choose={"talk": "end", "task": "end"}), ph.PromptNode("end")]
    tape = await lab.run(agent_of(said, "ok", nodes=nodes))
    assert bodies(tape, Output)[0].value == "task"


async def test_a_choice_that_is_none_is_asked_for_again(lab: Lab) -> None:
    nodes = [ph.PromptNode("route", choose={"talk": "end", "task": "end"}), ph.PromptNode("end")]
    tape = await lab.run(agent_of("talk or task", "taskmaster", nodes=nodes))
    assert "answer with one of talk, task" in bodies(tape, ParseError)[0].message
    assert tape.status == "stopped"
    error = bodies(tape, OutputError)[0]
    assert (error.name, error.message[:15]) == ("route", "answer with one")


async def test_malformed_output_is_repaired_once(lab: Lab) -> None:
    node = ph.PromptNode("find", output=Trip, becomes="answer")
    tape = await lab.run(agent_of('{"city": "Oslo"}', f"```json\n{TRIP}\n```", nodes=[node]))
    assert bodies(tape, ParseError)[0].message.startswith("your answer does not fit: `days` is")
    assert tape.answer == '{"city":"Oslo","days":2}'


async def test_output_that_stays_malformed_is_a_typed_error(lab: Lab) -> None:
    nodes = [ph.PromptNode("find", output=Trip, retries=2), ph.PromptNode("answer")]
    agent = agent_of("no", "[]", '{"days": "x"}', "Hello.", "[]", TRIP, "Oslo.", nodes=nodes)
    tape = await lab.run(agent)
    assert (tape.status, len(bodies(tape, ParseError))) == ("stopped", 2)
    (error,) = bodies(tape, OutputError)
    assert [fault.field for fault in error.faults] == ["city", "days"]
    agent.model = ph.ScriptedModel(["[]", TRIP, "Oslo."])
    tape = await lab.run(agent, "Try again.", tape=tape)  # and the count begins anew
    assert tape.answer == "Oslo."


async def test_another_node_may_go_on_after_an_error(lab: Lab) -> None:
    nodes = [
        ph.PromptNode("find", output=Trip, retries=0, on_error="sorry"),
        ph.PromptNode("never"),
        ph.PromptNode("sorry"),
    ]
    tape = await lab.run(agent_of("no", "I could not.", nodes=nodes))
    assert tape.answer == "I could not."
    assert "playhead.output_error" not in str(prompts(tape)[-1][0])
    assert '"name":"find"' in prompts(tape)[-1][-1].text  # the node sees the error


async def test_an_error_in_a_subagent_comes_back_as_its_answer(lab: Lab) -> None:
    finder = ph.Agent(
        "finder", model=ph.ScriptedModel(["no", "no"]), nodes=[ph.PromptNode("find", output=Trip)]
    )
    boss = ph.Agent(
        "boss",
        model=ph.ScriptedModel([calls(("delegate_to_finder", {"task": "x"})), "It failed."]),
        subagents=[finder],
    )
    tape = await lab.run(boss)
    assert bodies(tape, Return)[0].text.startswith("node `find` got no usable output")
    assert tape.answer == "It failed."


async def test_an_output_that_is_a_kind_is_a_step_of_it(lab: Lab) -> None:
    nodes = [ph.PromptNode("find", output=Found), ph.PromptNode("answer")]
    tape = await lab.run(agent_of('{"city": "Oslo"}', "ok", nodes=nodes))
    (found,) = bodies(tape, Found)
    assert (found.city, found.days) == ("Oslo", 1)


async def test_a_json_schema_gives_plain_data(lab: Lab) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
    node = ph.PromptNode("count", output=schema)
    tape = await lab.run(agent_of('{"n": 2}', '{"n": 3}', nodes=[node]))
    assert bodies(tape, Output)[0].value == {"n": 3}
    assert "`n` 2 is less than" in bodies(tape, ParseError)[0].message


async def test_tools_are_called_until_there_is_an_answer(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def look() -> str:
        return "seen"

    nodes = [
        ph.PromptNode("plan", becomes="plan", prompt="Plan."),
        ph.PromptNode("act", tools=True),
    ]
    tape = await lab.run(agent_of("- look", calls("look"), "Seen.", nodes=nodes, tools=[look]))
    assert bodies(tape, ToolResult)[0].result == "seen"
    assert tape.answer == "Seen."
    offered: list[int] = []

    def watch(request: ModelRequest) -> object:
        offered.append(len(request.tools))
        return ["- look", calls("look"), "Seen."][len(offered) - 1]

    model = ph.ScriptedModel(watch)
    await lab.run(ph.Agent("helper", model=model, nodes=nodes, tools=[look]))
    assert offered == [0, 1, 1]


async def test_settings_of_a_node_go_over_those_of_the_agent(lab: Lab) -> None:
    seen: list[dict[str, object]] = []

    def watch(request: ModelRequest) -> str:
        seen.append(dict(request.settings))
        return "ok"

    node = ph.PromptNode("say", settings={"temperature": 1})
    settings = {"temperature": 0, "top_p": 0.5}
    agent = ph.Agent("a", model=ph.ScriptedModel(watch), nodes=[node], settings=settings)
    tape = await lab.run(agent)
    assert seen == [{"temperature": 1, "top_p": 0.5}]
    assert bodies(tape, ModelCall)[0].prompt.settings == seen[0]
    assert "temperature" in str(agent.config()["nodes"])


async def test_a_window_is_the_newest_messages(lab: Lab) -> None:
    agent = agent_of("a", "b", "c", nodes=[ph.PromptNode("say", window=1)])
    tape = await lab.run(agent, "one")
    tape = await lab.run(agent, "two", tape=tape)
    assert [m.text for m in prompts(tape)[-1]] == ["two"]
    node = ph.PromptNode("say", window=0, prompt="Just this.")
    nothing = ph.Agent("other", model=ph.ScriptedModel(["a"]), nodes=[node])
    assert [m.text for m in prompts(await lab.run(nothing))[0]] == ["Just this."]


async def test_what_a_budget_leaves_out_is_on_the_tape(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def look(n: int) -> str:
        return f"{n}" * 1000

    node = ph.PromptNode("act", tools=True, budget={"tokens": 420, "recent": 1})
    script = [calls(("look", {"n": n}), first=n) for n in range(1, 7)]
    tape = await lab.run(agent_of(*script, "Done.", nodes=[node], tools=[look]), "Look at it.")
    notes = bodies(tape, LeftOut)
    assert notes
    assert notes[0].policy == ("results",)
    assert notes[-1].policy == ("results", "oldest") or notes[-1].shortened
    for messages in prompts(tape):
        assert messages[0].text == "Look at it."
        assert node.budget.estimate(messages) <= 420


async def test_a_prompt_that_cannot_fit_stops_and_can_be_mended(lab: Lab) -> None:
    small = agent_of("ok", nodes=[ph.PromptNode("say", budget=5)])
    with pytest.raises(NodeError, match="does not fit into 5 tokens"):
        await lab.run(small, "A task that is a good deal longer than that.")
    large = agent_of("ok", nodes=[ph.PromptNode("say", budget=500)])
    assert (await lab.resume(await lab.newest(), agent=large)).answer == "ok"


async def test_the_clock_in_a_template_is_that_of_the_recording(lab: Lab) -> None:
    tape = await lab.run(agent_of("ok", nodes=[ph.PromptNode("say", prompt="It is {{ now }}.")]))
    report = await lab.replay(tape, agent=lab.agents["helper"])
    assert report.ok
    assert prompts(tape)[0][-1].text.startswith("It is 20")


def by_question(request: ModelRequest) -> str:
    """Answers by what the node asks, so that it says the same after a crash."""
    asked = request.prompt.messages()[-1].text
    said = [message.text for message in request.prompt]
    for word, answer in (("Talk", "task"), ("Plan", "- go"), ("Is ", "So it is."), ("Done", "yes")):
        if asked.startswith(word):
            return answer
    if asked.startswith("Do "):
        return TRIP if any("does not fit" in text for text in said) else "{}"
    return "Oslo!"


async def test_a_session_that_crashes_anywhere_comes_to_the_same_end(quick_lab: Lab) -> None:
    def make() -> ph.Agent:
        return traveller(ph.ScriptedModel(by_question))

    async for tape, where in every_crash(quick_lab, make):
        tape = await quick_lab.resume(tape, agent=make())
        assert tape.answer == "Oslo!", where
        assert len(bodies(tape, ParseError)) == 1, where
        assert kinds(tape).count("plan") == 1, where


async def test_a_fork_goes_another_way(lab: Lab) -> None:
    tape = await lab.run(traveller(ph.ScriptedModel(by_question)))
    at = next(step.seq for step in tape if step.kind == Plan.kind)
    child = await lab.fork(tape, at=at + 1, agent=traveller(ph.ScriptedModel(by_question)))
    assert child.answer == "Oslo!"
    assert [step.header for step in child[: at + 1]] == [step.header for step in tape[: at + 1]]
    assert len(bodies(child, AssistantMessage)) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"becomes": "thought"}, "becomes answer, output, plan, reflection, not `thought`"),
        ({"output": Trip, "choose": ["a"]}, "has an `output` and a choice"),
        ({"output": Trip, "becomes": "plan"}, "a plan is made of text"),
        ({"window": 3, "budget": 5}, "a window and a budget"),
        ({"retries": -1}, "cannot ask again"),
        ({"output": 3}, "a pydantic model or a JSON Schema, not 3"),
        ({"output": LeftOut}, "is no kind of thought"),
        ({"choose": {"a": "nowhere"}}, "goes on to `nowhere`, which is none of say"),
        ({"on_error": "nowhere"}, "goes on to `nowhere`"),
    ],
)
async def test_contradictions_are_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(AgentError, match=said):
        agent_of(nodes=[ph.PromptNode("say", **arguments)])


async def test_what_was_asked_last_and_first_are_told_apart(lab: Lab) -> None:
    node = ph.PromptNode("say", prompt="{{ task }}/{{ asked }}/{{ last }}", window=0)
    agent = agent_of("one", "two", nodes=[node])
    tape = await lab.run(agent, "first")
    tape = await lab.run(agent, "second", tape=tape)
    assert [messages[-1].text for messages in prompts(tape)] == [
        "first/first/first",
        "first/second/second",
    ]
