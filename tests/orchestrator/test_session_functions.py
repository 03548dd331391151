"""Typed functions at work: alone, as nodes, as tools of other agents."""

from __future__ import annotations

import json

import pytest
from session_kit import Lab, bodies, calls, every_crash

import playhead as ph
from playhead.agent import FunctionSpec
from playhead.errors import FunctionError, RunError
from playhead.llm import read_prompt
from playhead.tape.kinds import ModelCall, Output, OutputError, ParseError, Reflection, Return


def function(lab: Lab, *answers: str, **more: object) -> ph.LLMFunction:
    model = ph.ScriptedModel(list(answers))
    made = ph.llm_function(
        "question, context: list[str] -> answer, sure: bool",
        "Answer.",
        name="qa",
        model=model,
        **more,
    )
    lab.agents["qa"] = made.agent
    return made.using(store=lab.store)


GOOD = '{"answer": "Oslo", "sure": true}'


async def test_a_function_is_called_like_any_other(lab: Lab) -> None:
    result = await function(lab, GOOD)(question="Where?", context=["Norway"])
    assert (result.answer, result["sure"], result.outputs) == ("Oslo", True, json.loads(GOOD))
    assert result.tape is not None
    assert result.tape.status == "answered"
    (call,) = [step for step in result.tape if step.kind == ModelCall.kind]
    system, asked = read_prompt(result.tape, call)
    assert system.text.startswith("Answer.\n\nYou are given a JSON object with\n- `question`")
    assert json.loads(asked.text) == {"question": "Where?", "context": ["Norway"]}
    with pytest.raises(AttributeError, match="no output `answr`, only answer, sure"):
        _ = result.answr


async def test_demonstrations_are_shown_as_a_conversation(lab: Lab) -> None:
    shown = {
        "inputs": {"question": "q", "context": []},
        "outputs": {"answer": "a", "sure": False},
        "reasoning": "hm",
    }
    f = function(
        lab,
        '{"reasoning": "so", "answer": "a", "sure": true}',
        demonstrations=[shown],
        reasoning=True,
    )
    result = await f(question="Q", context=[])
    assert result.reasoning == "so"
    (call,) = [step for step in result.tape if step.kind == ModelCall.kind]
    roles = [(message.role, message.text) for message in read_prompt(result.tape, call)][1:]
    assert roles == [
        ("user", '{"question":"q","context":[]}'),
        ("assistant", '{"reasoning":"hm","answer":"a","sure":false}'),
        ("user", '{"question":"Q","context":[]}'),
    ]
    assert bodies(result.tape, Reflection)[0].text == "so"
    assert bodies(result.tape, Output)[0].value == {"answer": "a", "sure": True}


async def test_missing_fields_are_repaired_once(lab: Lab) -> None:
    result = await function(lab, '{"answer": "Oslo"}', GOOD)(question="Where?", context=[])
    assert result.answer == "Oslo"
    calls_ = [step for step in result.tape if step.kind == ModelCall.kind]
    again = read_prompt(result.tape, calls_[1])
    assert [message.role for message in again] == ["system", "user", "assistant", "user"]
    assert "`sure` is missing" in again[-1].text


async def test_then_a_typed_error(lab: Lab) -> None:
    f = function(lab, "I think Oslo.", '{"answer": 3, "sure": true, "more": 1}')
    with pytest.raises(FunctionError, match="`qa` gave nothing usable") as caught:
        await f(question="Where?", context=[])
    assert {fault.field for fault in caught.value.faults} == {"answer", "more"}
    tape = caught.value.tape
    assert (tape.status, len(bodies(tape, OutputError)), len(bodies(tape, ParseError))) == (
        "stopped",
        1,
        1,
    )


async def test_inputs_are_checked_before_anything_is_asked(lab: Lab) -> None:
    with pytest.raises(FunctionError, match="`context` is missing"):
        await function(lab)(question="Where?")
    assert await lab.tape_ids() == []


async def test_a_call_that_was_interrupted_is_finished(lab: Lab) -> None:
    f = function(lab, GOOD)
    with pytest.raises(FunctionError, match="has not come to its end") as caught:
        await f.using(budget=ph.Budget(model_calls=0))(question="Where?", context=[])
    assert (await f.resume(caught.value.tape)).answer == "Oslo"


async def test_a_loop_that_runs_is_told_of(lab: Lab) -> None:
    with pytest.raises(RunError, match="an event loop is running: `await qa"):
        function(lab, GOOD).sync(question="Where?", context=[])


async def test_functions_as_nodes_hand_on_what_they_found(lab: Lab) -> None:
    find = FunctionSpec.of("text -> city, days: int", name="find")
    judge = FunctionSpec.of("city, days: int, limit: int -> fits: bool", name="judge")
    nodes = [
        ph.FunctionNode(find, inputs={"text": "task"}),
        ph.FunctionNode(
            judge,
            inputs={
                "city": "outputs.find.city",
                "days": "outputs.find.days",
                "limit": {"value": 3},
            },
        ),
        ph.PromptNode("answer", prompt="{{ outputs.judge.fits }}"),
    ]
    script = ['{"city": "Oslo", "days": 2}', '{"fits": true}', "It fits."]
    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel(script), nodes=nodes), "Oslo, 2 days")
    assert tape.answer == "It fits."
    prompts = [read_prompt(tape, step) for step in tape if step.kind == ModelCall.kind]
    assert json.loads(prompts[1][-1].text) == {"city": "Oslo", "days": 2, "limit": 3}
    assert prompts[2][-1].text == "True"


async def test_a_path_that_leads_nowhere_is_a_typed_error(lab: Lab) -> None:
    judge = FunctionSpec.of("city -> fits: bool", name="judge")
    agent = ph.Agent(
        "a",
        model=ph.ScriptedModel([]),
        nodes=[ph.FunctionNode(judge, inputs={"city": "outputs.find.city"})],
    )
    tape = await lab.run(agent)
    assert bodies(tape, OutputError)[0].message.startswith("inputs: `city`")


def count_agent(*answers: str) -> ph.Agent:
    spec = FunctionSpec.of("word, letter -> count: int", name="count")
    return ph.Agent(
        "counter",
        description="Counts.",
        model=ph.ScriptedModel(list(answers)),
        nodes=[ph.FunctionNode(spec, becomes="answer")],
    )


async def test_a_function_is_a_typed_tool_of_another_agent(lab: Lab) -> None:
    offered: list[object] = []

    def lead(request: object) -> object:
        offered.append(request.tools[0].parameters)
        asked = any(message.role == "tool" for message in request.prompt)
        return (
            "Three." if asked else calls(("delegate_to_counter", {"word": "berry", "letter": "r"}))
        )

    boss = ph.Agent("boss", model=ph.ScriptedModel(lead), subagents=[count_agent('{"count": 2}')])
    tape = await lab.run(boss)
    assert list(offered[0]["properties"]) == ["word", "letter"]
    assert bodies(tape, Return)[0].text == '{"count":2}'
    assert tape.answer == "Three."


async def test_bad_arguments_come_back_to_who_asked(lab: Lab) -> None:
    script = [calls(("delegate_to_counter", {"word": "berry"})), "I see."]
    boss = ph.Agent("boss", model=ph.ScriptedModel(script), subagents=[count_agent()])
    tape = await lab.run(boss)
    assert "`letter` is missing" in bodies(tape, Return)[0].text


async def test_a_call_that_crashes_anywhere_comes_to_the_same_end(quick_lab: Lab) -> None:
    def make() -> ph.Agent:
        spec = FunctionSpec.of("text -> city", name="find")

        def say(request: object) -> str:
            again = any("missing" in message.text for message in request.prompt)
            return '{"city": "Oslo"}' if again else "{}"

        return ph.Agent(
            "find", model=ph.ScriptedModel(say), nodes=[ph.FunctionNode(spec, becomes="answer")]
        )

    async for tape, where in every_crash(quick_lab, make):
        tape = await quick_lab.resume(tape, agent=make())
        assert tape.answer == "Oslo", where
        assert len(bodies(tape, ParseError)) == 1, where


async def test_a_function_is_asked_again_with_the_inputs_that_it_was_given(lab: Lab) -> None:
    """What is wrong with its first answer is not what was said last."""
    for source in ("last", "asked"):
        spec = FunctionSpec.of("text -> city", name="find")
        node = ph.FunctionNode(spec, inputs={"text": source}, becomes="answer")
        model = ph.ScriptedModel(["{}", '{"city": "Oslo"}'])
        tape = await lab.run(ph.Agent(f"by_{source}", model=model, nodes=[node]), "To Norway")
        prompts = [read_prompt(tape, step) for step in tape if step.kind == ModelCall.kind]
        assert [json.loads(prompt[1].text) for prompt in prompts] == [{"text": "To Norway"}] * 2


async def test_a_function_that_is_talked_to_answers_what_was_asked_last(lab: Lab) -> None:
    def say(request: object) -> str:
        text = json.loads(request.prompt.messages()[-1].text)["text"]
        return json.dumps({"city": text.upper()})

    function = ph.llm_function("text -> city", name="find", model=ph.ScriptedModel(say))
    tape = await lab.run(function.agent, "oslo")
    tape = await lab.run(function.agent, "lima", tape=tape)
    assert tape.answer == "LIMA"
