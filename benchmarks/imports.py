"""What an import costs, beside its floor, as ratios of one run.

    python -m benchmarks.imports [FILE …] [--steps N] [--json] [--dir DIR]

Without files, one of each plain format is made up, of about N steps. For each, CPU of the whole
process, all threads:

- *steps/s*: steps that come to be on tapes, a CPU second, into a SQLite file;
- *floor*: parsing the same JSON with `json`, and the same rows into a table of bare `sqlite3`, in
  as large transactions: an import cannot cost less;
- *ratio*: the one over the other;
- *memory*: by how much the process grew at most, while a file of that size was imported;
- *alone*: CPU milliseconds of a file with one session: a connection, three commits, two folds of
  the log. That is the same for every file, so a small one has fewer steps a second.

What is loaded at a process's first import is loaded before anything is measured. Words are not
indexed: that is done by who searches first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from playhead.record import FORMATS, ForeignFile, detect_format, import_file
from playhead.store import SqliteStore

Row = dict[str, Any]
_MANY = 2048  # rows of a transaction
_TRIES = 3
_LARGE = 500_000_000  # bytes beyond which the floor, which takes a file as one, is left out
_TALK = "The quick brown fox jumps over the lazy dog, and asks whether it may do so again. " * 4


def taubench(steps: int) -> Iterator[str]:
    """An array of sessions, as text."""
    arguments = json.dumps({"query": _TALK[:80], "limit": 10})
    for number in range(steps // 22 + 1):
        talk: list[Row] = [{"role": "system", "content": _TALK}]
        for turn in range(5):
            call = {"name": "search", "arguments": arguments}
            asked = {"id": f"call_{turn}", "function": call, "type": "function"}
            talk += [
                {"role": "user", "content": f"{number}.{turn}: {_TALK[:160]}"},
                {"role": "assistant", "content": None, "tool_calls": [asked]},
                {
                    "role": "tool",
                    "tool_call_id": f"call_{turn}",
                    "name": "search",
                    "content": _TALK,
                },
                {"role": "assistant", "content": _TALK[:200]},
            ]
        session = {"task_id": number, "reward": 1.0, "info": {"task": {}}, "traj": talk}
        yield ("[" if number == 0 else ",") + json.dumps(session)
    yield "]"


def workbench(steps: int) -> Iterator[str]:
    """A run a line, as text."""
    step = {
        "tool": "email.search",
        "args": {"query": _TALK[:80]},
        "thought": _TALK,
        "observation": [{"subject": _TALK[:60], "id": str(n)} for n in range(3)],
    }
    for number in range(steps // 33 + 1):
        run = {"task_id": f"t{number}", "model": "m", "toolset": "all", "steps": [step] * 10}
        yield json.dumps({**run, "output": _TALK[:80], "solved": True, "error": None}) + "\n"


def tapeagents(steps: int) -> Iterator[str]:
    """An array of tapes, as text."""
    for number in range(steps // 41 + 1):
        made: list[Row] = []
        for at in range(20):
            told = {"id": f"{number}-{at}", "agent": "a" if at % 4 else "", "node": "n"}
            kind = ("user", "reasoning_thought", "search_action", "assistant")[at % 4]
            made.append({"metadata": {**told, "prompt_id": ""}, "kind": kind, "content": _TALK})
        tape = {"metadata": {"id": str(number)}, "context": None, "steps": made}
        yield ("[" if number == 0 else ",") + json.dumps(tape)
    yield "]"


def openai_chat(steps: int, *, tools: list[Row] | None = None) -> Iterator[str]:
    """A conversation a line, as text."""
    offered = {"tools": tools} if tools else {}
    function = {"name": "search", "arguments": json.dumps({"query": _TALK[:80], "limit": 10})}
    for number in range(steps // 22 + 1):
        talk: list[Row] = [{"role": "system", "content": _TALK}]
        for turn in range(5):
            asked = {"id": f"call_{turn}", "type": "function", "function": function}
            talk += [
                {"role": "user", "content": f"{number}.{turn}: {_TALK[:160]}"},
                {"role": "assistant", "content": None, "tool_calls": [asked]},
                {"role": "tool", "tool_call_id": f"call_{turn}", "content": _TALK},
                {"role": "assistant", "content": _TALK[:200]},
            ]
        yield json.dumps({"messages": talk, **offered}) + "\n"


def openai_chat_tools(steps: int) -> Iterator[str]:
    """The same, each conversation with ten large tools: 22 kB of them."""
    member = {"type": "string", "description": _TALK[:120]}
    schema = {"type": "object", "properties": {f"p{n}": member for n in range(8)}}
    named = {"description": _TALK * 2, "parameters": schema}
    return openai_chat(
        steps,
        tools=[{"type": "function", "function": {"name": f"t{n}", **named}} for n in range(10)],
    )


def anthropic(steps: int) -> Iterator[str]:
    """A conversation a line, as text."""
    given = {"query": _TALK[:80], "limit": 10}
    for number in range(steps // 22 + 1):
        talk: list[Row] = []
        for turn in range(5):
            call = {"type": "tool_use", "id": f"t_{turn}", "name": "search", "input": given}
            result = {"type": "tool_result", "tool_use_id": f"t_{turn}", "content": _TALK}
            talk += [
                {"role": "user", "content": f"{number}.{turn}: {_TALK[:160]}"},
                {"role": "assistant", "content": [call]},
                {"role": "user", "content": [result]},
                {"role": "assistant", "content": _TALK[:200]},
            ]
        yield json.dumps({"system": _TALK, "messages": talk}) + "\n"


def otlp(steps: int) -> Iterator[str]:
    """Traces of agents with 30 turns each, a request a line; each call says all before it again."""
    tools = [{"type": "function", "name": f"t{n}", "description": _TALK} for n in range(5)]
    for number in range(steps // 188 + 1):
        talk = [_said("system", _TALK * 3), _said("user", f"{number}: {_TALK}")]
        spans: list[Row] = []
        for turn in range(30):
            asked = {"type": "tool_call", "id": f"c{turn}", "name": "t1", "arguments": {"n": turn}}
            answer = {"role": "assistant", "parts": [asked]}
            result = {"type": "tool_call_response", "id": f"c{turn}", "response": _TALK}
            call = {
                "operation.name": "chat",
                "request.model": "m",
                "input.messages": json.dumps(talk),
                "output.messages": json.dumps([{**answer, "finish_reason": "tool_call"}]),
                "tool.definitions": json.dumps(tools),
            }
            done = {
                "operation.name": "execute_tool",
                "tool.name": "t1",
                "tool.call.id": f"c{turn}",
                "tool.call.result": json.dumps(_TALK),
            }
            spans += [_span(number, 2 * turn, call), _span(number, 2 * turn + 1, done)]
            talk += [answer, {"role": "tool", "parts": [result]}]
        yield json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}) + "\n"


def _said(role: str, text: str) -> Row:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _span(trace: int, number: int, told: Row) -> Row:
    """A span of an agent's turn, after those with lower numbers."""
    began = 1_700_000_000_000_000_000 + number * 1_000_000
    return {
        "traceId": f"{trace + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "span",
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + 500_000),
        "attributes": [
            {"key": f"gen_ai.{name}", "value": {"stringValue": value}}
            for name, value in told.items()
        ],
    }


MADE_UP = {
    "taubench.json": taubench,
    "workbench.jsonl": workbench,
    "tapeagents.json": tapeagents,
    "openai-chat.jsonl": openai_chat,
    "openai-chat-tools.jsonl": openai_chat_tools,
    "anthropic-messages.jsonl": anthropic,
    "otlp.jsonl": otlp,
}


def made_up(folder: Path, steps: int) -> list[Path]:
    """A file of each plain format."""
    for name, parts in MADE_UP.items():
        with (folder / name).open("w") as file:
            file.writelines(parts(steps))
    return [folder / name for name in MADE_UP]


async def imported(path: Path, store: Path, *, size: int) -> Row:
    """Import a file of that size, and measure it."""
    before = _memory()
    async with SqliteStore(store) as opened:
        began = time.process_time()
        report = await import_file(opened, path)
        cpu = time.process_time() - began
    return {
        "file": path.name,
        "format": report.format,
        "bytes": size,
        "tapes": len(report.tapes),
        "foreign_steps": report.foreign_steps,
        "steps": report.steps + len(report.tapes),
        "cpu_s": cpu,
        "steps_per_cpu_s": (report.steps + len(report.tapes)) / cpu,
        "memory_mb": (_memory() - before) / 1024,
    }


def _memory() -> int:
    """The most memory that the process had so far, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def floor(path: Path, store: Path, copy: Path) -> float:
    """CPU seconds for parsing the file and inserting the rows that its import came to."""
    source = sqlite3.connect(store)
    target = sqlite3.connect(copy, isolation_level=None)
    target.execute("PRAGMA journal_mode = WAL")
    target.execute("CREATE TABLE steps (at INTEGER PRIMARY KEY, header BLOB, salt BLOB, body BLOB)")
    cpu = 0.0
    rows = source.execute("SELECT at, header, salt, body FROM steps ORDER BY at")
    while batch := rows.fetchmany(_MANY):
        began = time.process_time()
        target.execute("BEGIN")
        target.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", batch)
        target.execute("COMMIT")
        cpu += time.process_time() - began
    with path.open("rb") as file:
        is_array = ForeignFile(path, file).is_array
    began = time.process_time()
    with path.open("rb") as file:
        for text in [file.read()] if is_array else file:
            json.loads(text)
    cpu += time.process_time() - began
    source.close()
    target.close()
    return cpu


def alone(name: str, folder: Path) -> float:
    """CPU milliseconds of a made-up file with one session; the lowest of a few."""
    spent = []
    for number in range(_TRIES):
        path = folder / f"{number}-{name}"
        path.write_text("".join(MADE_UP[name](1)))
        store = folder / f"{number}-{name}.db"
        cpu: float = asyncio.run(imported(path, store, size=0))["cpu_s"]
        spent.append(cpu * 1000)
    return min(spent)


def measured(path: Path, folder: Path) -> Row:
    """One file, beside its floor."""
    store = folder / f"{path.name}.db"
    size = path.stat().st_size
    row = asyncio.run(imported(path, store, size=size))
    if path.parent == folder:
        row["alone_ms"] = alone(path.name, folder)
    if size < _LARGE:
        row["floor_cpu_s"] = floor(path, store, folder / f"{path.name}.floor.db")
        row["ratio"] = row["cpu_s"] / row["floor_cpu_s"]
    return row


def table(rows: list[Row]) -> Table:
    """The figures, for people."""
    names = "file", "MB", "steps", "steps / CPU s", "floor", "ratio", "memory MB", "alone ms"
    shown = Table(*names)
    for row in rows:
        at_floor = row["steps"] / row["floor_cpu_s"] if "floor_cpu_s" in row else None
        shown.add_row(
            row["file"],
            f"{row['bytes'] / 1e6:,.1f}",
            f"{row['steps']:,}",
            f"{row['steps_per_cpu_s']:,.0f}",
            f"{at_floor:,.0f}" if at_floor else "",
            f"{row['ratio']:.1f}" if at_floor else "",
            f"{row['memory_mb']:,.0f}",
            f"{row['alone_ms']:.1f}" if "alone_ms" in row else "",
        )
    return shown


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dir", type=Path, help="where to work (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        folder = Path(name)
        files = options.files or made_up(folder, options.steps)
        for path in files:
            if detect_format(path) not in FORMATS:
                sys.exit(f"{path}: its import is that of `playhead import`, and has no floor here")
        first = folder / "first"
        first.mkdir()
        alone("taubench.json", first)
        rows = [measured(path, folder) for path in files]
    if options.json:
        print(json.dumps({"rows": rows}))
    else:
        Console().print(table(rows))


if __name__ == "__main__":
    main()
