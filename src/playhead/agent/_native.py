"""The ready-made tool-calling agent: the model's own tool calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from playhead.agent._calls import offered, steps_of_calls
from playhead.agent._context import NodeContext
from playhead.agent._node import Node
from playhead.agent._signals import Signals
from playhead.agent._window import newest
from playhead.errors import AgentError
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import Body, Message, View, system, text_parts
from playhead.tape.kinds import AssistantMessage

if TYPE_CHECKING:
    from playhead.agent._agent import Agent


class ToolCallingNode(Node):
    """Sends the whole conversation, carries out the model's tool calls, runs again after them.

    Args:
        name: Unique within the agent.
        window: Send only that many newest messages, or a few more: never a tool's answer without
            the message that asked for it. All if not given.
        signals: What the model can say to its team, as tools beside the agent's.
    """

    offers_tools = True

    def __init__(
        self, name: str = "act", *, window: int | None = None, signals: Signals | None = None
    ) -> None:
        if window is not None and window < 1:
            raise AgentError(f"a window has at least 1 message, not {window}")
        super().__init__(name, next=name, window=window)
        self.window = window
        self.signals = signals or Signals()

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`; subagents are offered as tools."""
        super().bind(agent, tools)
        self.tools = offered(agent, self.tools, self.signals)
        self._opening: tuple[Message, ...] = (
            (system(agent.instructions),) if agent.instructions else ()
        )

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt:
        """Instructions and conversation."""
        return Prompt.of(*self._opening, newest(view.messages, self.window))

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """A step for each tool call; an answer if there is none."""
        assert completion is not None
        made = steps_of_calls(self, view, completion=completion, ctx=ctx)
        return made or [AssistantMessage(parts=text_parts(completion.text))]
