"""OTLP JSON as a format: what becomes what, what comes back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import lines, of_lines
from foreign_documents import LAW, exported, fresh, imported, is_empty, run, same
from hypothesis import given
from traces import TRACES, agent, came, chat, documents, request, said, span, told_of, tool, wish

import playhead as ph
from playhead.errors import ForeignFileError
from playhead.llm import Completion, ScriptedModel, read_prompt
from playhead.record import Losses, export_tapes
from playhead.store import Store
from playhead.tape import Message, Tape, TextPart, ToolCallPart
from playhead.tape.kinds import ModelCall, Source, ToolCall, ToolError, ToolResult, Usage

ASKED = said("user", "Rain in Oslo?")
WISH = wish("c1", "weather", city="Oslo")
CAME = came("c1", "rain")
ANSWER = said("assistant", "Yes.")


def saying(tape: Tape) -> list[str]:
    return [step.kind.removeprefix("playhead.") for step in tape[1:] if step.kind != Source.kind]


def bodies(tape: Tape, kind: type[Any]) -> list[Any]:
    return [step.body for step in tape if isinstance(step.body, kind)]


async def tapes_of(*requests: Any) -> list[Tape]:
    store = fresh()
    report = await imported(store, lines(list(requests)), format=None)
    assert report.format == "otlp"
    found = [await store.open(id) for id in report.tapes]
    for tape in found:
        tape.verify()
        tape.fold()
    return found


async def test_an_agent_with_a_tool_becomes_one_tape() -> None:
    usage = {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 2}
    more = {"gen_ai.request.temperature": 0.5, "server.address": "api"}
    (tape,) = await tapes_of(
        request(
            span(1, agent("helper", **{"gen_ai.conversation.id": "c"}), end=90),
            span(2, chat([ASKED], WISH, **usage, **more), parent=1),
            span(4, tool("weather", "c1", **{"gen_ai.tool.call.result": "rain"}), parent=1),
            span(5, chat([ASKED, WISH, CAME], ANSWER), parent=1),
        )
    )
    assert saying(tape) == [
        "user_message", "model_call", "tool_call", "tool_result", "model_call",
        "assistant_message",
    ]  # fmt: skip
    first, second = (step for step in tape if step.kind == ModelCall.kind)
    assert isinstance(first.body, ModelCall)
    assert first.body.usage == Usage(input_tokens=7, output_tokens=2)
    assert first.body.prompt.settings == {"temperature": 0.5}
    assert [message.role for message in read_prompt(tape, second)] == ["user", "assistant", "tool"]
    acting = [step.by for step in tape if isinstance(step.body, ToolCall)]
    assert (acting[0].name, acting[0].call) == ("helper", first.id)
    assert tape.answer == "Yes."


def answers(tape: Tape) -> list[Any]:
    return [step.body for step in tape if isinstance(step.body, ToolResult | ToolError)]


@pytest.mark.parametrize("at", range(6))
async def test_the_order_of_lines_does_not_matter(at: int) -> None:
    asked_again = {
        "gen_ai.input.messages": json.dumps([said("user", "Sure?")]),
        "gen_ai.output.messages": json.dumps([said("assistant", "I am.")]),
    }
    spans = [
        span(1, agent("helper"), end=90),
        span(2, chat([ASKED], WISH), parent=1),
        span(3, {"http.request.method": "GET"}, parent=2),
        span(4, tool("weather", "c1", **{"gen_ai.tool.call.result": '{"sky": "rain"}'}), parent=1),
        span(5, chat([ASKED, WISH, CAME], ANSWER), parent=1),
        span(6, agent("helper", **asked_again)),
    ]
    moved = [*spans[at:], *spans[:at]]
    (tape,) = await tapes_of(*map(request, moved[::-1]))
    assert saying(tape) == [
        "user_message", "model_call", "tool_call", "tool_result", "model_call",
        "assistant_message", "user_message", "assistant_message",
    ]  # fmt: skip
    assert answers(tape)[0].result == {"sky": "rain"}


async def test_conversations_and_traces_are_tapes() -> None:
    name = "gen_ai.conversation.id"
    found = await tapes_of(
        request(span(1, chat([ASKED], ANSWER, **{name: "c"}))),
        request(span(2, chat([said("user", "Sure?")], ANSWER), trace=TRACES[1])),
        request(
            span(3, chat([said("user", "Oh")], ANSWER, **{"session.id": "c"}), trace=TRACES[2])
        ),
        request(span(4, {"http.route": "/"}, trace="ad" * 16)),
    )
    assert [len(bodies(tape, ModelCall)) for tape in found] == [2, 1]


async def test_what_two_conversations_share_in_a_trace_is_told_apart() -> None:
    name = "gen_ai.conversation.id"
    found = await tapes_of(
        request(
            span(1, {"a": "batch"}, end=90),
            span(2, agent("one", **{name: "one"}), parent=1, end=20),
            span(3, chat([ASKED], ANSWER), parent=2),
            span(4, agent("two", **{name: "two"}), parent=1, end=20),
            span(5, chat([said("user", "Sun?")], ANSWER), parent=4),
        )
    )
    assert sorted(tape.fold().status for tape in found if bodies(tape, ModelCall))
    assert [len(bodies(tape, ModelCall)) for tape in found] == [0, 1, 1]


async def test_openinference_is_read() -> None:
    told = {
        "openinference.span.kind": "LLM",
        "session.id": "s",
        "llm.system": "openai",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 5,
        "llm.token_count.completion": 6,
        "llm.invocation_parameters": '{"model": "gpt-4o", "temperature": 0.1}',
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Rain?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"a": 1}',
        "llm.tools.0.tool.json_schema": json.dumps(
            {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
        ),
    }
    used = {"openinference.span.kind": "TOOL", "tool.name": "weather", "input.value": '{"a": 1}',
            "output.value": "rain"}  # fmt: skip
    (tape,) = await tapes_of(request(span(1, told), span(2, used)))
    assert saying(tape) == ["user_message", "model_call", "tool_call", "tool_result"]
    (call,) = bodies(tape, ModelCall)
    assert (call.model, call.provider) == ("gpt-4o", "openai")
    assert call.prompt.settings == {"temperature": 0.1}
    assert (call.usage.input_tokens, call.usage.output_tokens) == (5, 6)
    assert bodies(tape, ToolCall)[0].arguments == {"a": 1}
    assert answers(tape)[0].result == "rain"


async def test_a_failed_call_and_a_failed_tool_are_failures() -> None:
    bad = {"code": 2, "message": "429: slow down"}
    raised = {"name": "exception", "timeUnixNano": "5", "attributes": [
        {"key": "exception.message", "value": {"stringValue": "no such city"}}]}  # fmt: skip
    (tape,) = await tapes_of(
        request(
            span(1, chat([ASKED], **{"error.type": "RateLimitError"}), status=bad),
            span(2, chat([ASKED], WISH)),
            span(3, tool("weather", "c1"), status={"code": 2}, events=[raised]),
        )
    )
    failed, done = bodies(tape, ModelCall)
    assert (failed.status, failed.error, failed.message) == ("failed", "429: slow down", None)
    assert done.status == "complete"
    (error,) = answers(tape)
    assert (error.code, error.message, error.call_id) == ("raised", "no such city", "c1")
    assert len(bodies(tape, ToolCall)) == 1


async def test_tools_without_ids_answer_the_oldest_call_of_their_name() -> None:
    two = {"role": "assistant", "parts": [wish("c1", "a")["parts"][0], wish("c2", "a")["parts"][0]]}
    (tape,) = await tapes_of(
        request(
            span(1, chat([ASKED], two)),
            span(2, tool("a", **{"gen_ai.tool.call.result": "1"})),
            span(3, tool("a", **{"gen_ai.tool.call.result": "2"})),
            span(4, tool("b", **{"gen_ai.tool.call.arguments": "{}"})),
        )
    )
    calls = bodies(tape, ToolCall)
    assert [call.call_id for call in calls] == ["c1", "c2", None]
    assert [(each.call_id, each.result) for each in answers(tape)] == [
        ("c1", 1), ("c2", 2), (None, None),
    ]  # fmt: skip


async def test_without_content_calls_and_tools_are_still_there() -> None:
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    (tape,) = await tapes_of(request(span(1, told), span(2, tool("weather"))))
    assert saying(tape) == ["model_call", "tool_call", "tool_result"]
    assert bodies(tape, ModelCall)[0].message is None


async def test_deep_and_circular_traces_are_read() -> None:
    chain = [span(n, {"a": n}, parent=n - 1) for n in range(1, 3000)]
    circle = [span(n, {"a": n}, parent=9000 + (n + 1) % 3) for n in (9000, 9001, 9002)]
    (tape,) = await tapes_of(
        request(*chain, *circle, span(9999, chat([ASKED], ANSWER), parent=2999))
    )
    assert saying(tape) == ["user_message", "model_call", "assistant_message"]
    assert len(bodies(tape, Source)) == 3003


async def test_the_loss_report_says_what_is_kept_beside_and_what_is_not() -> None:
    store = fresh()
    report = await imported(
        store,
        lines([
            request(span(1, chat([ASKED], ANSWER, **{"server.address": "x", "a.0.b": 1})),
                    span(2, {"http.route": "/"}), span(1, chat([ASKED], ANSWER))),
            request(span(4, {"http.route": "/"}, trace=TRACES[1])),
        ]),
        format="otlp",
    )  # fmt: skip
    assert report.losses.kept["attribute `server.address`"] == 1
    assert report.losses.kept["attribute `a.N.b`"] == 1
    assert report.losses.kept["span that tells of no model, agent or tool"] == 1
    assert dict(report.losses.dropped) == {
        "span with the ids of another": 1,
        "span of a trace that tells of no model, agent or tool": 1,
    }


def test_a_document_comes_back_equal_and_comes_in_once() -> None:
    @LAW
    @given(documents())
    def law(document: list[dict[str, Any]]) -> None:
        async def work() -> None:
            store = fresh()
            data = lines(document)
            report = await imported(store, data, format="otlp")
            back = await exported(store, report)
            assert same(told_of(of_lines(back)), told_of(document))
            steps = 0
            for id in report.tapes:
                tape = await store.open(id)
                tape.verify()
                tape.fold()
                assert {step.origin for step in tape[1:]} == {"imported"}
                steps += len(tape) - 1
            assert steps == report.steps
            again = await imported(store, back, format="otlp")
            assert (again.steps, sorted(again.tapes)) == (0, sorted(report.tapes))

        run(work())

    law()


GOOD = span(1, chat([ASKED], ANSWER))
WRONG: list[Any] = [
    1, None, "x", [[]], {"resourceSpans": {}}, {"resourceSpans": [1]},
    {"resourceSpans": [{"scopeSpans": 1}]}, {"resourceSpans": [{"scopeSpans": [1]}]},
    {"resourceSpans": [{"resource": 1}]}, {"resourceSpans": [{"resource": {"attributes": {}}}]},
    request(1), request({}), request({**GOOD, "traceId": "xyz"}), request({**GOOD, "traceId": 1}),
    request({**GOOD, "traceId": "0" * 32}), request({**GOOD, "spanId": "aa"}),
    request({**GOOD, "parentSpanId": "?"}), request({**GOOD, "name": 1}),
    request({**GOOD, "startTimeUnixNano": "soon"}), request({**GOOD, "startTimeUnixNano": -1}),
    request({**GOOD, "endTimeUnixNano": 1.5}), request({**GOOD, "startTimeUnixNano": "9" * 21}),
    request({**GOOD, "attributes": 1}), request({**GOOD, "attributes": [1]}),
    request({**GOOD, "attributes": [{"key": None, "value": {}}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": 1}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": {"intValue": "x"}}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": {"doubleValue": 10**400}}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": {"boolValue": 1}}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": {"stringValue": 1}}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": {"arrayValue": 1}}]}),
    request({**GOOD, "attributes": [{"key": "a", "value": {"intValue": 1, "boolValue": True}}]}),
    request({**GOOD, "attributes": [{"key": "a"}, {"key": "a"}]}),
    request({**GOOD, "status": 1}), request({**GOOD, "status": {"message": 1}}),
    request({**GOOD, "events": 1}), request({**GOOD, "links": [{"attributes": 1}]}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WRONG)))
async def test_what_is_wrong_is_told_with_its_place_and_nothing_is_stored(number: int) -> None:
    store = fresh()
    with pytest.raises(ForeignFileError) as raised:
        await imported(store, lines([request(GOOD), WRONG[number]]), format="otlp", name="some")
    assert raised.value.message.startswith("`some`: record 1 (line 2): ")
    assert await is_empty(store)


BROKEN = {
    "cut off": b'{"resourceSpans": [',
    "not UTF-8": b'{"resourceSpans": "\xff"}',
    "NaN": b'{"resourceSpans": NaN}',
    "a member twice": b'{"resourceSpans": [], "resourceSpans": []}',
    "deep": b'{"resourceSpans": ' + b"[" * 1_000_000,
    "half a pair": b'{"resourceSpans": "\\ud800"}',
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_what_is_no_json_is_refused_whole(fault: str) -> None:
    store = fresh()
    with pytest.raises(ForeignFileError, match="record 1"):
        await imported(store, lines([request(GOOD)]) + BROKEN[fault], format="otlp")
    assert await is_empty(store)


@ph.tool(effect="read")
def weather(city: str) -> str:
    """The weather in a city."""
    if city == "Atlantis":
        raise ValueError("no such city")
    return f"It rains in {city}."


async def made_here(store: Store) -> str:
    """Two questions, parallel calls, and a tool that fails."""
    calls = tuple(ToolCallPart(id=f"call_{city}", name="weather", arguments={"city": city})
                  for city in ("Oslo", "Rome", "Atlantis"))  # fmt: skip
    first = Message(role="assistant", parts=(TextPart(content="I will look."), *calls))
    model = ScriptedModel(
        [
            Completion(
                message=first,
                usage=Usage(input_tokens=7, output_tokens=2, cached_tokens=1, reasoning_tokens=1),
                finish_reason="tool_calls",
            ),
            "It rains in both.",
            "Yes.",
        ]
    )
    agent = ph.Agent(
        "helper",
        model=model,
        tools=[weather],
        instructions="Be brief.",
        settings={"temperature": 0.5},
    )
    tape = await ph.run(agent, "Rain in Oslo and Rome?", store=store)
    tape = await ph.run(agent, "Sure?", store=store, tape=tape)
    return tape.id


def heart(tape: Tape) -> list[Any]:
    """What a tape tells, without its ids, times and notes."""
    found: list[Any] = []
    for step in tape:
        body = step.body
        if isinstance(body, ModelCall):
            prompt = [message.model_dump() for message in read_prompt(tape, step)]
            found.append((body.model, body.usage, body.message, body.finish_reason, prompt,
                          body.prompt.settings, body.prompt.tools))  # fmt: skip
        elif isinstance(body, ToolResult | ToolError):
            found.append((step.kind, body.name, body.call_id, getattr(body, "result", None),
                          getattr(body, "code", None), getattr(body, "message", None)))  # fmt: skip
        elif step.kind in ("playhead.user_message", "playhead.assistant_message"):
            found.append((step.kind, body.text))
        elif isinstance(body, ToolCall):
            found.append((step.kind, body.name, body.call_id, body.arguments))
    return sorted(found, key=repr)


async def written(store: Store, tape: str) -> tuple[bytes, Losses]:
    losses = Losses()
    parts = export_tapes(store, [tape], format="otlp", losses=losses)
    return b"".join([part async for part in parts]), losses


async def test_a_tape_made_here_goes_out_as_spans_and_comes_in_again() -> None:
    store = fresh()
    tape = await store.open(await made_here(store))
    data, losses = await written(store, tape.id)
    assert set(losses.dropped) == {"step `playhead.run`"}
    again = fresh()
    report = await imported(again, data, format=None)
    (id,) = report.tapes
    back = await again.open(id)
    assert heart(back) == heart(tape)
    # Tools at work at once answer in the order in which they were begun.
    assert sorted(saying(back)) == sorted(kind for kind in saying(tape) if kind != "run")
    more, _ = await written(again, id)
    assert same(told_of(of_lines(more)), told_of(of_lines(data)))


async def test_spans_of_a_tape_form_a_tree_in_one_conversation() -> None:
    store = fresh()
    tape = await made_here(store)
    data, _ = await written(store, tape)
    spans = [whole["span"] for whole in told_of(of_lines(data)).values()]
    roots = {one["spanId"] for one in spans if "parentSpanId" not in one}
    assert [one["name"] for one in spans if "parentSpanId" not in one] == [
        "invoke_agent helper"
    ] * 2
    assert {one["parentSpanId"] for one in spans if "parentSpanId" in one} == roots
    assert {one["attributes"]["gen_ai.conversation.id"]["stringValue"] for one in spans} == {tape}
    assert len({one["traceId"] for one in spans}) == 2
    for one in spans:
        assert int(one["startTimeUnixNano"]) <= int(one["endTimeUnixNano"])
    failed = [one for one in spans if one.get("status", {}).get("code") == 2]
    assert [one["attributes"]["error.type"]["stringValue"] for one in failed] == ["raised"]


async def test_an_answer_that_a_prompt_shows_as_an_example_is_still_an_answer() -> None:
    shown = [said("user", "Is 2 even?"), ANSWER, said("user", "Is 4?")]
    (tape,) = await tapes_of(request(span(1, chat(shown, ANSWER))))
    assert saying(tape) == [
        "user_message", "assistant_message", "user_message", "model_call", "assistant_message",
    ]  # fmt: skip


async def test_names_of_any_length_are_no_fault() -> None:
    long = "x" * 20_000
    used = tool(long, **{"gen_ai.tool.call.result": "1"})
    spans = [span(1, agent(long)), span(2, chat([ASKED], ANSWER), parent=1), span(3, used)]
    (tape,) = await tapes_of(request(*spans))
    assert bodies(tape, ToolCall)[0].name == long


async def test_ids_of_calls_may_come_again() -> None:
    again = [ASKED, WISH, CAME, ANSWER, said("user", "And now?"), WISH, came("c1", "sun")]
    (tape,) = await tapes_of(
        request(
            span(1, chat([ASKED], WISH)),
            span(2, chat([ASKED, WISH, CAME], ANSWER)),
            span(3, chat(again[:5], WISH)),
            span(4, chat(again, said("assistant", "Sun."))),
        )
    )
    assert [each.result for each in answers(tape)] == ["rain", "sun"]
    assert len(bodies(tape, ToolCall)) == 2
    assert saying(tape).count("user_message") == 2
