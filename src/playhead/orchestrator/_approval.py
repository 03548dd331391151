"""Which actions need somebody's word before they are carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playhead.tape import Json
from playhead.tape.kinds import DecisionName, Effect, ToolCall


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about an action that waits.

    Args:
        decision: `approve`, `deny` or `edit` (with other arguments) for an approval; `redo`,
            `result` (it happened, this is what came of it) or `skip` for an unknown outcome.
        message: Why; the agent is told when it is denied or skipped.
        arguments: For `edit`.
        result: For `result`.
        by: The person's name.
    """

    decision: DecisionName
    message: str | None = None
    arguments: Json = None
    result: Json = None
    by: str | None = None


Said: TypeAlias = Verdict | Literal["approve", "deny"] | None
Decide: TypeAlias = Callable[[ToolCall], Said | Awaitable[Said]]


@dataclass(frozen=True, slots=True)
class Approval:
    """A policy: which tool calls wait for a decision, and who is asked.

    Args:
        effects: Calls of tools with these effects wait.
        tools: Calls of these tools wait.
        decide: Asked at once; without it, or if it gives None, the run pauses until `resume` is
            given a decision.
    """

    effects: tuple[Effect, ...] = ("irreversible",)
    tools: Collection[str] = ()
    decide: Decide | None = None

    def applies(self, call: ToolCall) -> bool:
        """Whether the call has to wait."""
        return call.name in self.tools or call.effect in self.effects
