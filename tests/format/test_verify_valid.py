"""What is valid, and must be found so: every freedom that the document leaves to a writer."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import make_files
import pytest
import verify_tape
from minitape import (
    ROLES,
    VALID,
    MiniTape,
    annotations,
    blobs,
    captured,
    every_kind,
    forked,
    imported,
    played,
    simple,
    team,
)
from verify_tape import Report, verify

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOL = ROOT / "tools" / "verify_tape.py"
DOCUMENT = (ROOT / "docs" / "format.md").read_text()


def check(tape: MiniTape, *heads: str) -> Report:
    report = verify(tape.lines(), heads)
    assert report.faults == []
    assert report.ok
    return report


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the program without this environment: isolated, and without site packages."""
    command = [sys.executable, "-I", "-S", str(TOOL), *arguments]
    return subprocess.run(command, input=given, capture_output=True, timeout=60)


# --- The document ------------------------------------------------------------------------------


def test_roles_are_those_of_the_table_in_the_document() -> None:
    table = dict(re.findall(r"^\| `(playhead\.\w+)` \| (\w+) \|", DOCUMENT, re.M))
    assert table == verify_tape.ROLES
    assert table == ROLES


def test_every_kind_of_the_document_is_tried() -> None:
    tapes = (every_kind(), annotations(), captured(), imported(), played(), team())
    kinds = {e.members["kind"] for tape in tapes for e in tape.entries}
    assert kinds >= ROLES.keys()


def test_header_members_are_those_of_the_document() -> None:
    section = DOCUMENT.split("## 2.")[1].split("Ids of tapes")[0]
    assert re.findall(r"^\| `(\w+)`", section, re.M) == list(verify_tape.FORMS)


# --- Reports -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VALID)
def test_valid_tapes_have_no_fault(name: str) -> None:
    tape = VALID[name]()
    report = check(tape)
    assert report.entries == len(tape.entries)
    assert report.tape == tape.id
    assert report.head == tape.head_text()


def test_every_kind_is_valid() -> None:
    report = check(every_kind())
    assert report.absent_documents == []
    assert report.absent_blobs == []


def test_erased_entries_are_counted() -> None:
    assert check(VALID["erased"]()).erased == 2


def test_what_is_referred_to_and_absent_is_reported() -> None:
    tape = blobs()
    lost = json.loads(tape.entries[-2].body or "")["parts"][2]["address"]
    report = check(tape)
    assert report.absent_blobs == [lost]
    assert report.absent_documents == ["sha256:" + "0" * 64]
    tape.extra.clear()
    report = check(tape)
    assert len(report.absent_blobs) == 3
    assert len(report.absent_documents) == 2


def test_a_blob_is_found_wherever_a_part_may_stand() -> None:
    tape = MiniTape("parts")
    parts = [tape.blob(bytes([n])) for n in range(4)]
    tape.extra.clear()
    items = [{"m": {"role": "user", "parts": [parts[0]]}}, {"h": [0, 1]}, 7]
    message = {"role": "assistant", "parts": [parts[1], 3, None]}
    body = {"prompt": {"items": items}, "message": message, "raw": parts[2], "parts": {}}
    tape.add("playhead.model_call", body)
    tape.add("playhead.delegate", {"parts": [parts[3]]})
    tape.add("playhead.tool_call", {"arguments": {"parts": [tape.blob(b"no part")]}})
    tape.add("example.unknown", {"parts": [tape.blob(b"no part that we know")]})
    tape.extra.clear()
    assert check(tape).absent_blobs == sorted(part["address"] for part in parts)


# --- Heads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [simple, forked])
def test_every_head_that_the_tape_ever_had_holds(make) -> None:
    tape = make()
    check(tape, *(tape.head_text(length) for length in range(1, len(tape.entries) + 1)))


def test_heads_still_hold_after_erasure() -> None:
    tape = simple()
    head = tape.head_text()
    tape.erase(2)
    check(tape, head)


def test_a_malformed_head_is_refused() -> None:
    for head in ("", "x", f"{'0' * 32}:0:{'0' * 64}", f"{'0' * 32}:1:{'0' * 63}", "9" * 10**6):
        with pytest.raises(ValueError, match="TAPE:N:LINK"):
            verify([], [head])


# --- Freedoms of a writer ----------------------------------------------------------------------


def relaid(line: bytes, **layout) -> bytes:
    members = json.loads(line)
    return json.dumps(dict(reversed(members.items())), **layout).encode()


@pytest.mark.parametrize(
    "layout",
    [
        {"ensure_ascii": True},
        {"ensure_ascii": False, "separators": (" ,\t", " :\r")},
        {"indent": 1},
    ],
)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b" \n"])
def test_the_wrapping_may_be_laid_out_in_any_way(layout, end: bytes) -> None:
    for make in (simple, forked, blobs):
        lines = [relaid(line, **layout) + end for line in make().lines()]
        assert verify(lines).faults == []


def test_every_character_of_a_string_may_be_escaped() -> None:
    lines = simple().lines()
    text = json.loads(lines[2])["body"]
    escaped = "".join(f"\\u{ord(c):04X}" if ord(c) < 0xFFFF else c for c in text)
    lines[2] = lines[2].replace(json.dumps(text, ensure_ascii=False).encode(),
                                f'"{escaped}"'.encode())  # fmt: skip
    assert len(lines[2]) > len(simple().lines()[2])
    assert verify(lines).faults == []


def test_header_and_body_may_hold_white_space_and_their_members_in_any_order() -> None:
    tape = simple()
    entry = tape.make("playhead.plan", {}, text=' {\n"items" : [ ] }\t')
    header = json.dumps(dict(reversed(entry.members.items())), indent=2)
    tape.entries.append(type(entry)(header, entry.salt, entry.body))
    check(tape)


def test_documents_and_blobs_may_stand_between_entries_and_twice() -> None:
    for place in range(2, 9):
        tape = blobs()
        lines = tape.lines()
        first, extra = lines[: len(tape.entries) + 1], lines[len(tape.entries) + 1 :]
        assert verify([*first[:place], *extra, *first[place:], *extra]).faults == []


def test_pairs_of_surrogates_and_what_looks_like_halves_are_text() -> None:
    tape = simple()
    text = r'{"a":"\ud83d\ude00","\uD83D\uDE00":"\\ud83d","b":"\\\\ud83d \\\ud83d\ude00 ud83d"}'
    tape.add("playhead.snapshot", {}, text=text)
    check(tape)


@pytest.mark.parametrize(
    "text",
    [
        '{"n":' + "9" * 100_000 + "}",
        '{"n":-' + "9" * 19 + "}",
        '{"n":0.' + "9" * 100_000 + "}",
        '{"n":1e999999}',
        '{"a":' + "[" * 127 + "]" * 127 + "}",
        '{"a":[' + "[]," * 500 + "[]]}",
        '{"a":"' + "[{" * 500 + '\\"' + "[{" * 500 + '"}',
        '{"\\u0000":"\\u0000","":"\x7f\u2028"}',
        "{}",
    ],
)
def test_bodies_at_the_bounds_of_section_1(text: str) -> None:
    tape = simple()
    tape.add("example.any", {}, text=text)
    check(tape)


def test_headers_and_bodies_at_their_limits() -> None:
    tape = simple()
    by = {"type": "tool", "name": ""}
    room = 16_384 - len(tape.make("playhead.plan", {}, by=by).header)
    tape.add("playhead.plan", {}, by=by | {"name": "x" * room})
    assert len(tape.entries[-1].header) == 16_384
    tape.add("playhead.plan", {}, text='{"items":"' + "x" * (16_777_216 - 12) + '"}')
    assert len(tape.entries[-1].body or "") == 16_777_216
    check(tape)


@pytest.mark.parametrize(
    "header",
    [
        {"kind": "a.b"},
        {"kind": "a" * 126 + ".b"},
        {"kind": "a_1.b_2.c__", "role": "action"},
        {"kv": 10**15},
        {"frame": 3},
        {"origin": "captured"},
        {"time": "2024-02-29T23:59:59.999999Z"},
        {"by": {"type": "person"}},
        {"by": {"type": "player", "name": "", "version": "1"}},
        {"by": {"type": "importer", "name": 'a"\\}'}},
        {"by": {"type": "agent", "name": "a", "node": "n", "config": "sha256:" + "a" * 64}},
        {"by": {"type": "agent", "name": "a", "node": "n", "call": "f" * 32}},
        {"by": {"type": "agent", "name": "a", "node": "n", "config": "sha256:" + "a" * 64,
                "span": [0, 0], "call": "f" * 32}},
    ],
)  # fmt: skip
def test_header_members_of_every_form(header) -> None:
    tape = simple()
    tape.add("example.any", {}, **header)
    check(tape)


def test_a_parent_of_null_may_be_left_out() -> None:
    tape = simple()
    body = json.loads(tape.entries[0].body or "")
    del body["parent"]
    again = MiniTape("again")
    again.entries.clear()
    again.add("playhead.tape", body)
    check(again)


def test_a_fork_of_a_fork_below_its_own_beginning() -> None:
    """The parent is named, though none of its own entries is shared."""
    tape = simple().fork(5, "one").fork(3, "two")
    tape.add("playhead.stop", {"reason": "end"})
    check(tape)


def test_shared_entries_may_be_erased() -> None:
    tape = forked()
    tape.erase(2, record=False)
    assert check(tape).erased == 1


def test_a_line_longer_than_any_entry() -> None:
    tape = simple()
    tape.add("playhead.user_message", {"parts": [tape.blob(bytes(20 * 2**20))]})
    check(tape)


# --- Memory ------------------------------------------------------------------------------------


def endless(entries: int) -> Iterator[bytes]:
    """A tape that is made while it is read; each body is of 20 kB."""
    tape = MiniTape("endless")
    yield f"{tape.first_line(length=entries, head='')}\n".encode()
    yield f"{tape.entries[0].line()}\n".encode()
    for seq in range(1, entries):
        entry = tape.make("playhead.reflection", {"text": "x" * 20_000}, seq=seq, id=f"{seq:032x}")
        tape.entries[:] = [entry]
        yield f"{entry.line()}\n".encode()


def test_memory_does_not_grow_with_the_bodies() -> None:
    tracemalloc.start()
    try:
        report = verify(endless(2_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.entries == 2_000
    assert report.counts == {"head": 1}
    assert peak < 4_000_000  # of a file of 40 MB


# --- The program -------------------------------------------------------------------------------


def test_the_program_needs_the_standard_library_only() -> None:
    tree = ast.parse(TOOL.read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_the_program_says_what_it_found(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.tape.jsonl", tmp_path / "bad\u00e9.tape.jsonl"
    good.write_bytes(blobs().file())
    bad.write_bytes(simple().file().replace(b"12:30.", b"12:31."))
    done = run(str(good))
    assert (done.returncode, done.stderr) == (0, b"")
    assert blobs().head_text().encode() in done.stdout
    assert done.stdout.count(b"absent ") == 2
    done = run("--quiet", str(good), str(bad))
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"good" not in done.stdout
    assert b"FAULT    body: line 6, seq 4: `body_digest` is " in done.stdout


def test_the_program_reads_its_input_and_writes_json() -> None:
    tape = forked()
    head = tape.head_text()
    done = run("--json", "--head", head, "-", given=tape.file())
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["file"], told["ok"], told["head"], told["faults"]) == ("-", True, head, [])
    done = run("--json", "--head", head, "-", given=simple().file())
    (fault,) = json.loads(done.stdout)["faults"]
    assert done.returncode == 1
    assert fault["code"] == "head"
    assert fault.keys() == {"code", "line", "seq", "message"}


def test_the_program_exits_2_when_it_cannot_read(tmp_path: Path) -> None:
    bad = tmp_path / "empty.tape.jsonl"
    bad.write_bytes(b"")
    assert run(str(bad)).returncode == 1
    for arguments in ([str(tmp_path)], [str(tmp_path / "none")], [str(tmp_path), str(bad)]):
        done = run(*arguments)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert b"cannot be read" in done.stderr
    done = run("--head", "nonsense", str(bad))
    assert done.returncode == 2
    assert b"TAPE:N:LINK" in done.stderr


def test_the_help_teaches_with_an_example() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert b"$ python tools/verify_tape.py run.tape.jsonl" in done.stdout


# --- Golden files ------------------------------------------------------------------------------


def test_the_files_are_those_that_the_script_makes() -> None:
    made = make_files.all_files()
    stored = {*HERE.glob("golden/*"), *HERE.glob("hostile/*")}
    assert {path.relative_to(HERE).as_posix() for path in stored} == made.keys()
    for name, content in made.items():
        assert (HERE / name).read_bytes() == content, f"run make_files.py: {name} differs"


@pytest.mark.parametrize("name", VALID)
def test_golden_files_are_valid(name: str) -> None:
    with (HERE / "golden" / f"{name}.tape.jsonl").open("rb") as stream:
        report = verify(stream)
    assert report.faults == []
    assert report.head == VALID[name]().head_text()
