"""The JSON Schema is current, holds for every real entry, and refuses what the format refuses."""

from __future__ import annotations

import contextlib
import functools
import json
from typing import Any

import make_schema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tape_helpers import agent, body_of, entry_of, file_lines, header_of, says, tape_of
from tape_sessions import erased_sessions
from tape_strategies import LAW, bodies, bodies_of, texts

from playhead.errors import BodyError
from playhead.tape import Body, By, Draft, Step, Tape
from playhead.tape import kinds as k


@functools.cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(make_schema.PATH.read_text(encoding="utf-8"))
    return found


@functools.cache
def validator(name: str) -> Draft202012Validator:
    """Of one definition."""
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema()["$defs"]})


def parsed(step: Step) -> dict[str, Any]:
    return {"header": header_of(step), "body": body_of(step)}


def sealed(body: Body, by: By | None = None) -> Step:
    return Step.seal(Draft(body, by=by or agent()), tape="a" * 32, seq=0, prev="0" * 64)


def test_the_committed_file_is_current() -> None:
    assert make_schema.main(["--check"]) == 0, "run `python tools/make_schema.py`"


def test_a_stale_file_is_found_and_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_schema, "PATH", tmp_path / "schema" / "made.json")
    assert make_schema.main(["--check"]) == 1
    assert make_schema.main([]) == 0
    assert make_schema.main(["--check"]) == 0
    make_schema.PATH.write_text("{}")
    assert make_schema.main(["--check"]) == 1
    assert "python tools/make_schema.py" in capsys.readouterr().err


def test_it_is_a_schema_of_every_built_in_kind() -> None:
    Draft202012Validator.check_schema(schema())
    assert {kind for kind in schema()["$defs"] if kind.startswith("playhead.")} == {
        body.kind for body in bodies_of
    }


@pytest.mark.parametrize("kind", sorted(bodies_of, key=lambda kind: kind.kind))
def test_a_kind_lists_its_members(kind: type[Body]) -> None:
    listed = schema()["$defs"][kind.kind]
    assert set(listed.get("properties", {})) == set(kind.model_fields)
    assert set(listed["required"]) <= set(kind.model_fields)


@LAW
@given(bodies)
def test_every_real_entry_is_valid(body: Body) -> None:
    entry = parsed(sealed(body))
    validator("entry").validate(entry)
    validator(body.kind).validate(entry["body"])


@LAW
@given(bodies, st.data())
def test_a_null_may_be_written_or_left_out(body: Body, data: st.DataObject) -> None:
    members = body_of(sealed(body))
    absent = sorted(set(type(body).model_fields) - set(members))
    chosen = data.draw(st.sets(st.sampled_from(absent)) if absent else st.just(set()))
    validator(body.kind).validate({**members, **dict.fromkeys(chosen)})


@LAW
@given(erased_sessions())
def test_every_line_of_a_file_is_valid(tape: Tape) -> None:
    whole = Draft202012Validator(schema())
    for line in file_lines(tape):
        whole.validate(json.loads(line))
    for step in tape:
        validator("entry").validate(parsed(step))


JUNK = st.sampled_from([None, True, 1, -1, 1.5, "x", [], {}, [1], {"a": 1}, [[1, 2]]])


@LAW
@given(bodies, st.data())
def test_what_the_schema_accepts_can_be_read(body: Body, data: st.DataObject) -> None:
    step = sealed(body)
    members = body_of(step)
    for name in data.draw(st.lists(st.sampled_from(sorted(type(body).model_fields)), max_size=3)):
        if data.draw(st.booleans()):
            members.pop(name, None)
        else:
            members[name] = data.draw(JUNK)
    changed = Step.load(step.header, b"", json.dumps(members).encode())
    if validator(body.kind).is_valid(members):
        assert isinstance(changed.body, type(body))
    else:
        with contextlib.suppress(BodyError):  # a reader may be more lenient
            _ = changed.body


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good entry with one member set to another value, or taken away by `...`."""
    entry = parsed(sealed(k.ToolCall(name="t", arguments={"a": 1}, effect="read")))
    *way, last = path.split(".")
    inner = entry
    for name in way:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return entry


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[
            (f"header.{name}", ...)
            for name in (
                "v", "tape", "seq", "id", "prev", "time", "kind", "kv", "role", "origin", "frame",
                "re", "by", "body_digest",
            )
        ],
        ("header.v", 2),
        ("header.more", 1),
        ("header.tape", "A" * 32),
        ("header.id", "a" * 31),
        ("header.seq", -1),
        ("header.seq", "0"),
        ("header.prev", "a" * 32),
        ("header.time", "2026-01-01T00:00:00Z"),
        ("header.time", "2026-13-01T00:00:00.000000Z"),
        ("header.kind", "Acme.invoice"),
        ("header.kind", "acme"),
        ("header.kv", 0),
        ("header.role", "observation"),
        ("header.role", "comment"),
        ("header.origin", "other"),
        ("header.re", ["x"]),
        ("header.by", {"type": "robot"}),
        ("header.by", {"type": "agent", "name": "a", "node": "n"}),
        ("header.by", {"type": "tool"}),
        ("header.by", {"type": "system", "name": "a"}),
        ("header.by.span", [1]),
        ("header.by.span", [1, 2, 3]),
        ("header.by.config", "c" * 64),
        ("header.body_digest", ""),
        ("body.name", ...),
        ("body.name", None),
        ("body.name", 3),
        ("body.effect", "sometimes"),
        ("body", []),
        ("body", ...),
        ("more", 1),
    ],
)  # fmt: skip
def test_refused(path: str, value: Any) -> None:
    assert not validator("entry").is_valid(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("body.more", {"from": "a newer writer"}),
        ("body.effect", None),
        ("body.arguments", None),
        ("body.arguments", ...),
        ("body", None),
        ("header.kv", 2),
        ("header.kind", "acme.call"),
        ("header.seq", 2**70),
        (
            "header.by",
            {"type": "agent", "name": "a", "node": "n", "call": "d" * 32, "span": [0, 9]},
        ),
        ("header.by", {"type": "player", "name": "book", "version": "3"}),
        ("header.by", {"type": "person"}),
        ("header.by", {"type": "person", "name": "Ada"}),
        ("header.by", {"type": "importer", "name": "otel"}),
        ("header.by", {"type": "system"}),
    ],
)
def test_accepted(path: str, value: Any) -> None:
    validator("entry").validate(changed(path, value))


def test_another_kind_may_have_any_body_and_role() -> None:
    entry = parsed(sealed(says("a")))
    entry["body"] = {"anything": 1}
    assert not validator("entry").is_valid(entry)
    for kind, version in (("acme.thing", 1), ("playhead.user_message", 2)):
        validator("entry").validate(
            {**entry, "header": {**entry["header"], "kind": kind, "kv": version}}
        )


def test_the_first_entry_is_never_erased() -> None:
    entry = parsed(Tape.new()[0])
    validator("entry").validate(entry)
    assert not validator("entry").is_valid({**entry, "body": None})


@pytest.mark.parametrize(
    ("part", "valid"),
    [
        ({"type": "text", "content": "a"}, True),
        ({"type": "text", "content": "a", "escaped": True}, True),
        ({"type": "text"}, False),
        ({"type": "text", "content": 1}, False),
        ({"type": "blob", "media_type": "a/b", "size": 1, "address": "x", "preview": ""}, True),
        ({"type": "blob"}, False),
        ({"type": "tool_call", "name": "t"}, True),
        ({"type": "odd", "anything": None}, True),
        ({"content": "a"}, False),
        ({"type": 1}, False),
    ],
)
def test_parts(part: dict[str, Any], valid: bool) -> None:
    assert validator("part").is_valid(part) == valid
    assert validator("playhead.user_message").is_valid({"parts": [part]}) == valid


@LAW
@given(texts)
def test_lines(text: str) -> None:
    tape = tape_of(says(text))
    whole = Draft202012Validator(schema())
    entry = entry_of(tape[1])
    for good in (
        entry,
        {**entry, "salt": None, "body": None},
        {"document": "sha256:" + "0" * 64, "content": "{}"},
        {"blob": "0" * 64, "content": "AAAA"},
    ):
        assert whole.is_valid(good)
        assert not whole.is_valid({**good, "more": 1})
    for bad in (
        {**entry, "salt": None},
        {**entry, "body": None},
        {**entry, "salt": "00"},
        {"document": "0" * 64, "content": "{}"},
        {"blob": "0" * 64},
        {"playhead": "tape", "v": 2, "tape": tape.id, "length": 2, "head": tape.head},
        {"playhead": "tape", "v": 1, "tape": tape.id, "length": 0, "head": tape.head},
        {},
        [],
        "",
    ):
        assert not whole.is_valid(bad)
