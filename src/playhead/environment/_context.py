"""What passes between a session and a tool, beside arguments and result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playhead.tape.kinds import ToolErrorCode


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may ask for: declare a parameter of this type.

    Args:
        key: The same for every try of one call: give it to services as the idempotency key.
        tape: The tape's id.
        deps: The objects given to `run(deps=…)`.
    """

    key: str
    tape: str
    deps: Any = None


class ToolFailure(Exception):
    """A call that failed in a way the agent can react to.

    Args:
        code: One of the codes of `playhead.tool_error`.
        message: What the agent is told.
    """

    def __init__(self, code: ToolErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ToolErrorCode = code
        self.message = message
