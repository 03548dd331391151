"""Tapes as files: what is written is read back, what was touched is refused with its line."""

from __future__ import annotations

import hashlib
import hmac
import json
import random

import pytest

from playhead.errors import TapeError, VerificationError
from playhead.tape import Draft, Tape, canonical, digest, read_tape, text_parts, write_tape
from playhead.tape.kinds import Plan, UserMessage


def tape() -> Tape:
    made = Tape.new().append(UserMessage(parts=text_parts("Wie spät? ⏰ \x00")), Plan(items=("a",)))
    return made.fork(2).append(Draft(Plan(items=("b",)), re=(made[1].id,)), Plan(items=("c",)))


def blob(made: Tape, content: bytes) -> tuple[str, bytes]:
    key = bytes.fromhex(made.header.blob_key)
    return hmac.new(key, content, hashlib.sha256).hexdigest(), content


def test_what_is_written_is_read_back_to_the_byte():
    made = tape()
    read = read_tape(write_tape(made))
    assert list(read) == list(made)
    assert (read.id, read.head_text, read.parent) == (made.id, made.head_text, made.parent)
    read.verify(heads=[made.head_text])
    assert list(write_tape(read)) == list(write_tape(made))


def test_a_line_beyond_the_limit_is_told_as_such(monkeypatch: pytest.MonkeyPatch):
    lines = list(write_tape(tape()))
    monkeypatch.setattr("playhead.tape._file.LINE_LIMIT", len(max(lines, key=len)))
    assert len(read_tape(lines)) == len(lines) - 1
    lines[2] = lines[2].replace(b'"body":', b" " * 1000 + b'"body":')
    with pytest.raises(VerificationError, match=r"line 3: more than [\d,]+ bytes") as raised:
        read_tape(lines)
    assert (raised.value.line, raised.value.fault) == (3, "json")  # type: ignore[attr-defined]


def test_documents_and_blobs_come_after_the_steps():
    made = tape()
    document = {"b": 1, "a": [True]}
    documents = {digest(document): canonical(document)}
    blobs = dict([blob(made, b"\x00\xff"), blob(made, b"")])
    lines = list(write_tape(made, documents, blobs))
    assert lines == list(write_tape(made, iter(documents.items()), iter(blobs.items())))
    assert [next(iter(json.loads(line))) for line in lines[-3:]] == ["document", "blob", "blob"]
    assert list(read_tape(lines)) == list(made)


@pytest.mark.parametrize(
    ("at", "change", "fault"),
    [
        (0, lambda line: b"", "json"),
        (0, lambda line: line.replace(b'"length":5', b'"length":6'), "length"),
        (0, lambda line: line.replace(b'"v":1', b'"v":2'), "json"),
        (0, lambda line: line.replace(b'"v":1', b'"v":true'), "json"),
        (0, lambda line: line.replace(b'"length":5', b'"length":-5'), "json"),
        (1, lambda line: line.replace(b'"salt":"', b'"salt":"0'), "body"),
        (1, lambda line: line.replace(b'"salt"', b'"salz"'), "json"),
        (2, lambda line: line.replace("spät".encode(), b"spat"), "body"),
        (2, lambda line: line.replace(b'"role\\":\\"observation', b'"role\\":\\"note'), "role"),
        (2, lambda line: line.replace(b'\\"kv\\":1', b'\\"kv\\":true'), "header"),
        (2, lambda line: line.replace(b'\\"frame\\":0', b'\\"frame\\":0.0'), "header"),
        (2, lambda line: line.replace(b'\\"frame\\":0,', b""), "header"),
        (2, lambda line: line.replace(b'{\\"type\\":\\"system\\"}', b"{}"), "header"),
        (2, lambda line: line.replace(b'{\\"type\\":\\"system\\"}', b"null"), "header"),
        (2, lambda line: b"[]", "json"),
        (2, lambda line: b"\xff", "json"),
        (2, lambda line: b"", "json"),
        (5, lambda line: line + line, "json"),
    ],
)
def test_what_was_touched_is_refused_with_its_line(at, change, fault):
    lines = list(write_tape(tape()))
    assert change(lines[at]) != lines[at]
    lines[at] = change(lines[at])
    with pytest.raises(VerificationError, match=r"^line \d+: ") as refused:
        read_tape(lines)
    assert refused.value.data["fault"] == fault
    expected = 6 if fault == "length" else at + 1
    assert refused.value.data["line"] == expected


def test_a_file_that_ends_early_or_goes_on_too_long_is_refused():
    lines = list(write_tape(tape()))
    for count in range(len(lines)):
        with pytest.raises(VerificationError):
            read_tape(lines[:count])
    with pytest.raises(VerificationError):
        read_tape([*lines, lines[-1]])
    with pytest.raises(VerificationError):
        read_tape([*lines, lines[0]])


def test_any_changed_byte_is_found_or_changes_nothing():
    made = tape()
    content = b"".join(write_tape(made))
    chance = random.Random(7)
    for _ in range(600):
        at = chance.randrange(len(content))
        changed = bytearray(content)
        changed[at] ^= 1 << chance.randrange(8)
        try:
            read = read_tape(bytes(changed).splitlines(keepends=True))
        except VerificationError:
            continue
        assert list(read) == list(made)


def test_a_stored_entry_that_is_no_text_cannot_be_written():
    made = tape()
    broken = made[4]
    broken.data = b"\xff"
    with pytest.raises(TapeError, match="step 4 is no text"):
        list(write_tape(Tape.of([*made[:4], broken])))
