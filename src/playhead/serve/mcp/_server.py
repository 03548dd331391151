"""A server of the Model Context Protocol whose tools are the trusted experiences of a library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from playhead.environment import Environment, Tool
from playhead.environment.mcp import require_sdk
from playhead.errors import PlayheadError
from playhead.experience.document import Experience
from playhead.experience.library import Kept, Library, budget_of, grants
from playhead.experience.play import drift, play, tool_facts
from playhead.govern import Shape
from playhead.orchestrator import Approval
from playhead.serve.mcp._tool import error_of, input_schema, result_of, tool_of
from playhead.store import Store
from playhead.tape import Json


class ExperienceServer:
    """Offers experiences as tools. Whatever is asked is checked, played, counted and on a tape.

    What is trusted is looked up at every request, so trust that is withdrawn counts at once. An
    experience whose tools are not here, or have changed, is not offered. Plays come one after the
    other, because they share their environments.

    Args:
        library: Where the experiences are.
        environments: What has the tools that they need.
        store: Where the tapes are kept.
        approval: Which calls wait for somebody's word.
        limited: Evaluate checks in a process with limits.

    Raises:
        MissingExtraError: The extra `mcp` is not installed.
    """

    def __init__(
        self,
        library: Library,
        environments: Sequence[Environment],
        *,
        store: Store,
        approval: Approval | None = None,
        limited: bool = True,
    ) -> None:
        require_sdk()
        self._library = library
        self._environments = tuple(environments)
        self._store = store
        self._approval, self._limited = approval, limited
        self._turn = asyncio.Lock()

    def offered(self) -> dict[str, tuple[Kept, Experience]]:
        """The experiences that are tools now, by name. The environments have to be open."""
        found: dict[str, tuple[Kept, Experience]] = {}
        for kept in self._library.playable():
            document = self._library.document(kept.digest)
            if drift(document, tool_facts(document, self._tools())) is None:
                found.setdefault(kept.name, (kept, document))  # the newest version of a name
        return found

    def left_out(self) -> dict[str, str]:
        """Trusted experiences that are no tools here, and why."""
        found = {}
        for kept in self._library.playable():
            document = self._library.document(kept.digest)
            reason = drift(document, tool_facts(document, self._tools()))
            if reason is not None:
                found[kept.label] = reason
        return found

    async def call(self, name: str, arguments: Mapping[str, Json]) -> Any:  # noqa: ANN401  (a result of the SDK's)
        """Play the experience of this name; a refusal is a tool's error."""
        known = self.offered().get(name)
        if known is None:
            return error_of(f"there is no trusted experience `{name}` here")
        kept, document = known
        try:
            fault = Shape(input_schema(document)).fault(dict(arguments)) if arguments else None
            missing = [each for each in input_schema(document)["required"] if each not in arguments]
            if missing:
                fault = f"`{missing[0]}` is missing"
            if fault is not None:
                return error_of(f"the arguments do not fit: {fault}")
            return await self._played(kept, document, arguments)
        except PlayheadError as error:
            return error_of(error.message)

    async def _played(self, kept: Kept, document: Experience, arguments: Mapping[str, Json]) -> Any:  # noqa: ANN401
        declared = self._library.capabilities(kept.digest)
        async with self._turn:
            played = await play(
                document,
                parameters=dict(arguments),
                environment=self._environments,
                store=self._store,
                limits=grants(declared) if declared is not None else None,
                budget=budget_of(declared) if declared is not None else None,
                approval=self._approval,
                limited=self._limited,
            )
        self._library.count(played)
        return result_of(played)

    def _tools(self) -> list[Tool]:
        return [tool for part in self._environments for tool in part.tools()]

    def server(self) -> Any:  # noqa: ANN401  (a class of an extra)
        """The SDK's server."""
        from mcp import types
        from mcp.server.lowlevel import Server

        async def list_tools(_: object, __: object) -> types.ListToolsResult:
            offered = self.offered().values()
            return types.ListToolsResult(tools=[tool_of(*each) for each in offered])

        async def call_tool(_: object, asked: types.CallToolRequestParams) -> types.CallToolResult:
            answer: types.CallToolResult = await self.call(asked.name, asked.arguments or {})
            return answer

        @asynccontextmanager
        async def opened(_: object) -> AsyncIterator[dict[str, Any]]:
            for part in self._environments:
                await part.open()
            yield {}

        return Server(
            "playhead",
            instructions="Each tool is a checked experience: it does its task, or says why not.",
            lifespan=opened,
            on_list_tools=list_tools,
            on_call_tool=call_tool,
        )

    async def over_stdio(self) -> None:
        """Serve one client over standard input and output, until it goes."""
        from mcp.server.stdio import stdio_server

        made = self.server()
        async with stdio_server() as (reading, writing):
            await made.run(reading, writing, made.create_initialization_options())

    def app(self, *, host: str = "127.0.0.1", path: str = "/mcp") -> Any:  # noqa: ANN401
        """An ASGI application for streamable HTTP.

        Requests that name another host are refused, so that no web page of a stranger gets in by
        a name that leads here.

        Args:
            host: The address that it is served at.
            path: Where on it.
        """
        from mcp.server.transport_security import TransportSecuritySettings

        names = ["127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host]
        security = TransportSecuritySettings(
            allowed_hosts=[each for name in names for each in (name, f"{name}:*")],
            allowed_origins=[f"http://{name}:*" for name in names],
        )
        return self.server().streamable_http_app(
            streamable_http_path=path, host=host, transport_security=security
        )
