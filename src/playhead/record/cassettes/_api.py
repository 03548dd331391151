"""The APIs of models on a cassette: what a test's own code asks of them over HTTP."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playhead.errors import CassetteError, RecordingMissError
from playhead.record._flight import Flight
from playhead.record._headers import credentials
from playhead.record._passage import LARGEST, Passage, error_body
from playhead.record._proxy import wire_of
from playhead.record.cassettes._http_forms import answer_bytes, answer_form, asked_form
from playhead.record.serving import Receive, Scope, Send, body_of, respond, serving

if TYPE_CHECKING:
    from playhead.record.cassettes._cassette import Cassette

_PATIENCE = 10.0  # seconds that answers on their way are waited for
_REFUSED = [  # asking again brings the same
    (b"content-type", b"application/json"),
    (b"x-should-retry", b"false"),
]
_VARIABLES = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
_DEFAULTS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}


@dataclass(frozen=True, slots=True)
class ApiAddresses:
    """Where the APIs of models are found.

    Args:
        openai: What the SDK of OpenAI calls its `base_url`.
        anthropic: What the SDK of Anthropic calls its `base_url`.
    """

    openai: str
    anthropic: str

    @property
    def variables(self) -> dict[str, str]:
        """The variables that SDKs read the addresses from."""
        return {name: getattr(self, api) for api, name in _VARIABLES.items()}

    @classmethod
    def usual(cls) -> ApiAddresses:
        """Where they are without a cassette: what the variables say, or the providers' own."""
        found = {api: os.environ.get(name) for api, name in _VARIABLES.items()}
        return cls(**{api: url or _DEFAULTS[api] for api, url in found.items()})


class CassetteApi:
    """A server on loopback that answers from a cassette, or asks the API and records.

    It has a thread and an event loop of its own, so that code that blocks can ask it.

    Args:
        cassette: The cassette.
        upstreams: Where the APIs are.
    """

    def __init__(self, cassette: Cassette, upstreams: ApiAddresses) -> None:
        self._cassette = cassette
        self._passages = {"openai": Passage(upstreams.openai)}
        self._passages["anthropic"] = Passage(upstreams.anthropic)
        self._flying = 0
        self._fault: CassetteError | None = None
        self._landed = threading.Condition()

    @contextmanager
    def served(self) -> Iterator[ApiAddresses]:
        """Serve while the context is open; gives the addresses."""
        begun: Future[tuple[str, asyncio.Event, asyncio.AbstractEventLoop]] = Future()
        thread = threading.Thread(target=self._run, args=(begun,), name="cassette", daemon=True)
        thread.start()
        url, ended, loop = begun.result()
        try:
            yield ApiAddresses(f"{url}/openai/v1", f"{url}/anthropic")
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join()

    def _run(self, begun: Future[tuple[str, asyncio.Event, asyncio.AbstractEventLoop]]) -> None:
        async def main() -> None:
            ended = asyncio.Event()
            async with AsyncExitStack() as stack:
                for passage in self._passages.values():
                    await stack.enter_async_context(passage)
                url = await stack.enter_async_context(serving(self, host="127.0.0.1", port=0))
                begun.set_result((url, ended, asyncio.get_running_loop()))
                await ended.wait()

        try:
            asyncio.run(main())
        except Exception as error:
            if begun.done():
                raise
            begun.set_exception(error)

    def wait(self) -> None:
        """Until no answer is on its way; those that take longer than ten seconds are left out.

        Raises:
            CassetteError: The redactor failed at an answer.
        """
        with self._landed:
            self._landed.wait_for(lambda: not self._flying, timeout=_PATIENCE)
        if self._fault is not None:
            raise self._fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        body = await body_of(receive, most=LARGEST)
        api, scope = _addressed(scope)
        passage = self._passages.get(api)
        if body is None or passage is None:
            await respond(send, 404, error_body(None, "there is no such API here", "not_found"))
            return
        with self._landed:
            self._flying += 1
        try:
            await self._answer(scope, receive, send, body=body, api=api, passage=passage)
        finally:
            with self._landed:
                self._flying -= 1
                self._landed.notify_all()

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, *, body: bytes, api: str, passage: Passage
    ) -> None:
        secrets = credentials(scope["headers"], scope["query_string"])
        self._cassette.know(secrets)
        wire = wire_of(scope["path"]) if scope["method"] == "POST" else None
        try:
            form = asked_form(f"{scope['method']} /{api}{scope['path']}", body)
            asked = self._cassette.redacted(form)
            recorded = self._cassette.recorded(asked, None, tape=None)
        except (RecordingMissError, CassetteError) as error:
            told = error_body(wire, error.message, error.code)
            await respond(send, 404, told, headers=_REFUSED)
            return
        if recorded is not None:
            status, kind, content = answer_bytes(recorded, wire, asked=asked)
            await respond(send, status, content, headers=[(b"content-type", kind)])
            return
        flight = Flight(wire.name if wire is not None else "", body, None, secrets)
        call = self._cassette.begin(asked, None)
        await passage.take(scope, receive, send, body=body, flight=flight)
        try:
            answer = answer_form(flight, wire, self._cassette.redacted)
            call.answer = self._cassette.redacted(answer) if answer is not None else None
        except CassetteError as error:  # the test has its answer: `wait` tells
            self._fault = self._fault or error


def _addressed(scope: Scope) -> tuple[str, Scope]:
    """Which API a request is for, and the request as that one gets it."""
    api, _, path = scope["path"][1:].partition("/")
    raw = scope.get("raw_path", scope["path"].encode())[1:].partition(b"/")[2]
    return api, {**scope, "path": f"/{path}", "raw_path": b"/" + raw}
