"""Nothing in a trace that opens doors reaches the disk: all files of the store are searched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from test_proxy_secrets import ARGUMENTS, IN_BODIES, IN_HEADERS, PLANTED, QUERY, redactor
from traces import agent, attributes, chat, request, said, span, tool, wish

from playhead.govern import Redactor
from playhead.record.otlp import OTLPReceiver
from playhead.record.otlp._wire import write_request
from playhead.store import SqliteStore

FLAT = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": IN_BODIES,
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c2",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "login",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": json.dumps(
        ARGUMENTS
    ),
    "llm.invocation_parameters": json.dumps({"note": IN_BODIES, "password": "hunter2-of-ours-99"}),
    "llm.tools.0.tool.json_schema": json.dumps({"name": "login", "description": IN_BODIES}),
    "input.value": IN_BODIES,
    "output.value": IN_BODIES,
    "metadata": json.dumps({"token": "hunter2-of-ours-99", "note": IN_BODIES}),
}
EVERYWHERE = {
    "note": IN_BODIES,
    "password": "hunter2-of-ours-99",
    "headers": {"authorization": "Bearer plain-looking-token-of-ours"},
    "list": [IN_BODIES, {"api_key": "another plain looking key"}],
}


def planted() -> dict[str, Any]:
    """Spans with the values in every place that a span has."""
    event = {"name": IN_BODIES, "timeUnixNano": "5", "attributes": attributes(EVERYWHERE)}
    link = {"traceId": "ab" * 16, "spanId": "ab" * 8, "attributes": attributes(EVERYWHERE)}
    more = {
        "name": IN_BODIES, "events": [event], "links": [link], "traceState": IN_BODIES,
        "status": {"code": 2, "message": IN_BODIES}, "droppedEventsCount": 1,
    }  # fmt: skip
    login = wish("c1", "login", **ARGUMENTS)
    heard = {"gen_ai.input.messages": json.dumps([said("user", f"0 {IN_BODIES}")])}
    used = {
        "gen_ai.tool.call.arguments": json.dumps(ARGUMENTS),
        "gen_ai.tool.call.result": IN_BODIES,
    }
    system = {"gen_ai.system_instructions": json.dumps([{"type": "text", "content": IN_BODIES}])}
    document = request(
        span(1, {**agent(f"agent {IN_BODIES}"), **heard, **EVERYWHERE}, **more),
        span(2, chat([said("user", f"1 {IN_BODIES}")], login, **EVERYWHERE, **system), parent=1),
        span(3, {**tool("login", "c1"), **used, **EVERYWHERE}, parent=1),
        span(4, {**tool(f"x {IN_BODIES}", f"id {IN_BODIES}"), "error.type": IN_BODIES}, **more),
        span(5, chat([said("user", "2")], said("assistant", IN_BODIES)), **more),
        span(6, {**FLAT, **EVERYWHERE}, parent=1),
        span(7, chat([said("user", "Montréal")], said("assistant", "ok")), parent=1),
        resource={"process.command_args": ["x", f"--note={IN_BODIES}"], **EVERYWHERE},
    )
    scope = {"name": f"scope {IN_BODIES}", "attributes": attributes(EVERYWHERE)}
    document["resourceSpans"][0]["scopeSpans"][0]["scope"] = scope
    return document


@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf"])
async def test_planted_secrets_never_reach_the_disk(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    document = planted()
    body = json.dumps(document).encode() if "json" in kind else write_request(document)
    async with SqliteStore(folder / "tapes.db") as store:
        receiver = OTLPReceiver(store, redactor=redactor(), settle=1000.0)
        async with receiver.serve() as url, httpx2.AsyncClient(base_url=url) as client:
            headers = {**IN_HEADERS, "content-type": kind}
            for _ in range(2):
                answer = await client.post("/v1/traces" + QUERY, content=body, headers=headers)
                assert answer.status_code == 200
        assert (receiver.traces.written, receiver.recorder.faults) == (7, 0)
        everything = b"".join(file.read_bytes() for file in folder.iterdir())
        assert {value for value in PLANTED if value.encode() in everything} == set()
        assert b"hunter2" not in everything
        assert "Montréal".encode() in everything  # it is there, and not packed
        assert b"redacted" in everything
        (info,) = await store.tapes()
        (await store.open(info.id)).verify()


class Failing(Redactor):
    """A redactor that fails at whatever holds a secret."""

    def json(self, value: Any) -> Any:
        if "hunter2" in repr(value):
            raise ValueError("hunter2-of-ours-99 is in it")
        return super().json(value)


async def test_where_the_redactor_fails_the_content_is_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    async with SqliteStore(folder / "tapes.db") as store:
        receiver = OTLPReceiver(store, redactor=Failing([]), settle=1000.0)
        async with receiver.serve() as url, httpx2.AsyncClient(base_url=url) as client:
            told = chat([said("user", "hunter2")], said("assistant", "fine"), note="hunter2")
            await client.post("/v1/traces", json=request(span(1, told, name="hunter2")))
        assert (receiver.traces.written, receiver.recorder.faults) == (1, 0)
    everything = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"hunter2" not in everything
    assert b"dropped: the redactor failed" in everything
    assert b"fine" in everything


def test_the_planted_values_stand_in_the_spans() -> None:
    text = json.dumps(planted())
    for value in ("hunter2-of-ours-99", "plain-looking-token-of-ours", "CUSTOM-0042"):
        assert text.count(value) > 10
