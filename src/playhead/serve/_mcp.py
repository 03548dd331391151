"""An agent as a tool of MCP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from playhead.errors import PlayheadError
from playhead.govern import needed
from playhead.record.serving import serving
from playhead.serve._access import Keyed, check_reach
from playhead.serve._answering import Answering
from playhead.serve._chat import Refusal
from playhead.serve._served import Served
from playhead.tape import Json, compact, new_id

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp_types import CallToolResult

_MCP = '"playhead[mcp]"'
_SERVE = '"playhead[serve]"'


class AgentTool:
    """A server of MCP with one tool: the agent. Each conversation has a tape.

    The tool takes a `task`, or the inputs of a typed function; and `conversation`, the name of
    one to go on with, which every answer tells.

    Args:
        served: The agent on offer.
        key: What clients over HTTP have to send as a bearer token; nothing is asked for if not
            given.

    Raises:
        MissingExtraError: The extra `mcp` is not installed.
    """

    def __init__(self, served: Served, *, key: str | None = None) -> None:
        needed("mcp", install=_MCP)
        self.served = served
        self._key = key
        self._answering = Answering(served)
        self._typed = served.agent.nodes[0].parameters

    @property
    def schema(self) -> dict[str, Json]:
        """JSON Schema of the tool's arguments."""
        going_on: dict[str, Json] = {
            "type": "string",
            "description": "A conversation to go on with, as an earlier answer names it.",
        }
        given: Mapping[str, Any] = self._typed or {
            "properties": {"task": {"type": "string", "description": "The task, in full."}},
            "required": ["task"],
        }
        return {
            "type": "object",
            "properties": {**given["properties"], "conversation": going_on},
            "required": list(given["required"]),
            "additionalProperties": False,
        }

    async def call(self, arguments: Mapping[str, Any]) -> CallToolResult:
        """Have the agent answer."""
        from mcp_types import CallToolResult, TextContent

        given = dict(arguments)
        conversation = given.pop("conversation", None) or new_id()
        task = given.get("task") if self._typed is None else compact(given)
        try:
            if not isinstance(task, str) or not isinstance(conversation, str):
                raise Refusal(400, "say the task as a text in `task`", code="bad_arguments")
            answered = await self._answering.answer([("user", task)], session=conversation)
        except (Refusal, PlayheadError) as error:
            said = f"{error} (conversation `{conversation}`)"
            return CallToolResult(content=[TextContent(text=said)], is_error=True)
        told = {"answer": answered.text, "conversation": conversation, "tape": answered.tape.id}
        return CallToolResult(content=[TextContent(text=answered.text)], structured_content=told)

    def server(self) -> Server[Any]:
        """The server, for any transport of the SDK."""
        from mcp.server import Server, ServerRequestContext
        from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, Tool

        agent = self.served.agent
        about = agent.description or f"Have the agent {agent.name} do something."
        tool = Tool(name=agent.name, description=about, input_schema=self.schema)

        async def list_tools(context: ServerRequestContext[Any], _: object) -> ListToolsResult:
            return ListToolsResult(tools=[tool])

        async def call_tool(
            context: ServerRequestContext[Any], params: CallToolRequestParams
        ) -> CallToolResult:
            if params.name != agent.name:
                from mcp_types import TextContent

                said = f"there is no tool `{params.name}`, only `{agent.name}`"
                return CallToolResult(content=[TextContent(text=said)], is_error=True)
            return await self.call(params.arguments or {})

        return Server(agent.name, on_list_tools=list_tools, on_call_tool=call_tool)

    async def run_stdio(self) -> None:
        """Serve over standard input and output, until the client closes its side."""
        from mcp.server.stdio import stdio_server

        server = self.server()
        try:
            async with stdio_server() as (reading, writing):
                await server.run(reading, writing, server.create_initialization_options())
        finally:
            await self.served.close()

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serve over streamable HTTP at `/mcp` while the context is open; gives the address.

        Raises:
            RecordError: The address is not of this machine alone, and there is no key; or it
                cannot be listened on.
            MissingExtraError: The extra `serve` is not installed.
        """
        check_reach(host, self._key)
        return self._served(host, port)

    @asynccontextmanager
    async def _served(self, host: str, port: int) -> AsyncIterator[str]:
        app: Any = self.server().streamable_http_app(host=host)
        if self._key is not None:
            app = Keyed(app, self._key)
        try:
            async with serving(app, host=host, port=port, install=_SERVE, lifespan=True) as url:
                yield f"{url}/mcp"
        finally:
            await self.served.close()
