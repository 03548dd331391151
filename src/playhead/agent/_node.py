"""Nodes: one model call, or none, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from playhead.agent._context import NodeContext
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

    offers_tools: ClassVar[bool] = False
    plays: By | None = None
    """Who its steps are by, where it plays an experience and asks no model."""

    def __init__(self, name: str, *, next: str | None = None, **config: Json) -> None:
        self.name = name
        self.next = next
        self.config: dict[str, Json] = config

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
        return {"name": self.name, "type": type(self).__name__, "next": self.next, **self.config}

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """Called when a session begins: `tools` are those that the node's model is offered."""
        self.tools = tuple(tools)
        self.subagents = {subagent.name: subagent for subagent in agent.subagents}
