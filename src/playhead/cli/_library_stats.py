"""`library stats`: how plays ended, and the savings ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table
from rich.text import Text

from playhead.cli._guard import DONE
from playhead.cli._library_looking import opened, plays_text
from playhead.cli._output import Output
from playhead.cli._text import one_line, plural
from playhead.experience.library import Cost, Savings, total_of

_SAVED = ("model calls", "tokens", "USD", "seconds", "wrong writes")


def stats(
    library: Path | None,
    store: Path,
    name: str | None,
    *,
    times: tuple[str | None, str | None],
    as_json: bool,
) -> int:
    """Show the ledger."""
    output = Output(as_json=as_json)
    since, until = times[0] or "", times[1] or "~"
    with opened(library, store) as found:
        kept = [found.get(name)] if name is not None else found.all()
        lines = [
            (each.label, found.ledger.of(each.digest, since=since, until=until)) for each in kept
        ]
    lines = [line for line in lines if line[1].counts.all or name is not None]
    total = total_of(line for _, line in lines)
    if as_json:
        rows = [{"name": label, **_json(line)} for label, line in lines]
        output.document({"experiences": rows, "total": _json(total)})
        return DONE
    if not lines:
        output.message("nothing was played yet: `playhead play EXPERIENCE` does")
        return DONE
    output.out.print(_table([*lines, ("all", total)]))
    _sources(output, lines, total)
    return DONE


def _table(lines: Sequence[tuple[str, Savings]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("saved by", no_wrap=True)
    table.add_column("plays")
    for name in _SAVED:
        table.add_column(name, justify="right", no_wrap=True)
    for label, line in lines:
        style = "bold" if line.experience is None else ""
        plays = plays_text(asdict(line.counts))
        table.add_row(Text(one_line(label, 50), style=style), plays, *_amounts(line.saved))
    return table


def _amounts(saved: Cost | None) -> list[str]:
    if saved is None:
        return ["?"] * len(_SAVED)
    return [
        _amount(saved.model_calls),
        _amount(saved.tokens),
        _amount(saved.usd, 4),
        _amount(saved.seconds, 1),
        _amount(saved.wrong_writes, 1),
    ]


def _amount(value: float | None, digits: int = 0) -> str:
    return "?" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def _sources(output: Output, lines: Sequence[tuple[str, Savings]], total: Savings) -> None:
    """Against what it is counted."""
    for label, line in lines:
        if line.baseline is not None:
            cost = line.baseline.cost
            output.message(
                f"{label}: against {cost.model_calls:.1f} model calls, {cost.tokens:,.0f} tokens, "
                f"{cost.seconds:.1f} s a task: {one_line(line.baseline.source, 200)}",
                "dim",
            )
    if total.unknown:
        output.message(
            f"of {plural(total.unknown, 'play')} nobody knows what was saved: what a session "
            "without the experience costs is not known here",
            "dim",
        )


def _json(line: Savings) -> dict[str, object]:
    return asdict(line) | {"saved": asdict(line.saved) if line.saved is not None else None}
