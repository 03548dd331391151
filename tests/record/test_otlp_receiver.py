"""The receiver of traces: encodings, order, lateness, and what it says to bad input."""

from __future__ import annotations

import gzip
import itertools
import json
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from foreign_documents import fresh, run
from google.protobuf import json_format
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from traces import TRACES, agent, came, chat, documents, request, said, span, tool, wish

from playhead.errors import MissingExtraError
from playhead.record import export_tapes
from playhead.record.otlp import OTLPReceiver
from playhead.record.otlp import _receiver as limits
from playhead.record.otlp._span import read_spans
from playhead.record.otlp._traces import Parcel, Traces
from playhead.record.otlp._wire import read_body, write_request
from playhead.store import Answer, Batch, MemoryStore, SqliteStore, Store
from playhead.tape import Tape
from playhead.tape.kinds import ModelCall, Source

JSON, PROTOBUF = "application/json", "application/x-protobuf"
ASKED, ANSWER = said("user", "Rain in Oslo?"), said("assistant", "Yes.")
WISH, CAME = wish("c1", "weather", city="Oslo"), came("c1", "rain")
SPANS = [
    span(1, agent("helper", **{"gen_ai.conversation.id": "c"}), end=90),
    span(2, chat([ASKED], WISH), parent=1),
    span(3, {"http.route": "/"}, parent=2),
    span(4, tool("weather", "c1", **{"gen_ai.tool.call.result": "rain"}), parent=1),
    span(5, chat([ASKED, WISH, CAME], ANSWER), parent=1),
]
STEPS = [
    "user_message", "model_call", "tool_call", "tool_result", "model_call", "assistant_message",
]  # fmt: skip


def packed(document: Any) -> bytes:
    return write_request(document)


@asynccontextmanager
async def receiving(
    store: Store, **more: Any
) -> AsyncIterator[tuple[httpx2.AsyncClient, OTLPReceiver]]:
    receiver = OTLPReceiver(store, **{"settle": 1000.0, **more})
    async with receiver.serve() as url, httpx2.AsyncClient(base_url=url) as client:
        yield client, receiver


async def post(
    client: httpx2.AsyncClient, body: bytes, kind: str = JSON, **headers: str
) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/v1/traces", content=body, headers={"content-type": kind, **named})


async def tapes(store: Store) -> list[Tape]:
    found = [await store.open(info.id) for info in await store.tapes()]
    for tape in found:
        tape.verify()
        tape.fold()
        assert {step.origin for step in tape[1:]} == {"captured"}
    return found


def saying(tape: Tape) -> list[str]:
    return [step.kind.removeprefix("playhead.") for step in tape[1:] if step.kind != Source.kind]


BODIES = {
    "JSON": (JSON, lambda body: body, {}),
    "JSON with a charset": ("application/json; charset=utf-8", lambda body: body, {}),
    "JSON, gzip": (JSON, gzip.compress, {"content_encoding": "gzip"}),
    "JSON, deflate": (JSON, zlib.compress, {"content_encoding": "deflate"}),
    "protobuf": (PROTOBUF, lambda body: packed(json.loads(body)), {}),
    "protobuf, gzip": (
        PROTOBUF,
        lambda body: gzip.compress(packed(json.loads(body))),
        {"content_encoding": "gzip"},
    ),
}


@pytest.mark.parametrize("how", BODIES)
async def test_traces_are_taken_in_every_encoding(how: str) -> None:
    kind, encode, headers = BODIES[how]
    store = fresh()
    async with receiving(store) as (client, receiver):
        answer = await post(client, encode(json.dumps(request(*SPANS)).encode()), kind, **headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind.partition(";")[0]
        assert answer.content == (b"{}" if "JSON" in how else b"")
    assert (receiver.traces.written, receiver.traces.others) == (4, 1)
    (tape,) = await tapes(store)
    assert saying(tape) == STEPS


ORDERS = list(itertools.permutations(range(5)))[::7]


@pytest.mark.parametrize("order", ORDERS)
async def test_parts_of_a_trace_come_in_any_order(order: tuple[int, ...]) -> None:
    store = fresh()
    async with receiving(store) as (client, _):
        for at in order:
            await post(client, json.dumps(request(SPANS[at])).encode())
    (tape,) = await tapes(store)
    assert saying(tape) == STEPS


@pytest.mark.parametrize("cut", range(1, 5))
async def test_what_comes_late_stands_later_and_nothing_is_told_twice(cut: int) -> None:
    store = fresh()
    async with receiving(store) as (client, receiver):
        await post(client, json.dumps(request(*SPANS[cut:])).encode())
        await receiver.flush()
        await post(client, json.dumps(request(*SPANS)).encode())
        await receiver.flush()
        await post(client, json.dumps(request(*SPANS)).encode())
    told = [step for tape in await tapes(store) for step in tape]
    kinds = [step.kind for step in told]
    assert kinds.count(Source.kind) == 4
    assert kinds.count(ModelCall.kind) == 2
    assert kinds.count("playhead.tool_result") == 1


async def test_a_tape_goes_on_after_a_restart(tmp_path: Path) -> None:
    place = tmp_path / "tapes.db"
    name = {"gen_ai.conversation.id": "c"}
    for spans in ([SPANS[0], SPANS[1]], [SPANS[1], span(4, tool("weather", "c1", **name, **{
        "gen_ai.tool.call.result": "rain"}))], [span(5, chat([ASKED, WISH, CAME], ANSWER, **name),
                                                trace=TRACES[1])]):  # fmt: skip
        async with SqliteStore(place) as store:
            async with receiving(store) as (client, receiver):
                await post(client, json.dumps(request(*spans)).encode())
            assert receiver.recorder.faults == 0
    async with SqliteStore(place) as store:
        (tape,) = await tapes(store)
    assert saying(tape) == STEPS
    assert len([step for step in tape if step.kind == Source.kind]) == 4


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_trace_is_written_when_it_is_quiet_and_whole_or_has_waited_long() -> None:
    store, clock = fresh(), Clock()
    traces = Traces(store, settle=6.0, clock=clock)
    part, root = read_spans(request(SPANS[1], SPANS[0]))
    assert (part.parent, root.parent) == (root.id, "")
    await traces.take(Parcel((part,)))
    clock.now = 59.9  # whatever it is part of may still go on
    await traces.take(Parcel())
    assert await store.tapes() == []
    await traces.take(Parcel((root,)))
    clock.now = 65.0
    await traces.take(Parcel())
    assert await store.tapes() == []
    clock.now = 66.0
    await traces.take(Parcel())
    assert len(await store.tapes()) == 1
    for number in range(130):
        clock.now += 5
        (late,) = read_spans(request(span(100 + number, chat([ASKED], ANSWER), trace=TRACES[1])))
        await traces.take(Parcel((late,)))
    assert len(await store.tapes()) == 2


async def test_a_part_of_what_never_comes_is_written_after_a_while() -> None:
    store, clock = fresh(), Clock()
    traces = Traces(store, settle=6.0, clock=clock)
    await traces.take(Parcel(tuple(read_spans(request(SPANS[1])))))
    clock.now = 60.0
    await traces.take(Parcel())
    assert len(await store.tapes()) == 1


async def test_spans_that_are_none_are_rejected_alone() -> None:
    bad = [{**SPANS[1], "traceId": "?"}, {**SPANS[2], "startTimeUnixNano": "x"}, 7]
    for kind in (JSON, PROTOBUF):
        store = fresh()
        document = request(*SPANS, *(bad if kind == JSON else [{**SPANS[0], "spanId": "00" * 8}]))
        body = json.dumps(document).encode() if kind == JSON else packed(document)
        async with receiving(store) as (client, receiver):
            answer = await post(client, body, kind)
        assert answer.status_code == 200
        if kind == JSON:
            partial = answer.json()["partialSuccess"]
            assert partial["rejectedSpans"] == "3"
            assert (
                "`resourceSpans.0.scopeSpans.0.spans.5.traceId` should be"
                in partial["errorMessage"]
            )
        else:
            response = ExportTraceServiceResponse.FromString(answer.content)
            assert response.partial_success.rejected_spans == 1
            assert "16 hexadecimal digits" in response.partial_success.error_message
        assert receiver.rejected == (3 if kind == JSON else 1)
        (tape,) = await tapes(store)
        assert saying(tape) == STEPS


BAD: dict[str, tuple[bytes, str, dict[str, str], int, str]] = {
    "no JSON": (b"hello", JSON, {}, 400, "not JSON"),
    "cut off": (b'{"resourceSpans": [', JSON, {}, 400, "not JSON"),
    "not UTF-8": (b'{"resourceSpans": "\xff"}', JSON, {}, 400, "UTF-8"),
    "NaN": (b'{"resourceSpans": NaN}', JSON, {}, 400, "NaN"),
    "a member twice": (b'{"a": 1, "a": 2}', JSON, {}, 400, "stands twice"),
    "deep": (b"[" * 1_000_000, JSON, {}, 400, "levels of nesting"),
    "a list": (b"[]", JSON, {}, 400, "should be an object"),
    "wrong type": (b'{"resourceSpans": 1}', JSON, {}, 400, "should be an array"),
    "wrong type within": (b'{"resourceSpans": [{"scopeSpans": {}}]}', JSON, {}, 400, "array"),
    "no protobuf": (b"\xff\xff\xff", PROTOBUF, {}, 400, "ExportTraceServiceRequest"),
    "deep protobuf": (b"\x0a\x7f" * 5000, PROTOBUF, {}, 400, "ExportTraceServiceRequest"),
    "no gzip": (b"{}", JSON, {"content_encoding": "gzip"}, 400, "not gzip"),
    "gzip, cut off": (gzip.compress(b"{}")[:-9], JSON, {"content_encoding": "gzip"}, 400, "cut"),
    "unknown coding": (b"{}", JSON, {"content_encoding": "br"}, 400, "`br` is not known"),
    "a bomb": (gzip.compress(b" " * 200_000), JSON, {"content_encoding": "gzip"}, 413, "at most"),
    "too large": (b" " * 200_000, JSON, {}, 413, "at most"),
    "another type": (b"a=1", "application/x-www-form-urlencoded", {}, 415, "application/json"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
async def test_what_cannot_be_read_is_refused_with_a_status(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_LARGEST", 100_000)
    if fault == "deep":
        monkeypatch.setattr(limits, "_LARGEST", 2_000_000)
    body, kind, headers, status, told = BAD[fault]
    store = fresh()
    async with receiving(store) as (client, receiver):
        answer = await post(client, body, kind, **headers)
        assert answer.status_code == status
        if kind == PROTOBUF:
            assert answer.headers["content-type"] == PROTOBUF
            assert told in Status.FromString(answer.content).message
        else:
            assert told in answer.json()["message"]
        assert (await post(client, b"{}")).status_code == 200  # it goes on
    assert await store.tapes() == []
    assert receiver.recorder.faults == 0


async def test_other_signals_and_methods_are_told() -> None:
    async with receiving(fresh()) as (client, _):
        logs = await client.post("/v1/logs", json={})
        assert logs.status_code == 404
        assert "only /v1/traces is recorded" in logs.json()["message"]
        got = await client.get("/v1/traces")
        assert (got.status_code, got.headers["allow"]) == (405, "POST")


class Full(MemoryStore):
    """A store whose disk is full."""

    async def append(self, batch: Batch) -> Answer:
        return Answer.UNKNOWN


async def test_what_cannot_be_stored_is_told() -> None:
    faults: list[str] = []
    async with receiving(Full(), on_fault=faults.append) as (client, receiver):
        assert (await post(client, json.dumps(request(*SPANS)).encode())).status_code == 200
        await receiver.flush()
        assert receiver.recorder.faults == 1
    assert "spans were not recorded" in faults[0]
    assert receiver.traces.written == 0


async def test_when_nothing_more_can_wait_the_sender_is_asked_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = fresh()
    async with receiving(store) as (client, receiver):
        monkeypatch.setattr("playhead.record._recorder._MOST", 10)
        answer = await post(client, json.dumps(request(*SPANS)).encode())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        monkeypatch.undo()
        assert (await post(client, json.dumps(request(*SPANS)).encode())).status_code == 200
    assert len(await tapes(store)) == 1
    assert receiver.recorder.faults == 1


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.permutations(range(3)))
def test_any_traces_become_tapes_that_verify(
    document: list[dict[str, Any]], order: list[int]
) -> None:
    async def work() -> None:
        store = fresh()
        traces = Traces(store)
        requests = [document[at] for at in order if at < len(document)]
        spans = [span for each in requests for span in read_spans(each)]
        for each in requests:
            await traces.take(Parcel(tuple(read_spans(each))))
        await traces.take(Parcel(all=True))
        assert traces.written + traces.others == len(spans)
        assert traces.written == sum(span.kind is not None for span in spans)
        stored = await tapes(store)
        length = sum(map(len, stored))
        await traces.take(Parcel(tuple(spans), all=True))
        assert sum(map(len, await tapes(store))) == length

    run(work())


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_protocol_buffers_say_the_same_as_json(document: list[dict[str, Any]]) -> None:
    for each in document:
        body = packed(each)
        again = read_body(body, PROTOBUF)
        told = json_format.MessageToDict(ExportTraceServiceRequest.FromString(body))
        assert bool(again) == bool(told)
        assert [one.attributes for one in read_spans(again)] == [
            one.attributes for one in read_spans(each)
        ]
        assert [one.order for one in read_spans(again)] == [one.order for one in read_spans(each)]


async def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    service = "opentelemetry.proto.collector.trace.v1.trace_service_pb2"
    monkeypatch.setitem(sys.modules, service, None)
    with pytest.raises(MissingExtraError, match=r'pip install "playhead\[otlp\]"'):
        OTLPReceiver(fresh())
    with pytest.raises(MissingExtraError, match=r'pip install "playhead\[otlp\]"'):
        packed(request(*SPANS))


async def test_what_is_large_is_a_blob_and_comes_back(tmp_path: Path) -> None:
    """A large result and a large attribute: told once, also after a restart, and sent whole."""
    large = "rain " * 30_000
    spans = [
        span(1, chat([ASKED], WISH)),
        span(2, chat([ASKED, WISH, came("c1", large)], ANSWER, note="n" * 100_000)),
    ]
    for _ in range(2):
        async with SqliteStore(tmp_path / "s.db") as store:
            async with receiving(store) as (client, receiver):
                await post(client, json.dumps(request(*spans)).encode())
            assert receiver.recorder.faults == 0
    async with SqliteStore(tmp_path / "s.db") as store:
        (tape,) = await tapes(store)
        assert saying(tape) == STEPS
        assert all(len(step.data or b"") < 70_000 for step in tape)
        parts = export_tapes(store, [tape.id], format="otlp")
        (line,) = b"".join([part async for part in parts]).splitlines()
    (_, second) = read_spans(json.loads(line))
    assert second.said("gen_ai.input.messages") == [ASKED, WISH, came("c1", large)]
    assert second.attributes["note"] == "n" * 100_000
