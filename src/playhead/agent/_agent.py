"""Agents: nodes, subagents, a model, tools and instructions."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from playhead.agent._native import ToolCallingNode
from playhead.agent._node import Node
from playhead.environment import Environment, Tool, Toolbox, as_tool
from playhead.errors import AgentError, ModelRequestError
from playhead.llm import Model, ToolSchema, named_model
from playhead.tape import Frame, Json, digest

_living: weakref.WeakSet[Agent] = weakref.WeakSet()


class Agent:
    """What acts on a tape. Without `nodes` it is a tool-calling agent, ready to run.

    Args:
        name: Unique among an agent and its subagents.
        model: A model, or `"openai:NAME"`, `"anthropic:NAME"`, `"litellm:PROVIDER/NAME"`.
        tools: Functions and tools that belong to the agent.
        instructions: The system prompt of the ready-made nodes.
        nodes: Custom nodes, in their order; the first one begins.
        subagents: Agents that this one can delegate to.
        description: For a subagent: when to delegate to it.
        settings: Sampling settings given to the model, such as `temperature`.
        templates: Texts that the templates of its nodes use, by name.

    Raises:
        AgentError: Two nodes, tools or agents share a name, a node's `next` does not exist, or
            something else than a model, node or agent was given for one.
    """

    def __init__(
        self,
        name: str,
        *,
        model: Model | str | None = None,
        tools: Iterable[Callable[..., Any] | Tool] = (),
        instructions: str = "",
        nodes: Sequence[Node] | None = None,
        subagents: Sequence[Agent] = (),
        description: str = "",
        settings: Mapping[str, Json] | None = None,
        templates: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.model = _resolve(model)
        self.toolbox: Environment = Toolbox([as_tool(function) for function in tools])
        self.instructions = instructions
        self.nodes = tuple(nodes) if nodes is not None else (ToolCallingNode(),)
        self.subagents = tuple(subagents)
        self.description = description
        self.settings = dict(settings or {})
        self.templates = dict(templates or {})
        self._check()
        _living.add(self)

    def _check(self) -> None:
        for given, wanted in (
            *((n, Node) for n in self.nodes),
            *((a, Agent) for a in self.subagents),
        ):
            if not isinstance(given, wanted):
                raise AgentError(f"agent `{self.name}`: {given!r} is no {wanted.__name__}")
        names = [node.name for node in self.nodes]
        if not names:
            raise AgentError(f"agent `{self.name}` has no nodes: give it one")
        for at, node in enumerate(self.nodes):
            if node.name in names[:at]:
                raise AgentError(
                    f"agent `{self.name}` has two nodes `{node.name}`: rename one",
                    part=("nodes", at),
                )
            for following in node.leads_to():
                if following not in names:
                    raise AgentError(
                        f"node `{node.name}` of agent `{self.name}` goes on to `{following}`, "
                        f"which is none of {', '.join(names)}",
                        part=("nodes", at),
                    )
        taken = {self.name: self}
        for at, subagent in enumerate(self.subagents):
            for agent in subagent.family():
                if taken.setdefault(agent.name, agent) is not agent:
                    raise AgentError(
                        f"two agents are called `{agent.name}`: rename one", part=("subagents", at)
                    )

    def family(self) -> Iterator[Agent]:
        """The agent and all its subagents, each once."""
        found: dict[int, Agent] = {id(self): self}
        for subagent in self.subagents:
            found.update((id(member), member) for member in subagent.family())
        yield from found.values()

    def agent_named(self, name: str) -> Agent:
        """The agent of the family with this name.

        Raises:
            AgentError: There is none.
        """
        for agent in self.family():
            if agent.name == name:
                return agent
        known = ", ".join(agent.name for agent in self.family())
        raise AgentError(f"the tape names an agent `{name}`, this one has {known}")

    def node_named(self, name: str) -> Node:
        """The node with this name.

        Raises:
            AgentError: There is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise AgentError(f"agent `{self.name}` has no node `{name}`, only {known}")

    def next_node(self, frame: Frame) -> Node | None:
        """The node that runs next, as the tape decides it; None after the last one."""
        if frame.next_node is not None:
            return self.node_named(frame.next_node)
        if frame.last_node is None:
            return self.nodes[0]
        last = self.node_named(frame.last_node)
        if last.next is not None:
            return self.node_named(last.next)
        following = self.nodes.index(last) + 1
        return self.nodes[following] if following < len(self.nodes) else None

    def bind(self, environment: Sequence[ToolSchema] = ()) -> None:
        """Tell the nodes of the family which tools they offer: the agent's, the environment's."""
        own = [tool.schema for tool in self.toolbox.tools()]
        tools = [*own, *(schema for schema in environment if schema not in own)]
        for node in self.nodes:
            node.bind(self, tools)
        for subagent in self.subagents:
            subagent.bind(environment)

    def bound(self, environment: Sequence[ToolSchema] = ()) -> Agent:
        """A copy for one session, bound: sessions with other environments do not disturb it."""
        agent = self._copy({})
        agent.bind(environment)
        return agent

    def _copy(self, made: dict[int, Agent]) -> Agent:
        if id(self) not in made:
            agent = made[id(self)] = copy.copy(self)
            agent.nodes = tuple(copy.copy(node) for node in self.nodes)
            agent.subagents = tuple(subagent._copy(made) for subagent in self.subagents)
        return made[id(self)]

    def config(self) -> dict[str, Json]:
        """What decides the agent's behaviour: no keys, no addresses, no time-outs."""
        return {
            "name": self.name,
            "description": self.description,
            "instructions": self.instructions,
            "model": f"{self.model.provider}:{self.model.name}" if self.model else None,
            "settings": {**(self.model.describe() if self.model else {}), **self.settings},
            "nodes": [node.describe() for node in self.nodes],
            "tools": [tool.schema.as_json() for tool in self.toolbox.tools()],
            "subagents": [subagent.config() for subagent in self.subagents],
            **({"templates": dict(self.templates)} if self.templates else {}),
        }

    @property
    def config_digest(self) -> str:
        """Digest of the config (docs/format.md, section 8)."""
        return digest(self.config())

    def __repr__(self) -> str:
        return f"<Agent {self.name}>"


def _require(items: Iterable[object], kind: type) -> None:
    for item in items:
        if not isinstance(item, kind):
            raise AgentError(f"{item!r} is no {kind.__name__}")


def _resolve(model: Model | str | None) -> Model | None:
    if model is None or isinstance(model, Model):
        return model
    if not isinstance(model, str):
        raise AgentError(f"{model!r} is no model: subclass `Model`, or write `openai:NAME`")
    try:
        return named_model(model)
    except ModelRequestError as error:
        raise AgentError(error.message) from None


def find_agent(name: str, config: str) -> Agent:
    """The agent of this process with this name, best with this config digest.

    Raises:
        AgentError: There is none, or more than one that fits equally.
    """
    named = [agent for agent in _living if agent.name == name]
    fitting = [agent for agent in named if agent.config_digest == config] or named
    if len(fitting) == 1 or (fitting and fitting[0].config_digest == config):
        return fitting[0]
    found = "none" if not fitting else f"{len(fitting)} different ones"
    raise AgentError(f"the tape was made by agent `{name}`, and {found} exist here: pass `agent=`")
