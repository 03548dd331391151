"""An agent as a tool of MCP, used by the SDK's own client."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from serve_kit import echo, tapes_of

import playhead as ph
from playhead.agent import FunctionSpec
from playhead.errors import RecordError
from playhead.serve import AgentTool, Served


def text_of(result: Any) -> str:
    return "".join(part.text for part in result.content)


async def test_the_agent_is_a_tool(store: ph.SqliteStore) -> None:
    agent = echo(description="Repeats what it is told.")
    async with Client(AgentTool(Served(agent, store=store)).server()) as client:
        (tool,) = (await client.list_tools()).tools
        assert (tool.name, tool.description) == ("echo", "Repeats what it is told.")
        assert tool.input_schema["required"] == ["task"]
        first = await client.call_tool("echo", {"task": "hi"})
        assert text_of(first) == "1: hi"
        told = first.structured_content
        again = {"task": "more", "conversation": told["conversation"]}
        assert text_of(await client.call_tool("echo", again)) == "2: more"
        assert text_of(await client.call_tool("echo", {"task": "hi"})) == "1: hi"
    assert len(await tapes_of(store)) == 2
    assert (await store.open(told["tape"])).answer == "2: more"


async def test_a_typed_function_has_its_own_parameters(store: ph.SqliteStore) -> None:
    spec = FunctionSpec.of("word, letter -> count: int", name="count")
    model = ph.ScriptedModel(['{"count": 2}'])
    agent = ph.Agent("count", model=model, nodes=[ph.FunctionNode(spec, becomes="answer")])
    async with Client(AgentTool(Served(agent, store=store)).server()) as client:
        (tool,) = (await client.list_tools()).tools
        assert list(tool.input_schema["properties"]) == ["word", "letter", "conversation"]
        result = await client.call_tool("count", {"word": "berry", "letter": "r"})
        assert text_of(result) == '{"count":2}'


async def test_faults_are_results_that_say_so(store: ph.SqliteStore) -> None:
    agent = ph.Agent("broken", model=ph.ScriptedModel([]))
    async with Client(AgentTool(Served(agent, store=store)).server()) as client:
        for name, arguments in (("broken", {"task": "x"}), ("broken", {"task": 3}), ("other", {})):
            result = await client.call_tool(name, arguments)
            assert result.is_error
            assert text_of(result)


async def test_over_http(store: ph.SqliteStore) -> None:
    tool = AgentTool(Served(echo(), store=store))
    async with tool.serve() as url, Client(url) as client:
        assert text_of(await client.call_tool("echo", {"task": "hi"})) == "1: hi"
    with pytest.raises(RecordError, match="give it a `key`"):
        tool.serve(host="0.0.0.0")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_over_http_a_key_is_asked_for(store: ph.SqliteStore, host: str) -> None:
    tool = AgentTool(Served(echo(), store=store), key="kéy")
    async with tool.serve(host=host) as url:
        url = url.replace("0.0.0.0", "127.0.0.1")
        for given in ({}, {"authorization": "Bearer key"}, {"authorization": "kéy"[:1]}):
            async with httpx2.AsyncClient(headers=given) as plain:
                answer = await plain.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "x"})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        headers = {"authorization": "Bearer kéy".encode("latin-1")}
        async with (
            httpx2.AsyncClient(headers=headers) as known,
            Client(streamable_http_client(url, http_client=known)) as client,
        ):
            assert text_of(await client.call_tool("echo", {"task": "hi"})) == "1: hi"
    assert len(await tapes_of(store)) == 1


AGENT = """
import playhead as ph

agent = ph.Agent("echo", model=ph.ScriptedModel(lambda request: request.prompt.messages()[-1].text))
"""


async def test_over_standard_input_and_output(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(AGENT)
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "playhead", "serve", "agent", "agent.py:agent", "--mcp"],
        cwd=tmp_path,
        env=dict(os.environ),
    )
    async with Client(stdio_client(command)) as client:
        assert text_of(await client.call_tool("echo", {"task": "hi"})) == "hi"
    async with ph.SqliteStore(tmp_path / ".playhead" / "tapes.db") as store:
        assert [tape.answer for tape in await tapes_of(store)] == ["hi"]
