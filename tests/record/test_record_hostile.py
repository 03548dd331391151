"""Bad input: a clear error with file and place, and nothing half imported."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from foreign_documents import calls_database, exported, fresh, imported, is_empty, written

from playhead.errors import ForeignFileError, RecordError
from playhead.record import ForeignFile, detect_format, import_file
from playhead.record import _file as limits

SESSION = {"traj": [{"role": "user", "content": "hi"}], "task_id": 1}
RUN = {"model": "m", "task_id": "t", "steps": [], "toolset": "all"}
TAPE = {"metadata": {"id": "1"}, "context": None, "steps": [{"kind": "user", "content": "hi"}]}
GOOD = {"taubench": SESSION, "workbench": RUN, "tapeagents": TAPE, "tapeagents-yaml": TAPE}
ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("a.json", "[]")

BROKEN: dict[str, bytes] = {
    "cut off": b'{"steps": [',
    "in the middle of a text": b'{"steps": "a',
    "not UTF-8": b'{"steps": "\xff\xfe"}',
    "NaN": b'{"steps": NaN}',
    "infinite": b'{"steps": 1e999}',
    "a member twice": b'{"steps": [], "steps": []}',
    "deep": b"[" * 1_000_000,
    "deep in a member": b'{"steps": ' + b"[" * 1_000_000,
    "half a pair": b'{"steps": "\\ud800"}',
    "no JSON": b"hello",
    "a scalar": b"17",
    "closed twice": b'{"steps": []}]]',
    "control character": b'{"steps": "\x01"}',
    "gzip": gzip.compress(b"0" * 10_000_000),
    "zip": ZIP.getvalue(),
}


@pytest.mark.parametrize("format", GOOD)
@pytest.mark.parametrize("fault", BROKEN)
async def test_what_cannot_be_read_is_refused_whole(format: str, fault: str) -> None:
    data = BROKEN[fault]
    packed = fault in ("gzip", "zip")
    if format == "workbench":
        data = data if packed else written(format, [RUN, RUN]) + data + b"\n"
    elif format == "tapeagents-yaml":
        if fault in ("no JSON", "control character", "closed twice", "half a pair", "NaN",
                     "infinite"):  # fmt: skip
            data = b"steps: [\x01"
        data = data if packed else written(format, [TAPE]) + b"---\n" + data
    elif not packed:
        data = b"[" + json.dumps(GOOD[format]).encode() + b",\n" + data
    store = fresh()
    with pytest.raises(ForeignFileError) as raised:
        await imported(store, data, format=format, name="some file")
    assert raised.value.message.startswith("`some file`: ")
    assert packed or any(w in raised.value.message for w in ("line ", "record ", "document "))
    assert await is_empty(store)


WRONG: dict[str, list[Any]] = {
    "taubench": [
        1, None, "x", [], {}, {"traj": {}}, {"traj": [1]}, {"traj": [{}]}, {"traj": [{"role": 1}]},
        {"traj": [{"role": "user", "content": 1}]},
        {"traj": [{"role": "assistant", "tool_calls": 1}]},
        {"traj": [{"role": "assistant", "tool_calls": [1]}]},
        {"traj": [{"role": "assistant", "tool_calls": [{"id": 1, "function": {}}]}]},
        {"traj": [{"role": "assistant", "tool_calls": [{"function": {"arguments": 1}}]}]},
        {"traj": [{"role": "tool", "tool_call_id": 1}]},
        {"traj": [{"role": "tool", "name": []}]},
    ],
    "workbench": [
        1, None, "x", [], {}, {"model": 1}, {"model": "m", "task_id": 1},
        {**RUN, "steps": 1}, {**RUN, "steps": [1]}, {**RUN, "steps": [{"tool": 1}]},
        {**RUN, "steps": [{"tool": "t", "thought": 1}]}, {**RUN, "error": 1},
    ],
    "tapeagents": [
        1, None, "x", {}, {"steps": 1}, {"steps": None}, {"steps": [1]},
        {"steps": [{"kind": 1}]}, {"steps": [{"kind": "user", "metadata": 1}]},
        {"steps": [{"kind": "user", "metadata": {"agent": 1}}]},
        {"steps": [{"kind": "user", "metadata": {"prompt_id": []}}]},
        {"steps": [{"kind": "user", "metadata": {"node": {}}}]},
        {"steps": [{"kind": "assistant", "tool_calls": [1]}]},
        {"steps": [{"kind": "assistant", "tool_calls": [{"function": {"name": 1}}]}]},
        {"steps": [{"kind": "tool", "content": "x", "tool_call_id": 1}]},
        {"steps": [{"kind": "call", "content": "x", "metadata": {"agent": "a"}}]},
        {"steps": [], "context": {"steps": [1]}},
    ],
}  # fmt: skip
WRONG["tapeagents-yaml"] = WRONG["tapeagents"]


@pytest.mark.parametrize(
    ("format", "number"), [(name, at) for name, all in WRONG.items() for at in range(len(all))]
)
async def test_a_wrong_type_is_told_with_its_place(format: str, number: int) -> None:
    store = fresh()
    with pytest.raises(ForeignFileError, match="should be") as raised:
        await imported(store, written(format, [GOOD[format], WRONG[format][number]]), format=format)
    assert raised.value.place  # type: ignore[truthy-bool]
    assert await is_empty(store)


async def test_repeated_ids_cyclic_parents_and_missing_metadata_are_no_fault() -> None:
    step = {"kind": "user", "content": "a", "metadata": {"id": "same"}}
    one = {"metadata": {"id": "1", "parent_id": "2"}, "steps": [step, step, {"kind": "user"}, {}]}
    other = {"metadata": {"id": "2", "parent_id": "1"}, "steps": [step]}
    document = [one, other, one, {"steps": []}]
    store = fresh()
    report = await imported(store, written("tapeagents", document), format="tapeagents")
    assert len(set(report.tapes)) == 4
    assert json.loads(await exported(store, report)) == document


async def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD", 1 << 20)
    for format, data in {
        "workbench": b'{"model": "' + b"x" * (3 << 20),
        "taubench": b'[{"traj": "' + b"x" * (3 << 20),
        "tapeagents": b'[{"steps": [' + b'{"kind": "x"},' * 300_000,
    }.items():
        store = fresh()
        with pytest.raises(ForeignFileError, match=r"(line|record).*more than 1,048,576 bytes"):
            await imported(store, data, format=format)
        assert await is_empty(store)


async def test_values_are_found_wherever_the_blocks_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_BLOCK", 3)
    values = [{'a\\"b': ['"', "\\", "]}", "é\n"]}, {}, [], 1.5, None, "x\\", [[{}]], -1e-7, True]
    array = json.dumps(values, ensure_ascii=False, indent=1).encode()
    lined = b"\n\n".join(json.dumps(value).encode() for value in values[:-1] if value != 1.5)
    for data, wanted in ((array, values), (lined, [v for v in values[:-1] if v != 1.5])):
        file = ForeignFile(Path("f"), io.BytesIO(b"\xef\xbb\xbf" + data))
        assert [record.value for record in file.values()] == wanted


@pytest.mark.parametrize("data", [b"", b"  \n", b"[]", b"[ ]\n"])
async def test_a_file_of_nothing_is_nothing(data: bytes) -> None:
    report = await imported(fresh(), data, format="tapeagents")
    assert (report.sessions, report.steps) == (0, 0)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x00" * 100, b"{}", b"[1]", b"SQLite format 3\0" + b"x" * 4096]
)
def test_what_is_in_no_known_format_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "thing.json"
    path.write_bytes(data)
    with pytest.raises(ForeignFileError, match=r"in no format that is known here.*--format"):
        detect_format(path)


async def test_a_format_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="there is no format `nonsense`: there are playhead"):
        await import_file(fresh(), tmp_path, format="nonsense")
    with pytest.raises(ForeignFileError, match="cannot be read"):
        await import_file(fresh(), tmp_path / "absent.json")


CALL = {"prompt_id": "p", "timestamp": "", "prompt": {"messages": []}, "output": None,
        "prompt_length_tokens": 1, "output_length_tokens": 1, "cached": 0, "llm_info": None,
        "cost": 0.5}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": 1}, {"prompt": {}}, {"prompt": {"messages": [1]}}, {"output": [1]},
        {"prompt": {"messages": [{"role": "robot"}]}}, {"llm_info": []}, {"cost": "much"},
        {"prompt_length_tokens": "x"}, {"llm_info": {"model_name": 1}}, {"prompt": None},
        {"output": {"role": "assistant", "tool_calls": [{}]}},
    ],
)  # fmt: skip
async def test_a_wrong_stored_call_is_told(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = tmp_path / "tapedata.sqlite"
    calls_database(path, [CALL, {**CALL, "prompt_id": "q", **wrong}])
    store = fresh()
    with pytest.raises(ForeignFileError, match="call 1"):
        await import_file(store, path)
    assert await is_empty(store)


@pytest.mark.parametrize("name", [b"timest\x80mp", b"prompt_i\xff"])
async def test_a_column_that_is_named_in_no_unicode_is_told(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / "tapedata.sqlite"
    calls_database(path, [CALL])
    good = {b"timest\x80mp": b"timestamp", b"prompt_i\xff": b"prompt_id"}[name]
    path.write_bytes(path.read_bytes().replace(good, name, 1))
    store = fresh()
    with pytest.raises(ForeignFileError, match=r"tapedata\.sqlite`: "):
        await import_file(store, path)
    assert await is_empty(store)


async def test_a_damaged_store_of_calls_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tapedata.sqlite"
    calls_database(path, [{**CALL, "prompt_id": str(n), "timestamp": "x" * 999} for n in range(99)])
    good = path.read_bytes()
    path.write_bytes(good[:4096] + b"\xee" * 8192 + good[12288:])
    store = fresh()
    with pytest.raises(ForeignFileError):
        await import_file(store, path)
    assert await is_empty(store)
    tape = tmp_path / "tape.json"
    tape.write_text(json.dumps(TAPE | {"steps": [{"kind": "x", "metadata": {"prompt_id": "5"}}]}))
    with pytest.raises(ForeignFileError, match=r"tapedata\.sqlite"):
        await import_file(store, tape)
    assert await is_empty(store)
