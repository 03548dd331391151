"""Kinds of one's own: names, versions, upgrades, and what is not known here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, create_model
from tape_helpers import says, tape_of
from tape_strategies import LAW, json_objects

from playhead.errors import BodyError, KindError, TapeError
from playhead.tape import (
    Action,
    Body,
    Draft,
    Note,
    Observation,
    Opaque,
    Part,
    Step,
    Tape,
    Thought,
    known_kinds,
    text_parts,
    upgrade,
)
from playhead.tape.kinds import ToolCall

pytestmark = pytest.mark.usefixtures("kinds_restored")


def defined(
    kind: str, *, version: int = 1, base: type[Body] = Observation, **fields: Any
) -> type[Body]:
    """A kind, defined anew under the same class name, as a later release would."""
    return create_model(  # type: ignore[no-any-return, call-overload]
        "Defined",
        __base__=base,
        __module__=__name__,
        __cls_kwargs__={"kind": kind, "version": version},
        **fields,
    )


def stored_step(body: Body) -> Step:
    step = tape_of(body)[-1]
    return Step.load(step.header, step.salt, step.data)


class Measured(BaseModel):
    value: float | None = None
    inner: dict[str, list[float]] = {}


@pytest.mark.parametrize(
    "measured",
    [Measured(value=float("nan")), Measured(inner={"a": [1.0, float("inf")]})],
)
def test_a_model_within_a_body_does_not_turn_nan_into_null(measured: Measured) -> None:
    readings = defined("acme.readings", readings=(list[Measured], ...))
    with pytest.raises(BodyError, match=r"acme\.readings"):
        tape_of(readings(readings=[measured]))
    assert stored_step(readings(readings=[Measured()])).body == readings(readings=[Measured()])


def test_a_kind_is_a_few_lines() -> None:
    class Line(BaseModel):
        what: str
        price: float | None = 1.0

    class Invoice(Observation, kind="acme.invoice"):
        number: str
        lines: tuple[Line, ...] = ()
        due: date | None
        paid: bool | None = True
        parts: tuple[Part, ...] = ()

    body = Invoice(
        number="7", lines=(Line(what="ink", price=None),), due=None, paid=None,
        parts=text_parts("thanks"),
    )  # fmt: skip
    step = stored_step(body)
    assert (step.kind, step.kind_version, step.role) == ("acme.invoice", 1, "observation")
    assert step.known
    assert step.body == body
    assert known_kinds()["acme.invoice"] is Invoice


def test_nulls_of_a_kind_of_ones_own_are_written_whatever_its_defaults() -> None:
    class Odd(Thought, kind="acme.odd"):
        model_config = ConfigDict(extra="allow")
        required: int | None
        not_null: int | None = 5

    body = Odd(required=None, not_null=None, more=None)  # type: ignore[call-arg]
    assert stored_step(body).body == body


@pytest.mark.parametrize(
    ("base", "role"),
    [(Thought, "thought"), (Action, "action"), (Observation, "observation"), (Note, "note")],
)
def test_each_role_has_its_base_class(base: type[Body], role: str) -> None:
    assert stored_step(defined("acme.thing", base=base)()).role == role


@pytest.mark.parametrize(
    "kind", ["a.b", "acme.invoice", "acme.sales.invoice", "a1.b_2", "a." + "b" * 126]
)
def test_good_names(kind: str) -> None:
    assert defined(kind).kind == kind


@pytest.mark.parametrize(
    "kind",
    [
        "acme", "Acme.invoice", "acme.Invoice", "acme.", ".invoice", "acme..invoice", "acme.1st",
        "1acme.invoice", "acme-x.invoice", "acme.in voice", "acme.rechnüng", "acme.invoice\n",
        "a." + "b" * 127,
    ],
)  # fmt: skip
def test_bad_names(kind: str) -> None:
    with pytest.raises(KindError, match="lower case"):
        defined(kind)
    assert kind not in known_kinds()


def test_the_namespace_of_playhead_is_reserved() -> None:
    with pytest.raises(KindError, match="reserved"):
        defined("playhead.mine")
    assert "playhead.mine" not in known_kinds()
    assert defined("playheads.mine").kind == "playheads.mine"


def test_a_kind_is_defined_once() -> None:
    class First(Thought, kind="acme.twice"):
        a: int

    with pytest.raises(KindError, match="First"):

        class Second(Thought, kind="acme.twice"):
            b: int

    assert known_kinds()["acme.twice"] is First


def test_the_same_class_may_be_defined_again_as_a_notebook_does() -> None:
    first = defined("acme.again", a=(int, 0))
    second = defined("acme.again", a=(int, 1))
    assert first is not second
    assert known_kinds()["acme.again"] is second


@pytest.mark.parametrize("version", [0, -1])
def test_versions_count_from_one(version: int) -> None:
    with pytest.raises(KindError, match="count from 1"):
        defined("acme.early", version=version)


def test_a_kind_needs_a_role() -> None:
    with pytest.raises(KindError, match="Thought, Action, Observation or Note"):
        defined("acme.roleless", base=Body)


def test_a_class_without_a_kind_cannot_stand_on_a_tape() -> None:
    class Base(Thought):
        a: int

    class Longer(ToolCall):  # not the kind of its base: the member would be lost on reading
        more: int = 0

    tape = Tape.new()
    for body in (Base(a=1), Longer(name="t", more=1), Opaque(data=1)):
        with pytest.raises(BodyError, match="has no kind"):
            tape.append(body)
    assert len(tape.append(says("a"))) == 2


def test_a_base_class_may_hold_what_kinds_share() -> None:
    class Base(Thought):
        a: int

    class Real(Base, kind="acme.real"):
        b: int

    assert stored_step(Real(a=1, b=2)).body == Real(a=1, b=2)


# --- versions ------------------------------------------------------------------------------------


def three_versions() -> dict[int, Step]:
    """Steps of one kind, written by three releases; the third one is at work."""
    steps = {}
    steps[1] = stored_step(defined("acme.name", name=(str, ...))(name="Ada Lovelace"))
    two: dict[str, Any] = {"first": (str, ...), "last": (str, ...)}
    steps[2] = stored_step(defined("acme.name", version=2, **two)(first="Ada", last="Lovelace"))
    three: dict[str, Any] = {"first": (str, ...), "rest": (tuple[str, ...], ...)}
    cls = defined("acme.name", version=3, **three)
    steps[3] = stored_step(cls(first="Ada", rest=("Lovelace",)))

    @upgrade("acme.name", from_version=1)
    def _(body: dict[str, Any]) -> dict[str, Any]:
        first, last = body["name"].split()
        return {"first": first, "last": last}

    @upgrade("acme.name", from_version=2)
    def _(body: dict[str, Any]) -> dict[str, Any]:
        return {"first": body["first"], "rest": [body["last"]]}

    return steps


def test_older_versions_are_upgraded_one_at_a_time() -> None:
    steps = three_versions()
    now = steps[3].body
    for version, step in steps.items():
        data = step.data
        assert step.kind_version == version
        assert step.known
        assert step.body == now
        assert step.data == data  # upgraded when read, never where it is stored
        assert step.verify_body()


def test_an_upgraded_body_is_validated_as_if_it_had_been_read() -> None:
    old = stored_step(defined("acme.strict", a=(str, ...))(a="2026-01-02"))

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        day: date

    defined("acme.strict", version=2, inner=(Strict, ...), more=(tuple[int, ...], ()))

    @upgrade("acme.strict", from_version=1)
    def _(body: dict[str, Any]) -> dict[str, Any]:
        return {"inner": {"day": body["a"]}, "more": [1, 2], "unknown": None}

    body: Any = old.body
    assert body.inner.day == date(2026, 1, 2)
    assert body.more == (1, 2)


def test_a_missing_upgrade_says_so() -> None:
    old = stored_step(defined("acme.gap", a=(int, ...))(a=1))
    defined("acme.gap", version=3, a=(int, ...))
    upgrade("acme.gap", from_version=2)(lambda body: body)
    with pytest.raises(BodyError, match="no upgrade from version 1"):
        _ = old.body
    assert old.known


@pytest.mark.parametrize(
    "function",
    [
        lambda body: {"a": body["absent"]},
        lambda body: {"a": "no number"},
        lambda body: {"a": object()},
        lambda body: {"a": float("nan")},
        lambda body: None,
    ],
)
def test_a_faulty_upgrade_is_a_body_error(function: Callable[[Any], Any]) -> None:
    old = stored_step(defined("acme.faulty", a=(int, ...))(a=1))
    defined("acme.faulty", version=2, a=(int, ...))
    upgrade("acme.faulty", from_version=1)(function)
    with pytest.raises(BodyError, match=r"acme\.faulty"):
        _ = old.body


# --- what is not known ---------------------------------------------------------------------------


@LAW
@given(json_objects, st.sampled_from([Thought, Action, Observation, Note]))
def test_an_unknown_kind_is_opaque_and_lossless(value: dict[str, Any], base: type[Body]) -> None:
    from playhead.tape import _body

    before = dict(_body._kinds)
    written = defined("acme.gone", base=base, value=(dict[str, Any], ...))
    tape = tape_of(written(value=value), says("after"))
    _body._kinds.clear()
    _body._kinds.update(before)

    steps = [Step.load(step.header, step.salt, step.data) for step in tape]
    unknown = steps[1]
    assert not unknown.known
    assert unknown.role == base.role
    assert unknown.body == Opaque(data={"value": value})
    again = Tape.of(steps)
    again.verify(heads=[tape.head_text])
    assert list(again) == list(tape)


def test_a_newer_version_is_opaque() -> None:
    newer = stored_step(defined("acme.newer", version=2, b=(int, ...))(b=1))
    defined("acme.newer", version=1, a=(int, ...))
    assert not newer.known
    assert newer.body == Opaque(data={"b": 1})


def test_a_newer_version_of_a_built_in_kind_is_opaque() -> None:
    step = tape_of(ToolCall(name="t", arguments={}))[1]
    newer = Step.load(
        step.header.replace(b'"kv":1', b'"kv":2'), step.salt, b'{"quite":"different"}'
    )
    assert not newer.known
    assert newer.role == "action"
    assert newer.body == Opaque(data={"quite": "different"})


def test_a_body_that_does_not_fit_its_kind_says_so_but_keeps_the_bytes() -> None:
    step = tape_of(says("a"))[1]
    for data in (b'{"part":[]}', b"[]", b"nonsense", b"", b'{"parts":[{"type":"text"}]}', b"\xff"):
        broken = Step.load(step.header, step.salt, data)
        with pytest.raises(BodyError, match=r"playhead\.user_message"):
            _ = broken.body
        assert broken.data == data


def test_types_beyond_json_come_back_as_they_were() -> None:
    class Rich(Note, kind="acme.rich"):
        moment: datetime
        raw: bytes
        pairs: frozenset[int]
        kind_of_thing: ClassVar[str] = "thing"

    body = Rich(moment=datetime(2026, 1, 2, tzinfo=UTC), raw=b"abc", pairs=frozenset({1, 2}))
    step = stored_step(body)
    assert step.body == body
    assert json.loads(step.data or b"")["raw"] == "abc"


def test_a_header_of_another_format_version_says_what_to_do() -> None:
    step = tape_of(says("a"))[1]
    with pytest.raises(TapeError, match="newer Playhead"):
        Step.load(step.header.replace(b'"v":1', b'"v":2'), step.salt, step.data)


@pytest.mark.parametrize(
    "header", [b"", b"{}", b"[]", b"1", b"\xff", b'{"v":1}', b'{"v":1,"by":[]}', b"null"]
)
def test_a_header_that_is_none_is_a_tape_error(header: bytes) -> None:
    with pytest.raises(TapeError):
        Step.load(header, None, None)


def test_a_draft_is_written_once_under_its_own_id() -> None:
    draft = Draft(says("a"))
    tape = Tape.new()
    first, second = tape.seal([draft])[0], tape.seal([draft])[0]
    assert first.id == second.id == draft.id
    assert first != second  # another salt
