"""What a session of Playhead tells OpenTelemetry is what the receiver reads: one table of names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from test_otlp_import import heart, made_here

from playhead import conventions
from playhead.conventions import OPERATIONS, SETTINGS, TABLE
from playhead.record.otlp import OTLPReceiver
from playhead.store import SqliteStore
from playhead.tape import Tape
from playhead.tape.kinds import ModelCall


def without_settings(tape: Tape) -> list[object]:
    """The heart of a tape, without what live spans do not tell: the tools on offer."""
    return [
        (*each[:-1], None) if isinstance(each, tuple) and len(each) == 7 else each
        for each in heart(tape)
    ]


async def test_live_spans_become_the_tape_that_they_tell_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    async with SqliteStore(tmp_path / "a.db") as here, SqliteStore(tmp_path / "b.db") as there:
        receiver = OTLPReceiver(there, settle=1000.0)
        async with receiver.serve() as url:
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
            tape = await here.open(await made_here(here))
            await asyncio.to_thread(provider.shutdown)
        (info,) = await there.tapes()
        back = await there.open(info.id)
    assert without_settings(back) == without_settings(tape)
    assert back.fold().totals.input_tokens == tape.fold().totals.input_tokens
    assert sum(step.kind == ModelCall.kind for step in back) == 3
    told = {name for span in memory.get_finished_spans() for name in span.attributes or ()}
    runs_own = {f"playhead.{name}" for name in (
        "agent.config", "tape.begins_at", "tape.status", "tape.length")}  # fmt: skip
    assert told - runs_own <= set(map(str, TABLE))
    assert len(told) > 20


def test_the_table_has_each_name_once_and_all_of_them() -> None:
    assert len(set(TABLE)) == len(TABLE)
    named = [value for value in vars(conventions).values() if isinstance(value, conventions.Name)]
    assert list(TABLE) == named
    assert set(SETTINGS.values()) <= set(TABLE)
    assert set(OPERATIONS.values()) == {"agent", "call", "tool"}
    for name in TABLE:
        assert name.says, name
        assert str(name) not in name.also
