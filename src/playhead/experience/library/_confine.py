"""What a package may do, enforced around the environment: whatever plays cannot go beyond it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from playhead.environment import Environment, ToolContext, WrappedEnvironment
from playhead.experience.library._manifest import Capabilities
from playhead.orchestrator import Budget
from playhead.tape import Action, Json, Observation, Tape
from playhead.tape.kinds import ToolCall, ToolError

_STRENGTH = ("read", "idempotent", "write", "irreversible")
_URL = re.compile(
    r"[a-z][a-z0-9+.-]{0,30}://(?:[^/@\s]{0,200}@)?(\[[0-9a-f:.]{2,50}\]|[^/?#\s:]{1,253})",
    re.IGNORECASE,
)


class ConfinedEnvironment(WrappedEnvironment):
    """An environment in which a tool call beyond a manifest is answered with an error, not done.

    Args:
        environment: The environment.
        capabilities: What is allowed.
    """

    def __init__(self, environment: Environment, capabilities: Capabilities) -> None:
        super().__init__(environment)
        self.capabilities = capabilities

    async def answer(self, action: Action, context: ToolContext) -> Observation | None:
        """The environment's answer, if the call is allowed."""
        if isinstance(action, ToolCall):
            fault = self.fault(action, context.session)
            if fault is not None:
                return ToolError(
                    call_id=action.call_id, name=action.name, code="denied", message=fault
                )
        return await self.environment.answer(action, context)

    def fault(self, call: ToolCall, session: Tape | None = None) -> str | None:
        """Why a call is beyond the manifest; None if it is not.

        Args:
            call: The call.
            session: The session up to the call, which is its last step.
        """
        need = self.capabilities.tools.get(call.name)
        if need is None:
            return f"the manifest does not allow the tool `{call.name}`"
        effect = self.environment.effect_of(call.name)
        if effect is not None and is_wider(effect, need.effect):
            return f"`{call.name}` has the effect {effect} here; the manifest allows {need.effect}"
        if effect is not None and effect not in self.capabilities.effects:
            return f"the manifest does not allow the effect {effect}"
        strange = [host for host in hosts_in(call.arguments) if not self._knows(host)]
        if strange:
            return f"the manifest does not allow the host `{strange[0]}`"
        return self._beyond_limits(session) if session is not None else None

    def _knows(self, host: str) -> bool:
        return any(
            host == allowed.partition(":")[0]
            or (allowed.startswith("*.") and host.endswith(allowed[1:].partition(":")[0]))
            for allowed in self.capabilities.hosts
        )

    def _beyond_limits(self, session: Tape) -> str | None:
        limits = self.capabilities.limits
        if limits.tool_calls is None and limits.writes is None:
            return None
        calls = [step.body for step in session if isinstance(step.body, ToolCall)]
        if limits.tool_calls is not None and len(calls) > limits.tool_calls:
            return f"the manifest allows {limits.tool_calls} tool calls"
        writes = [each for each in calls if self._writes(each.name)]
        if limits.writes is not None and writes and len(writes) > limits.writes:
            return f"the manifest allows {limits.writes} writes"
        return None

    def _writes(self, name: str) -> bool:
        return self.environment.effect_of(name) in ("write", "irreversible")


def is_wider(effect: str, allowed: str) -> bool:
    """Whether an effect is stronger than the one that is allowed."""
    return _STRENGTH.index(effect) > _STRENGTH.index(allowed)


def hosts_in(value: Json) -> Iterator[str]:
    """The hosts of all URLs in a value, in small letters."""
    if isinstance(value, str):
        yield from (found[1].casefold() for found in _URL.finditer(value))
    elif isinstance(value, list):
        for each in value:
            yield from hosts_in(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from hosts_in(name)
            yield from hosts_in(each)


def budget_of(capabilities: Capabilities) -> Budget:
    """The budget of a run that keeps to a manifest."""
    limits = capabilities.limits
    budget = Budget(usd=limits.usd, seconds=limits.seconds)
    if limits.model_calls is None:
        return budget
    return replace(budget, model_calls=limits.model_calls)
