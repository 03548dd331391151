"""Tools that misbehave: always a typed step, a valid tape, a session that goes on."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from session_kit import Lab, agent_of, bodies, calls, kinds

import playhead as ph
from playhead.errors import AgentError, RunError
from playhead.llm import ModelRequest
from playhead.tape import Action, BlobPart, Observation, TextPart
from playhead.tape.kinds import ToolCall, ToolError, ToolResult


async def outcome(lab: Lab, function: Callable[..., Any], **options: Any) -> Any:
    """What one call of a tool leaves on the tape; the agent then goes on."""
    options = {"effect": "read", "thread": False, **options}
    odd = ph.tool(name="odd", **options)(function)
    tape = await lab.run(agent_of(calls("odd"), "went on", tools=[odd]))
    assert tape.answer == "went on"
    (found,) = bodies(tape, ToolResult) + bodies(tape, ToolError)
    assert (found.name, found.call_id) == ("odd", "call_1")
    return found


async def test_arguments_that_do_not_fit(lab: Lab) -> None:
    @ph.tool(effect="write", thread=False)
    def put(where: str, how_many: int = 1) -> str:
        raise AssertionError("never called")

    wanted: list[Any] = [
        {},
        {"where": 5},
        {"where": "a", "how_many": "many"},
        {"where": "a", "x": 1},
    ]
    completions = [calls(("put", arguments)) for arguments in wanted]
    tape = await lab.run(agent_of(*completions, "ok", tools=[put]))
    errors = bodies(tape, ToolError)
    assert [error.code for error in errors] == ["bad_arguments"] * 4
    assert "where: Field required" in errors[0].message
    assert "how_many" in errors[2].message
    assert "x: Extra inputs" in errors[3].message


@pytest.mark.parametrize("arguments", ["a text", ["a", "list"], 5, True])
async def test_arguments_that_are_no_object(lab: Lab, arguments: object) -> None:
    @ph.tool(effect="write", thread=False)
    def put(where: str = "x") -> str:
        raise AssertionError("never called")

    completion = ph.assistant((ph.tape.ToolCallPart(id="1", name="put", arguments=arguments),))
    tape = await lab.run(agent_of(completion, "ok", tools=[put]))
    assert tape.answer == "ok"
    assert "tool_error" in kinds(tape) or "parse_error" in kinds(tape)


async def test_no_arguments_at_all_are_none(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def now() -> str:
        return "noon"

    completion = ph.assistant((ph.tape.ToolCallPart(id="1", name="now"),))
    tape = await lab.run(agent_of(completion, "ok", tools=[now]))
    assert bodies(tape, ToolResult)[0].result == "noon"


async def test_an_unknown_tool_is_told_what_there_is(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def known() -> str:
        return ""

    tape = await lab.run(agent_of(calls("unknown"), "ok", tools=[known]))
    (error,) = bodies(tape, ToolError)
    assert error.code == "unknown_tool"
    assert "known" in error.message
    assert bodies(tape, ToolCall)[0].effect is None


class Rude(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this")


class Panic(BaseException):
    """Such as some native extensions raise."""


async def _cancelled() -> None:
    raise asyncio.CancelledError("by itself")


def raising(error: BaseException) -> Callable[[], None]:
    def odd() -> None:
        raise error

    return odd


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no good"), "ValueError: no good"),
        (KeyError(), "KeyError"),
        (TimeoutError("own"), "TimeoutError: own"),
        (SystemExit(2), "SystemExit: 2"),
        (Panic("at the disco"), "Panic: at the disco"),
        (Rude(), "Rude"),
        (StopIteration(5), "StopIteration"),
        (RecursionError("deep"), "RecursionError: deep"),
        (ValueError("\ud83d"), r"ValueError: \ud83d"),
        (ValueError("x" * 100_000), "ValueError: xxx"),
        (AgentError("mine"), "AgentError: mine"),
        (asyncio.CancelledError("odd"), "CancelledError: odd"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_whatever_a_tool_raises_is_told(
    quick_lab: Lab, error: BaseException, told: str, thread: bool
) -> None:
    found = await outcome(quick_lab, raising(error), thread=thread)
    assert found.code == "raised"
    assert told in found.message
    assert len(found.message) < 3000


async def test_an_async_tool_that_cancels_itself(lab: Lab) -> None:
    found = await outcome(lab, _cancelled)
    assert (found.code, found.message) == ("raised", "CancelledError: by itself")


async def test_a_failure_that_the_tool_words_itself(lab: Lab) -> None:
    found = await outcome(lab, raising(ph.ToolFailure("denied", "not for you")))
    assert (found.code, found.message) == ("denied", "not for you")


async def test_a_failure_with_a_code_of_its_own(lab: Lab) -> None:
    found = await outcome(lab, raising(ph.ToolFailure("teapot", "short and stout")))  # type: ignore[arg-type]
    assert (found.code, found.message) == ("raised", "short and stout")


async def test_an_async_tool_that_hangs(lab: Lab) -> None:
    async def odd() -> None:
        await asyncio.Event().wait()

    found = await outcome(lab, odd, timeout=0.01)
    assert (found.code, found.message) == ("timeout", "odd gave no answer within 0.01 s")


async def test_sync_tools_that_hang_hold_up_nobody_else(lab: Lab) -> None:
    ends = threading.Event()

    @ph.tool(effect="write", timeout=0.01)
    def hang() -> None:
        ends.wait()

    @ph.tool(effect="read")
    def quick() -> str:
        return threading.current_thread().name

    many = 40  # more than asyncio has threads
    agent = agent_of(calls(*["hang"] * many), calls("quick"), "ok", tools=[hang, quick])
    try:
        tape = await lab.run(agent)
    finally:
        ends.set()
    errors = bodies(tape, ToolError)
    assert [error.code for error in errors] == ["timeout"] * many
    assert "may have been done" in errors[0].message
    assert bodies(tape, ToolResult)[0].result == "playhead-tool"


def test_a_tool_that_hangs_does_not_hold_up_the_end_of_the_process(tmp_path) -> None:
    import subprocess

    code = """
import threading, playhead as ph
@ph.tool(effect="read", timeout=0.01)
def hang() -> None: threading.Event().wait()
call = ph.assistant((ph.tape.ToolCallPart(id="1", name="hang"),))
agent = ph.Agent("a", model=ph.ScriptedModel([call, "ok"]), tools=[hang])
print(ph.run_sync(agent, "go", store=ph.MemoryStore()).answer)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "ok\n"


async def test_a_tool_sees_the_context_variables_of_its_caller(lab: Lab) -> None:
    from contextvars import ContextVar

    who: ContextVar[str] = ContextVar("who")
    who.set("ana")
    assert (await outcome(lab, lambda: who.get(), thread=True)).result == "ana"


async def test_fifty_megabytes(lab: Lab) -> None:
    found = await outcome(lab, lambda: "x" * 50_000_000)
    assert found.code == "too_large"
    assert "50,000,002 bytes" in found.message
    assert len(found.message) < 1000


async def test_fifty_megabytes_if_they_are_wanted(quick_lab: Lab) -> None:
    found = await outcome(quick_lab, lambda: "x" * 50_000_000, max_result=60_000_000)
    (part,) = found.parts
    assert (part.size, found.result) == (50_000_000, None)


class Thing:
    pass


def cyclic() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


def deep() -> list[object]:
    found: list[object] = []
    for _ in range(1000):
        found = [found]
    return found


def generated() -> Any:
    yield 1
    raise KeyError("halfway")


@pytest.mark.parametrize(
    "make",
    [
        lambda: float("nan"),
        lambda: {"a": [float("inf")]},
        lambda: Thing(),
        lambda: [1, Thing()],
        cyclic,
        deep,
        lambda: generated(),
        lambda: b"\xff\xfe",
        lambda: {"a": "\ud83d"},
        lambda: {1: "a", "1": "b"},
        lambda: 10**5000,
    ],
    ids=[
        "nan",
        "inf",
        "object",
        "inner",
        "cyclic",
        "deep",
        "raises",
        "bytes",
        "half",
        "twice",
        "big",
    ],
)
async def test_results_that_are_no_json(quick_lab: Lab, make: Callable[[], object]) -> None:
    found = await outcome(quick_lab, make)
    assert found.code == "bad_result"
    assert found.message.startswith("odd returned")


@pytest.mark.parametrize(
    ("make", "result"),
    [
        (lambda: None, None),
        (lambda: {"b"}, ["b"]),
        (lambda: (1, 2), [1, 2]),
        (lambda: {1: {2: 3}}, {"1": {"2": 3}}),
        (lambda: [ph.Budget()], None),
        (lambda: ph.user("hi"), None),
        (lambda: 2**70, 2**70),
        (lambda: "", ""),
        (lambda: "ünïcode 🎈", "ünïcode 🎈"),
    ],
)
async def test_results_that_are(quick_lab: Lab, make: Callable[[], object], result: object) -> None:
    found = await outcome(quick_lab, make)
    assert isinstance(found, ToolResult)
    if result is not None:
        assert found.result == result


async def test_half_a_surrogate_pair_in_a_text_is_escaped_and_marked(lab: Lab) -> None:
    found = await outcome(lab, lambda: "name: \udcff")
    assert found.result == r"name: \udcff"
    assert found.parts == (TextPart(content="", escaped=True),)


@pytest.mark.parametrize("make", [lambda: "ß" * 50_000, lambda: {"rows": ["ß" * 50] * 1000}])
async def test_a_hundred_kilobytes_are_a_blob_and_the_model_gets_all(
    lab: Lab, make: Callable[[], Any]
) -> None:
    import json

    whole: list[Any] = []

    @ph.tool(effect="read", thread=False)
    def odd() -> Any:
        return make()

    async def script(request: ModelRequest) -> object:
        messages = await request.messages()
        if len(messages) == 1:
            return calls("odd")
        whole.append(messages[-1].parts)
        return "ok"

    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel(script), tools=[odd]))
    (found,) = bodies(tape, ToolResult)
    (part,) = found.parts
    assert isinstance(part, BlobPart)
    assert found.result is None
    assert part.size > 65_536
    ((answer,),) = whole
    text = make()
    assert answer.response == text or json.loads(answer.response) == text
    assert max(len(step.data or b"") for step in tape) < 10_000


async def test_an_environment_that_raises(lab: Lab) -> None:
    class Broken(ph.Toolbox):
        async def answer(self, action: Action, context: ph.ToolContext) -> Observation | None:
            if isinstance(action, ToolCall):
                raise ZeroDivisionError("broken")
            return None

    @ph.tool(effect="read", thread=False)
    def odd() -> str:
        return ""

    tape = await lab.run(agent_of(calls("odd"), "ok"), environment=Broken([odd]))
    (error,) = bodies(tape, ToolError)
    assert (error.code, error.message) == ("raised", "ZeroDivisionError: broken")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        5,
        "text",
        ToolResult(name="odd", result=float("nan")),
        ToolResult(name="odd", result="x" * 20_000_000, parts=(TextPart(content="\ud83d"),)),
        ToolResult(name="odd", result="\ud83d" * 20_000),
        ph.tape.kinds.UserMessage(parts=()),
    ],
    ids=["none", "number", "text", "nan", "half", "large half", "another kind"],
)
async def test_an_environment_that_answers_what_cannot_be_recorded(
    lab: Lab, answer: object
) -> None:
    class Odd(ph.Toolbox):
        async def answer(self, action: Action, context: ph.ToolContext) -> Any:
            return answer if isinstance(action, ToolCall) else None

    @ph.tool(effect="read", thread=False)
    def odd() -> str:
        return ""

    tape = await lab.run(agent_of(calls("odd"), "ok"), environment=Odd([odd]))
    (error,) = bodies(tape, ToolError)
    assert error.code == "bad_result"
    assert tape.answer == "ok"


async def test_an_answer_gets_the_id_of_its_call_whatever_the_environment_writes(lab: Lab) -> None:
    class Odd(ph.Toolbox):
        async def answer(self, action: Action, context: ph.ToolContext) -> Observation | None:
            made_up = ToolResult(call_id="made up", name="odd", result=1)
            return made_up if isinstance(action, ToolCall) else None

    @ph.tool(effect="read", thread=False)
    def odd() -> str:
        return ""

    tape = await lab.run(agent_of(calls("odd"), "ok"), environment=Odd([odd]))
    assert bodies(tape, ToolResult)[0].call_id == "call_1"


async def test_the_action_is_in_the_store_when_its_tool_runs_and_no_answer(lab: Lab) -> None:
    seen: list[tuple[list[str], str]] = []

    @ph.tool(effect="write")
    async def look(context: ph.ToolContext) -> str:
        tape = await lab.store.open(context.tape)
        open_ = [step.id for step in tape if step.kind == ToolCall.kind]
        seen.append((kinds(tape), context.key))
        assert context.key in open_
        return "ok"

    await lab.run(agent_of(calls("look"), calls("look"), "done", tools=[look]))
    assert [found[-1] for found, _ in seen] == ["tool_call", "tool_call"]
    assert [found.count("tool_result") for found, _ in seen] == [0, 1]
    assert len({key for _, key in seen}) == 2


async def test_two_tools_of_one_name() -> None:
    def one() -> str:
        return ""

    with pytest.raises(AgentError, match="two tools are called `one`"):
        ph.Agent("a", tools=[one, one])


async def test_a_tool_of_the_agent_and_one_of_the_environment(lab: Lab) -> None:
    def one() -> str:
        return ""

    with pytest.raises(AgentError, match="two tools `one`"):
        await lab.run(agent_of("x", tools=[one]), environment=ph.Toolbox([one]))
    with pytest.raises(AgentError, match="two tools `one`"):
        await lab.run(agent_of("x"), environment=[ph.Toolbox([one]), ph.Toolbox([one])])
    assert await lab.tape_ids() == []


async def test_a_tool_and_a_delegation_of_one_name(lab: Lab) -> None:
    def delegate_to_b() -> str:
        return ""

    agent = agent_of("x", tools=[delegate_to_b], subagents=[ph.Agent("b")])
    with pytest.raises(AgentError, match="two tools `delegate_to_b`"):
        await lab.run(agent)


async def test_an_action_that_nobody_answers(lab: Lab) -> None:
    class Whistle(ph.Action, kind="test.whistle"):
        tune: str

    class Heard(ph.Observation, kind="test.heard"):
        tune: str

    class Play(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Whistle(tune="la")]

    class Ears(ph.Environment):
        def effect_of(self, name):
            return "read"

        async def answer(self, action, context):
            return Heard(tune=action.tune) if isinstance(action, Whistle) else None

    seen: list[str] = []

    def script(request: ModelRequest) -> str:
        seen.append(request.prompt.messages()[-1].text)
        return "ok"

    agent = ph.Agent(
        "a", model=ph.ScriptedModel(script), nodes=[Play("play"), ph.ToolCallingNode()]
    )
    with pytest.raises(RunError, match=r"nobody answers the action `test\.whistle`"):
        await lab.run(agent)
    tape = await lab.resume(await lab.newest(), agent=agent, environment=Ears())
    assert tape.answer == "ok"
    assert seen == ['{"tune":"la"}']  # an observation that the library does not know, as JSON
    assert next(step for step in tape if step.kind == "test.heard").by.name == "test.whistle"
