"""Captured calls become tapes: one a conversation, branches as forks, with everything readable."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from exchanges import BRIEF, chat, heard, result, said
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import StoreFullError
from playhead.llm import read_prompt
from playhead.record import OPENAI_CHAT, Sessions
from playhead.store import Answer, Batch, MemoryStore
from playhead.tape import Tape
from playhead.tape.kinds import ModelCall, ToolError, ToolResult

WEATHER = said(None, ("c1", "weather", '{"city": "Montreal"}'))


def kinds(tape: Tape) -> list[str]:
    return [step.kind.removeprefix("playhead.") for step in tape]


def calls(tape: Tape) -> list[ModelCall]:
    return [step.body for step in tape if isinstance(step.body, ModelCall)]


async def test_an_agent_with_tools_is_one_tape() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    first = [BRIEF, heard("Is it raining?")]
    second = [*first, WEATHER, result("c1", "rain")]
    third = [*second, said("Yes."), heard("Until when?")]
    answers = [WEATHER, said("Yes."), said("Until noon.")]
    ids = {
        await sessions.take(chat(messages, answer))
        for messages, answer in zip([first, second, third], answers, strict=True)
    }
    (tape_id,) = ids
    tape = await store.open(tape_id)
    tape.verify()
    assert kinds(tape) == [
        "tape",
        "user_message", "model_call", "tool_call",
        "tool_result", "model_call", "assistant_message",
        "user_message", "model_call", "assistant_message",
    ]  # fmt: skip
    assert {step.origin for step in list(tape)[1:]} == {"captured"}
    call, answer = tape[3], tape[4]
    assert answer.re == (call.id,)
    assert isinstance(answer.body, ToolResult)
    assert (answer.body.name, answer.body.result) == ("weather", "rain")
    assert tape.answer == "Until noon."
    for step, messages in zip([tape[2], tape[5], tape[8]], [first, second, third], strict=True):
        request: Any = {"model": "m", "messages": messages}
        assert tuple(read_prompt(tape, step)) == OPENAI_CHAT.asked(request).messages


async def test_prompts_are_ranges_and_cost_what_is_new() -> None:
    store, messages = MemoryStore(), [BRIEF]
    sessions, sizes = Sessions(store), []
    for turn in range(30):
        messages = [*messages, heard(f"question {turn} {'x' * 200}")]
        answer = said(f"answer {turn}")
        tape = await store.open(await sessions.take(chat(messages, answer)))
        messages = [*messages, answer]
        sizes.append(len(calls(tape)[-1].prompt.model_dump_json()))
    assert max(sizes[2:]) < 120


@pytest.mark.parametrize("shared", [1, 2])
async def test_a_branch_is_a_fork_that_shares_what_is_the_same(shared: int) -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    first = [BRIEF, heard("a")]
    parent = await sessions.take(chat(first, said("1")))
    assert await sessions.take(chat([*first, said("1"), heard("b")], said("2"))) == parent
    branch = first if shared == 1 else [*first, said("1"), heard("other")]
    child = await store.open(await sessions.take(chat(branch, said("3"))))
    assert child.parent is not None
    assert child.parent.tape == parent
    child.verify()
    request: Any = {"model": "m", "messages": branch}
    assert tuple(read_prompt(child, child[-2])) == OPENAI_CHAT.asked(request).messages
    assert child.answer == "3"
    goes_on = [*branch, said("3"), heard("and?")]
    assert await sessions.take(chat(goes_on, said("4"))) == child.id
    assert (await store.open(parent)).answer == "2"


async def test_equal_instructions_alone_join_nothing() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    one = await sessions.take(chat([BRIEF, heard("a")], said("1")))
    two = await sessions.take(chat([BRIEF, heard("b")], said("1")))
    assert one != two
    assert (await store.open(two)).parent is None


def told(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


async def test_instructions_may_change_once_the_model_has_spoken() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    talk = [heard("a"), said("1"), heard("b")]
    parent = await sessions.take(chat([told("12:00"), *talk[:1]], said("1")))
    assert await sessions.take(chat([told("12:01"), *talk], said("2"))) == parent
    assert await sessions.take(chat([*talk, said("2"), heard("c")], said("3"))) == parent
    tape = await store.open(parent)
    assert kinds(tape) == ["tape", *["user_message", "model_call", "assistant_message"] * 3]
    again = await store.open(await sessions.take(chat([told("12:01"), talk[0]], said("other"))))
    assert again.parent is not None
    assert kinds(again) == ["tape", "user_message", "tape", "model_call", "assistant_message"]
    assert again.answer == "other"


async def test_equal_talk_under_other_instructions_stays_apart() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    first = [[told(name), heard("a")] for name in "xyz"]
    ids = [await sessions.take(chat(messages, said("1"))) for messages in first]
    assert len(set(ids)) == 3
    for number in (1, 0, 2):
        second = [*first[number], said("1"), heard("b")]
        assert await sessions.take(chat(second, said("2"))) == ids[number]


async def test_requests_that_say_nothing_are_kept_apart() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    ids = [await sessions.take(chat([], None, status=400, message="empty")) for _ in range(2)]
    assert len(set(ids)) == 2


async def test_failures_and_the_retry_are_on_the_tape() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    messages = [heard("a")]
    ids = {
        await sessions.take(chat(messages, None, status=429, message="slow down")),
        await sessions.take(chat(messages, None, error="the client hung up", status=None)),
        await sessions.take(chat(messages, said("1"))),
    }
    (tape_id,) = ids
    tape = await store.open(tape_id)
    assert kinds(tape) == ["tape", "user_message", *["model_call"] * 3, "assistant_message"]
    refused, gone, done = calls(tape)
    assert [call.status for call in (refused, gone, done)] == ["failed", "failed", "complete"]
    assert "429" in str(refused.error)
    assert "slow down" in str(refused.error)
    assert gone.attempts[0].error == "the client hung up"
    assert tape[4].re == (tape[2].id, tape[3].id)


async def test_a_cut_stream_is_incomplete_and_nothing_is_made_of_it() -> None:
    store = MemoryStore()
    event = b'data: {"choices":[{"index":0,"delta":{"content":"It ra"}}]}\n\n'
    whole = chat([heard("a")], said("x"), request={"stream": True})
    cut = dataclasses.replace(whole, response=event, streamed=True, error="the stream was cut")
    tape = await store.open(await Sessions(store).take(cut))
    (call,) = calls(tape)
    assert (call.status, call.error) == ("incomplete", "the stream was cut")
    assert call.message is not None
    assert call.message.text == "It ra"
    assert kinds(tape) == ["tape", "user_message", "model_call"]


async def test_a_name_makes_one_session_whatever_is_sent_also_after_a_restart() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    first = [BRIEF, heard("a")]
    ids = {await sessions.take(chat(first, said("1"), session="run 1"))}
    window = [{"role": "system", "content": "Other."}, said("1"), heard("b")]
    ids.add(await sessions.take(chat(window, said("2"), session="run 1")))
    later = Sessions(store)
    last = [*first, said("1"), heard("b"), said("2"), heard("c")]
    ids.add(await later.take(chat(last, said("3"), session="run 1")))
    (tape_id,) = ids
    tape = await store.open(tape_id)
    tape.verify()
    assert kinds(tape) == ["tape", *["user_message", "model_call", "assistant_message"] * 3]
    asked = [step for step in tape if step.kind == ModelCall.kind]
    for step, messages in zip(asked, [first, window, last], strict=True):
        request: Any = {"model": "m", "messages": messages}
        assert tuple(read_prompt(tape, step)) == OPENAI_CHAT.asked(request).messages
    assert await later.take(chat(first, said("1"), session="run 2")) != tape_id


async def test_what_was_said_before_the_recording_began_is_steps_too() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    text_and_call = said("Let me look.", ("c1", "weather", "{}"))
    messages = [heard("a"), text_and_call, result("c1", "rain"), heard("b")]
    tape_id = await sessions.take(chat(messages, said("1")))
    assert await sessions.take(chat([*messages, said("1"), heard("c")], said("2"))) == tape_id
    tape = await store.open(tape_id)
    assert kinds(tape)[:7] == [
        "tape", "user_message", "assistant_message", "tool_call", "tool_result", "user_message",
        "model_call",
    ]  # fmt: skip
    assert [step.by.type for step in tape[2:4]] == ["importer", "importer"]
    request: Any = {"model": "m", "messages": messages}
    assert tuple(read_prompt(tape, tape[6])) == OPENAI_CHAT.asked(request).messages


async def test_large_texts_are_blobs() -> None:
    store = MemoryStore()
    sessions = Sessions(store)
    large = "rain " * 20_000
    first = [heard(large)]
    second = [*first, WEATHER, result("c1", large)]
    await sessions.take(chat(first, WEATHER))
    await sessions.take(chat(second, said(large)))
    third = [*second, said(large), heard("b")]
    tape = await store.open(await sessions.take(chat(third, said("1"))))
    assert sum(len(step.data or b"") for step in tape) < 20_000
    assert kinds(tape).count("model_call") == 3
    assert calls(tape)[-1].prompt.items[0].model_dump() == {"h": (1, 8)}


async def test_a_failed_tool_of_anthropic_is_an_error() -> None:
    import json

    from playhead.record import Exchange

    store = MemoryStore()
    use = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    failed = {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True}
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [failed]},
    ]
    answer = {"type": "message", "content": [{"type": "text", "text": "Sorry."}]}
    exchange = Exchange(
        "anthropic.messages",
        json.dumps({"model": "claude", "messages": messages}).encode(),
        json.dumps(answer).encode(),
        status=200,
        started="2026-01-01T00:00:00.000000Z",
    )
    tape = await store.open(await Sessions(store).take(exchange))
    (error,) = [step.body for step in tape if isinstance(step.body, ToolError)]
    assert (error.name, error.message) == ("weather", "no")


class Full(MemoryStore):
    """A store without room, for a while."""

    full = False

    async def append(self, batch: Batch) -> Answer:
        if self.full:
            raise StoreFullError("no space left")
        return await super().append(batch)


async def test_after_a_fault_of_the_store_a_conversation_goes_on_elsewhere() -> None:
    store = Full()
    sessions = Sessions(store)
    first = [heard("a")]
    before = await sessions.take(chat(first, said("1")))
    second = [*first, said("1"), heard("b")]
    store.full = True
    with pytest.raises(StoreFullError):
        await sessions.take(chat(second, said("2")))
    store.full = False
    third = [*second, said("2"), heard("c")]
    tape = await store.open(await sessions.take(chat(third, said("3"))))
    tape.verify()
    assert tape.answer == "3"
    assert (await store.open(before)).answer == "1"


async def test_a_request_that_is_none_is_kept_as_text() -> None:
    store = MemoryStore()
    broken = dataclasses.replace(chat([], None, status=400), request=b'{"model": 3')
    tape = await store.open(await Sessions(store).take(broken))
    (call,) = calls(tape)
    assert (call.model, call.status) == ("unknown", "failed")
    assert read_prompt(tape, tape[2])[0].text == '{"model": 3'


TEXTS = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(st.integers(0, 6), TEXTS, TEXTS), min_size=1, max_size=12))
async def test_whatever_the_order_every_prompt_is_read_back(
    turns: list[tuple[int, str, str]],
) -> None:
    """Conversations that branch anywhere, in any order: each call stands once, as it was sent."""
    store = MemoryStore()
    sessions = Sessions(store)
    known: list[list[dict[str, Any]]] = [[BRIEF]]
    for at, asks, answers in turns:
        messages = [*known[at % len(known)], heard(asks)]
        answer = said(answers)
        tape = await store.open(await sessions.take(chat(messages, answer)))
        known.append([*messages, answer])
        call = max(step.seq for step in tape if step.kind == ModelCall.kind)
        request: Any = {"model": "m", "messages": messages}
        assert tuple(read_prompt(tape, tape[call])) == OPENAI_CHAT.asked(request).messages
        assert tape.answer == answers
    made = [await store.open(info.id) for info in await store.tapes()]
    own = [step for tape in made for step in tape[tape.start :] if step.kind == ModelCall.kind]
    assert len(own) == len(turns)
    for tape in made:
        tape.verify()
