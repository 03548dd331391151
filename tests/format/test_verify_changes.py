"""Any change of a valid file is found, but for those of the wrapping that keep the bytes."""

from __future__ import annotations

import io
import json
import random
import re

import pytest
import verify_tape
from hypothesis import given, settings
from hypothesis import strategies as st
from minitape import VALID
from verify_tape import verify

WRAPPED = {name: make().file() for name, make in VALID.items()}


def codes(file: bytes | list[bytes]) -> set[str]:
    lines = io.BytesIO(file).readlines() if isinstance(file, bytes) else file  # not at `\r`
    return set(verify(lines).counts)


def meaning(file: bytes) -> list[object]:
    """The values of the lines: header, salt and body bytes, names and contents.

    Two files with the same meaning differ in nothing but the wrapping of section 10. By a change
    of one byte that can only be (a) white space between the tokens of a line or at its end, and
    (b) the case of a hexadecimal digit in a `\\u` escape of a line.
    """
    lines = file.removesuffix(b"\n").split(b"\n")
    return [sorted(json.loads(line.decode()).items()) for line in lines]


def same(file: bytes, changed: bytes) -> bool:
    try:
        return meaning(changed) == meaning(file)
    except (ValueError, AttributeError):
        return False


def is_wrapping(file: bytes, at: int, byte: int) -> bool:
    """Whether the change of one byte is (a) or (b), told from the bytes alone."""
    space = b" \t\r\n" if at == len(file) - 1 else b" \t\r"  # a line end within would split
    outside = file[file.rfind(b"\n", 0, at) + 1 : at]
    outside = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", outside)
    if b'"' not in outside:
        return file[at] in space and byte in space
    escape = re.search(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{0,3}$", file[:at])
    return escape is not None and bytes([byte]).lower() == file[at : at + 1].lower()


def judge(file: bytes, changed: bytes) -> None:
    """A change is found, or it is one of the wrapping."""
    assert bool(codes(changed)) != same(file, changed)


# `\u` escapes in the wrapping as well: in the fork all text beyond ASCII is escaped.
WRAPPED["fork"] = b"".join(
    json.dumps(json.loads(line)).encode() + b"\n" for line in WRAPPED["fork"].splitlines()
)
FILES = st.sampled_from(sorted(WRAPPED))
CHANGES = settings(max_examples=600, deadline=None)


@CHANGES
@given(FILES, st.randoms(use_true_random=False), st.integers(0, 255))
def test_any_changed_byte_is_found(name: str, draw: random.Random, byte: int) -> None:
    file = WRAPPED[name]
    at = draw.randrange(len(file))
    changed = file[:at] + bytes([byte]) + file[at + 1 :]
    judge(file, changed)
    assert same(file, changed) == (file[at] == byte or is_wrapping(file, at, byte))


@pytest.mark.parametrize("name", sorted(WRAPPED))
@pytest.mark.parametrize("bit", [0x01, 0x20])
def test_one_flipped_bit_of_any_byte_is_found(name: str, bit: int) -> None:
    """All bytes, by the lowest bit, and by the one that is the case of a letter."""
    file = WRAPPED[name]
    for at in range(0, len(file), 1 if bit == 1 and name == "simple" else 5):
        changed = file[:at] + bytes([file[at] ^ bit]) + file[at + 1 :]
        judge(file, changed)
        assert same(file, changed) == is_wrapping(file, at, file[at] ^ bit)


@CHANGES
@given(FILES, st.randoms(use_true_random=False), st.binary(max_size=3), st.integers(0, 3))
def test_bytes_put_in_or_taken_out_are_found(
    name: str, draw: random.Random, more: bytes, gone: int
) -> None:
    file = WRAPPED[name]
    at = draw.randrange(len(file))
    judge(file, file[:at] + more + file[at + gone :])


def test_a_line_that_is_too_long_is_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = WRAPPED[min(WRAPPED)].splitlines(keepends=True)
    monkeypatch.setattr(verify_tape, "MAX_LINE", len(max(lines, key=len)))
    assert list(verify_tape.lines_of(io.BytesIO(b"".join(lines)))) == lines
    long = b" " * 3_000_000 + lines[2]
    report = verify(verify_tape.lines_of(io.BytesIO(b"".join([*lines, long, lines[0]]))))
    told = [(fault.line, "more than" in fault.message) for fault in report.faults]
    assert told[0] == (len(lines) + 1, True)
    assert {line for line, _ in told[1:]} == {len(lines) + 2}


def entry_places(lines: list[bytes]) -> list[int]:
    return [n for n, line in enumerate(lines) if line.startswith((b'{"header"', b'{"playhead"'))]


@CHANGES
@given(FILES, st.randoms(use_true_random=False))
def test_entries_dropped_swapped_doubled_or_moved_are_found(name: str, draw: random.Random) -> None:
    lines = WRAPPED[name].splitlines(keepends=True)
    one, other = draw.sample(entry_places(lines), 2)
    dropped = [*lines[:one], *lines[one + 1 :]]
    assert codes(dropped)
    assert codes([*dropped[:other], lines[one], *dropped[other:]])
    assert codes([*lines[:other], lines[one], *lines[other:]])
    lines[one], lines[other] = lines[other], lines[one]
    assert codes(lines)


@CHANGES
@given(FILES, FILES, st.randoms(use_true_random=False))
def test_entries_of_another_tape_are_found(name: str, origin: str, draw: random.Random) -> None:
    lines = WRAPPED[name].splitlines(keepends=True)
    others = WRAPPED[origin].splitlines(keepends=True)
    here, there = draw.choice(entry_places(lines)), draw.choice(entry_places(others))
    put_in = [*lines[:here], others[there], *lines[here:]]
    assert codes(put_in)
    put_over = [*lines[:here], others[there], *lines[here + 1 :]]
    assert bool(codes(put_over)) == (lines[here] != others[there])
    tail = [*lines[:here], *others[here:]]
    assert bool(codes(tail)) == (tail not in (lines, others))


@CHANGES
@given(FILES, st.randoms(use_true_random=False))
def test_documents_and_blobs_dropped_are_absent_and_no_fault(
    name: str, draw: random.Random
) -> None:
    lines = WRAPPED[name].splitlines(keepends=True)
    extra = sorted(set(range(len(lines))) - set(entry_places(lines)))
    if not extra:
        return
    gone = {place for place in extra if draw.random() < 0.5}
    before = verify(lines)
    after = verify([line for n, line in enumerate(lines) if n not in gone])
    assert after.ok
    names = {json.loads(lines[n]).get("document") or json.loads(lines[n])["blob"] for n in gone}
    absent = {*after.absent_documents, *after.absent_blobs}
    assert absent - names == {*before.absent_documents, *before.absent_blobs}
