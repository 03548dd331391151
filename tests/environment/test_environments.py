"""Toolboxes, several environments as one, users, threads."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

import playhead as ph
from playhead.environment import Environment, Environments
from playhead.environment._threads import in_thread
from playhead.errors import AgentError, RunError
from playhead.tape import text_parts
from playhead.tape.kinds import AssistantMessage, ToolCall, ToolError, ToolResult, UserMessage

CONTEXT = ph.ToolContext(key="k", tape="t")


@ph.tool(effect="read", thread=False)
def one(a: int = 1) -> int:
    return a


@ph.tool(effect="irreversible", thread=False)
def two() -> str:
    return "two"


async def test_a_toolbox_answers_calls_of_its_tools_and_nothing_else() -> None:
    box = ph.Toolbox([one])
    answer = await box.answer(ToolCall(call_id="1", name="one", arguments={"a": 5}), CONTEXT)
    assert answer == ToolResult(call_id="1", name="one", result=5)
    error = await box.answer(ToolCall(call_id="1", name="two"), CONTEXT)
    assert isinstance(error, ToolError)
    assert error.message == "two is not a valid tool, try one of [one]."
    assert await box.answer(AssistantMessage(parts=()), CONTEXT) is None
    assert (box.effect_of("one"), box.effect_of("two")) == ("read", None)


async def test_a_plain_environment_finds_its_tools_by_name() -> None:
    class Plain(Environment):
        def tools(self):
            return [one.__playhead_tool__]

    plain = Plain()
    answer = await plain.answer(ToolCall(call_id="1", name="one"), CONTEXT)
    assert answer == ToolResult(call_id="1", name="one", result=1)
    assert isinstance(await plain.answer(ToolCall(name="x"), CONTEXT), ToolError)
    assert await plain.answer(AssistantMessage(parts=()), CONTEXT) is None
    assert (plain.effect_of("one"), plain.effect_of("x")) == ("read", None)
    assert plain.describe() == {"name": "Plain", "state": "external"}
    await plain.reset()
    for work in (plain.snapshot(), plain.restore(None)):
        with pytest.raises(RunError, match="no snapshots"):
            await work


async def test_several_as_one() -> None:
    parts = [ph.Toolbox([one]), ph.User(["hi"]), ph.Toolbox([two], state_contract="rebuildable")]
    whole = Environments(parts)
    assert [tool.name for tool in whole.tools()] == ["one", "two"]
    call = ToolCall(name="two")
    assert whole.part_of(call) is parts[2]
    assert await whole.answer(call, CONTEXT) == ToolResult(name="two", result="two")
    assert (whole.effect_of("two"), whole.effect_of("x")) == ("irreversible", None)
    assert whole.part_of(ToolCall(name="x")) is None
    assert whole.part_of(AssistantMessage(parts=())) is None
    unknown = await whole.answer(ToolCall(name="x"), CONTEXT)
    assert isinstance(unknown, ToolError)
    said = await whole.answer(AssistantMessage(parts=()), CONTEXT)
    assert said == UserMessage(parts=text_parts("hi"))
    assert whole.describe() == [
        {"name": "Toolbox", "state": "external"},
        {"name": "User", "state": "external"},
        {"name": "Toolbox", "state": "rebuildable"},
    ]


async def test_all_parts_are_reset() -> None:
    done: list[int] = []
    parts = [ph.Toolbox([], reset=lambda n=n: done.append(n)) for n in (1, 2)]
    await Environments(parts).reset("task")
    assert done == [1, 2]


async def test_two_tools_of_one_name() -> None:
    with pytest.raises(AgentError, match="two tools `one`: rename one"):
        Environments([ph.Toolbox([one]), ph.Toolbox([one])])
    with pytest.raises(AgentError, match="two tools are called `one`"):
        ph.Toolbox([one, one])


@pytest.mark.parametrize("says", [["a", "b"], ("a", "b"), iter(["a", "b"])])
async def test_a_user_with_a_list(says: object) -> None:
    user = ph.User(says)  # type: ignore[arg-type]
    said = [await user.answer(AssistantMessage(parts=()), CONTEXT) for _ in range(3)]
    assert [body.text if body else None for body in said] == ["a", "b", None]
    assert await user.answer(ToolCall(name="x"), CONTEXT) is None


async def test_a_text_is_one_answer_not_many_letters() -> None:
    user = ph.User("yes")
    said = [await user.answer(AssistantMessage(parts=()), CONTEXT) for _ in range(2)]
    assert [body.text if body else None for body in said] == ["yes", None]


async def test_a_user_that_hears_what_is_said() -> None:
    user = ph.User(lambda text: f"you said {text}")
    said = await user.answer(AssistantMessage(parts=text_parts("hi")), CONTEXT)
    assert said == UserMessage(parts=text_parts("you said hi"))


async def test_threads_are_used_again() -> None:
    names = set()
    for _ in range(20):
        names.add(await in_thread(threading.get_ident))
    assert len(names) == 1


async def test_threads_run_side_by_side() -> None:
    meeting = threading.Barrier(20)
    await asyncio.gather(*(in_thread(meeting.wait) for _ in range(20)))


async def test_arguments_and_errors_pass_through_a_thread() -> None:
    def add(a: int, *, b: int) -> int:
        if b == 0:
            raise ZeroDivisionError("b")
        return a + b

    assert await in_thread(add, a=1, b=2) == 3
    with pytest.raises(ZeroDivisionError):
        await in_thread(add, a=1, b=0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await in_thread(lambda: next(iter(())))


async def test_giving_up_on_a_thread_leaves_it_alone() -> None:
    ends = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await in_thread(ends.wait)
    ends.set()
    assert await in_thread(lambda: 5) == 5


def test_a_loop_that_was_closed_meanwhile() -> None:
    ends, ended = threading.Event(), threading.Event()

    def slow() -> None:
        ends.wait()
        ended.set()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_thread(slow)

    asyncio.run(give_up())
    ends.set()
    assert ended.wait(10)
    assert asyncio.run(in_thread(lambda: 5)) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking with threads, on purpose
def test_a_forked_process_has_threads_of_its_own() -> None:
    asyncio.run(in_thread(lambda: 1))  # leaves an idle thread behind
    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        try:
            os._exit(asyncio.run(asyncio.wait_for(in_thread(lambda: 7), 10)))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
