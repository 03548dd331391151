"""Clients of a provider's SDK: one for each event loop, closed in time, with a hidden key."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, finalize

from playhead.errors import MissingExtraError, ModelRequestError
from playhead.llm._api import Api, explain
from playhead.llm._secret import Secret

CONNECT = 10.0  # seconds

_closing: set[asyncio.Task[None]] = set()  # a loop itself holds its tasks weakly


class Clients:
    """One client for each event loop, because connections belong to the loop that made them.

    Args:
        api: The provider.
        name: The class of its client in the SDK.
        base_url: Where it is, if not at the provider's.
        api_key: The key; the variable of the API is looked at if not given.
        given: A client of the user's instead of both; it is never closed.

    Raises:
        ModelRequestError: The arguments contradict each other, or `base_url` is no URL.
    """

    def __init__(
        self,
        api: Api,
        name: str,
        *,
        base_url: str | None,
        api_key: str | None,
        given: object,
    ) -> None:
        if given is not None and (base_url is not None or api_key is not None):
            raise ModelRequestError("give either `client`, or `base_url` and `api_key`")
        if base_url is not None and not is_url(base_url):
            raise ModelRequestError("`base_url` is no URL: it begins with https:// or http://")
        self._api, self._name = api, name
        self._base_url, self._given = base_url, given
        self._api_key = None if api_key is None else Secret(api_key)
        self._of_loop: WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[Any, Secret, finalize[..., Clients]]
        ] = WeakKeyDictionary()

    async def get(self) -> tuple[Any, Secret]:
        """The client of the running loop, and its key.

        Raises:
            MissingExtraError: The SDK is not installed.
            ModelRequestError: There is no key, or no client can be made.
        """
        loop = asyncio.get_running_loop()
        for closed in [known for known in self._of_loop if known.is_closed()]:
            self._of_loop.pop(closed)[2].detach()
        if loop not in self._of_loop:
            client, secret = self._made()
            keeper = _keep(client, close=self._given is None)
            await anext(keeper)
            # It holds the client, so that its connections are not collected beside a dropped model:
            # they would complain that nobody closed them.
            dropped = finalize(self, _close_soon, loop, keeper)
            dropped.atexit = False
            self._of_loop[loop] = client, secret, dropped
        client, secret, _ = self._of_loop[loop]
        return client, secret

    async def close(self) -> None:
        """Close the client of the running loop."""
        kept = self._of_loop.pop(asyncio.get_running_loop(), None)
        held = None if kept is None else kept[2].detach()
        if held is not None:
            await held[2][1].aclose()

    def _made(self) -> tuple[Any, Secret]:
        api = self._api
        try:
            made = getattr(importlib.import_module(api.sdk), self._name)
        except ImportError:
            raise MissingExtraError(
                f"models of the {api.title} API need the SDK: "
                f'run `pip install "playhead[{api.sdk}]"`',
                extra=api.sdk,
            ) from None
        if self._given is not None:
            return self._own(made)
        secret = self._secret()
        try:
            client = made(api_key=secret.reveal(), base_url=self._base_url, max_retries=0)
        except Exception as error:  # a proxy or a certificate bundle that the environment names
            failure = explain(error, secret, api=api)
        else:
            return client, secret
        raise ModelRequestError(
            f"the client of the {api.title} SDK cannot be made: {failure.message}"
        )

    def _own(self, made: Any) -> tuple[Any, Secret]:  # noqa: ANN401
        given: Any = self._given
        if not isinstance(given, made):
            raise ModelRequestError(f"`client` is no `{self._api.sdk}.{self._name}`: give that one")
        return given.with_options(max_retries=0), Secret(given.api_key or "")

    def _secret(self) -> Secret:
        variable = self._api.variable
        key = self._api_key.reveal() if self._api_key else os.environ.get(variable, "")
        if not key.strip():
            raise ModelRequestError(
                f"no API key: give `api_key`, or set the variable {variable} "
                "(a server that asks for none takes any text)"
            )
        return Secret.checked(key, variable=variable)


async def _keep(client: Any, *, close: bool) -> AsyncGenerator[None]:  # noqa: ANN401
    """Hold a client open until the event loop shuts down.

    A loop closes its asynchronous generators before it ends (`asyncio.run` sees to that), so the
    connections are closed in time, also where nobody calls `aclose`.
    """
    try:
        yield
    finally:
        if close:
            await client.close()


def _close_soon(loop: asyncio.AbstractEventLoop, keeper: AsyncGenerator[None]) -> None:
    """Close a client whose model nobody holds any more, in the loop that it belongs to."""

    def begin() -> None:
        task = loop.create_task(keeper.aclose())
        _closing.add(task)
        task.add_done_callback(_closing.discard)

    with suppress(RuntimeError):  # the loop has ended, and closed what it had
        loop.call_soon_threadsafe(begin)


def is_url(text: str) -> bool:
    """Whether it begins as the address of an API does."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def place_of(url: str) -> str:
    """The URL without what may be secret in it: a user and a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
