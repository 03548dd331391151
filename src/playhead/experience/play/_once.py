"""Effects that a play had are not repeated by whoever goes on."""

from __future__ import annotations

from collections.abc import Mapping

from playhead.environment import Environment, ToolContext, WrappedEnvironment
from playhead.experience.play._past import Values
from playhead.tape import Action, Json, Observation, Tape
from playhead.tape.kinds import ToolCall, ToolError, ToolResult


class DoneOnce(WrappedEnvironment):
    """Refuses a call that a player has made already on the same tape and that changes something.

    Args:
        environment: What carries out all other calls.
        values: Puts values back where placeholders stand.
    """

    def __init__(self, environment: Environment, values: Values | None = None) -> None:
        super().__init__(environment)
        self._values = values

    async def answer(self, action: Action, context: ToolContext) -> Observation | None:
        """See `Environment.answer`."""
        if isinstance(action, ToolCall) and action.effect != "read" and context.session is not None:
            seq = self._played(action, context.session)
            if seq is not None:
                message = (
                    f"this was done already, in step {seq}, and is not repeated; go on with what "
                    "is left"
                )
                return ToolError(
                    call_id=action.call_id, name=action.name, code="denied", message=message
                )
        return await super().answer(action, context)

    def _played(self, call: ToolCall, tape: Tape) -> int | None:
        """The step in which a player had the same effect; None if none had."""
        wanted = self._whole(call.name, call.arguments)
        made: dict[str, int] = {}
        for step in tape.range(0, len(tape) - 1):
            body = None if step.erased or not step.known else step.body
            if isinstance(body, ToolCall) and body.name == call.name and step.by.type == "player":
                arguments = self._values(body.arguments) if self._values else body.arguments
                if self._whole(body.name, arguments) == wanted:
                    made[step.id] = step.seq
            elif isinstance(body, ToolResult) and step.re and step.re[0] in made:
                return made[step.re[0]]
        return None

    def _whole(self, name: str, arguments: Json) -> Json:
        """Arguments with the tool's defaults, so that spelling them out makes no difference."""
        found = next((tool for tool in self.tools() if tool.name == name), None)
        members = found.schema.parameters.get("properties") if found is not None else None
        if not isinstance(members, Mapping) or not isinstance(arguments, dict):
            return arguments
        defaults: dict[str, Json] = {
            key: member["default"]
            for key, member in members.items()
            if isinstance(member, Mapping) and "default" in member
        }
        return {**defaults, **arguments}
