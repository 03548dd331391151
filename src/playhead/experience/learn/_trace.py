"""What learning sees of a tape: the task, the calls with their results, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from playhead.environment import Tool
from playhead.experience.routine import PastCall, call_key
from playhead.tape import Json, digest
from playhead.tape.kinds import Effect

_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = rf"(\d{{1,6}}|{'|'.join(_COUNTED)})"
_BOUND = "at most|up to|first|top|(?:no|not) more than|limit(?:ed)? (?:to|of)|maximum of"
_MOST = re.compile(
    rf"\b(?:{_BOUND}) {_COUNT}\b|\b{_COUNT} (?:newest|latest|most recent|oldest|best|nearest)\b",
    re.IGNORECASE,
)

Probe: TypeAlias = Callable[[str, Mapping[str, Json]], Any]
"""Makes a read in a fresh environment; raises `LookupError` where it cannot."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the learner knows it.

    Args:
        name: Its name.
        effect: What it does to the world.
        arguments: The JSON Schema of each argument.
        digest: Of its schema, where it is known.
        most: How many rows it shows at most, if its description says so.
    """

    name: str
    effect: Effect
    arguments: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    digest: str | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """One recorded session.

    Args:
        id: The tape.
        task: What was asked.
        now: The clock of the world, `YYYY-MM-DD HH:MM:SS`.
        calls: The calls that were made.
        head: The tape's head digest.
        finished: Whether it came to its end.
    """

    id: str
    task: str
    now: str
    calls: tuple[PastCall, ...]
    head: str | None = None
    finished: bool = True


_FAILURE = re.compile(
    r"\b(not|no such|invalid|missing|failed|failure|error|unknown|cannot|denied|must|refused)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A trace, cleaned: its reads and its writes.

    Args:
        trace: The trace.
        reads: Reads before the last write; all of them if nothing was written.
        writes: The writes.
        wrong: It was judged wrong: what it wrote must not be written there.
    """

    trace: Trace
    reads: tuple[PastCall, ...]
    writes: tuple[PastCall, ...]
    wrong: bool = False

    @property
    def signature(self) -> tuple[str, ...]:
        """The tools of the writes, runs of the same one taken together."""
        tools = [call.tool for call in self.writes]
        return tuple(tool for at, tool in enumerate(tools) if at == 0 or tools[at - 1] != tool)

    @property
    def write_keys(self) -> tuple[str, ...]:
        """The writes, comparable."""
        return tuple(call_key(call.tool, call.arguments) for call in self.writes)


def clean(trace: Trace, tools: Mapping[str, ToolSpec]) -> Example:
    """Leave out what failed, what was asked twice, and what was read after the last write."""
    reads: list[PastCall] = []
    writes: list[PastCall] = []
    pending: list[PastCall] = []
    seen: set[str] = set()
    for call in trace.calls:
        if call.tool not in tools or call.error is not None:
            continue
        key = call_key(call.tool, call.arguments)
        if tools[call.tool].effect != "read":
            if isinstance(call.result, str) and _FAILURE.search(call.result):
                continue
            writes.append(call)
            reads += pending
            pending.clear()
        elif key not in seen and not _is_fault(call):
            seen.add(key)
            pending.append(call)
    return Example(trace, tuple(reads if writes else pending), tuple(writes))


def _is_fault(call: PastCall) -> bool:
    """A read that was put wrongly: it says so, and not that nothing was found."""
    if not isinstance(call.result, str):
        return False
    return bool(re.search(r"not provided|invalid|missing|error", call.result, re.IGNORECASE))


def with_calls(trace: Trace, calls: Sequence[PastCall]) -> Trace:
    """The same trace with other calls."""
    return replace(trace, calls=tuple(calls))


def tool_spec(tool: Tool) -> ToolSpec:
    """What the learner knows of an environment's tool."""
    properties = tool.schema.parameters.get("properties")
    arguments = properties if isinstance(properties, dict) else {}
    shapes = {name: shape for name, shape in arguments.items() if isinstance(shape, dict)}
    return ToolSpec(
        tool.name,
        tool.effect,
        shapes,
        digest(tool.schema.as_json()),
        _most(tool.schema.description),
    )


def _most(description: str) -> int | None:
    """How many rows a tool shows at most, as its description puts it."""
    found = _MOST.search(description)
    if found is None:
        return None
    said = (found[1] or found[2]).casefold()
    return int(said) if said.isdigit() else _COUNTED.index(said) + 1
