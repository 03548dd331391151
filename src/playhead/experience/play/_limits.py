"""What a play may use at most, whatever its experience says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, cast, get_args

from playhead.errors import ExperienceError
from playhead.experience.checks import SeenCall
from playhead.experience.document import Experience
from playhead.experience.routine import PlannedCall
from playhead.tape import Json
from playhead.tape.kinds import Effect

_HOST = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://(?:[^\s/@?#]*@)?(\[[0-9a-f:.]+\]|[^\s/:?#@]+)")
_NAMES = ("tools", "hosts", "effects")


@dataclass(frozen=True, slots=True)
class Limits:
    """The capabilities of an experience: whoever plays it grants these and no more.

    Args:
        tools: Tools that it may call; None for those that it says it needs.
        hosts: Hosts that may stand in addresses of arguments, and that its tools may live on, with
            `*.example.com` for all below one; None for any.
        effects: Effects that its calls may have.
        calls: Tool calls at most.
        writes: Of these, calls that change something.
        seconds: Of a run.

    Raises:
        ExperienceError: It is put together wrongly.
    """

    tools: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    effects: tuple[Effect, ...] = get_args(Effect)
    calls: int = 500
    writes: int = 100
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if isinstance(value, str) or not (
                value is None or all(isinstance(each, str) for each in value)
            ):
                raise ExperienceError(f"`{name}` of limits is a list of texts, not {value!r}")
            object.__setattr__(self, name, None if value is None else tuple(value))
        if unknown := [each for each in self.effects if each not in get_args(Effect)]:
            raise ExperienceError(f"there is no effect `{unknown[0]}`")
        for name in ("calls", "writes"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise ExperienceError(f"`{name}` of limits is a count, not {value!r}")

    @classmethod
    def of(cls, data: Json) -> Limits:
        """Limits from plain data.

        Raises:
            ExperienceError: It has other members, or is put together wrongly.
        """
        known = [each.name for each in fields(cls)]
        if not isinstance(data, Mapping) or not set(data) <= set(known):
            raise ExperienceError(f"limits are an object with {', '.join(known)}, not {data!r:.80}")
        return cls(**cast("dict[str, Any]", dict(data)))

    def as_json(self) -> dict[str, Json]:
        """Its members by name."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    def refusal(
        self, call: PlannedCall, done: Sequence[SeenCall], facts: Mapping[str, Json]
    ) -> str | None:
        """Why a call may not be made; None if it may.

        Args:
            call: What is about to be called.
            done: What was done.
            facts: What the tools are now.
        """
        now = facts.get(call.tool)
        tool = now if isinstance(now, dict) else {}
        effect = tool.get("effect", "irreversible")
        if self.tools is not None and call.tool not in self.tools:
            return f"it may not call `{call.tool}`"
        if effect not in self.effects:
            return f"it may not call `{call.tool}`, which is `{effect}`"
        if len(done) >= self.calls:
            return f"it may make {self.calls} tool calls"
        if effect != "read" and sum(each.writes for each in done) >= self.writes:
            return f"it may make {self.writes} calls that change something"
        if self.hosts is not None:
            named = [*_hosts(str(tool.get("origin", ""))), *_hosts_in(dict(call.arguments))]
            for host in named:
                if not any(_covers(granted, host) for granted in self.hosts):
                    return f"it may not reach `{host}`"
        return None


def _covers(granted: str, host: str) -> bool:
    return host == granted or (granted.startswith("*.") and host.endswith(granted[1:]))


def needed_limits(experience: Experience) -> Limits:
    """What an experience says that it needs, and no more."""
    effects = {requirement.effect for requirement in experience.tools.values()}
    return Limits(
        tools=tuple(experience.tools),
        effects=tuple(each for each in get_args(Effect) if each in effects or each == "read"),
    )


def _hosts(text: str) -> Iterator[str]:
    for match in _HOST.finditer(text):
        yield match[1].casefold()


def _hosts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _hosts(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _hosts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _hosts_in(each)
