"""An answer in pieces: as the model makes it, where what it makes can be nothing but the answer."""

from __future__ import annotations

import asyncio

from playhead.agent import Node, PromptNode, ToolCallingNode
from playhead.orchestrator import DeltaEvent, Event, StepEvent
from playhead.record.serving import Send
from playhead.serve._chat import DONE, Refusal, Reply, event
from playhead.serve._served import Served
from playhead.tape import Json

_SILENCE = 10.0  # seconds until the client is told that the agent is still at work


class Stream:
    """Server-sent events to one client.

    Text is sent on as it comes where the node answers and has no tools; elsewhere it could be
    words before a tool call, so it is sent when it is the answer. Steps are told as comments.

    Args:
        send: Sends to the client.
        reply: The forms of the answer.
        served: The agent on offer.
    """

    def __init__(self, send: Send, reply: Reply, served: Served) -> None:
        self._send, self._reply = send, reply
        self._speaking = {node.name for node in served.agent.nodes if _only_answers(node, served)}
        self._name = served.agent.name
        self._events: asyncio.Queue[bytes] = asyncio.Queue()
        self._begun = False
        self._said = ""

    def watch(self, happened: Event) -> None:
        """Take what happens in a run."""
        match happened:
            case DeltaEvent(agent=agent, node=node, delta=delta):
                if agent == self._name and node in self._speaking and delta.text:
                    self._said += delta.text
                    self._events.put_nowait(self._reply.piece({"content": delta.text}))
            case StepEvent(step=step):
                self._events.put_nowait(f": {step.kind}\n\n".encode())

    async def follow(self, work: asyncio.Task[object]) -> None:
        """Send what comes until the work is done."""
        while not work.done() or not self._events.empty():
            getting = asyncio.ensure_future(self._events.get())
            await asyncio.wait(
                {getting, work}, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED
            )
            if getting.done():
                await self._write(getting.result())
            else:
                getting.cancel()
                if not work.done():
                    await self._write(b": at work\n\n")

    async def end(self, text: str, *, tape: str, usage: Json) -> None:
        """Send the rest of the answer.

        Raises:
            Refusal: What was sent already is not its beginning, as after a second try.
        """
        if not text.startswith(self._said):
            message = "the answer was begun twice: ask again"
            raise Refusal(500, message, code="begun_twice", tape=tape)
        rest = text[len(self._said) :]
        if rest:
            await self._write(self._reply.piece({"content": rest}))
        await self._write(self._reply.piece({}, finish="stop"))
        if usage is not None:
            await self._write(self._reply.usage(usage))
        await self._write(f": tape {tape}\n\n".encode() + DONE, last=True)

    async def fail(self, refusal: Refusal) -> None:
        """Say why there is no answer: with a status, if nothing was sent yet."""
        if not self._begun:
            raise refusal
        await self._write(event(refusal.body), last=True)

    async def _write(self, content: bytes, *, last: bool = False) -> None:
        if not self._begun:
            self._begun = True
            headers = [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-cache"),
            ]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            content = self._reply.piece({"role": "assistant", "content": ""}) + content
        await self._send({"type": "http.response.body", "body": content, "more_body": not last})


def _only_answers(node: Node, served: Served) -> bool:
    """Whether a completion of a node can be nothing but the answer."""
    if isinstance(node, PromptNode):
        return node.becomes == "answer" and not node.offers_tools and node.shape is None
    return type(node) is ToolCallingNode and not (
        served.agent.toolbox.tools()
        or served.agent.subagents
        or node.signals.describe()
        or served.has_environments
    )
