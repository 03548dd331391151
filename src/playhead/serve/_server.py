"""An agent as an endpoint of OpenAI's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from playhead.errors import PlayheadError
from playhead.record.serving import Receive, Scope, Send, body_of, respond, serving
from playhead.serve._access import LOOPBACK, check_reach, has_key, header
from playhead.serve._answering import Answered, Answering
from playhead.serve._chat import ChatRequest, Refusal, Reply, refused, usage_of
from playhead.serve._served import Served
from playhead.serve._stream import Stream
from playhead.tape import Json, compact

T = TypeVar("T")
INSTALL = '"playhead[serve]"'
_LARGEST = 32 * 1024 * 1024  # bytes of a request
_LONGEST_NAME = 200  # characters of a session's name


class AgentServer:
    """An ASGI application that offers an agent as a model of OpenAI's Chat Completions.

    The header `X-Playhead-Session` names a conversation; without it, its messages tell which one
    it is. `X-Playhead-Tape` of an answer says where it stands.

    Args:
        served: The agent on offer.
        key: What clients have to send as their API key; nothing is asked for if not given.
        hosts: Names beside those of this machine by which it may be asked for.

    Example:
        async with AgentServer(Served(agent, store=store)).serve(port=8500) as url:
            ...  # OpenAI(base_url=url + "/v1", api_key="none")
    """

    def __init__(
        self, served: Served, *, key: str | None = None, hosts: tuple[str, ...] = ()
    ) -> None:
        self.served = served
        self._key = key
        self._hosts = (*LOOPBACK, *hosts)
        self._answering = Answering(served)

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serve while the context is open; gives the address.

        Raises:
            RecordError: The address is not of this machine alone, and there is no key; or it
                cannot be listened on.
            MissingExtraError: The extra `serve` is not installed.
        """
        check_reach(host, self._key)
        return self._served(host, port)

    @asynccontextmanager
    async def _served(self, host: str, port: int) -> AsyncIterator[str]:
        try:
            async with serving(self, host=host, port=port, install=INSTALL) as url:
                yield url
        finally:
            await self.served.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI says."""
        if scope["type"] != "http":
            return
        try:
            self._check(scope)
            await self._route(scope, receive, send)
        except Refusal as refusal:
            await _refuse(send, refusal)

    def _check(self, scope: Scope) -> None:
        """Make sure that a request is meant for this server, and may be made.

        Raises:
            Refusal: A page in a browser sent it under another name, or its key is wrong.
        """
        host = header(scope, b"host").lower()
        bare = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self._key is None and bare not in self._hosts:
            raise Refusal(421, "this server is not asked for by that name", code="wrong_host")
        if self._key is not None and not has_key(scope, self._key):
            raise Refusal(401, "the API key is wrong", code="invalid_api_key")

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"].rstrip("/"), scope["method"]
        if path.endswith("/chat/completions") and method == "POST":
            await self._chat(scope, receive, send)
        elif path.endswith("/models") and method == "GET":
            await _json(send, {"object": "list", "data": [self._model()]})
        elif path.endswith(f"/models/{self.served.agent.name}") and method == "GET":
            await _json(send, self._model())
        else:
            raise Refusal(404, f"there is no {method} {path or '/'} here", code="not_found")

    def _model(self) -> dict[str, Json]:
        name = self.served.agent.name
        return {"id": name, "object": "model", "created": 0, "owned_by": "playhead"}

    async def _chat(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not header(scope, b"content-type").startswith("application/json"):
            # Pages in browsers cannot send this type to another origin unasked.
            raise Refusal(415, "a request is application/json", code="unsupported_media_type")
        content = await body_of(receive, most=_LARGEST)
        if content is None:
            raise Refusal(413, "the request is too large", code="too_large")
        request = ChatRequest.of(content)
        if request.model != self.served.agent.name:
            raise Refusal(
                404,
                f"there is no model `{request.model}`, only `{self.served.agent.name}`",
                code="model_not_found",
                param="model",
            )
        session = header(scope, b"x-playhead-session").strip()[:_LONGEST_NAME] or None
        answering = self._streamed if request.stream else self._whole
        await _while_there(receive, answering(request, session, send))

    async def _whole(self, request: ChatRequest, session: str | None, send: Send) -> None:
        try:
            answered = await self._answering.answer(request.said, session=session)
        except PlayheadError as error:
            raise refused(error) from error
        body = Reply(request.model).whole(answered.text, usage_of(answered.tape, answered.before))
        await _json(send, body, tape=answered.tape.id)

    async def _streamed(self, request: ChatRequest, session: str | None, send: Send) -> None:
        stream = Stream(send, Reply(request.model), self.served)
        work: asyncio.Task[Answered] = asyncio.ensure_future(
            self._answering.answer(request.said, session=session, on_event=stream.watch)
        )
        try:
            await stream.follow(work)
            answered = await work
            usage = usage_of(answered.tape, answered.before) if request.usage else None
            await stream.end(answered.text, tape=answered.tape.id, usage=usage)
        except Refusal as refusal:
            await stream.fail(refusal)
        except PlayheadError as error:
            await stream.fail(refused(error))
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])


async def _json(send: Send, value: Json, *, tape: str | None = None) -> None:
    headers = [(b"content-type", b"application/json")]
    if tape is not None:
        headers.append((b"x-playhead-tape", tape.encode()))
    await respond(send, 200, compact(value).encode(), headers=headers)


async def _refuse(send: Send, refusal: Refusal) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"x-should-retry", b"false"),  # OpenAI's clients would ask again by themselves
    ]
    if refusal.tape is not None:
        headers.append((b"x-playhead-tape", refusal.tape.encode()))
    await respond(send, refusal.status, compact(refusal.body).encode(), headers=headers)


async def _while_there(receive: Receive, work: Awaitable[T]) -> T | None:
    """Do something for a client, unless it hangs up; then the tape says where it stood."""
    task = asyncio.ensure_future(work)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    watcher = asyncio.ensure_future(watch())
    try:
        await asyncio.wait([task])
        return None if task.cancelled() else task.result()
    except asyncio.CancelledError:  # the server is stopped
        task.cancel()
        await asyncio.wait([task])
        raise
    finally:
        watcher.cancel()
