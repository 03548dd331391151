"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playhead.evaluate._extra import extra
from playhead.evaluate._results import EvaluationResult
from playhead.evaluate._summarise import scorer_names, summarise
from playhead.evaluate._summary import Summary
from playhead.evaluate.report import _headline, _heat_map, _histograms, _plots, _tables, _words
from playhead.evaluate.report._links import Links, Row, rows_of, task_names
from playhead.evaluate.report._transcripts import Transcript, transcripts
from playhead.orchestrator import sync_twin
from playhead.store import Store
from playhead.tape import clean

TRANSCRIPTS = 4_000_000  # characters
_OUTCOMES = {
    "passed": "✓ passed",
    "failed": "✗ failed",
    "error": "⚠ error",
    "unscored": "? unscored",
    "measured": "· measured",
}
_LISTED = 30  # errors and the like that are told in front


async def write_html(
    result: EvaluationResult,
    path: str | Path,
    *,
    store: Store | None = None,
    summary: Summary | None = None,
    transcript_limit: int = TRANSCRIPTS,
) -> None:
    """Write a report that opens from disk, without a network; docs/reports.md describes it.

    What tapes say is shown as text, whatever it is. Sessions are read from the store and stand in
    the report as far as there is room, those that failed first.

    Args:
        result: The evaluation, finished or not.
        path: The file, which is written anew.
        store: Where the sessions are; without one, the report only names them.
        summary: Its figures; made with `summarise` if not given.
        transcript_limit: About how many characters of sessions the report may hold.

    Raises:
        MissingExtraError: The extra `evaluate` is not installed.
    """
    environment = _environment()
    result = result.read()
    rows = rows_of(result)
    embedded = await transcripts(rows, store=store, limit=transcript_limit)
    made = summary or summarise(result)
    page = await asyncio.to_thread(
        environment.get_template("page.html").render, _context(result, made, rows, embedded)
    )
    await asyncio.to_thread(Path(path).write_bytes, page.encode("utf-8", "backslashreplace"))


write_html_sync = sync_twin(write_html)


@functools.cache
def _environment() -> Any:  # noqa: ANN401  (of Jinja2)
    """Our templates, compiled once; all text that they are given is escaped."""
    with extra("evaluate"):
        import jinja2
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("playhead.evaluate.report"),
        autoescape=True,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= _FILTERS
    made.globals |= {"inline": lambda name: _inline(made, name)}
    return made


def _harmless(value: object) -> object:
    """Text as it is shown: control characters are made visible; escaping comes after this."""
    return clean(value) if type(value) is str else value


def _inline(environment: Any, name: str) -> dict[str, str]:  # noqa: ANN401  (of Jinja2)
    """A style or script of our own, and the hash by which the page allows just it."""
    text = environment.loader.get_source(environment, name)[0]
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return {"text": text, "hash": f"'sha256-{digest}'"}


_FILTERS = {
    "percent": _words.percent,
    "percent_tick": _words.percent_tick,
    "points": _words.points,
    "points_tick": _words.points_tick,
    "p_cell": _words.p_cell,
    "money": _words.money,
    "number": _words.number,
    "seconds": _words.seconds,
}


def _context(
    result: EvaluationResult,
    summary: Summary,
    rows: Sequence[Row],
    embedded: Mapping[int, Transcript],
) -> dict[str, object]:
    links = Links(rows)
    tasks = {name: at for at, name in enumerate(task_names(result.trials))}
    return {
        "result": result,
        "summary": summary,
        "headline": _headline.headline(summary),
        "explanation": _headline.explanation(summary),
        "links": links,
        "rows": rows,
        "scorers": scorer_names(result.trials),
        "outcomes": _OUTCOMES,
        "failed_by_error": [
            sum(row.candidate == at and row.trial.outcome == "error" for row in rows)
            for at in range(len(summary.candidates))
        ],
        "versions": dict(_versions(result)),
        "tasks": _tables.tasks(summary, links, places=tasks),
        "figures": _tables.figures(summary, links),
        "both": _tables.both(summary, links),
        "amounts": list(_tables.amounts(summary, links)),
        "forest": _plots.forest(summary, links),
        "differences": _plots.differences(summary, links),
        "curves": _plots.curves(summary, links),
        "scatter": _plots.scatter(summary, links),
        "ridges": [
            drawn
            for what in ("seconds", "steps")
            if (drawn := _histograms.ridges(summary, links, what)) is not None
        ],
        "heat_map": _heat_map.heat_map(summary, links, tasks),
        "troubles": [row for row in rows if _troubled(row)][:_LISTED],
        "trouble_count": sum(_troubled(row) for row in rows),
        "transcripts": embedded,
        "settings": json.dumps(result.about.settings, indent=2, ensure_ascii=False),
        "playhead": importlib.metadata.version("playhead"),
    }


def _troubled(row: Row) -> bool:
    return row.trial.end.status == "error" or bool(row.trial.unscored)


def _versions(result: EvaluationResult) -> Iterator[tuple[str, list[str]]]:
    """The versions of each scorer that judged: more than one where it changed in between."""
    for name in scorer_names(result.trials):
        judged = [trial.scores[name].version for trial in result.trials if name in trial.scores]
        yield name, sorted({version for version in judged if version})
