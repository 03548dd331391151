"""Agents from files: what a file describes, put together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from playhead.agent._agent import Agent
from playhead.agent._node import Node
from playhead.agent._python import called, find_object
from playhead.agent.builder_nodes import (
    function_node,
    prompt_node,
    ready_node,
    team_options,
    text_of,
)
from playhead.agent.builder_templates import check_templates
from playhead.agent.description import (
    AgentFile,
    AgentPart,
    McpPart,
    ModelObject,
    ModelPart,
    PythonPart,
    RoutePart,
    ToolPart,
)
from playhead.agent.description_nodes import (
    FunctionPart,
    NodePart,
    Pattern,
    PromptPart,
    TeamPart,
)
from playhead.agent.teams import Team
from playhead.environment import Environment, MCPEnvironment, Tool
from playhead.errors import AgentError, AgentFileError
from playhead.llm import Model, RoutedModel, named_model
from playhead.tape import Json
from playhead.yaml import Document, Trail, read_yaml

T = TypeVar("T")
_PATTERNS: Mapping[Pattern, Callable[..., Team]] = {
    "manager": Team.manager,
    "chain": Team.chain,
    "group_chat": Team.group_chat,
    "hand_off": Team.hand_off,
}
AnyModelPart: TypeAlias = str | ModelPart | RoutePart | ModelObject | None
AnyNodePart: TypeAlias = str | NodePart | FunctionPart | PromptPart
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class AgentSetup:
    """An agent from a file, and what is around it.

    Args:
        agent: The agent.
        environments: For `run(environment=…)`.
        approval: For `run(approval=Approval.of(…))`; None if nothing is said of it.
        files: All files that were read.
        make_environments: Makes the environments anew, for another session.
    """

    agent: Agent
    environments: tuple[Environment, ...]
    approval: Mapping[str, Json] | None
    files: tuple[Path, ...]
    make_environments: Callable[[], tuple[Environment, ...]] = field(repr=False)


def build(path: Path, variables: Mapping[str, str] | None) -> AgentSetup:
    """See `read_agent`."""
    document = read_yaml(path, error=AgentFileError)
    return AgentBuilder(document, variables).setup(document.validated(AgentFile), ())


class AgentBuilder:
    """Puts together what parts of a file describe; faults are told with file and line.

    Args:
        document: The file, of which the parts are.
        variables: What `${NAME}` stands for; the environment variables if not given.
    """

    def __init__(self, document: Document, variables: Mapping[str, str] | None = None) -> None:
        self._document = document
        self._variables = os.environ if variables is None else variables

    def setup(self, part: AgentFile, trail: Trail) -> AgentSetup:
        """An agent, and what is around it.

        Args:
            part: Its description.
            trail: Where that stands, as for all methods here.
        """

        def environments() -> tuple[Environment, ...]:
            return tuple(
                self.environment(below, (*trail, "environments", number))
                for number, below in enumerate(part.environments)
            )

        around = environments()
        agent = self.agent(part, trail)
        files = tuple(self._document.files)
        return AgentSetup(agent, around, part.approval, files, environments)

    def agent(self, part: AgentPart, trail: Trail) -> Agent:
        """The agent of a description, with its subagents."""
        subagents = [
            self.agent(below, (*trail, "subagents", number))
            for number, below in enumerate(part.subagents)
        ]
        tools = [
            self._tool(below, (*trail, "tools", number)) for number, below in enumerate(part.tools)
        ]
        model = self._model(part.model, (*trail, "model"))
        instructions = text_of(self._document, part.instructions, (*trail, "instructions"))
        templates = {
            name: text_of(self._document, text, (*trail, "templates", name))
            for name, text in part.templates.items()
        }
        common: dict[str, Any] = {
            "model": model,
            "tools": tools,
            "instructions": instructions,
            "description": part.description,
            "settings": part.settings,
            "templates": templates,
        }
        if part.team is not None:
            return self._team(part, part.team, trail, subagents=subagents, common=common)
        nodes = self._nodes(part, trail)
        try:
            agent = Agent(part.name, nodes=nodes, subagents=subagents, **common)
        except AgentError as error:
            where: Trail = error.data.get("part", ())  # type: ignore[assignment]
            raise self._document.fault((*trail, *where), error.message) from error
        check_templates(self._document, agent, trail)
        return agent

    def _team(
        self,
        part: AgentPart,
        team: str | TeamPart,
        trail: Trail,
        *,
        subagents: list[Agent],
        common: dict[str, Any],
    ) -> Agent:
        if part.nodes is not None or part.node != "tool_calling":
            raise self._document.fault(
                (*trail, "team"), "a team has nodes of its own: leave `node` and `nodes` out"
            )
        wanted = team if isinstance(team, TeamPart) else TeamPart.model_validate({"pattern": team})
        options = team_options(self._document, wanted, (*trail, "team"))
        with self._document.at((*trail, "team")):
            return _PATTERNS[wanted.pattern](part.name, subagents, **options, **common)

    def _model(self, part: AnyModelPart, trail: Trail) -> Model | None:
        if part is None:
            return None
        if isinstance(part, ModelObject):
            return self.made(part.use, Model, trail)  # type: ignore[type-abstract]
        with self._document.at(trail):
            if isinstance(part, RoutePart):
                models = [self._model(each, trail) for each in part.route]
                return RoutedModel([m for m in models if m is not None], usd=part.usd)
            if isinstance(part, str):
                return named_model(part)
            given = part.model_dump(exclude={"name"}, exclude_none=True)
            for name in ("base_url", "api_key"):
                if name in given:
                    given[name] = self._expanded(given[name])
            return named_model(part.name, **given)

    def _nodes(self, part: AgentPart, trail: Trail) -> list[Node] | None:
        if part.nodes is not None and "node" in part.model_fields_set:
            raise self._document.fault(
                (*trail, "node"), "`node` and `nodes` both say what the agent does: leave one out"
            )
        if part.nodes is None:
            wanted = NodePart(type=part.node) if isinstance(part.node, str) else part.node
            return [ready_node(self._document, wanted, (*trail, "node"))]
        last = len(part.nodes) - 1
        return [
            self._node(each, (*trail, "nodes", at), agent=part.name, last=at == last)
            for at, each in enumerate(part.nodes)
        ]

    def _node(self, part: AnyNodePart, trail: Trail, *, agent: str, last: bool) -> Node:
        if isinstance(part, str):
            return self.made(part, Node, trail)
        if isinstance(part, NodePart):
            return ready_node(self._document, part, trail)
        if isinstance(part, FunctionPart):
            return function_node(self._document, part, trail, agent=agent, last=last)
        return prompt_node(self._document, part, trail)

    def _tool(self, part: str | ToolPart, trail: Trail) -> Tool:
        use = part if isinstance(part, str) else part.use
        with self._document.at(trail):
            found = find_object(use, folder=self._document.folder(trail))
            tool = found if isinstance(found, Tool) else getattr(found, "__playhead_tool__", None)
            if not isinstance(tool, Tool):
                raise AgentError(f"`{use}` is no tool: mark the function with `@playhead.tool`")
        if isinstance(part, str):
            return tool
        changes: dict[str, Any] = part.model_dump(exclude={"use"}, exclude_none=True)
        return replace(tool, **changes)

    def environment(self, part: McpPart | PythonPart, trail: Trail) -> Environment:
        """An environment of a description."""
        if isinstance(part, PythonPart):
            return self.made(part.use, Environment, trail)
        with self._document.at(trail):
            return MCPEnvironment(
                [self._expanded(text) for text in part.mcp]
                if isinstance(part.mcp, list)
                else self._expanded(part.mcp),
                name=part.name,
                prefix=part.prefix,
                only=part.only,
                effects=part.effects,
                trust_hints=part.trust_hints,
                env={name: self._expanded(text) for name, text in part.env.items()} or None,
                headers={name: self._expanded(text) for name, text in part.headers.items()} or None,
                timeout=part.timeout,
            )

    def made(self, reference: str, wanted: type[T], trail: Trail) -> T:
        """An object of a Python file, or what its class or function gives without arguments."""
        with self._document.at(trail):
            found = find_object(reference, folder=self._document.folder(trail))
            if not isinstance(found, wanted) and callable(found):
                found = called(found, reference)
            if not isinstance(found, wanted):
                raise AgentError(
                    f"`{reference}` is a {type(found).__name__}: name a {wanted.__name__}, or a "
                    "class or function without arguments that gives one"
                )
        return found

    def _expanded(self, text: str) -> str:
        """The text with the values of the environment variables that it names.

        Raises:
            AgentError: One is not set.
        """

        def value(found: re.Match[str]) -> str:
            known = self._variables.get(found[1])
            if known is None:
                raise AgentError(f"the environment variable `{found[1]}` is not set: set it")
            return known

        return _VARIABLE.sub(value, text)
