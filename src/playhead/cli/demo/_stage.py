"""Where the demonstration takes place: captions, claims that are checked, and what it found."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.panel import Panel
from rich.text import Text

import playhead as ph
from playhead.cli._live import Stream
from playhead.cli._output import Output
from playhead.cli._steps import step_line
from playhead.cli.demo._ledger import LedgerOffice
from playhead.office import (
    OfficeCall,
    OfficeTask,
    Verdict,
    judge,
    replay,
    same_tables,
    sample_office,
)
from playhead.orchestrator import Event
from playhead.tape import Step, Tape
from playhead.tape.kinds import ToolCall

_PACE = 0.006  # seconds a word, where somebody watches


@dataclass
class Stage:
    """What all acts share.

    Args:
        output: Where the story is told.
        store: Where the tapes are.
        ledger: The file that counts live executions.
    """

    output: Output
    store: ph.SqliteStore
    ledger: Path
    checks: list[tuple[str, bool]] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    tapes: dict[str, Tape] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def pace(self) -> float:
        """Seconds between two words of a completion."""
        return _PACE if self.output.people.is_terminal else 0

    @property
    def ok(self) -> bool:
        """Whether every claim held."""
        return all(held for _, held in self.checks)

    def caption(self, title: str, text: str) -> None:
        """Say what comes."""
        self.output.people.print()
        panel = Panel(Text(text), title=Text(title), title_align="left", border_style="cyan")
        self.output.people.print(panel)

    def say(self, text: str, style: str = "") -> None:
        """Say a sentence."""
        self.output.people.print(Text(text, style=style))

    def claim(self, text: str, held: bool) -> None:
        """Check a claim; one that does not hold makes the demonstration fail."""
        self.checks.append((text, held))
        sign, style = ("✓", "green") if held else ("✗", "bold red")
        self.output.people.print(Text.assemble((f"  {sign} ", style), text))

    def step(self, step: Step) -> None:
        """Show a step."""
        self.output.people.row(step_line(step))

    def watcher(self, office: LedgerOffice) -> Watcher:
        """What shows a session and tells the office what is done live."""
        return Watcher(Stream(self.output.people), office)


@dataclass
class Watcher:
    """Shows a session, and tells the office what is carried out live."""

    stream: Stream
    office: LedgerOffice

    def __call__(self, event: Event) -> None:
        self.office.watch(event)
        self.stream(event)


def judged(tape: Tape, task: OfficeTask) -> Verdict:
    """What the judge says of the calls on a tape."""
    calls = [step.body for step in tape if isinstance(step.body, ToolCall)]
    made = [OfficeCall(c.name, c.arguments) for c in calls if isinstance(c.arguments, dict)]
    return judge(sample_office(), made, expected=task.expected_calls)


def reached(office: LedgerOffice, task: OfficeTask) -> bool:
    """Whether the live office is in the state that solves the task."""
    return same_tables(office.office, replay(sample_office(), task.expected_calls))


def told(verdict: Verdict) -> str:
    """A verdict in words."""
    if verdict.solved:
        return "solved"
    return "not solved, something else was changed" if verdict.side_effect else "not solved"
