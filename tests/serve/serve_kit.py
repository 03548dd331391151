"""Agents on offer, and the real client of OpenAI's API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import openai

import playhead as ph
from playhead.llm import ModelRequest
from playhead.serve import AgentServer, Served
from playhead.tape import ToolCallPart


def echo(**more: Any) -> ph.Agent:
    """Counts what the person said, and repeats the last of it."""

    def say(request: ModelRequest) -> str:
        said = [message.text for message in request.prompt if message.role == "user"]
        return f"{len(said)}: {said[-1]}"

    return ph.Agent("echo", model=ph.ScriptedModel(say), **more)


def caller(ledger: list[str], effect: Any = "write") -> ph.Agent:
    """Calls its tool once for each message."""

    @ph.tool(effect=effect, thread=False)
    def send(text: str) -> str:
        """Send a text."""
        ledger.append(text)
        return "sent"

    def say(request: ModelRequest) -> Any:
        last = request.prompt.messages()[-1]
        if last.role == "tool":
            return f"done {len(ledger)}"
        part = ToolCallPart(id=None, name="send", arguments={"text": last.text})
        return ph.assistant((part,))

    return ph.Agent("caller", model=ph.ScriptedModel(say), tools=[send])


@asynccontextmanager
async def client_of(
    agent: ph.Agent, store: ph.SqliteStore, *, key: str | None = None, **options: Any
) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client, talking to the agent."""
    server = AgentServer(Served(agent, store=store, **options), key=key)
    async with (
        server.serve() as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key or "none") as client,
    ):
        yield client


class Talk:
    """A conversation as chat programs have it: all of it is sent each time."""

    def __init__(self, client: openai.AsyncOpenAI, model: str) -> None:
        self._client, self._model = client, model
        self.messages: list[Any] = []

    async def say(self, text: str, **options: Any) -> str:
        self.messages.append({"role": "user", "content": text})
        answer = await self._client.chat.completions.create(
            model=self._model, messages=self.messages, **options
        )
        said = answer.choices[0].message.content
        assert said is not None
        self.messages.append({"role": "assistant", "content": said})
        return said


async def tapes_of(store: ph.SqliteStore) -> Sequence[ph.Tape]:
    """All tapes, oldest first."""
    return [await store.open(info.id) for info in reversed(await store.tapes(limit=100))]


Make = Callable[[], ph.Agent]
