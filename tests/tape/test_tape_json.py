"""JSON as docs/format.md, section 1, demands it: what is refused, when read and when written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from tape_helpers import agent, says, tape_of
from tape_strategies import LAW, json_values

from playhead.errors import BodyError, JsonError, TapeError
from playhead.tape import By, Draft, Json, Step, Tape, compact, loads_strict, result_text
from playhead.tape._json import _slowly, check_depth, member_text
from playhead.tape.kinds import ModelCall, PromptRecord, Reflection, Snapshot


def nested(levels: int, *, objects: bool = False) -> Json:
    value: Json = 1
    for _ in range(levels):
        value = {"a": value} if objects else [value]
    return value


@LAW
@given(json_values)
def test_what_is_written_is_read_back(value: Json) -> None:
    text = compact(value)
    assert loads_strict(text) == loads_strict(text.encode()) == value
    assert compact(loads_strict(text)) == text
    assert loads_strict(json.dumps(value, indent=1)) == value  # white space and escapes are fine


REFUSED: dict[str, bytes] = {
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"-Infinity",
    "nan": b"nan",
    "lone surrogate, high": b'"\\ud83d"',
    "lone surrogate, low": b'"\\ude00\\ud83d"',
    "lone surrogate in a name": b'{"\\uD83D":1}',
    "lone surrogate inside": b'[[{"a":["\\ud83dx"]}]]',
    "lone surrogate as bytes": b'"\xed\xa0\xbd"',
    "duplicate name": b'{"a":1,"b":2,"a":1}',
    "duplicate name, escaped": b'{"a":1,"\\u0061":2}',
    "duplicate name inside": b'[{"x":{"a":1,"a":1}}]',
    "invalid UTF-8": b'"\xff"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf1",
    "129 levels": b"[" * 129 + b"]" * 129,
    "129 levels, mixed": b'{"a":[' * 64 + b'{"a":1}' + b"]}" * 64,
    "129 levels after a string": b'["' + b'\\"]]]' * 99 + b'",' + b"[" * 128 + b"]" * 129,
    "a million levels": b"[" * 10**6 + b"]" * 10**6,
    "a million levels, open": b'{"a":' * 10**6,
    "4001 digits": b"1" * 4001,
    "-4001 digits": b"-" + b"1" * 4001,
    "a number beyond floats": b"[1e400]",
    "a negative number beyond floats": b"-1e309",
    "nothing": b"",
    "white space": b" \n",
    "two values": b"1 2",
    "a comma": b"[1,]",
    "single quotes": b"{'a':1}",
    "a comment": b"[1] // one",
    "a control character": b'"\n"',
    "a leading zero": b"01",
    "a plus": b"+1",
    "half a fraction": b"1.",
    "an open string": b'"abc',
    "an open array": b"[1",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: bytes) -> None:
    with pytest.raises(JsonError) as caught:
        loads_strict(text)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("text", ["\ud83d", '"\ud83d"', '"\ud83d\ude00"', '{"\udc00":1}'])
def test_text_with_surrogates_is_refused_too(text: str) -> None:
    with pytest.raises(JsonError, match="UTF-8"):
        loads_strict(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud83d"', "\\ud83d"),
        (b'"NaN"', "NaN"),
        (b" [ 1 ,\t2 ]\r\n", [1, 2]),
        (b"9" * 4000, int("9" * 4000)),
        (b"-" + b"9" * 4000, -int("9" * 4000)),
        (b"-0.0", -0.0),
        (b"1e308", 1e308),
        (b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        (b"[" * 128 + b"]" * 128, None),
        (b"[[]," + b"[" * 127 + b"]" * 127 + b"]", None),
        (b'["' + b"[{" * 500 + b'\\"[["]', ["[{" * 500 + '"[[']),
        (b"[" + b"[]," * 999 + b"{}]", [[] for _ in range(999)] + [{}]),
    ],
)
def test_accepted(text: bytes, value: Json) -> None:
    read = loads_strict(text)
    if value is not None:
        assert read == value


numbers = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    st.sampled_from(["0", "1", "7" * 199, "9" * 200, "3" * 309, "8" * 4000, "8" * 4001]),
    st.sampled_from(["", ".0", ".125", "." + "9" * 400]),
    st.sampled_from(["", "e", "E", "e+", "E-"]),
    st.sampled_from(["", "0", "7", "99", "109", "308", "309", "5000"]),
)
pieces = ["{", "}", "[", "]", '"', ",", ":", "\\", " ", "\n", '"a":1,', "NaN", "\\ud800", "\x00"]


@LAW
@given(
    st.one_of(numbers, st.builds(json.dumps, json_values)),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(pieces) | numbers), max_size=3),
)
@example("1" * 250 + "e99", [])
@example("[" * 127 + '{"a":[]}' + "]" * 127, [])
def test_what_is_parsed_quickly_is_what_is_parsed_slowly(
    text: str, put: list[tuple[float, str]]
) -> None:
    for place, piece in put:
        at = int(place * len(text))
        text = text[:at] + piece + text[at:]

    def read(parse: Callable[[bytes], Json]) -> str:
        try:
            check_depth(text.encode())
            return repr(parse(text.encode()))
        except JsonError as error:
            return error.message

    assert read(loads_strict) == read(_slowly)


def test_hostile_text_takes_no_time() -> None:
    """Each of these took minutes with a search that goes back, or a count for each name."""
    for text in (
        b'"' + b'\\"' * 400_000 + b"[" * 200,
        b"[" * 129 + b'"a' * 400_000,
        b"{" + b",".join(b'"%d":1' % i for i in range(100_000)) + b',"99999":1}',
        b'["' + b"\\\\" * 4_000_000 + b'"' + b",[]" * 200 + b"x",
    ):
        with pytest.raises(JsonError):
            loads_strict(text)


SCRAPS = [
    *'[]{}",:0123456789eE+-.\\ /', '"a"', '"b":', "null", "true", "false", "NaN", "Infinity",
    "\\u0061", "\\ud83d", "\\ude00", "\\n", "[[", "]]", "é", "\ufeff", "{}", '""',
]  # fmt: skip


@LAW
@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join))
@example('{"a":1,"a":2}')
@example('["\\ud83d\\ude00","\\ude00"]')
def test_the_standalone_verifier_refuses_the_same(text: str) -> None:
    import verify_tape

    try:
        verify_tape.parse(text)
    except ValueError:
        refused = True
    else:
        refused = False
    try:
        loads_strict(text)
    except JsonError as error:  # the verifier does not hold the numbers, so none is too big for it
        assert refused or "too long" in error.message or "beyond" in error.message  # noqa: PT017
    else:
        assert not refused


@LAW
@given(st.dictionaries(st.text(max_size=3), json_values, max_size=4), st.integers(0, 2))
def test_the_text_of_a_member_is_taken_as_it_stands(members: dict[str, Json], indent: int) -> None:
    for ensure_ascii in (True, False):
        text = json.dumps(members, indent=indent or None, ensure_ascii=ensure_ascii)
        for name, value in members.items():
            taken = member_text(text.encode(), name)
            assert taken is not None
            assert taken in text
            assert taken == taken.strip()
            assert loads_strict(taken) == value
        assert member_text(text.encode(), "absent") is None


def test_a_member_is_not_taken_from_inside_another() -> None:
    data = b'{ "a" : {"result":1}, "\\u0072esult" :[1.50,  1e-7 ] , "b":"\\"result\\":3"}'
    assert member_text(data, "result") == "[1.50,  1e-7 ]"
    assert member_text(b"{}", "result") is None


# --- writing -------------------------------------------------------------------------------------


def refused(body: Any) -> str:
    """Why a body cannot be written; the tape must not have changed."""
    tape = Tape.new()
    with pytest.raises(BodyError) as caught:
        tape.append(says("before"), body)
    assert len(tape.append(says("after"))) == 2
    return caught.value.message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_constants_are_written(value: float) -> None:
    for body in (
        Snapshot(state=value),
        Snapshot(state={"a": [1, value, "NaN"]}),
        ModelCall(
            model="m", provider="p", prompt=PromptRecord(items=()), status="failed", seconds=value
        ),
    ):
        assert "is not JSON" in refused(body)


def test_text_that_looks_like_a_constant_is_written() -> None:
    for text in ("NaN", "-Infinity", '"NaN"', "1" * 9000, "[" * 9000):
        (_, step) = tape_of(Reflection(text=text))
        assert Step.load(step.header, step.salt, step.data).body == Reflection(text=text)


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb", "\ud83d\ude00"])
def test_no_lone_surrogates_are_written(half: str) -> None:
    for body in (Reflection(text=half), Snapshot(state=[half]), Snapshot(state={half: 1})):
        assert "surrogates" in refused(body)


@pytest.mark.parametrize("objects", [True, False])
def test_128_levels_are_written_and_not_one_more(objects: bool) -> None:
    body = Snapshot(state=nested(127, objects=objects))  # the body is a level itself
    (_, step) = tape_of(body)
    assert Step.load(step.header, step.salt, step.data).body == body
    assert "128 levels" in refused(Snapshot(state=nested(128, objects=objects)))
    assert "128 levels" in refused(Snapshot(state=nested(200, objects=objects)))


def test_a_million_levels_are_refused_without_a_crash() -> None:
    deep = nested(10**6)
    with pytest.raises(ValidationError):
        Snapshot(state=deep)
    refused(Snapshot.model_construct(state=deep))
    with pytest.raises(JsonError):
        compact(deep)
    while isinstance(deep, list):  # let it go level by level
        deep = deep[0]


def test_an_integer_is_written_in_digits_if_it_can_be_read_again() -> None:
    for value in (2**64, -(2**64), 2**1000, 10**3999, -(10**4000 - 1)):
        (_, step) = tape_of(Snapshot(state=value))
        assert step.data == b'{"state":%s}' % str(value).encode()
        assert Step.load(step.header, step.salt, step.data).body == Snapshot(state=value)
    for value in (10**4000, -(10**4200), 10**4500):
        assert "too long" in refused(Snapshot(state=[value])) or value > 10**4300


def test_what_is_no_json_is_not_written() -> None:
    for value in (object(), {"a": [object()]}):
        refused(Snapshot.model_construct(state=value))


@pytest.mark.parametrize(
    "draft",
    [
        Draft(says("a"), by=By("tool", "\ud800")),
        Draft(says("a"), by=agent("main", call="\udfff")),
        Draft(says("a"), frame=2**64),
        Draft(says("a"), by=By("tool", "x" * 17_000)),
        Draft(says("a"), re=tuple("a" * 32 for _ in range(500))),
    ],
)
def test_a_header_that_cannot_be_written_is_refused(draft: Draft) -> None:
    tape = Tape.new()
    with pytest.raises(TapeError):
        tape.append(draft)
    assert len(tape.append(says("after"))) == 2


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], object(), {"a": {1}}, {(1,): 1}])
def test_compact_writes_json_only(value: Any) -> None:
    with pytest.raises(JsonError):
        compact(value)


def test_the_text_of_a_result() -> None:
    assert result_text("as it is") == "as it is"
    assert result_text({"é": [None, True, 1.5]}) == '{"é":[null,true,1.5]}'
    assert result_text(None) == "null"


# --- reading bodies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b'\xef\xbb\xbf{"state":1}',
        b'{"state":"\xff"}',
        b'{"state":"\\ud800"}',
        b'{"state":"\xed\xa0\x80"}',
        b'{"state":' + b"9" * 5000 + b"}",
        b'{"state":' + b"[" * 10**6 + b"]" * 10**6 + b"}",
        b'{"state":1}{}',
        b"{'state':1}",
    ],
    ids=["BOM", "UTF-8", "surrogate", "surrogate bytes", "digits", "depth", "two", "quotes"],
)
def test_a_stored_body_that_cannot_be_read_is_a_body_error(data: bytes) -> None:
    (_, known) = tape_of(Snapshot(state=1))
    for header in (
        known.header,
        known.header.replace(b"playhead.snapshot", b"acme.not_known_here"),
    ):
        with pytest.raises(BodyError):
            _ = Step.load(header, b"", data).body
