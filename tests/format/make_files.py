"""Write the files of `golden/` and `hostile/`; the same bytes each time.

    python tests/format/make_files.py

`golden/` are valid tapes. `hostile/` are tapes with one fault each, named after it; `expected.json`
tells the codes that a verifier must report for them, and the heads to be given to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitape import VALID, ZEROS, Entry, MiniTape, blobs, forked, sha256, simple

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Hostile:
    """A file with a fault, the codes that it must bring, and the heads to give."""

    file: bytes
    codes: tuple[str, ...]
    heads: tuple[str, ...] = ()


def lines_with(tape: MiniTape, index: int, change: Callable[[bytes], bytes]) -> bytes:
    """The file with one of its lines changed."""
    lines = tape.lines()
    lines[index] = change(lines[index])
    return b"".join(lines)


def without(tape: MiniTape, index: int) -> bytes:
    lines = tape.lines()
    del lines[index]
    return b"".join(lines)


def swapped(tape: MiniTape, one: int, other: int) -> bytes:
    lines = tape.lines()
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def written(kind: str, body: object, /, **overrides: Any) -> bytes:
    """A tape whose last but one entry is chained well, and wrong in itself."""
    tape = simple("written")
    tape.add(kind, body, **overrides)
    tape.add("playhead.stop", {"reason": "end"})
    return tape.file()


def truncated() -> bytes:
    tape = simple("truncated")
    tape.extra.clear()
    return tape.file()[:-40]


def spliced() -> bytes:
    """The third entry of one tape in the place of that of another."""
    tape, other = simple("spliced 1"), simple("spliced 2")
    tape.entries[2] = other.entries[2]
    return tape.file()


def rolled_back() -> Hostile:
    """A valid file, but of a tape that was once longer."""
    tape = simple("rolled back")
    head = tape.head_text()
    del tape.entries[-2:]
    return Hostile(tape.file(), ("head",), (head,))


def replaced() -> Hostile:
    """A valid file of another tape that tells the same."""
    head = simple("replaced").head_text()
    return Hostile(simple("replacing").file(), ("head",), (head,))


def wrong_blob_key() -> bytes:
    """The key of the tape is not the one that the addresses were made with."""
    tape = blobs("wrong key")
    other = MiniTape("wrong key", blob_key=sha256(b"another"))
    for entry in tape.entries[1:]:
        members = entry.members
        names = ("kind", "kv", "role", "origin", "re", "by")
        kept = {name: members[name] for name in names}
        other.add(kept.pop("kind"), json.loads(entry.body or ""), **kept)
    other.extra = tape.extra
    return other.file()


def fork_with(**parent: Any) -> bytes:
    tape = simple("parent").fork(4, "child", **parent)
    tape.add("playhead.stop", {"reason": "end"})
    return tape.file()


def half_erased() -> bytes:
    tape = simple("half erased")
    tape.entries[3] = Entry(tape.entries[3].header, tape.entries[3].salt, None)
    return tape.file()


def tape_entry_erased() -> bytes:
    tape = simple("tape entry erased")
    tape.erase(0)
    return tape.file()


def changed_document() -> bytes:
    tape = simple("document")
    tape.extra = [line.replace("clerk", "chief") for line in tape.extra]
    return tape.file()


def changed_blob() -> bytes:
    tape = blobs("blob")
    tape.extra[-1] = tape.extra[-1].replace("AAEC", "AAED", 1)
    return tape.file()


def wrong_tape() -> bytes:
    """Line 1 of a fork names the tape that was forked."""
    tape = forked("head")
    first = tape.first_line(tape=tape.entries[0].members["tape"])
    return lines_with(tape, 0, lambda _: f"{first}\n".encode())


def hostile_files() -> dict[str, Hostile]:
    """All hostile files by name."""
    plan = "playhead.plan", {"items": []}
    nested = '{"items":' + "[" * 128 + "]" * 128 + "}"
    own = simple("written").entries[2].members["id"]
    return {
        "json-cut-off": Hostile(truncated(), ("head", "json", "length")),
        "json-duplicate-member": Hostile(written(*plan, text='{"a":1,"\\u0061":2}'), ("json",)),
        "json-lone-surrogate": Hostile(written(*plan, text='{"a":"\\ud83d"}'), ("json",)),
        "json-nan": Hostile(written(*plan, text='{"a":NaN}'), ("json",)),
        "json-nested-129": Hostile(written(*plan, text=nested), ("json",)),
        "json-no-line-of-a-tape": Hostile(
            lines_with(simple("line"), 3, lambda line: b'{"note":"hello"}\n' + line), ("json",)
        ),
        "json-no-utf-8": Hostile(
            lines_with(simple("utf-8"), 7, lambda line: line.replace(b"clerk", b"cl\xffrk")),
            ("json",),
        ),
        "header-unknown-member": Hostile(written(*plan, extra=1), ("header",)),
        "header-time": Hostile(written(*plan, time="2026-02-30T00:00:00.000000Z"), ("header",)),
        "header-too-long": Hostile(
            written(*plan, by={"type": "tool", "name": "x" * 16_384}), ("header",)
        ),
        "sequence": Hostile(written(*plan, seq=9), ("sequence",)),
        "chain": Hostile(written(*plan, prev=ZEROS), ("chain",)),
        "chain-header-changed": Hostile(
            lines_with(simple("header"), 4, lambda line: line.replace(b"2026", b"2025", 1)),
            ("chain",),
        ),
        "chain-entry-dropped": Hostile(
            without(simple("dropped"), 4), ("chain", "length", "sequence")
        ),
        "chain-entries-swapped": Hostile(
            swapped(simple("swapped"), 5, 6), ("chain", "head", "sequence")
        ),
        "chain-entry-of-another-tape": Hostile(spliced(), ("chain", "lineage", "reference")),
        "lineage-parent-head": Hostile(fork_with(head=ZEROS), ("lineage",)),
        "lineage-parent-at": Hostile(fork_with(at=3), ("lineage",)),
        "lineage-tape-entry-erased": Hostile(tape_entry_erased(), ("lineage",)),
        "identity": Hostile(written(*plan, id=own), ("identity",)),
        "body-changed": Hostile(
            lines_with(simple("body"), 5, lambda line: line.replace(b"12:30", b"12:31")),
            ("body",),
        ),
        "body-salt-alone": Hostile(half_erased(), ("body",)),
        "role": Hostile(written(*plan, role="action"), ("role",)),
        "reference": Hostile(written(*plan, re=["0" * 32]), ("reference",)),
        "document": Hostile(changed_document(), ("document",)),
        "blob": Hostile(changed_blob(), ("blob",)),
        "blob-key": Hostile(wrong_blob_key(), ("blob",)),
        "length": Hostile(
            lines_with(simple("length"), 0, lambda line: line.replace(b':6,"head', b':7,"head')),
            ("length",),
        ),
        "head": Hostile(wrong_tape(), ("head",)),
        "head-rolled-back": rolled_back(),
        "head-replaced": replaced(),
    }


def all_files() -> dict[str, bytes]:
    """All files by their path in this folder."""
    hostile = hostile_files()
    expected = {
        f"{name}.tape.jsonl": {"codes": list(made.codes), "heads": list(made.heads)}
        for name, made in sorted(hostile.items())
    }
    files = {f"golden/{name}.tape.jsonl": make().file() for name, make in VALID.items()}
    files |= {f"hostile/{name}.tape.jsonl": made.file for name, made in hostile.items()}
    files["hostile/expected.json"] = (json.dumps(expected, indent=1) + "\n").encode()
    return files


def main() -> None:
    for name, content in all_files().items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
