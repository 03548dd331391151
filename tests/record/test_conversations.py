"""Conversations of other libraries: they come back equal, and are told as steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import CONVERSATIONS, lines, of_lines
from foreign_documents import LAW, exported, fresh, imported, is_empty, run, same
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import ForeignFileError
from playhead.record import Losses

GOOD: dict[str, Any] = {
    "openai-chat": {"messages": [{"role": "user", "content": "hello"}]},
    "anthropic-messages": {"messages": [{"role": "user", "content": "hello"}]},
    "atif": {
        "schema_version": "ATIF-v1.7",
        "agent": {"name": "a", "version": "1"},
        "steps": [{"step_id": 1, "source": "user", "message": "hello"}],
    },
}


@pytest.mark.parametrize("format", CONVERSATIONS)
def test_a_conversation_comes_back_equal_and_comes_in_once(format: str) -> None:
    @LAW
    @given(CONVERSATIONS[format])
    def law(document: list[Any]) -> None:
        async def work() -> None:
            store = fresh()
            report = await imported(store, lines(document), format=format)
            losses = Losses()
            assert same(of_lines(await exported(store, report, losses)), document)
            assert not losses.dropped
            for name in report.tapes:
                tape = await store.open(name)
                tape.verify()
                tape.fold()
                assert all(step.known and step.body is not None for step in tape)
            again = await imported(store, lines(document), format=format)
            assert (again.steps, again.tapes) == (0, report.tapes)

        run(work())

    law()


@pytest.mark.parametrize("format", CONVERSATIONS)
def test_garbage_is_refused_with_its_place_and_nothing_is_stored(format: str) -> None:
    good = lines([GOOD[format]])

    @LAW
    @given(CONVERSATIONS[format], st.data())
    def law(document: list[Any], data: st.DataObject) -> None:
        async def work() -> None:
            whole = good + lines(document)
            at = data.draw(st.integers(0, len(whole) - 1))
            junk = data.draw(st.binary(max_size=3))
            store = fresh()
            try:
                await imported(store, whole[:at] + junk + whole[at + 1 :], format=format)
            except ForeignFileError as error:
                refused = error
            else:
                return
            assert str(refused).startswith("`file`: ")
            assert refused.place
            assert await is_empty(store)

        run(work())

    law()


def _broken(**changes: Any) -> dict[str, Any]:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return {"role": "assistant", "tool_calls": [{**call, **changes}]}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ([], "`record` should be an object"),
        ({}, "`messages` should be an array, and is null, or absent"),
        ({"input": {"messages": []}}, "`messages` should be an array"),
        ({"messages": [3]}, "`messages.0` should be an object, and is a number"),
        ({"messages": [{"content": "x"}]}, "`messages.0.role` should be a text"),
        ({"messages": [{"role": "robot"}]}, "`robot`, which is no role"),
        ({"messages": [{"role": "user", "content": 3}]}, "`messages.0.content`"),
        ({"messages": [_broken(id=3)]}, "`messages.0.tool_calls.0.id` should be a text"),
        ({"messages": [_broken(function={"name": "f"})]}, "tool_calls.0.arguments` should be"),
        ({"messages": [_broken(function=None)]}, "tool_calls.0` should be an object"),
    ],
)
def test_wrong_types_of_chat_messages_are_named(record: Any, said: str) -> None:
    async def work() -> None:
        store = fresh()
        good = {"messages": [{"role": "user", "content": "hello"}]}
        with pytest.raises(ForeignFileError, match="line 2") as raised:
            await imported(store, lines([good, record]), format="openai-chat")
        assert said in str(raised.value)
        assert await is_empty(store)

    run(work())


CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "Rain?"},
            {"type": "image_url", "image_url": {"url": "data:,"}},
        ]},
        {"role": "assistant", "content": "I look.", "weight": 0, "tool_calls": [
            {"id": "a", "type": "function", "function": {
                "name": "weather", "arguments": '{"city": "Montréal"}'}},
            {"id": "b", "type": "function", "function": {
                "name": "weather", "arguments": '{"city": "Oslo"}'}},
        ]},
        {"role": "tool", "tool_call_id": "b", "content": "dry"},
        {"role": "tool", "tool_call_id": "a", "content": "wet"},
        {"role": "assistant", "content": "In Montréal."},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}],
}  # fmt: skip


def test_chat_messages_become_steps() -> None:
    async def work() -> None:
        store = fresh()
        report = await imported(store, lines([CHAT]), format=None)
        assert report.format == "openai-chat"
        (name,) = report.tapes
        tape = await store.open(name)
        steps = [step for step in tape if step.kind != "playhead.source"][1:]
        assert [step.kind.removeprefix("playhead.") for step in steps] == [
            "user_message", "reflection", "tool_call", "tool_call", "tool_result", "tool_result",
            "assistant_message",
        ]  # fmt: skip
        assert steps[2].body.arguments == {"city": "Montréal"}
        assert steps[4].re == (steps[3].id,)
        assert steps[5].re == (steps[2].id,)
        assert steps[4].body.name == "weather"
        assert report.losses.kept["message of role `system`"] == 1
        assert report.losses.kept["`tools` of the record"] == 1

    run(work())


def test_a_large_text_leaves_its_step_and_comes_back() -> None:
    said = {"messages": [{"role": "user", "content": "é" * 100_000}]}

    async def work() -> None:
        store = fresh()
        report = await imported(store, lines([said]), format="openai-chat")
        assert json.loads(await exported(store, report)) == said

    run(work())
