"""An office that writes down, in a file outside, what is done in it live."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playhead.environment import ToolContext
from playhead.office import OfficeEnvironment, sample_office
from playhead.orchestrator import ActionEvent, Event
from playhead.tape import Action, Observation
from playhead.tape.kinds import ToolCall, ToolResult


class Entry(NamedTuple):
    """One live execution of a tool that changes something."""

    tape: str
    tool: str
    process: int


class LedgerOffice(OfficeEnvironment):
    """The sample office; each live execution of a writing tool adds a line to a ledger.

    What the orchestrator carries out again to rebuild the office is not announced to `watch`, and
    not written down: it changes nothing but the fresh tables in memory.

    Args:
        ledger: The file.
        block_at: Name of a tool that hangs before it does anything, when it is called live.
        blocked: Called then.
    """

    def __init__(
        self,
        ledger: Path,
        *,
        block_at: str | None = None,
        blocked: Callable[[ToolContext], None] | None = None,
    ) -> None:
        super().__init__(sample_office())
        self._ledger = ledger
        self._block_at = block_at
        self._blocked = blocked
        self._announced: set[str] = set()

    def watch(self, event: Event) -> None:
        """Take note of the actions that are carried out live."""
        if isinstance(event, ActionEvent):
            self._announced.add(event.step.id)

    async def answer(self, action: Action, context: ToolContext) -> Observation | None:
        """See `Environment.answer`."""
        live = context.key in self._announced
        if live and isinstance(action, ToolCall) and action.name == self._block_at:
            if self._blocked is not None:
                self._blocked(context)
            await asyncio.Event().wait()
        observation = await super().answer(action, context)
        if live and isinstance(action, ToolCall) and isinstance(observation, ToolResult):
            self._write_down(action, context)
        return observation

    def _write_down(self, call: ToolCall, context: ToolContext) -> None:
        if call.effect == "read":
            return
        entry = Entry(context.tape, call.name, os.getpid())
        with self._ledger.open("a") as file:
            file.write(json.dumps(entry._asdict()) + "\n")


def read_ledger(ledger: Path, tape: str) -> list[Entry]:
    """What was done live in the session of a tape."""
    lines = ledger.read_text().splitlines() if ledger.exists() else []
    entries = [Entry(**json.loads(line)) for line in lines]
    return [entry for entry in entries if entry.tape == tape]
