"""The ready-made tool-calling agent: the model's own tool calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from playhead.agent._context import NodeContext
from playhead.agent._node import Node
from playhead.errors import AgentError
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import Body, Message, View, system, text_parts
from playhead.tape.kinds import AssistantMessage, Delegate, ParseError, ToolCall

if TYPE_CHECKING:
    from playhead.agent._agent import Agent

_DELEGATE = "delegate_to_"


class ToolCallingNode(Node):
    """Sends the whole conversation, carries out the model's tool calls, runs again after them.

    Args:
        name: Unique within the agent.
        window: Send only that many newest messages, or a few more: never a tool's answer without
            the message that asked for it. All if not given.
    """

    offers_tools = True

    def __init__(self, name: str = "act", *, window: int | None = None) -> None:
        if window is not None and window < 1:
            raise AgentError(f"a window has at least 1 message, not {window}")
        super().__init__(name, next=name, window=window)
        self.window = window

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`; subagents are offered as tools."""
        super().bind(agent, tools)
        self.tools += tuple(_delegation(subagent) for subagent in agent.subagents)
        names = [tool.name for tool in self.tools]
        for name in names:
            if names.count(name) > 1:
                raise AgentError(f"agent `{agent.name}` offers two tools `{name}`: rename one")
        self._opening: tuple[Message, ...] = (
            (system(agent.instructions),) if agent.instructions else ()
        )

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt:
        """Instructions and conversation."""
        if self.window is None:
            return Prompt.of(*self._opening, view.messages)
        return Prompt.of(*self._opening, view.messages[-self._newest(view) :])

    def _newest(self, view: View) -> int:
        """How many messages to send."""
        assert self.window is not None
        newest = self.window
        try:
            while view.messages[-newest].role == "tool":
                newest += 1
        except IndexError:  # there are not so many
            pass
        return newest

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """A step for each tool call; an answer if there is none."""
        assert completion is not None
        calls = completion.message.tool_calls
        if not calls:
            return [AssistantMessage(parts=text_parts(completion.text))]
        steps: list[Body] = []
        for call in calls:
            call_id = call.id or ctx.new_id()
            fault = completion.bad_arguments.get(call_id)
            if fault is not None:
                message = f"the arguments of {call.name} are no JSON: {fault}"
                steps.append(ParseError(message=message, call_id=call_id))
            elif call.name.startswith(_DELEGATE) and call.name[len(_DELEGATE) :] in self.subagents:
                steps.append(_delegate(call.name[len(_DELEGATE) :], call.arguments, call_id))
            else:
                steps.append(ToolCall(call_id=call_id, name=call.name, arguments=call.arguments))
        return steps


def _delegation(subagent: Agent) -> ToolSchema:
    return ToolSchema(
        name=f"{_DELEGATE}{subagent.name}",
        description=subagent.description or f"Hand a task over to the agent {subagent.name}.",
        parameters={
            "type": "object",
            "properties": {"task": {"type": "string", "description": "The task, in full."}},
            "required": ["task"],
            "additionalProperties": False,
        },
    )


def _delegate(name: str, arguments: object, call_id: str) -> Body:
    task = arguments.get("task") if isinstance(arguments, dict) else None
    if not isinstance(task, str):
        return ParseError(message="say the task as a text in `task`", call_id=call_id)
    return Delegate(agent=name, parts=text_parts(task), call_id=call_id)
