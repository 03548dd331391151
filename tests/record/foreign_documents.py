"""Documents of every foreign format: strategies, and what tests do with them."""

from __future__ import annotations

import asyncio
import io
import json
import math
import sqlite3
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from playhead.record import ImportReport, Losses, export_tapes, import_file
from playhead.store import MemoryStore, Store

T = TypeVar("T")
LAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, values, max_size=3)
names = st.sampled_from(["", "a", "b/c", "é"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def record(needed: dict[str, Any], optional: dict[str, Any] | None = None) -> Any:
    """An object with these members, some of them optional, and perhaps others."""
    fixed = st.fixed_dictionaries(needed, optional=optional or {})
    known = {*needed, *(optional or {})}
    others = st.dictionaries(texts.filter(lambda name: name not in known), values, max_size=2)
    return st.builds(lambda others, fixed: {**others, **fixed}, others, fixed)


arguments = st.one_of(objects.map(json.dumps), texts, st.just('{"a":  1}'))
calls = record({"id": names, "function": record({"name": names, "arguments": arguments})})
messages = st.one_of(
    record({"role": st.sampled_from(["user", "system"])}, {"content": maybe(texts)}),
    record(
        {"role": st.just("assistant")},
        {"content": maybe(texts), "tool_calls": maybe(st.lists(calls, max_size=3))},
    ),
    record(
        {"role": st.just("tool")},
        {"content": maybe(texts), "tool_call_id": maybe(names), "name": maybe(names)},
    ),
)
sessions = record(
    {"traj": st.lists(messages, max_size=5)}, {"task_id": values, "reward": values, "info": values}
)
taubench = st.lists(sessions, max_size=3)

run_steps = record({"tool": names, "thought": texts}, {"args": values, "observation": values})
runs = record(
    {"model": names, "task_id": names},
    {
        "steps": maybe(st.lists(run_steps, max_size=3)),
        "output": values,
        "error": maybe(texts),
        "toolset": values,
        "solved": values,
    },
)
workbench = st.lists(runs, max_size=3)

metadata = record(
    {},
    {"id": values, "prompt_id": maybe(names), "agent": maybe(names), "node": maybe(names),
     "other": values},
)  # fmt: skip
kinds = st.sampled_from(
    ["user", "assistant", "tool", "system", "set_next_node", "call", "respond", "pass", "stop",
     "final_step", "broadcast", "reasoning_thought", "use_action", "seen_observation", "anything"]
)  # fmt: skip
tape_steps = record(
    {},
    {
        "kind": kinds,
        "metadata": maybe(metadata),
        "content": st.one_of(texts, values),
        "next_node": st.one_of(names, values),
        "agent_name": names,
        "tool_call_id": maybe(names),
        "tool_calls": maybe(st.lists(calls, max_size=2)),
        "result": values,
    },
).map(lambda step: {**step, "agent_name": "x"} if step.get("kind") == "call" else step)
plain_tapes = record(
    {"steps": st.lists(tape_steps, max_size=6)}, {"metadata": values, "context": values}
)
tapes = st.one_of(
    plain_tapes,
    st.builds(lambda tape, within: {**tape, "context": within}, plain_tapes, plain_tapes),
)
tapeagents = st.lists(tapes, max_size=3) | tapes

llm_messages = st.one_of(
    record({"role": st.sampled_from(["system", "user"])}, {"content": maybe(texts)}),
    record(
        {"role": st.just("assistant")},
        {"content": maybe(texts), "tool_calls": maybe(st.lists(calls, max_size=2))},
    ),
    record({"role": st.just("tool")}, {"content": maybe(texts), "tool_call_id": maybe(names)}),
)
llm_calls = st.fixed_dictionaries(
    {
        "timestamp": texts,
        "prompt": record({"messages": st.lists(llm_messages, max_size=4)}, {"tools": values}),
        "output": maybe(llm_messages),
        "prompt_length_tokens": st.integers(-1, 10**6),
        "output_length_tokens": st.integers(-1, 10**6),
        "cached": st.integers(0, 1),
        "llm_info": maybe(record({}, {"model_name": names})),
        "cost": st.floats(0, 1e6),
    }
)
COLUMNS = ["prompt_id", "timestamp", "prompt", "output", "prompt_length_tokens",
           "output_length_tokens", "cached", "llm_info", "cost"]  # fmt: skip
JSON_COLUMNS = ("prompt", "output", "llm_info")

DOCUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "taubench": taubench,
    "workbench": workbench,
    "tapeagents": tapeagents,
    "tapeagents-yaml": st.lists(tapes, max_size=3),
}


def written(format: str, document: Any) -> bytes:
    """The document as a file of the format."""
    if format == "workbench":
        return b"".join(json.dumps(each).encode() + b"\n" for each in document)
    if format == "tapeagents-yaml":
        text = yaml.safe_dump_all(document, explicit_start=True)
        return text.encode() if document else b""
    return json.dumps(document).encode()


def read_back(format: str, data: bytes) -> Any:
    """The document that a file holds."""
    if format == "workbench":
        return [json.loads(line) for line in data.splitlines()]
    if format == "tapeagents-yaml":
        return list(yaml.safe_load_all(data))
    return json.loads(data)


def calls_database(path: Path, calls: list[dict[str, Any]]) -> None:
    """Write a store of model calls as TapeAgents does, made in memory: no disk is tried here."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE LLMCalls ({', '.join(COLUMNS)})")
    for call in calls:
        row = [
            json.dumps(call[name])
            if name in JSON_COLUMNS and call[name] is not None
            else call[name]
            for name in COLUMNS
        ]
        connection.execute(f"INSERT INTO LLMCalls VALUES ({', '.join('?' * len(row))})", row)
    connection.commit()
    path.write_bytes(connection.serialize())
    connection.close()


def database_calls(data: bytes | Path) -> list[dict[str, Any]]:
    """The calls of such a store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "calls.sqlite")
        path.write_bytes(data if isinstance(data, bytes) else data.read_bytes())
        connection = sqlite3.connect(path)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(LLMCalls)")]
        rows = connection.execute("SELECT * FROM LLMCalls ORDER BY rowid").fetchall()
        connection.close()
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    for call in found:
        for name in JSON_COLUMNS:
            call[name] = json.loads(call[name]) if call.get(name) is not None else None
    return found


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def imported(
    store: Store, data: bytes, *, format: str | None, name: str = "file"
) -> ImportReport:
    return await import_file(store, Path(name), format=format, file=io.BytesIO(data))


async def exported(store: Store, report: ImportReport, losses: Losses | None = None) -> bytes:
    parts = export_tapes(store, report.tapes, format=report.format, losses=losses)
    return b"".join([part async for part in parts])


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, where 1, 1.0 and true are three."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return type(one) is type(other) and one == other


async def is_empty(store: Store) -> bool:
    return not await store.tapes(limit=1)


def fresh() -> MemoryStore:
    return MemoryStore()
