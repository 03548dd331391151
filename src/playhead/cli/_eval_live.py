"""Shows an evaluation as it happens: a line for each candidate on a terminal, else now and then."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Group
from rich.live import Live
from rich.text import Text

from playhead.cli._output import PlainConsole
from playhead.cli._plots import bar, duration
from playhead.cli._text import short_id
from playhead.evaluate import (
    Counts,
    EvaluationBeganEvent,
    EvaluationEvent,
    TrialAgainEvent,
    TrialEndedEvent,
    TrialResult,
    WorkerDiedEvent,
)
from playhead.tape import one_line

_EVERY = 10  # lines that tell the progress where there is no terminal
_FAULTS = 5  # errors that are told as they happen


@dataclass(slots=True)
class _Row:
    """What is known of a candidate."""

    ended: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    usd: float = 0.0


class Watch:
    """Watches an evaluation.

    Args:
        console: Where it is shown: the terminal's stderr.
        hint: The words of the command that goes on with the evaluation, but for its id.
    """

    def __init__(self, console: PlainConsole, hint: str) -> None:
        self.id: str | None = None
        self._console, self._hint = console, hint
        self._rows: dict[str, _Row] = {}
        self._each = 0
        self._counts = Counts(0)
        self._before = 0
        self._began = time.monotonic()
        self._told = self._faults = 0
        self._last = ""
        self._live: Live | None = None

    def __call__(self, event: EvaluationEvent) -> None:
        match event:
            case EvaluationBeganEvent(id=tape, about=about, counts=counts):
                self.id, self._counts, self._before = tape, counts, counts.ended
                self._each = about.tasks * about.trials
                self._rows = {each.name: _Row() for each in about.candidates}
                self._begin()
            case TrialEndedEvent(result=result, counts=counts):
                self._counts = counts
                self._end(result)
            case TrialAgainEvent(start=start, why=why):
                said = f"{start.candidate}, {start.task}: begun again: {one_line(why, 200)}"
                self._console.print(Text(said, style="yellow"), soft_wrap=True)
            case WorkerDiedEvent(pid=pid, exit_code=code):
                said = f"worker {pid} died with exit code {code}: others take over its trials"
                self._console.print(Text(said, style="yellow"), soft_wrap=True)
            case _:
                self._counts = event.counts
        self._show()

    def _begin(self) -> None:
        tape = short_id(self.id or "")
        counts = self._counts
        done = f", {counts.ended:,} done before" if counts.ended else ""
        said = f"evaluation {tape}: {counts.total:,} trials{done}"
        self._console.print(Text.assemble((said, "bold")), soft_wrap=True)
        self._console.print(Text(f"go on with it: {self._hint} {tape}", "dim"), soft_wrap=True)

    def _end(self, result: TrialResult) -> None:
        row = self._rows.setdefault(result.start.candidate, _Row())
        row.ended += 1
        row.passed += result.passed is True
        row.failed += result.passed is False
        row.errors += result.end.status == "error"
        row.usd += result.end.usd or 0.0
        said = result.end.error if result.end.status == "error" else None
        said = said or next((s.error for s in result.scores.values() if s.error), None)
        if said is not None:
            self._fault(result, said)

    def _fault(self, result: TrialResult, said: str) -> None:
        self._faults += 1
        if self._faults <= _FAULTS:
            start = result.start
            name = f"{start.candidate}, {start.task} ({short_id(start.tape)})"
            self._console.print(
                Text.assemble((f"{one_line(name, 120)}: ", "yellow"), one_line(said, 400)),
                soft_wrap=True,
            )
        elif self._faults == _FAULTS + 1:
            self._console.print(Text("more errors stand in the report", style="yellow"))

    def _show(self) -> None:
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, transient=True, refresh_per_second=8)
                self._live.start()
            self._live.update(self._picture())
            return
        counts = self._counts
        tenth = counts.ended * _EVERY // max(counts.total, 1)
        if tenth > self._told:
            self._told = tenth
            self._say(self._line())

    def _say(self, line: str) -> None:
        if line != self._last:
            self._last = line
            self._console.print(Text(line), soft_wrap=True)

    def _picture(self) -> Group:
        width = max(10, min(40, self._console.width - 60))
        longest = max(map(len, self._rows), default=0)
        rows = [
            Text.assemble(
                f"{one_line(name, 30):<{min(longest, 30)}}  ",
                (bar(row.ended / max(self._each, 1), width).ljust(width), "cyan"),
                f"  {row.ended:,}/{self._each:,}  ",
                (_rate(row), "bold"),
                (f"  {row.errors} errors" if row.errors else "", "red"),
                (f"  ${row.usd:.2f}" if row.usd else "", "dim"),
            )
            for name, row in self._rows.items()
        ]
        return Group(*rows, Text(self._line(), style="dim"))

    def _line(self) -> str:
        counts = self._counts
        facts = [
            f"{counts.ended:,} of {counts.total:,} trials",
            f"{counts.passed:,} passed",
            f"{counts.failed:,} failed",
        ]
        facts += [f"{counts.errors:,} errors"] if counts.errors else []
        facts += [f"{counts.unscored:,} unscored"] if counts.unscored else []
        now = counts.ended - self._before
        if now and counts.ended < counts.total:
            left = (time.monotonic() - self._began) / now * (counts.total - counts.ended)
            facts.append(f"{duration(left)} left")
        return ", ".join(facts)

    def stop(self) -> None:
        """Take away what is shown below the lines; say how far it came."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self.id is not None:
            self._say(self._line())


def _rate(row: _Row) -> str:
    decided = row.passed + row.failed
    return f"{row.passed / decided:.1%} pass" if decided else ""
