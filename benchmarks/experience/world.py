"""The office that tasks are played in: tools, reads, and the judgement of what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from playhead.environment import Tool
from playhead.experience.learn import ToolSpec, tool_spec
from playhead.experience.routine import PastCall
from playhead.office import (
    Office,
    OfficeCall,
    OfficeData,
    OfficeEnvironment,
    as_replayed,
    live_args,
    replay,
    same_tables,
)
from playhead.tape import Json


@dataclass
class World:
    """An office in its clean state, and what was asked of it already."""

    data: OfficeData
    _reads: dict[str, Any] = field(default_factory=dict)
    _verdicts: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    _ideal: dict[str, Office] = field(default_factory=dict)

    @cached_property
    def clean(self) -> Office:
        """The clean office; nothing writes into it."""
        return self.data.fresh()

    @cached_property
    def tools(self) -> Mapping[str, ToolSpec]:
        """The tools as the learner is told of them."""
        offered: Sequence[Tool] = OfficeEnvironment(self.data).tools()
        return {tool.name: tool_spec(tool) for tool in offered}

    def read(self, tool: str, arguments: Mapping[str, Json]) -> Any:  # noqa: ANN401
        """A read in the clean office; the second time it is remembered."""
        key = f"{tool} {sorted(arguments.items())!r}"
        if key not in self._reads:
            self._reads[key] = made(self.clean, tool, arguments)
        if isinstance(self._reads[key], Exception):
            raise LookupError(tool)
        return self._reads[key]

    def judged(
        self, name: str, writes: Sequence[PastCall], expected: Sequence[OfficeCall]
    ) -> tuple[bool, bool]:
        """Whether the writes leave the right tables, and whether they leave the clean ones."""
        key = f"{name} {[(w.tool, sorted(w.arguments.items())) for w in writes]!r}"
        if key not in self._verdicts:
            calls = [OfficeCall(call.tool, call.arguments) for call in writes]
            done = replay(self.data, [back for call in calls if (back := as_replayed(call))])
            if name not in self._ideal:
                self._ideal[name] = replay(self.data, expected)
            self._verdicts[key] = (
                same_tables(done, self._ideal[name]),
                same_tables(done, self.clean),
            )
        return self._verdicts[key]


def made(office: Office, tool: str, arguments: Mapping[str, Json]) -> Any:  # noqa: ANN401
    """What a call gives; the error if it raises."""
    try:
        method = office.tool(tool).method
        return method(**live_args(method, dict(arguments)))
    except Exception as error:  # the tools raise all sorts
        return error
