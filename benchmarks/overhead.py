"""What a turn costs, beside its floor, as ratios of one run.

A turn is one model call (scripted) and one tool call (an instant function): what is left is the
framework. CPU is that of the whole process, all threads.

    python -m benchmarks.overhead [--turns N …] [--json] [--dir DIR]

- *framework*: CPU a turn with the tape in memory;
- *sqlite*: the same into a SQLite file, in both durability modes, beside *floor*: the same rows in
  the same two transactions a turn, through bare `sqlite3` with its own automatic checkpoints, one
  after another with nothing between them;
- *in place*: a session with its tape in memory that makes these bare commits as it goes. They cost
  more there than in a row, and slow down what comes after them: while the disk syncs, the CPU rests
  and its caches cool;
- *flat*: CPU a turn at the end of the session over CPU a turn at its 100th turn;
- *bytes*: size of the file over the JSON of the session itself (bodies, completions, new parts of
  prompts);
- *open*: a new process's view: open the stored tape until its next node is known;
- *prompt*: making the list of a whole-history prompt, which any framework must make, apart.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

import playhead as ph
from benchmarks._turns import Clock, own_bytes, scripted_agent
from playhead.llm import Prompt
from playhead.store import Answer, Batch, Durability
from playhead.store._sqlite_file import connect_writer
from playhead.tape import View

Row = dict[str, Any]
Row4 = tuple[int, bytes, bytes | None, bytes | None]  # of a step
_WARM = 100  # turns before measuring begins
_LISTED = 10_000  # turns beyond which no model takes a whole history any more


class BareStore(ph.MemoryStore):
    """Keeps tapes in memory, and makes the bare commit of each batch."""

    def __init__(self, path: Path, durability: Durability) -> None:
        super().__init__()
        self._connection = bare(path, durability)

    async def append(self, batch: Batch) -> Answer:
        """See `Store.append`."""
        rows = [(s.seq, s.header, s.salt, s.data) for s in batch.steps]
        commit(self._connection, rows)
        return await super().append(batch)

    async def close(self) -> None:
        """See `Store.close`."""
        self._connection.close()
        await super().close()


def bare(path: Path, durability: Durability) -> sqlite3.Connection:
    """A connection with SQLite's own automatic checkpoints."""
    connection = connect_writer(path, durability)
    connection.execute("PRAGMA wal_autocheckpoint = 1000")  # SQLite's default
    return connection


def commit(connection: sqlite3.Connection, rows: Sequence[Row4]) -> None:
    """Rows in a transaction of their own."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


async def session(
    turns: int, store: ph.MemoryStore | ph.SqliteStore
) -> tuple[Clock, ph.Tape, ph.Agent]:
    """One session of that many turns."""
    clock = Clock()
    agent = scripted_agent(turns + _WARM, clock)
    gc.collect()
    tape = await ph.run(agent, "Do I need an umbrella?", store=store, budget=ph.Budget.unlimited())
    return clock, tape, agent


def in_memory(turns: int) -> Row:
    """CPU a turn without storage, and whether it stays the same."""
    clock, tape, _ = asyncio.run(session(turns, ph.MemoryStore()))
    row = {
        "store": "memory",
        "turns": turns,
        "cpu_ms": clock.per_turn(_WARM, _WARM + turns),
        "last_cpu_ms": at_end(clock, turns),
    }
    return row | whole_prompt(tape) if turns <= _LISTED else row


def whole_prompt(tape: ph.Tape) -> Row:
    """CPU that a turn spends on the list of a whole-history prompt."""
    prompt = Prompt.of(View(tape, tape.fold()).messages)
    messages = len(prompt.messages())  # made once; every further turn asks for the same ones
    began = time.process_time()
    prompt.messages()
    listed = (time.process_time() - began) * 1000
    return {"prompt_messages": messages, "prompt_list_ms": listed}


def at_end(clock: Clock, turns: int) -> float:
    """CPU a turn over the last hundred turns, or the last tenth of a long session."""
    last = _WARM + turns
    return clock.per_turn(last - max(100, turns // 10), last)


def in_sqlite(turns: int, durability: Durability, folder: Path) -> Row:
    """CPU a turn into a file, beside the same rows written bare, size, and opening again."""
    path = folder / f"{durability}-{turns}.db"

    async def recorded() -> tuple[Clock, str]:
        async with ph.SqliteStore(path, durability=durability) as store:
            clock, tape, _ = await session(turns, store)
            return clock, tape.id

    async def in_place() -> Clock:
        store = BareStore(folder / f"place-{path.name}", durability)
        clock, _, _ = await session(turns, store)
        await store.close()
        return clock

    clock, tape_id = asyncio.run(recorded())
    opening, resident = opened(path, tape_id)
    own, floor = asyncio.run(compared(path, tape_id, durability, folder))
    return {
        "store": durability,
        "turns": turns,
        "cpu_ms": clock.per_turn(_WARM, _WARM + turns),
        "last_cpu_ms": at_end(clock, turns),
        "floor_cpu_ms": floor,
        "in_place_cpu_ms": asyncio.run(in_place()).per_turn(_WARM, _WARM + turns),
        "bytes_per_turn": path.stat().st_size / (turns + _WARM),
        "bytes_over_json": path.stat().st_size / own,
        "open_ms": opening,
        "opened_mb": resident,
    }


def opened(path: Path, tape_id: str) -> tuple[float, float]:
    """Milliseconds until the next step of a stored tape can run, and the memory that took."""

    async def until_ready() -> tuple[float, float]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        agent = scripted_agent(0, Clock())
        began = time.perf_counter()
        async with ph.SqliteStore(path) as store:
            tape = await store.open(tape_id)
            fold = tape.fold()
            node = agent.next_node(fold.frame)
            seconds = time.perf_counter() - began
        assert node is not None
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return seconds * 1000, (after - before) / 1024

    return asyncio.run(until_ready())


async def compared(
    path: Path, tape_id: str, durability: Durability, folder: Path
) -> tuple[int, float]:
    """The session's own JSON in bytes, and CPU milliseconds a turn of its bare commits."""
    async with ph.SqliteStore(path) as store:
        tape = await store.open(tape_id)
        own = own_bytes(tape)
        rows = [(s.seq, s.header, s.salt, s.data) for s in tape.range(3, min(len(tape), 6003))]
    connection = bare(folder / f"floor-{path.name}", durability)
    turns, began = 0, time.process_time()
    for at in range(0, len(rows) - 2, 3):
        for batch in (rows[at : at + 2], rows[at + 2 : at + 3]):  # the action, then its result
            commit(connection, batch)
        turns += 1
    spent = (time.process_time() - began) / turns * 1000
    connection.close()
    return own, spent


def ratios(rows: Sequence[Row]) -> Row:
    """Overhead above the floor, flatness (10,000 turns to 100), bytes on disk over JSON."""
    found: Row = {}
    for store in ("memory", "normal", "full"):
        mine = [row for row in rows if row["store"] == store]
        if not mine:
            continue
        first, last = mine[0], mine[-1]
        flat = next((row for row in mine if row["turns"] == 10_000), last)
        found[store] = {
            "cpu_ms_above_floor": last["cpu_ms"] - last.get("floor_cpu_ms", 0.0),
            "cpu_ms_above_in_place": last["cpu_ms"] - last["in_place_cpu_ms"]
            if "in_place_cpu_ms" in last
            else None,
            "cpu_over_floor": last["cpu_ms"] / last["floor_cpu_ms"]
            if "floor_cpu_ms" in last
            else None,
            "flat": flat["last_cpu_ms"] / first["cpu_ms"],
            "bytes_over_json": last.get("bytes_over_json"),
        }
    return found


def show(rows: Sequence[Row], found: Row) -> None:
    """Print the figures and ratios as tables."""
    console = Console()
    table = Table(title="Cost of a turn (CPU ms, one model call + one tool call)")
    for title in _COLUMNS.values():
        table.add_column(title, justify="right", no_wrap=title == "store")
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in _COLUMNS))
    console.print(table)
    summary = Table(title="Ratios")
    for title in (
        "store",
        "cpu ms above floor",
        "above in place",
        "cpu / floor",
        "flat (10,000 : 100)",
        "bytes / json",
    ):
        summary.add_column(title, justify="right")
    for store, figures in found.items():
        summary.add_row(store, *(cell(value) for value in figures.values()))
    console.print(summary)


_COLUMNS = {
    "store": "store",
    "turns": "turns",
    "cpu_ms": "cpu",
    "floor_cpu_ms": "floor",
    "in_place_cpu_ms": "in place",
    "last_cpu_ms": "at end",
    "bytes_per_turn": "bytes",
    "bytes_over_json": "/ json",
    "open_ms": "open ms",
    "opened_mb": "open MB",
    "prompt_list_ms": "list ms",
}


def cell(value: object) -> str:
    """A figure in short."""
    if value is None:
        return ""
    return (
        f"{value:,.3g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--turns", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000])
    parser.add_argument("--dir", type=Path, help="where the files go: the disk that is measured")
    parser.add_argument("--json", action="store_true", help="figures as one JSON document")
    asked = parser.parse_args()
    rows: list[Row] = []
    modes: tuple[Literal["normal", "full"], ...] = ("normal", "full")
    with tempfile.TemporaryDirectory(dir=asked.dir) as scratch:
        for turns in asked.turns:
            print(f"{turns:,} turns …", file=sys.stderr)
            rows.append(in_memory(turns))
            rows += [in_sqlite(turns, mode, Path(scratch)) for mode in modes]
    rows.sort(key=lambda row: ["memory", "normal", "full"].index(row["store"]))
    found = ratios(rows)
    if asked.json:
        print(json.dumps({"rows": rows, "ratios": found}))
    else:
        show(rows, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
