"""Every kind of bad input, for every format that is text: read whole, or refused whole."""

from __future__ import annotations

import copy
import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from foreign_documents import exported, fresh, imported, is_empty, same
from test_atif import TRAJECTORY
from traces import chat, request, said, span, tool

from playhead.errors import ForeignFileError, RecordError
from playhead.record import _file as limits
from playhead.record import _yaml as yaml_limits
from playhead.record.otlp import _requests

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "MARK"},
    {"role": "assistant", "content": "well", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "name": "f", "content": "r"},
    {"role": "assistant", "content": "a"},
]
BLOCKS: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "MARK"}]},
    {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
    {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "c", "content": "r", "is_error": False}]},
]  # fmt: skip
STEPS: list[dict[str, Any]] = [
    {"kind": "user", "content": "MARK", "metadata": {"id": "1", "agent": "a", "node": "n"}},
    {"kind": "set_next_node", "next_node": "n", "metadata": {"id": "2", "prompt_id": "p"}},
    {"kind": "call", "agent_name": "b", "content": "go", "metadata": {"id": "3"}},
    {"kind": "assistant", "content": "x", "tool_calls": [CALL]},
    {"kind": "tool", "content": "r", "tool_call_id": "c"},
]
TRACE = request(
    span(1, chat([said("user", "MARK")], said("assistant", "x"))),
    span(2, tool("f", "c", **{"gen_ai.tool.call.result": "r"}), parent=1, status={"code": 1},
         events=[{"name": "e", "timeUnixNano": "5"}]),
    resource={"service.name": "s"},
)  # fmt: skip
TOOL = {"tool": "t", "args": {"a": 1}, "thought": "MARK", "observation": "o"}
GOOD: dict[str, Any] = {
    "taubench": {"task_id": 1, "reward": 1.0, "info": {}, "traj": TALK},
    "workbench": {"task_id": "t", "model": "m", "toolset": "all", "steps": [TOOL], "output": "o",
                  "solved": True, "error": None},
    "tapeagents": {"metadata": {"id": "1"}, "context": None, "steps": STEPS},
    "tapeagents-yaml": {"metadata": {"id": "1"}, "context": None, "steps": STEPS},
    "openai-chat": {"messages": TALK, "tools": [{"type": "function"}]},
    "anthropic-messages": {"system": "s", "messages": BLOCKS},
    "atif": json.loads(json.dumps(TRAJECTORY).replace("Make a file.", "MARK")),
    "otlp": TRACE,
}  # fmt: skip
ARRAYS = ("taubench", "tapeagents")
ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("bomb.json", b"[" + b"0," * 5_000_000 + b"0]")


def as_file(format: str, *records: Any) -> bytes:
    if format == "tapeagents-yaml":
        return yaml.safe_dump_all(records, explicit_start=True).encode()
    if format in ARRAYS:
        return json.dumps(list(records)).encode()
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


INSTEAD: dict[str, bytes] = {  # of a text in the middle of a record
    "cut off": b"",
    "not UTF-8": b'"\xff\xfe"',
    "half a character": b'"\xe2\x82"',
    "NaN": b"NaN",
    "infinite": b"-Infinity",
    "beyond a number": b"1e999",
    "a member twice": b'{"a": 1, "a": 2}',
    "deep": b"[" * 1_000_000,
    "deep and closed": b"[" * 1_000_000 + b"]" * 1_000_000,
    "half a pair": b'"\\ud800"',
    "control character": b'"\x01"',
    "too many digits": b"9" * 5000,
}
PACKED = {"gzip": gzip.compress(bytes(50_000_000)), "zip": ZIP.getvalue()}


async def refused(format: str, data: bytes) -> ForeignFileError:
    """Import a file that has to be refused; nothing of it may be stored."""
    store = fresh()
    with pytest.raises(ForeignFileError) as raised:
        await imported(store, data, format=format, name="some")
    assert raised.value.message.startswith("`some`: ")
    assert await is_empty(store)
    return raised.value


@pytest.mark.parametrize("format", [name for name in GOOD if name != "tapeagents-yaml"])
@pytest.mark.parametrize("fault", INSTEAD)
async def test_what_is_no_json_is_refused_with_its_place(format: str, fault: str) -> None:
    first = copy.deepcopy(GOOD[format])
    whole = as_file(format, first, {**first, "other": 1})
    at = whole.rindex(b"MARK")
    if format == "otlp":  # there, it is JSON within a text
        mark = whole[:at].rindex(b'"stringValue"') + len(b'"stringValue": ')
        end = whole.index(b'"}', at) + 1
    else:
        mark, end = at - 1, at + len(b"MARK") + 1
    data = whole[:mark] + INSTEAD[fault] + (whole[end:] if fault != "cut off" else b"")
    error = await refused(format, data)
    assert "record 1" in error.place or "line 2" in error.place


YAML_FAULTS = {
    "cut off": b"steps:\n- kind: 'user",
    "not UTF-8": b"steps:\n- kind: '\xff\xfe'\n",
    "NaN": b"steps: []\nx: .nan\n",
    "infinite": b"steps: []\nx: -.inf\n",
    "a member twice": b"steps: []\nsteps: []\n",
    "deep": b"steps: " + b"[" * 1_000_000,
    "growing": b"a: &a [x, x]\n"
    + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in range(98, 123))
    + b"steps: *z\n",
    "a tag": b"steps: !!python/object/apply:os.system ['true']\n",
}


@pytest.mark.parametrize("fault", YAML_FAULTS)
async def test_what_is_no_yaml_is_refused_with_its_place(fault: str) -> None:
    good = as_file("tapeagents-yaml", GOOD["tapeagents-yaml"])
    error = await refused("tapeagents-yaml", good + b"---\n" + YAML_FAULTS[fault])
    told = "position 4" if fault == "not UTF-8" else "document 1"  # bytes are looked at ahead
    assert told in error.message or "line " in error.place


@pytest.mark.parametrize("format", GOOD)
@pytest.mark.parametrize("packing", PACKED)
async def test_what_is_packed_is_refused_without_unpacking(format: str, packing: str) -> None:
    error = await refused(format, PACKED[packing])
    assert "unpack it first" in error.message


@pytest.mark.parametrize("format", GOOD)
async def test_a_record_without_an_end_is_refused(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD", 1 << 18)
    monkeypatch.setattr(yaml_limits, "MAX_RECORD", 1 << 18)
    monkeypatch.setattr(_requests, "_LINE", 1 << 17)
    whole = as_file(format, GOOD[format])
    data = whole.replace(b"MARK", b"x" * (1 << 20))
    error = await refused(format, data)
    assert "262,144 bytes" in error.message


def paths(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all that stands in a document."""
    yield way
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*way, name))


def changed(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    """The document with something else in one place; without it, where that is nothing."""
    if not way:
        return value
    made = copy.deepcopy(document)
    at = made
    for name in way[:-1]:
        at = at[name]
    if value is Ellipsis:
        del at[way[-1]]
    else:
        at[way[-1]] = value
    return made


OTHERS: list[Any] = [None, True, 7, 1.5, "x", [], [None], {}, {"a": 1}, Ellipsis]


def records_of(format: str, data: bytes) -> list[Any]:
    if format == "tapeagents-yaml":
        return list(yaml.safe_load_all(data))
    if format in ARRAYS:
        return list(json.loads(data))
    return [json.loads(line) for line in data.splitlines()]


async def outcome(format: str, record: Any) -> str:
    store, told = fresh(), None
    try:
        report = await imported(store, as_file(format, record), format=format, name="some")
    except RecordError as error:
        told = error.message
    if told is not None:
        assert told.startswith("`some`: "), record
        assert await is_empty(store)
        return "refused"
    if format != "otlp":  # whose spans are gathered anew: see its own tests
        assert same(records_of(format, await exported(store, report)), [record]), record
    return "read"


@pytest.mark.parametrize("format", GOOD)
async def test_any_type_in_any_field_is_read_whole_or_refused_whole(format: str) -> None:
    good, counts = GOOD[format], {"read": 0, "refused": 0}
    others = OTHERS[2:6] if format == "tapeagents-yaml" else OTHERS  # read as `tapeagents` is
    for way in paths(good):
        for value in others:
            if not way and (value is Ellipsis or value == []):  # a file of nothing
                continue
            counts[await outcome(format, changed(good, way, value))] += 1
    assert counts["read"] > 20
    assert counts["refused"] > 20
