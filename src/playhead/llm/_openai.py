"""Models behind the Chat Completions API, at OpenAI or at any server that speaks it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from playhead.errors import MissingExtraError, ModelRequestError
from playhead.llm._attempts import AttemptError, Attempts, Backoff, Outcome
from playhead.llm._model import Completion, Delta, Model, ModelRequest, OnDelta
from playhead.llm._openai_answer import read_answer
from playhead.llm._openai_errors import Secret, explain, unreadable
from playhead.llm._openai_messages import WireRequest
from playhead.llm._openai_stream import LARGEST_ANSWER, Shower, read_stream
from playhead.llm._prices import Rates, list_rates
from playhead.tape import Json
from playhead.tape.kinds import Price, Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_CONNECT = 10.0
_MISSING_EXTRA = 'models of the OpenAI API need the SDK: run `pip install "playhead[openai]"`'
_MISSING_KEY = (
    "no API key: give `api_key`, or set the variable OPENAI_API_KEY "
    "(a server that asks for none takes any text)"
)


class OpenAIModel(Model):
    """A model that speaks Chat Completions.

    An answer with status 200 that is no completion raises `ModelRequestError`, with the answer in
    `raw`: nearly always `base_url` is not that of an API, and whatever it was, it may have been
    paid for. A plain answer whose connection breaks is asked again; a stream is not once its first
    event came.

    Args:
        name: The model, as the provider names it.
        base_url: Where the API is; OpenAI, or what OPENAI_BASE_URL says, if not given.
        api_key: The key; what OPENAI_API_KEY says, if not given. It is shown nowhere.
        client: An `openai.AsyncOpenAI` of your own instead of both. You close it, and use it in
            one event loop; its own retries are not used.
        settings: Sampling settings of every call, such as `temperature`; a request may change them.
        attempts: How many attempts a call is given.
        timeout: Seconds for an attempt; when streaming, for the next bytes.
        rates: What tokens cost; the list price if not given.
        backoff: How long to wait between attempts.

    Raises:
        ModelRequestError: The arguments contradict each other, or `base_url` is no URL.
    """

    provider = "openai"

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        client: AsyncOpenAI | None = None,
        settings: Mapping[str, Json] | None = None,
        attempts: int = 4,
        timeout: float = 600.0,
        rates: Rates | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        if client is not None and (base_url is not None or api_key is not None):
            raise ModelRequestError("give either `client`, or `base_url` and `api_key`")
        if base_url is not None and not _is_url(base_url):
            raise ModelRequestError("`base_url` is no URL: it begins with https:// or http://")
        if attempts < 1:
            raise ModelRequestError("`attempts` is at least 1")
        self.name = name
        self.settings = dict(settings or {})
        self.attempts = attempts
        self.timeout = timeout
        self._rates = rates
        self._backoff = backoff or Backoff()
        self._clients = _Clients(base_url, api_key, client)
        self._asks_for_usage = True

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Answer a request; with `on_delta`, stream and show each piece.

        Cancelling the task closes the connection. `finish_reason` "length" is a complete answer
        that the limit on tokens ended.

        Raises:
            ModelRequestError: The provider refused the request, or its answer is no completion;
                `status` and `raw` tell more.
            ModelUnavailableError: All attempts failed; `attempts` lists them.
            CutCompletionError: The stream was cut; `completion` holds what came, incomplete.
            MissingExtraError: The SDK is not installed.
        """
        wire = await WireRequest.of(request, self.settings)
        client, secret = await self._clients.get()
        place = f"`{self.name}` at {_place(str(client.base_url))}"
        attempts = Attempts(place, limit=self.attempts, backoff=self._backoff)
        show = None if on_delta is None else Shower(on_delta)

        async def attempt() -> Outcome:
            return await self._attempt(client, secret, wire, show)

        async def once() -> Outcome:
            try:
                return await attempts.timed(attempt)
            except AttemptError as error:
                if show is None or not self._refuses_usage(error):
                    raise
            self._asks_for_usage = False
            return await attempts.timed(attempt)

        return await attempts.complete(once)

    async def _attempt(
        self, client: AsyncOpenAI, secret: Secret, wire: WireRequest, show: Shower | None
    ) -> Outcome:
        try:
            async with asyncio.timeout(self.timeout if show is None else None):
                return await self._send(client, secret, wire, show)
        except AttemptError:
            raise
        except Exception as error:  # the SDK, its transport and the request's JSON raise many
            failure = explain(error, secret)
        raise failure  # outside the handler: the context would hold the request with the key

    async def _send(
        self, client: AsyncOpenAI, secret: Secret, wire: WireRequest, show: Shower | None
    ) -> Outcome:
        create = client.chat.completions.with_streaming_response.create
        async with create(**self._arguments(wire, stream=show is not None)) as response:
            # Read here and not by the SDK, because `raw` has to be what the provider sent.
            chunks = cast("AsyncGenerator[bytes]", response.iter_bytes())
            async with aclosing(chunks):
                if show is None or "json" in response.headers.get("content-type", ""):
                    completion = read_answer(await _body(chunks), wire.names, secret)
                    if show is not None and completion.text:
                        show(Delta(text=completion.text))
                    return Outcome(completion)
                return await read_stream(chunks, show, wire.names, secret)

    def _arguments(self, wire: WireRequest, *, stream: bool) -> dict[str, Any]:
        from openai import Timeout

        arguments: dict[str, Any] = {
            "model": self.name,
            "messages": wire.messages,
            "stream": stream,
            # Settings go this way, so that those that only some servers know are sent too.
            "extra_body": wire.settings,
            "timeout": Timeout(self.timeout, connect=min(self.timeout, _CONNECT)),
        }
        if wire.tools:
            arguments["tools"] = wire.tools
        if stream and self._asks_for_usage:
            arguments["stream_options"] = {"include_usage": True}
        return arguments

    def _refuses_usage(self, error: AttemptError) -> bool:
        told = f"{error.message} {error.raw}"
        named = "stream_options" in told or "include_usage" in told
        return self._asks_for_usage and error.status in (400, 422) and named

    def price(self, usage: Usage) -> Price | None:
        """What a call of this usage costs, by the given rates or the list price."""
        rates = self._rates or list_rates(self.name)
        return rates.price(usage) if rates else None

    async def aclose(self) -> None:
        """Close the connections of this event loop. The model can be used again."""
        await self._clients.close()

    def __repr__(self) -> str:
        return f"<OpenAIModel {self.name}>"


class _Clients:
    """One client for each event loop, because connections belong to the loop that made them."""

    def __init__(
        self, base_url: str | None, api_key: str | None, given: AsyncOpenAI | None
    ) -> None:
        self._base_url, self._given = base_url, given
        self._api_key = None if api_key is None else Secret(api_key)
        self._of_loop: WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[AsyncOpenAI, Secret, AsyncGenerator[None]]
        ] = WeakKeyDictionary()

    async def get(self) -> tuple[AsyncOpenAI, Secret]:
        """The client of the running loop, and its key."""
        loop = asyncio.get_running_loop()
        for closed in [known for known in self._of_loop if known.is_closed()]:
            del self._of_loop[closed]
        if loop not in self._of_loop:
            client, secret = self._made()
            keeper = _keep(client, close=self._given is None)
            await anext(keeper)
            self._of_loop[loop] = client, secret, keeper
        client, secret, _ = self._of_loop[loop]
        return client, secret

    async def close(self) -> None:
        """Close the client of the running loop."""
        kept = self._of_loop.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept[2].aclose()

    def _made(self) -> tuple[AsyncOpenAI, Secret]:
        try:
            import openai
        except ImportError:
            raise MissingExtraError(_MISSING_EXTRA, extra="openai") from None
        if self._given is not None:
            if not isinstance(self._given, openai.AsyncOpenAI):
                raise ModelRequestError("`client` is no `openai.AsyncOpenAI`: give that one")
            return self._given.with_options(max_retries=0), Secret(self._given.api_key)
        key = self._api_key.reveal() if self._api_key else os.environ.get("OPENAI_API_KEY", "")
        if not key.strip():
            raise ModelRequestError(_MISSING_KEY)
        secret = Secret.checked(key)
        try:
            return openai.AsyncOpenAI(
                api_key=secret.reveal(), base_url=self._base_url, max_retries=0
            ), secret
        except Exception as error:  # a proxy or a certificate bundle that the environment names
            failure = explain(error, secret)
        raise ModelRequestError(f"the client of the OpenAI SDK cannot be made: {failure.message}")


async def _keep(client: AsyncOpenAI, *, close: bool) -> AsyncGenerator[None]:
    """Hold a client open until the event loop shuts down.

    A loop closes its asynchronous generators before it ends (`asyncio.run` sees to that), so the
    connections are closed in time, also where nobody calls `aclose`.
    """
    try:
        yield
    finally:
        if close:
            await client.close()


async def _body(chunks: AsyncGenerator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > LARGEST_ANSWER:
            head = body[:1000].decode("utf-8", "replace")
            raise unreadable(f"it has more than {LARGEST_ANSWER:,} bytes", head)
    return bytes(body)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _place(url: str) -> str:
    """The URL without what may be secret in it: a user and a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
