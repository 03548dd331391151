"""Models that misbehave: what was paid for is kept, nothing is asked twice, sessions go on."""

from __future__ import annotations

from typing import Any

import pytest
from session_kit import Lab, agent_of, bodies, by_history, calls, every_crash, kinds

import playhead as ph
from playhead.errors import (
    CutCompletionError,
    ModelError,
    ModelRequestError,
    ModelUnavailableError,
    NodeError,
    RunError,
)
from playhead.llm import CallIdentity, Completion, ModelRequest
from playhead.tape import Message, ReasoningPart, TextPart, ToolCallPart, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Attempt,
    Context,
    ModelCall,
    NextNode,
    ParseError,
    Pause,
    ToolCall,
    ToolError,
    ToolResult,
    Usage,
)


@ph.tool(effect="read", thread=False)
def look(at: str = "") -> str:
    return f"saw {at}"


class Odd(ph.Model):
    """Gives what it was given, whatever it is."""

    name, provider = "odd", "test"

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def complete(self, request: ModelRequest, on_delta: Any = None) -> Any:
        self.calls += 1
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "answer",
    [None, "a text", 5, ph.assistant("no completion"), Completion(message="text"), object()],  # type: ignore[arg-type]
    ids=["none", "text", "number", "message", "inner text", "object"],
)
async def test_answers_that_are_no_completion(lab: Lab, answer: object) -> None:
    model = Odd(answer, Completion(message=ph.assistant("ok")))
    agent = ph.Agent("a", model=model)
    with pytest.raises(ModelUnavailableError, match="instead of a completion"):
        await lab.run(agent)
    tape = await lab.newest()
    assert [call.status for call in bodies(tape, ModelCall)] == ["failed"]
    assert tape.status == "paused"
    assert (await lab.resume(tape, agent=agent)).answer == "ok"


async def test_a_completion_of_another_role(lab: Lab) -> None:
    agent = ph.Agent("a", model=Odd(Completion(message=ph.user("I am you"))))
    with pytest.raises(ModelUnavailableError, match="role `user`"):
        await lab.run(agent)


@pytest.mark.parametrize(
    "completion",
    [
        Completion(message=Message(role="assistant", parts=(TextPart(content="\ud83d"),))),
        Completion(message=ph.assistant((ToolCallPart(id="1", name="x", arguments=float("nan")),))),
        Completion(message=ph.assistant((ToolCallPart(id="1", name="x", arguments="\udc00"),))),
        Completion(message=ph.assistant("ok"), token_ids=[float("inf")]),
        Completion(message=ph.assistant("ok"), logprobs={"a": "\ud83d"}),
    ],
    ids=["text", "nan", "arguments", "token ids", "logprobs"],
)
async def test_completions_that_cannot_be_written(lab: Lab, completion: Completion) -> None:
    agent = ph.Agent("a", model=Odd(completion, Completion(message=ph.assistant("fine"))))
    with pytest.raises(ModelUnavailableError, match="cannot be written"):
        await lab.run(agent)
    tape = await lab.newest()
    assert kinds(tape)[-2:] == ["model_call", "pause"]
    assert bodies(tape, ModelCall)[0].status == "failed"
    assert (await lab.resume(tape, agent=agent)).answer == "fine"


async def test_usage_that_is_none(lab: Lab) -> None:
    odd = Completion(message=ph.assistant("ok"), usage={"in": 1})  # type: ignore[arg-type]
    with pytest.raises(ModelUnavailableError, match="ValidationError"):
        await lab.run(ph.Agent("a", model=Odd(odd)))


async def test_a_price_that_cannot_be_told_costs_no_completion(lab: Lab) -> None:
    class Priced(Odd):
        def price(self, usage: Usage) -> Any:
            raise ZeroDivisionError

    completion = Completion(
        message=ph.assistant("ok"), usage=Usage(input_tokens=1, output_tokens=1)
    )
    tape = await lab.run(ph.Agent("a", model=Priced(completion)))
    assert tape.answer == "ok"
    assert bodies(tape, ModelCall)[0].price is None


async def test_foreign_exceptions_become_ours(lab: Lab) -> None:
    agent = agent_of(ConnectionResetError("gone"), "ok")
    with pytest.raises(ModelUnavailableError, match="ConnectionResetError: gone") as caught:
        await lab.run(agent)
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    tape = await lab.newest()
    (call,) = bodies(tape, ModelCall)
    assert (call.status, call.message) == ("failed", None)
    assert "ConnectionResetError" in call.error
    assert (bodies(tape, Pause)[0].reason, tape.status) == ("error", "paused")
    assert (await lab.resume(tape, agent=agent)).answer == "ok"


async def test_half_a_surrogate_pair_in_an_exception(lab: Lab) -> None:
    with pytest.raises(ModelUnavailableError):
        await lab.run(agent_of(ValueError("\ud83d")))
    assert r"\ud83d" in bodies(await lab.newest(), ModelCall)[0].error


async def test_our_exceptions_stay_what_they_are(lab: Lab) -> None:
    attempts = (Attempt(started="2026-01-01T00:00:00.000000Z", seconds=1.0, error="503"),)
    refused = ModelRequestError("no such model", attempts=attempts)
    with pytest.raises(ModelRequestError, match="no such model"):
        await lab.run(agent_of(refused))
    assert bodies(await lab.newest(), ModelCall)[0].attempts == attempts


def cut(text: str) -> CutCompletionError:
    completion = Completion(message=ph.assistant(text), status="incomplete")
    return CutCompletionError("cut", completion=completion)


async def test_a_cut_completion_is_recorded_and_asked_for_again(lab: Lab) -> None:
    tape = await lab.run(agent_of(cut("It ra"), cut("It rai"), "It rains."))
    found = bodies(tape, ModelCall)
    assert [call.status for call in found] == ["incomplete", "incomplete", "complete"]
    assert [call.message.text for call in found] == ["It ra", "It rai", "It rains."]
    assert [body.text for body in bodies(tape, AssistantMessage)] == ["It rains."]


async def test_a_completion_marked_incomplete_counts_as_cut(lab: Lab) -> None:
    half = Completion(message=calls("look"), status="incomplete")
    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel([half, "ok"]), tools=[look]))
    assert bodies(tape, ToolCall) == []
    assert tape.answer == "ok"


async def test_after_three_cuts_it_gives_up_and_can_be_resumed(lab: Lab) -> None:
    agent = agent_of(cut("a"), cut("b"), cut("c"), "d")
    with pytest.raises(CutCompletionError):
        await lab.run(agent)
    tape = await lab.newest()
    assert kinds(tape)[-4:] == ["model_call"] * 3 + ["pause"]
    assert (await lab.resume(tape, agent=agent)).answer == "d"


async def test_a_cut_completion_that_cannot_be_written(lab: Lab) -> None:
    half = Completion(message=Message(role="assistant", parts=(TextPart(content="\ud83d"),)))
    agent = agent_of(CutCompletionError("cut", completion=half), "ok")
    tape = await lab.run(agent)
    assert [call.status for call in bodies(tape, ModelCall)] == ["incomplete", "complete"]
    assert bodies(tape, ModelCall)[0].message is None


async def test_calls_are_counted_by_frame_and_node(lab: Lab) -> None:
    identities: list[CallIdentity | None] = []

    def script(request: ModelRequest) -> object:
        identities.append(request.identity)
        if len(identities) == 1:
            return cut("x")
        return calls("look") if len(identities) == 2 else "ok"

    await lab.run(ph.Agent("a", model=ph.ScriptedModel(script), tools=[look]))
    assert identities == [CallIdentity(0, "act", n) for n in range(3)]


async def test_what_failed_is_asked_again_and_what_did_not_is_not(lab: Lab) -> None:
    model = by_history(calls("look"), "seen")
    failing = ph.ScriptedModel([calls("look"), ConnectionError("down")])
    with pytest.raises(ModelUnavailableError):
        await lab.run(ph.Agent("a", model=failing, tools=[look]))
    agent = ph.Agent("a", model=model, tools=[look])
    tape = await lab.resume(await lab.newest(), agent=agent)
    assert tape.answer == "seen"
    assert (failing.calls, model.calls) == (2, 1)
    assert len(bodies(tape, ToolResult)) == 1


async def test_a_failed_call_does_not_skip_its_node(lab: Lab) -> None:
    class Say(ph.Node):
        def make_prompt(self, view, ctx):
            return ph.Prompt.of(view.messages)

        def generate_steps(self, view, completion, ctx):
            return [AssistantMessage(parts=text_parts(f"{self.name}: {completion.text}"))]

    class Skip(Say):
        def generate_steps(self, view, completion, ctx):
            return [NextNode(node="third")]

    nodes = [Skip("first"), Say("second"), Say("third"), Say("fourth")]
    agent = agent_of("1", ConnectionError("down"), "3", nodes=nodes)
    with pytest.raises(ModelUnavailableError):
        await lab.run(agent)
    tape = await lab.resume(await lab.newest(), agent=agent)
    assert tape.answer == "third: 3"


class Parser(ph.Node):
    """Raises until it is mended; reads the clock before and after."""

    def __init__(self, name: str, *, works: bool) -> None:
        super().__init__(name)
        self.works = works

    def make_prompt(self, view, ctx):
        return ph.Prompt.of(ph.system(f"{ctx.now()} {ctx.rng.random()}"), view.messages)

    def generate_steps(self, view, completion, ctx):
        if not self.works:
            raise ValueError("cannot parse \ud83d")
        text = f"{completion.text} at {ctx.now()} {ctx.rng.random()} of {len(view.messages)}"
        return [AssistantMessage(parts=text_parts(text))]


async def test_a_completion_of_which_the_node_made_nothing_is_not_asked_for_again(
    lab: Lab,
) -> None:
    model = ph.ScriptedModel(["noon"])
    broken = ph.Agent("a", model=model, nodes=[Parser("parse", works=False)])
    with pytest.raises(NodeError, match="ValueError: cannot parse"):
        await lab.run(broken)
    tape = await lab.newest()
    assert kinds(tape)[3:] == ["model_call", "context", "pause"]
    with pytest.raises(NodeError):
        await lab.resume(tape, agent=broken)
    mended = ph.Agent("a", model=model, nodes=[Parser("parse", works=True)])
    tape = await lab.resume(tape.id, agent=mended)
    assert model.calls == 1
    assert tape.answer.startswith("noon at ")
    assert tape.answer.endswith("of 1")  # the view is the one of before the completion
    contexts = bodies(tape, Context)
    assert contexts[0].now == contexts[-1].now[:1]
    assert contexts[0].seed == contexts[-1].seed


@pytest.mark.parametrize(
    "made",
    [
        5,
        None,
        "text",
        ["text"],
        [None],
        [ToolResult(name="x", result=float("nan"))],
        [ToolCall(name="x", arguments="\ud83d")],
        [NextNode(node="nowhere")],
        [Pause(reason="error", message="mine")],
        [ph.Observation()],
    ],
)
async def test_what_a_node_must_not_make(lab: Lab, made: Any) -> None:
    class Makes(ph.Node):
        def make_prompt(self, view, ctx):
            return ph.Prompt.of(view.messages)

        def generate_steps(self, view, completion, ctx):
            return made

    model = ph.ScriptedModel(["paid"])
    with pytest.raises(NodeError):
        await lab.run(ph.Agent("a", model=model, nodes=[Makes("same")]))
    tape = await lab.newest()
    assert kinds(tape)[3:] == ["model_call", "pause"]

    class Same(ph.Node):
        def make_prompt(self, view, ctx):
            return ph.Prompt.of(view.messages)

        def generate_steps(self, view, completion, ctx):
            return [AssistantMessage(parts=text_parts(completion.text))]

    tape = await lab.resume(tape, agent=ph.Agent("a", model=model, nodes=[Same("same")]))
    assert (tape.answer, model.calls) == ("paid", 1)


@pytest.mark.parametrize(
    "prompt",
    [
        "text",
        [ph.user("a")],
        ph.Prompt(("text",)),  # type: ignore[arg-type]
        ph.Prompt.of(Message(role="user", parts=(TextPart(content="\ud83d"),))),
    ],
    ids=["text", "list", "inner", "half"],
)
async def test_prompts_that_are_none(lab: Lab, prompt: Any) -> None:
    class Asks(ph.Node):
        def make_prompt(self, view, ctx):
            return prompt

    model = ph.ScriptedModel(["never"])
    with pytest.raises(NodeError):
        await lab.run(ph.Agent("a", model=model, nodes=[Asks("ask")]))
    assert model.calls == 0
    assert (await lab.newest()).status == "paused"
    lab.agents.clear()


async def test_a_prompt_that_raises(lab: Lab) -> None:
    class Asks(ph.Node):
        def make_prompt(self, view, ctx):
            raise LookupError("no template")

    with pytest.raises(NodeError, match="LookupError: no template") as caught:
        await lab.run(agent_of("x", nodes=[Asks("ask")]))
    assert (caught.value.node, caught.value.agent) == ("ask", "helper")


async def test_no_model_at_all(lab: Lab) -> None:
    agent = ph.Agent("a")
    with pytest.raises(ph.PlayheadError, match="pass `model=`"):
        await lab.run(agent)
    tape = await lab.resume(await lab.newest(), agent=ph.Agent("a", model=ph.ScriptedModel(["x"])))
    assert tape.answer == "x"


async def test_parse_errors_are_given_back_to_a_react_agent(lab: Lab) -> None:
    prompts: list[list[Message]] = []
    script = [
        'Action:\n```\n{"action": "look", "action_input": {"at": ]}\n```',
        'Action:\n```\n{"action": "look", "action_input": {"at": "sky"}}\n```',
        'Action:\n```\n{"action": "Final Answer", "action_input": "blue"}\n```',
    ]

    def say(request: ModelRequest) -> str:
        prompts.append(request.prompt.messages())
        return script[len(prompts) - 1]

    agent = ph.Agent("a", model=ph.ScriptedModel(say), nodes=[ph.ReActNode()], tools=[look])
    tape = await lab.run(agent)
    assert len(bodies(tape, ParseError)) == 1
    assert prompts[1][-1].role == "user"
    assert "I could not read that" in prompts[1][-1].text
    assert prompts[2][-1].text == "Observation: saw sky"
    assert tape.answer == "blue"


async def test_tool_calls_without_ids_get_some_and_doubles_too(lab: Lab) -> None:
    parts = [
        ToolCallPart(name="look", arguments={"at": "a"}),
        ToolCallPart(id="", name="look", arguments={"at": "b"}),
        ToolCallPart(id="same", name="look", arguments={"at": "c"}),
        ToolCallPart(id="same", name="look", arguments={"at": "d"}),
    ]
    tape = await lab.run(agent_of(ph.assistant(parts), "ok", tools=[look]))
    ids = [body.call_id for body in bodies(tape, ToolCall)]
    assert len(set(ids)) == 4
    assert "same" in ids
    assert [part.id for part in bodies(tape, ModelCall)[0].message.tool_calls] == ids


async def test_arguments_that_are_no_json(lab: Lab) -> None:
    part = ToolCallPart(id="1", name="look", arguments='{"at": ')
    completion = Completion(message=ph.assistant((part,)), bad_arguments={"1": "it ends too soon"})
    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel([completion, "ok"]), tools=[look]))
    (error,) = bodies(tape, ParseError)
    assert error.call_id == "1"
    assert "no JSON" in error.message


async def test_a_completion_with_reasoning_and_nothing_else(lab: Lab) -> None:
    completion = Completion(message=ph.assistant((ReasoningPart(content="hm"),)))
    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel([completion])))
    assert (tape.answer, tape.status) == ("", "answered")


async def test_every_crash_of_a_session_asks_nothing_twice(quick_lab: Lab) -> None:
    """Unless the process ended between the provider's answer and the append."""
    lab = quick_lab
    stored = 0

    def make() -> ph.Agent:
        model = by_history(calls(("look", {"at": "a"})), calls(("look", {"at": "b"})), "both")
        return ph.Agent("a", model=model, tools=[look])

    async for tape, where in every_crash(lab, make):
        before = len(bodies(tape, ModelCall))
        agent = make()
        tape = await lab.resume(tape, agent=agent)
        assert tape.answer == "both", where
        assert len(bodies(tape, ModelCall)) == 3, where
        assert agent.model.calls == 3 - before, where
        assert len(bodies(tape, ToolResult)) == 2
        stored += 1
    assert stored > 8


async def test_raw_answers_are_kept_as_they_came(lab: Lab) -> None:
    completion = Completion(message=ph.assistant("ok"), raw='{"x": "\ud83d"}')
    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel([completion])))
    raw = bodies(tape, ModelCall)[0].raw
    assert (raw.content, raw.escaped) == (r'{"x": "\ud83d"}', True)


async def test_a_tape_on_which_nobody_spoke_is_refused(lab: Lab) -> None:
    agent = agent_of("ok")
    tape = await lab.run(agent)
    child = await lab.fork(tape, at=1, agent=agent, go_on=False)
    with pytest.raises(RunError, match="nobody has said anything"):
        await lab.resume(child, agent=agent)
    assert isinstance(ModelError("x"), ph.PlayheadError)
    assert bodies(tape, ToolError) == []
