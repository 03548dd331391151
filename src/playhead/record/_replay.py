"""Answers from recordings, in place of an API that is not asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from playhead.errors import RecordError, RecordingMissError, TapeError
from playhead.govern import Redactor
from playhead.llm import Recording, Recordings, read_prompt
from playhead.record._captured import read_request
from playhead.record._exchange import Asked
from playhead.record._headers import credentials
from playhead.record._passage import LARGEST
from playhead.record._proxy import wire_of
from playhead.record._redaction import Redaction
from playhead.record._sessions import joined
from playhead.record.serving import Receive, Scope, Send, body_of, respond, serving
from playhead.record.wire import OPENAI_CHAT, Reply, Wire
from playhead.record.wire._read import whole
from playhead.store import Store
from playhead.tape import BlobPart, Json, Message, Part, Tape, TextPart, compact, text_part

_HEADERS = [(b"x-should-retry", b"false")]  # asking again brings the same
_JSON = [(b"content-type", b"application/json")]
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class LLMReplay:
    """An ASGI application that answers model calls from tapes, with no upstream.

    A request is answered if its prompt was recorded word for word; equal ones in their order, and
    after the last one from the first again. A miss is status 404, in the form of the provider's
    errors; it names the nearest recorded call and the difference.

    Args:
        store: Where the tapes live.
        tapes: Their ids.
        redactor: The one that they were recorded with; `Redactor()` if not given.
    """

    def __init__(
        self, store: Store, tapes: Iterable[str], *, redactor: Redactor | None = None
    ) -> None:
        self._store = store
        self._ids = tuple(tapes)
        self._redaction = Redaction(redactor)
        self._recordings = Recordings(())
        self._responses: dict[str, tuple[Message, ...]] = {}
        self._loading: asyncio.Task[None] | None = None
        self.answered = 0
        self.missed = 0

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serve while the context is open; gives the address.

        Raises:
            TapeNotFoundError: There is no such tape.
            RecordError: No model call is recorded on them.
        """
        return self._served(host, port)

    @asynccontextmanager
    async def _served(self, host: str, port: int) -> AsyncIterator[str]:
        await self.load()
        async with serving(self, host=host, port=port) as url:
            yield url

    async def load(self) -> int:
        """Read the tapes; gives how many model calls they hold."""
        tapes = [await self._store.open(tape_id) for tape_id in self._ids]
        self._recordings = Recordings(tapes)
        if not len(self._recordings):
            raise RecordError("no complete model call is on these tapes: choose others")
        by_id = {tape.id: tape for tape in tapes}
        for recording in self._recordings:
            await self._learn_response(by_id[recording.tape], recording)
        return len(self._recordings)

    async def _learn_response(self, tape: Tape, recording: Recording) -> None:
        """Remember a response that later requests may name."""
        raw = await self._text(tape.id, recording.call.raw)
        known = whole(raw).get("id") or _streamed_id(raw)
        if isinstance(known, str) and recording.call.message is not None:
            try:
                prompt = read_prompt(tape, tape[recording.seq])
            except TapeError:
                return
            said = (*prompt, recording.call.message)
            self._responses[known] = tuple([await self._message(tape.id, m) for m in said])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        body = await body_of(receive, most=LARGEST)
        wire = wire_of(scope["path"]) if scope["method"] == "POST" else None
        if wire is None or body is None:
            message = f"{scope['method']} {scope['path']} is not recorded"
            await self._refuse(send, OPENAI_CHAT, message, {})
            return
        self._redaction.know(credentials(scope["headers"], scope["query_string"]))
        try:
            asked, request = read_request(wire, body)
            recording = self._recordings.find(self._prompt(asked), again=True)
        except ValueError as error:
            await self._refuse(send, wire, f"the request cannot be read: {error}", {}, status=400)
        except RecordingMissError as miss:
            await self._refuse(send, wire, miss.message, dict(miss.data))
        else:
            self.answered += 1
            await self._answer(send, wire, request, recording)

    def _prompt(self, asked: Asked) -> Sequence[Message]:
        """The prompt as it would have been recorded."""
        before = self._responses.get(asked.previous, ()) if asked.previous is not None else ()
        return joined(before, tuple(map(self._redaction.message, asked.messages)))

    async def _answer(
        self, send: Send, wire: Wire, request: dict[str, Json], recording: Recording
    ) -> None:
        call = recording.call
        assert call.message is not None
        reply = Reply(
            model=call.model,
            message=await self._message(recording.tape, call.message),
            finish_reason=call.finish_reason,
            usage=call.usage,
            raw=await self._text(recording.tape, call.raw),
            id=f"{recording.tape[:12]}_{recording.seq}",
        )
        if request.get("stream") is True:
            stream = wire.recorded_stream(reply.raw)
            if stream is None:
                stream = wire.stream(wire.response(reply), asked=request)
            await respond(send, 200, stream, headers=list(_STREAM))
        else:
            await respond(send, 200, compact(wire.response(reply)).encode())

    async def _refuse(
        self, send: Send, wire: Wire, message: str, facts: dict[str, object], *, status: int = 404
    ) -> None:
        self.missed += 1
        more: dict[str, Json] = {
            name: value for name, value in facts.items() if isinstance(value, str | int)
        }
        body = wire.error(message, code="recording_miss", more={"nearest": more} if more else {})
        await respond(send, status, compact(body).encode(), headers=[*_JSON, *_HEADERS])

    async def _message(self, tape: str, message: Message) -> Message:
        """A message with its large texts back in their place."""
        if not any(isinstance(part, BlobPart) for part in message.parts):
            return message
        parts: list[Part] = []
        for part in message.parts:
            text = await self._text(tape, part) if isinstance(part, BlobPart) else None
            parts.append(part if text is None else text_part(text))
        return message.model_copy(update={"parts": tuple(parts)})

    async def _text(self, tape: str, part: Part | None) -> str | None:
        if isinstance(part, TextPart):
            return part.content
        if not isinstance(part, BlobPart):
            return None
        blob = await self._store.blob(tape, part.address)
        return blob.content.decode("utf-8", "replace") if blob is not None else None


def _streamed_id(raw: str | None) -> Json:
    """The id of a recorded stream of the Responses API."""
    told = whole((raw or "").partition("\n")[0]).get("response")
    return told.get("id") if isinstance(told, dict) else None
