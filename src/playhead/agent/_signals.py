"""What an agent can say to its team by a tool call: done, to all, over to another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playhead.llm import ToolSchema
from playhead.tape import Body, Json, Part, ToolCallPart, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Broadcast,
    Finish,
    HandOff,
    ParseError,
    ToolResult,
)

FINISH, BROADCAST, HAND_OFF = "finish", "broadcast", "hand_off_to_"


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals that a node's model is offered, as tools that are typed steps.

    Args:
        finish: Say that the team's work is done, with its result.
        broadcast: Say something to all agents at work.
        hand_off: Agents that the conversation can be handed over to.
    """

    finish: bool = False
    broadcast: bool = False
    hand_off: tuple[str, ...] = ()

    def describe(self) -> dict[str, Json]:
        """Those that are offered, as plain JSON."""
        found: dict[str, Json] = {}
        if self.finish:
            found["finish"] = True
        if self.broadcast:
            found["broadcast"] = True
        if self.hand_off:
            found["hand_off"] = list(self.hand_off)
        return found

    def tools(self) -> list[ToolSchema]:
        """Them as tools."""
        made: list[ToolSchema] = []
        if self.finish:
            text = "Say that the work of the whole team is done, and give its result."
            made.append(_tool(FINISH, text, "result", "The result, in full."))
        if self.broadcast:
            text = "Say something to all other agents at work."
            made.append(_tool(BROADCAST, text, "message", "What to say."))
        for agent in self.hand_off:
            text = f"Hand the conversation over to {agent}, who goes on with it."
            made.append(_tool(f"{HAND_OFF}{agent}", text, "reason", "What it is about."))
        return made

    def knows(self, name: str) -> bool:
        """Whether a tool of this name is one of these signals."""
        return (
            (self.finish and name == FINISH)
            or (self.broadcast and name == BROADCAST)
            or (name.startswith(HAND_OFF) and name.removeprefix(HAND_OFF) in self.hand_off)
        )

    def steps(
        self, call: ToolCallPart, call_id: str, *, agent: str, alone: bool, nested: bool
    ) -> Sequence[Body]:
        """The steps that a call of one of these tools becomes.

        Args:
            call: The call.
            call_id: Its id.
            agent: Who gives the signal.
            alone: Whether it is the only call of its completion.
            nested: Whether another agent called this one.
        """
        parts = _text(call.arguments)
        if parts is None:
            return [ParseError(message="say it as a text in the one argument", call_id=call_id)]
        if call.name == BROADCAST:
            said = ToolResult(call_id=call_id, name=BROADCAST, result="said to all")
            return [Broadcast(agent=agent, parts=parts), said]
        if not alone:  # control goes away with it, and the other calls would never be answered
            message = f"call `{call.name}` alone, when all other calls are answered"
            return [ParseError(message=message, call_id=call_id)]
        if call.name == FINISH:
            return [Finish(agent=agent, parts=parts, call_id=call_id), _said(parts)]
        if not nested:
            message = "there is no team that could take over: answer yourself"
            return [ParseError(message=message, call_id=call_id)]
        target = call.name.removeprefix(HAND_OFF)
        return [HandOff(agent=target, parts=parts, call_id=call_id), _said(parts)]


def _said(parts: tuple[Part, ...]) -> Body:
    return AssistantMessage(parts=parts)


def _text(arguments: object) -> tuple[Part, ...] | None:
    values = list(arguments.values()) if isinstance(arguments, dict) else []
    return text_parts(values[0]) if len(values) == 1 and isinstance(values[0], str) else None


def _tool(name: str, description: str, parameter: str, meaning: str) -> ToolSchema:
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {parameter: {"type": "string", "description": meaning}},
        "required": [parameter],
        "additionalProperties": False,
    }
    return ToolSchema(name=name, description=description, parameters=schema)
