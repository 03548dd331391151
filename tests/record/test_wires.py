"""Protocols: what a model said is the same message in an answer, a stream and the next request."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.record.wire import (
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    WIRES,
    Reply,
    Wire,
)
from playhead.tape import Json, Message, Part, ToolCallPart, ToolResponsePart, text_part
from playhead.tape.kinds import Usage

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
objects = st.dictionaries(texts, st.integers(-9, 9) | texts | st.none(), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> Message:
    parts: list[Part] = []
    if draw(st.booleans()):
        parts.append(text_part(draw(texts)))
    for number in range(draw(st.integers(0 if parts else 1, 3))):
        call = ToolCallPart(id=f"call_{number}", name=f"tool_{number}", arguments=draw(objects))
        parts.append(call)
    return Message(role="assistant", parts=tuple(parts))


USAGE = Usage(input_tokens=11, output_tokens=5, cached_tokens=3, reasoning_tokens=2)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@given(message=answers())
def test_an_answer_is_read_back_as_it_was_written_whole_and_streamed(
    wire: Wire, message: Message
) -> None:
    body = wire.response(Reply("m", message, usage=USAGE))
    whole = wire.answered(json.dumps(body).encode(), model="m")
    options: dict[str, Json] = {"stream_options": {"include_usage": True}}
    streamed = wire.answered(wire.stream(body, asked=options), model="m", streamed=True)
    for read in (whole, streamed):
        assert read.fault is None
        assert read.completion is not None
        assert read.completion.message == message
        assert read.completion.status == "complete"
        assert read.completion.usage is not None
        assert read.completion.usage.input_tokens == 11
        assert read.completion.usage.cached_tokens == 3
        assert read.completion.usage.output_tokens == 5


def sent_back(wire: Wire, body: dict[str, Any]) -> dict[str, Json]:
    """A request whose history holds an answer."""
    if wire is OPENAI_CHAT:
        return {"model": "m", "messages": [body["choices"][0]["message"]]}
    if wire is ANTHROPIC_MESSAGES:
        said = {"role": "assistant", "content": body["content"]}
        return {"model": "m", "messages": [said]}
    return {"model": "m", "input": body["output"]}


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@given(message=answers())
def test_an_answer_that_is_sent_back_is_the_message_that_it_was(
    wire: Wire, message: Message
) -> None:
    body = wire.response(Reply("m", message))
    assert wire.asked(sent_back(wire, body)).messages == (message,)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@given(message=answers())
def test_a_cut_stream_is_never_complete(wire: Wire, message: Message) -> None:
    stream = wire.stream(wire.response(Reply("m", message)), asked={})
    events = stream.split(b"\n\n")[:-1]
    kept = len(events) - (3 if wire is not OPENAI_RESPONSES else 1)
    cut = wire.answered(b"\n\n".join(events[:kept]), model="m", streamed=True)
    assert cut.fault
    assert cut.completion is None or cut.completion.status == "incomplete"


def test_a_chat_request() -> None:
    asked = OPENAI_CHAT.asked(
        {
            "model": "gpt-4o-mini",
            "temperature": 0.5,
            "stream": True,
            "tools": [
                {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
            ],
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "name": "ana", "content": [{"type": "text", "text": "1+1?"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "add"}},
                        {"function": {"name": "add", "arguments": "no json"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "2"},
            ],
        }
    )
    assert (asked.model, asked.stream, asked.settings) == (
        "gpt-4o-mini",
        True,
        {"temperature": 0.5},
    )
    assert asked.tools == ({"name": "add", "description": "", "parameters": {"type": "object"}},)
    system, user, calls, result = asked.messages
    assert (system.role, system.text) == ("system", "Be brief.")
    assert (user.role, user.text, user.name) == ("user", "1+1?", "ana")
    assert [call.arguments for call in calls.tool_calls] == [{}, "no json"]
    assert len({call.id for call in calls.tool_calls}) == 2
    assert result.parts == (ToolResponsePart(id="c1", response="2"),)


def test_a_picture_is_kept_as_it_is() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    request: dict[str, Json] = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, picture]}],
    }
    (message,) = OPENAI_CHAT.asked(request).messages
    assert message.model_dump(mode="json")["parts"][1] == picture


def test_a_messages_request_has_results_and_words_apart() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    asked = ANTHROPIC_MESSAGES.asked(
        {
            "model": "claude",
            "max_tokens": 10,
            "system": [{"type": "text", "text": "Be brief.", **mark}],
            "tools": [{"name": "add", "input_schema": {"type": "object"}, **mark}],
            "messages": [
                {"role": "user", "content": "1+1?"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": "2", **mark},
                        {"type": "text", "text": "And 2+2?", **mark},
                    ],
                },
            ],
        }
    )
    assert [message.role for message in asked.messages] == [
        "system", "user", "assistant", "tool", "user",
    ]  # fmt: skip
    assert asked.messages[3].parts == (ToolResponsePart(id="t1", response="2"),)
    assert asked.settings == {"max_tokens": 10}
    assert "cache_control" not in json.dumps(asked.tools)


def test_a_responses_request_groups_what_the_model_said() -> None:
    asked = OPENAI_RESPONSES.asked(
        {
            "model": "gpt-5",
            "instructions": "Be brief.",
            "previous_response_id": "resp_1",
            "store": False,
            "input": [
                {"role": "user", "content": "1+1?"},
                {"type": "reasoning", "id": "r1", "summary": [], "encrypted_content": "abc"},
                {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'},
                {"type": "function_call_output", "call_id": "c1", "output": "2"},
            ],
        }
    )
    assert [message.role for message in asked.messages] == ["system", "user", "assistant", "tool"]
    (call,) = asked.messages[2].tool_calls
    assert (call.id, call.name, call.arguments) == ("c1", "add", {"a": 1})
    assert asked.previous == "resp_1"
    assert asked.settings == {"store": False}


def thoughtful() -> dict[str, Any]:
    """An answer of a model that reasons, as OpenAI gives it."""
    summary = [{"type": "summary_text", "text": text} for text in ("I look.", "Then I add.")]
    output = [
        {"id": "rs_1", "type": "reasoning", "summary": summary, "encrypted_content": "gAAAA"},
        {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "I add.", "annotations": []}]},
        {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c1",
         "name": "add", "arguments": '{"a":1}'},
    ]  # fmt: skip
    body: Any = OPENAI_RESPONSES.response(Reply("gpt-5", Message(role="assistant", parts=())))
    return {**body, "output": output}


def test_a_streamed_answer_is_given_whole_with_its_thoughts() -> None:
    body = thoughtful()
    stream = OPENAI_RESPONSES.stream(body, asked={})
    read = OPENAI_RESPONSES.answered(stream, model="gpt-5", streamed=True).completion
    assert read is not None
    reply = Reply("gpt-5", read.message, raw=read.raw)
    assert OPENAI_RESPONSES.response(reply) == body
    bare = OPENAI_RESPONSES.response(Reply("gpt-5", read.message))
    again = OPENAI_RESPONSES.answered(json.dumps(bare).encode(), model="gpt-5").completion
    assert again is not None
    assert again.message == read.message


def test_a_stream_whose_end_does_not_say_again_what_it_said() -> None:
    body = thoughtful()
    made = list(OPENAI_RESPONSES.events(body, asked={}))
    last: Any = made.pop()
    made.append({**last, "response": {**body, "output": []}})
    stream = b"".join(map(OPENAI_RESPONSES.event, made))
    read = OPENAI_RESPONSES.answered(stream, model="gpt-5", streamed=True)
    assert read.fault is None
    assert read.completion is not None
    assert [call.name for call in read.completion.message.tool_calls] == ["add"]
    assert read.completion.text == "I add."


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
MEMBERS = ("model", "messages", "input", "system", "tools", "instructions", "stream")


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@given(request=st.dictionaries(st.sampled_from(MEMBERS), ANY), body=ANY, streamed=st.booleans())
def test_garbage_is_a_value_error_or_a_fault(
    wire: Wire, request: dict[str, Json], body: Json, streamed: bool
) -> None:
    with suppress(ValueError):
        wire.asked(request)
    data = json.dumps(body).encode()
    data = b"data: " + data + b"\n\n" if streamed else data
    read = wire.answered(data, model="m", streamed=streamed)
    assert read.completion is None or read.completion.message.role == "assistant"


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_bytes_that_are_no_json_are_a_fault(wire: Wire) -> None:
    for body in (b"", b"\xff\xfe", b"<html>", b"[" * 100_000, b"{}", b'data: {"x"\n\n'):
        for streamed in (False, True):
            read = wire.answered(body, model="m", streamed=streamed)
            assert read.completion is None
            assert read.fault
