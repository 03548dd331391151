"""What becomes of the tool calls of a completion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from playhead.agent._context import NodeContext
from playhead.agent._signals import Signals
from playhead.errors import AgentError
from playhead.llm import Completion, ToolSchema
from playhead.tape import Body, ToolCallPart, View, compact, text_parts, unchecked
from playhead.tape.kinds import Delegate, ParseError, ToolCall

if TYPE_CHECKING:
    from playhead.agent._agent import Agent
    from playhead.agent._node import Node

DELEGATE = "delegate_to_"


def steps_of_calls(
    node: Node, view: View, *, completion: Completion, ctx: NodeContext
) -> list[Body]:
    """What tool calls become: the call, a delegation, a signal, or why it is none."""
    made: list[Body] = []
    calls = completion.message.tool_calls
    for call in calls:
        call_id = call.id or ctx.new_id()
        fault = completion.bad_arguments.get(call_id)
        if fault is not None:
            message = f"the arguments of {call.name} are no JSON: {fault}"
            made.append(ParseError(message=message, call_id=call_id))
        elif node.signals.knows(call.name):
            made += node.signals.steps(
                call,
                call_id,
                agent=view.agent,
                alone=len(calls) == 1,
                nested=view.frame.caller is not None,
            )
        else:
            made.append(_step(node, call, call_id))
    return made


def _step(node: Node, call: ToolCallPart, call_id: str) -> Body:
    name = call.name.removeprefix(DELEGATE)
    if call.name.startswith(DELEGATE) and name in node.subagents:
        return _delegate(node.subagents[name], call.arguments, call_id)
    return unchecked(ToolCall, call_id=call_id, name=call.name, arguments=call.arguments)


def offered(agent: Agent, tools: Sequence[ToolSchema], signals: Signals) -> tuple[ToolSchema, ...]:
    """The tools, the agent's subagents as tools, and signals.

    Raises:
        AgentError: Two have the same name.
    """
    all_ = (*tools, *(_delegation(subagent) for subagent in agent.subagents), *signals.tools())
    names = [tool.name for tool in all_]
    for name in names:
        if names.count(name) > 1:
            raise AgentError(f"agent `{agent.name}` offers two tools `{name}`: rename one")
    return all_


def _delegation(subagent: Agent) -> ToolSchema:
    """A subagent as a tool: with the parameters of its first node, or one for the task."""
    parameters = subagent.nodes[0].parameters
    return ToolSchema(
        name=f"{DELEGATE}{subagent.name}",
        description=subagent.description or f"Hand a task over to the agent {subagent.name}.",
        parameters=parameters
        or {
            "type": "object",
            "properties": {"task": {"type": "string", "description": "The task, in full."}},
            "required": ["task"],
            "additionalProperties": False,
        },
    )


def _delegate(subagent: Agent, arguments: object, call_id: str) -> Body:
    if subagent.nodes[0].parameters is not None:
        if not isinstance(arguments, dict):
            return ParseError(message="give the arguments as an object", call_id=call_id)
        task: object = compact(arguments)
    else:
        task = arguments.get("task") if isinstance(arguments, dict) else None
    if not isinstance(task, str):
        return ParseError(message="say the task as a text in `task`", call_id=call_id)
    return Delegate(agent=subagent.name, parts=text_parts(task), call_id=call_id)
