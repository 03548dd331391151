"""`replay` of many tapes: an agent, changed or not, against the sessions of a store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from playhead.cli._agents import load
from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._options import Common
from playhead.cli._output import Output, PlainConsole
from playhead.cli._progress import progress
from playhead.cli._replay import Wanted, fork_hint
from playhead.cli._replay_workers import Replayed, Workers, workers_for
from playhead.cli._tapes import find, glance, open_store
from playhead.cli._text import one_line, plural, short_id
from playhead.cli._when import moment
from playhead.orchestrator import Divergence
from playhead.store import SqliteStore

Rows: TypeAlias = list[dict[str, Any]]
_PAGE = 500
_STYLE = {"same": "green", "differs": "bold red", "skipped": "yellow"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tapes are meant.

    Args:
        names: Tapes, as a person names them; all that fit the rest if there are none.
        since: Begun at this time or later, as it was typed.
        until: Begun before it.
        agent: The name of the agent that made them.
        status: How they ended, as `ls` says it.
    """

    names: Sequence[str] = ()
    since: str | None = None
    until: str | None = None
    agent: str | None = None
    status: str | None = None


def replay_all(wanted: Wanted, meant: Filter, jobs: int | None) -> int:
    """Replay many tapes, several at once, and print what became of each."""
    if wanted.agent is None:
        raise UsageFault("name the agent whose code is run: --agent FILE.py:NAME or FILE.yaml")
    load(wanted.agent)  # what is wrong with it is said once, and before anything is begun
    output = Output(as_json=wanted.common.as_json)
    tapes = asyncio.run(meant_tapes(wanted.common, meant))
    if not tapes:
        raise UsageFault("no tape fits: `playhead ls` lists those of the store")
    with progress(output, "replaying") as tell:
        count = min(jobs or workers_for(len(tapes)), len(tapes))
        rows = asyncio.run(Workers(wanted, count, tell).replay(tapes))
    counts = {name: sum(row["result"] == name for row in rows) for name in _STYLE}
    good = counts["same"] > 0 and not counts["differs"]
    if output.as_json:
        turns = sum(row.get("turns", 0) for row in rows)
        output.document({"ok": good, **counts, "turns": turns, "tapes": rows})
    else:
        _show(output.out, wanted, rows, counts, good=good)
    return DONE if good else NEGATIVE


async def meant_tapes(common: Common, meant: Filter) -> list[str]:
    """The tapes of a store that fit, the newest first."""
    since, until = moment(meant.since, "--since"), moment(meant.until, "--until")
    async with open_store(common) as store:
        names = [await find(store, name) for name in meant.names]
        found: list[str] = []
        before: str | None = None
        while page := await store.tapes(limit=_PAGE, before=before):
            before = page[-1].id
            for info in page:
                if names and info.id not in names:
                    continue
                if (since and info.created < since) or (until and info.created >= until):
                    continue
                if await _fits(store, info, meant):
                    found.append(info.id)
        return found


async def _fits(store: SqliteStore, info: Any, meant: Filter) -> bool:  # noqa: ANN401
    if meant.agent is None and meant.status is None:
        return True
    seen = await glance(store, info)
    return meant.agent in (None, seen.agent) and meant.status in (None, seen.status)


def _show(
    console: PlainConsole, wanted: Wanted, rows: Sequence[Replayed], counts: dict[str, int], *,
    good: bool,
) -> None:  # fmt: skip
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("tape", no_wrap=True)
    table.add_column("turns", justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("first difference", ratio=1, overflow="fold")
    for row in rows:
        first = _first(row)
        said = row.get("reason") or (str(first) if first is not None else "")
        table.add_row(
            Text(short_id(row["tape"]), style="bold"),
            Text(str(row.get("turns", ""))),
            Text(row["result"], style=_STYLE[row["result"]]),
            Text(one_line(said, 400)),
        )
    console.print(table)
    turns = sum(row.get("turns", 0) for row in rows)
    line = (
        f"{plural(len(rows), 'tape')}: {counts['same']:,} as recorded, {counts['differs']:,} "
        f"differ, {counts['skipped']:,} skipped; {plural(turns, 'turn')}, no model was asked"
    )
    console.print(Text(line, style="bold green" if good else "bold red"), soft_wrap=True)
    for row in rows:
        if (first := _first(row)) is not None:
            console.print(Text(fork_hint(wanted, row["tape"], first), "dim"), soft_wrap=True)
            break


def _first(row: Replayed) -> Divergence | None:
    found = row.get("divergences")
    return Divergence(**found[0]) if found else None
