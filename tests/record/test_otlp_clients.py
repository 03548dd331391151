"""Programs that OpenTelemetry watches, with instrumentations that nobody here wrote."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from test_otlp_import import heart, made_here, saying
from test_proxy_clients import (
    chat_agent,
    chat_streaming_agent,
    responses_agent,
    responses_streaming_agent,
)
from upstream import serving, weather_agent

from playhead.errors import RecordError
from playhead.llm import read_prompt
from playhead.record import LLMReplay
from playhead.record.otlp import OTLPReceiver, send_tapes
from playhead.store import SqliteStore, Store
from playhead.tape import Tape
from playhead.tape.kinds import ModelCall, ToolResult

OPENTELEMETRY = "opentelemetry.instrumentation.openai_v2"
OPENINFERENCE = "openinference.instrumentation.openai"
RUNS: list[tuple[str, Callable[..., Awaitable[list[str]]]]] = [
    (OPENTELEMETRY, chat_agent),
    (OPENTELEMETRY, chat_streaming_agent),
    (OPENINFERENCE, chat_agent),
    (OPENINFERENCE, chat_streaming_agent),
    (OPENINFERENCE, responses_agent),
    (OPENINFERENCE, responses_streaming_agent),
]


async def watched(url: str, library: str, run: Callable[..., Awaitable[list[str]]]) -> list[str]:
    """Run an agent in a span of its own, and send what its SDK's instrumentation tells."""
    provider = TracerProvider()
    exporter = OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    instrumentor = importlib.import_module(library).OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with (
            serving(weather_agent) as upstream,
            provider.get_tracer("x").start_as_current_span("app"),
        ):
            return await run(upstream.url)
    finally:
        instrumentor.uninstrument()
        await asyncio.to_thread(provider.shutdown)


@pytest.mark.parametrize(("library", "run"), RUNS)
async def test_a_program_that_is_watched_becomes_a_tape(
    library: str,
    run: Callable[..., Awaitable[list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    async with SqliteStore(tmp_path / "tapes.db") as store:
        receiver = OTLPReceiver(store, settle=1000.0)
        with caplog.at_level(logging.WARNING, "opentelemetry.exporter"):
            async with receiver.serve() as url:
                answers = await watched(url, library, run)
        assert [each.message for each in caplog.records] == []
        assert (receiver.traces.written, receiver.recorder.faults, receiver.rejected) == (4, 0, 0)
        (info,) = await store.tapes()
        tape = await store.open(info.id)
        async with LLMReplay(store, [info.id]).serve() as url:
            assert await run(url) == answers  # once more, from the tape alone
    tape.verify()
    assert saying(tape) == [
        "user_message",
        *["model_call", "tool_call", "tool_result"] * 2,
        *["model_call", "assistant_message"],
        *["user_message", "model_call", "assistant_message"],
    ]
    assert [step.body.result for step in tape if isinstance(step.body, ToolResult)] == [
        "rain in Montréal",
        "rain in Québec",
    ]
    assert tape.answer == answers[-1]
    calls = [step for step in tape if isinstance(step.body, ModelCall)]
    assert {step.body.provider for step in calls} == {"openai"}  # type: ignore[attr-defined]
    prompt = read_prompt(tape, calls[-1])
    assert [message.role for message in prompt] == [
        "system", "user", "assistant", "tool", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip


async def tapes(store: Store) -> list[Tape]:
    return [await store.open(info.id) for info in await store.tapes()]


async def test_a_tape_is_sent_and_received_again(tmp_path: Path) -> None:
    """Out through `send_tapes`, in through the receiver: twice, which adds nothing."""
    async with SqliteStore(tmp_path / "a.db") as here, SqliteStore(tmp_path / "b.db") as there:
        tape = await here.open(await made_here(here))
        receiver = OTLPReceiver(there, settle=1000.0)
        async with receiver.serve() as url:
            sent = await send_tapes(here, [tape.id], url=url)
            assert (sent.tapes, sent.spans, sent.rejected) == (1, 8, 0)
            again = await send_tapes(here, [tape.id], url=f"{url}/v1/traces")
            assert again.spans == 8
        assert receiver.traces.written == 8
        (back,) = await tapes(there)
    assert heart(back) == heart(tape)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:4318", "no URL"),
        ("http://[", "no URL"),
        (
            "http://user:secret-word@127.0.0.1:9",
            r"`http://127\.0\.0\.1:9/v1/traces` does not answer",
        ),
    ],
)
async def test_a_receiver_that_is_not_there_is_told(url: str, told: str, tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "a.db") as store:
        tape = await made_here(store)
        with pytest.raises(RecordError, match=told) as raised:
            await send_tapes(store, [tape], url=url)
    assert "secret-word" not in raised.value.message


async def test_refusals_and_rejected_spans_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []

    def answers(asked: Any) -> None:
        seen.append(asked.headers)
        if len(seen) == 1:
            head = "HTTP/1.1 429 X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n"
            asked.send(head.encode())
        elif len(seen) == 2:
            body = b'{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}'
            asked.answer(body)
        else:
            asked.answer(b"who are you?", status=401)

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20key, other=1")
    async with SqliteStore(tmp_path / "a.db") as store:
        tape = await made_here(store)
        with serving(answers) as upstream:
            sent = await send_tapes(store, [tape], url=upstream.url)
            assert (sent.spans, sent.rejected, sent.messages) == (8, 3, ["too old"])
            with pytest.raises(RecordError, match="refused the spans: 401 who are you"):
                await send_tapes(store, [tape], url=upstream.url)
    assert (seen[0]["x-key"], seen[0]["other"]) == ("a key", "1")
    assert seen[0]["content-encoding"] == "gzip"
