"""Nodes: one model call, or none, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from playhead.agent._context import NodeContext
from playhead.agent._signals import Signals
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import Body, By, Json, View

if TYPE_CHECKING:
    from playhead.agent._agent import Agent


class Node:
    """A step of an agent's work. Subclass it and write `make_prompt` and `generate_steps`.

    Both must be pure functions of what they are given (ask `ctx` for the clock, chance and ids):
    a resumed or replayed session calls them again, and each session works on a copy of the node.

    Args:
        name: Unique within the agent.
        next: The node that runs after this one, unless a `NextNode` says otherwise; if not given,
            the one that follows in the agent's list.
        config: What else decides the node's behaviour (templates, limits); it enters the agent's
            config digest.
    """

    offers_tools: bool = False
    parameters: Mapping[str, Json] | None = None
    """JSON Schema of what the node is asked with, where that is not a text."""
    plays: By | None = None
    """Who its steps are by, where it plays an experience and asks no model."""

    def __init__(self, name: str, *, next: str | None = None, **config: Json) -> None:
        self.name = name
        self.next = next
        self.config: dict[str, Json] = config
        self.settings: dict[str, Json] = {}  # of sampling, over those of the agent
        self.signals = Signals()

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:
        """The prompt; None to go on without a model."""
        return None

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """The steps made of the completion, or of the view alone."""
        return ()

    def describe(self) -> dict[str, Json]:
        """What decides the node's behaviour."""
        described = {"name": self.name, "type": type(self).__name__, "next": self.next}
        more: dict[str, Json] = {"settings": self.settings, "signals": self.signals.describe()}
        return {**described, **self.config, **{name: said for name, said in more.items() if said}}

    def leads_to(self) -> Iterable[str]:
        """The nodes that it names as the next one."""
        return () if self.next is None else (self.next,)

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """Called when a session begins: `tools` are those that the node's model is offered."""
        self.tools = tuple(tools)
        self.subagents = {subagent.name: subagent for subagent in agent.subagents}
