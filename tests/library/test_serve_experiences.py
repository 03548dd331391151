"""Trusted experiences as tools of real MCP clients, over stdio and streamable HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from library_kit import experience
from mcp import Client, StdioServerParameters, stdio_client

import playhead as ph
from playhead.experience.library import Library
from playhead.orchestrator import Approval
from playhead.serve.experiences import ExperienceServer
from playhead.store import SqliteStore

WORLD = """
import playhead as ph

MEETINGS = {"ana": [{"id": 1}, {"id": 2}], "kofi": []}


def tools():
    @ph.tool(effect="read", name="calendar.search")
    def search(query: str) -> list[dict[str, int]]:
        return MEETINGS[query]

    @ph.tool(effect="write", name="calendar.delete")
    def delete(id: int) -> str:
        with open("deleted.txt", "a") as file:
            file.write(f"{id}\\n")
        print("deleted", id)  # a careless tool: the protocol must not hear of it
        return "deleted"

    return ph.Toolbox([search, delete])
"""
TOOLS = {"calendar.search": {"effect": "read"}, "calendar.delete": {"effect": "write"}}
SCHEMA = {"type": "string", "minLength": 1, "description": "Whom you meet."}


def served(name: str = "cancel-meeting", **changes: Any) -> Any:
    parameters = {"person": {"schema": SCHEMA, "sources": [{"given": True}]}}
    procedure = {"steps": ["Look for meetings", "Delete the first"]}
    return experience(
        name, **{"tools": TOOLS, "parameters": parameters, "procedure": procedure} | changes
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "office.py").write_text(WORLD)
    with Library(tmp_path / "library.db") as library:
        library.add(served(), origin="learnt")
        library.add(served("unproven"), origin="file")
        drifted = TOOLS | {"calendar.delete": {"effect": "write", "digest": "sha256:" + "0" * 64}}
        library.add(served("drifted", tools=drifted), origin="learnt")
    return tmp_path


def deleted(place: Path) -> list[str]:
    file = place / "deleted.txt"
    return file.read_text().split() if file.exists() else []


def command(*more: str) -> list[str]:
    words = ["serve", "mcp", "--environment", "office.py:tools", "--store", "tapes.db", *more]
    return ["-m", "playhead", *words]


@asynccontextmanager
async def over_stdio(place: Path) -> AsyncIterator[Client]:
    with (place / "stderr").open("w") as errors:
        server = StdioServerParameters(command=sys.executable, args=command(), cwd=place)
        async with Client(stdio_client(server, errlog=errors)) as client:
            yield client


@asynccontextmanager
async def over_http(place: Path) -> AsyncIterator[Client]:
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, *command("--port", "0")], cwd=place, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        lines = iter(process.stderr.readline, "")
        address = next(line for line in lines if "http://" in line).split()[3]
        async with Client(address) as client:
            yield client
        told = httpx2.post(address, headers={"Host": "evil.example"}, json={}, timeout=30)
        assert told.status_code == 421
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stderr.close()


@pytest.mark.parametrize("transport", [over_stdio, over_http])
async def test_a_client_lists_and_calls_trusted_experiences(place: Path, transport: Any) -> None:
    async with transport(place) as client:
        (tool,) = (await client.list_tools()).tools
        assert (tool.name, tool.title) == (
            "cancel-meeting", "Cancel the next meeting with somebody",
        )  # fmt: skip
        assert "1. Look for meetings\n2. Delete the first" in tool.description
        assert tool.input_schema == {
            "type": "object",
            "properties": {"person": SCHEMA},
            "required": ["person"],
            "additionalProperties": False,
        }
        assert tool.annotations.read_only_hint is False
        assert tool.annotations.destructive_hint is True
        done = await client.call_tool("cancel-meeting", {"person": "ana"})
        assert not done.is_error
        assert done.content[0].text == "Done."
        assert done.structured_content["outcome"] == "done"
        assert deleted(place) == ["1"]
        refused = await client.call_tool("cancel-meeting", {"person": "kofi"})
        assert refused.is_error
        assert refused.content[0].text.startswith("Not done: ")
        assert refused.structured_content["writes"] == 0
    assert deleted(place) == ["1"]
    async with SqliteStore(place / "tapes.db") as store:
        tape = await store.open(done.structured_content["tape"])
        tape.verify()
        assert "playhead.play" in [step.kind for step in tape]
    with Library(place / "library.db") as library:
        counts = library.plays.counts(library.get("cancel-meeting").digest)
        assert (counts.solved, counts.refused) == (1, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("cancel-meeting", {}, "`person` is missing"),
        ("cancel-meeting", {"person": 3}, "do not fit"),
        ("cancel-meeting", {"person": ""}, "do not fit"),
        ("cancel-meeting", {"person": "ana", "more": 1}, "do not fit"),
        ("unproven", {"person": "ana"}, "no trusted experience `unproven`"),
        ("drifted", {"person": "ana"}, "no trusted experience `drifted`"),
        ("../x", {}, "no trusted experience"),
    ],
)
async def test_what_cannot_be_played_is_a_clear_error(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: Any, said: str
) -> None:
    monkeypatch.chdir(place)
    space: dict[str, Any] = {}
    exec(WORLD, space)
    with Library(place / "library.db") as library:
        server = ExperienceServer(
            library, [space["tools"]()], store=ph.MemoryStore(), limited=False
        )
        async with Client(server.server()) as client:
            answer = await client.call_tool(name, arguments)
            assert answer.is_error
            assert said in answer.content[0].text
            assert deleted(place) == []
        assert list(server.left_out()) == ["drifted@1"]


async def test_trust_that_is_withdrawn_counts_at_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    space: dict[str, Any] = {}
    exec(WORLD, space)
    with Library(place / "library.db") as library:
        server = ExperienceServer(
            library, [space["tools"]()], store=ph.MemoryStore(), limited=False
        )
        async with Client(server.server()) as client:
            assert len((await client.list_tools()).tools) == 1
            with Library(place / "library.db") as elsewhere:
                elsewhere.quarantine("cancel-meeting", "somebody looked")
            assert (await client.call_tool("cancel-meeting", {"person": "ana"})).is_error
            assert deleted(place) == []


async def test_what_needs_a_word_waits_and_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    space: dict[str, Any] = {}
    exec(WORLD, space)
    with Library(place / "library.db") as library:
        server = ExperienceServer(
            library,
            [space["tools"]()],
            store=ph.MemoryStore(),
            approval=Approval(effects=("write",)),
            limited=False,
        )
        async with Client(server.server()) as client:
            answer = await client.call_tool("cancel-meeting", {"person": "ana"})
    assert answer.is_error
    assert "waits for a person's decision" in answer.content[0].text
    assert deleted(place) == []


async def test_plays_come_one_after_the_other(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import anyio

    monkeypatch.chdir(place)
    space: dict[str, Any] = {}
    exec(WORLD, space)
    with Library(place / "library.db") as library:
        server = ExperienceServer(
            library, [space["tools"]()], store=ph.MemoryStore(), limited=False
        )
        async with Client(server.server()) as client, anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(client.call_tool, "cancel-meeting", {"person": "ana"})
        assert deleted(place) == ["1"] * 5
        assert library.plays.counts(library.get("cancel-meeting").digest).solved == 5


def test_no_environment_is_told(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playhead", "serve", "mcp"],
        cwd=place, capture_output=True, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 2
    assert "--environment ENV" in done.stderr
    assert done.stdout == ""
