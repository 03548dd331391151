"""The office as an environment of an agent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from playhead.environment import Environment, Tool, ToolContext, as_tool
from playhead.llm import ToolSchema
from playhead.office._office import OfficeData
from playhead.office._tools import OfficeTool, live_args
from playhead.tape import Json


class OfficeEnvironment(Environment):
    """An office to work in: its tools, each with its effect, on the tables of one run.

    Arguments are read as a lenient agent loop reads them: names that a tool does not have are
    dropped, a bare text goes to the first parameter, and nothing else is checked, so that the
    office's own messages reach the agent. What a tool raises becomes an error `raised`.

    Args:
        data: The clean state that each task begins with.
        domains: Offer the tools of these domains only, and the company directory; all if not given.
    """

    state_contract = "rebuildable"

    def __init__(self, data: OfficeData, *, domains: Collection[str] | None = None) -> None:
        self._data = data
        self.office = data.fresh()
        offered = self.office.tools if domains is None else self.office.tools_for(domains)
        self._tools = tuple(self._tool(found) for found in offered)

    def _tool(self, found: OfficeTool) -> Tool:
        name = found.name

        async def call(raw: Json, context: ToolContext) -> object:
            method = self.office.tool(name).method  # of the office of this moment
            return method(**live_args(method, raw))

        return Tool(schema=_schema(found), effect=found.effect, call=call)

    def tools(self) -> Sequence[Tool]:
        """See `Environment.tools`."""
        return self._tools

    async def reset(self, task: str | None = None) -> None:
        """Begin with a clean office."""
        self.office = self._data.fresh()


_schemas: dict[str, ToolSchema] = {}  # the same for every office


def _schema(found: OfficeTool) -> ToolSchema:
    """What a model is told; every argument is a text that may be left out."""
    if found.name not in _schemas:
        made = as_tool(found.method, name=found.name).schema
        properties = cast("Mapping[str, Mapping[str, Json]]", made.parameters["properties"])
        arguments: dict[str, Json] = {
            name: {"description": shape["description"], "type": "string"}
            for name, shape in properties.items()
        }
        parameters: dict[str, Json] = {"properties": arguments, "type": "object"}
        _schemas[found.name] = ToolSchema(found.name, made.description, parameters)
    return _schemas[found.name]
