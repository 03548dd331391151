"""Canonical bytes: the vectors of RFC 8785, and what has no canonical form."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tape_strategies import LAW, json_values

from playhead.errors import JsonError
from playhead.tape import canonical, digest, loads_strict

# RFC 8785, section 3.2.2 (input), 3.2.4 (bytes)
SAMPLE = r"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
SAMPLE_BYTES = bytes.fromhex(
    """
    7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e
    75 6d 62 65 72 73 22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30
    2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24
    5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d
    """
)
# Section 3.2.3
SORTING = r"""{
  "\u20ac": "Euro Sign",
  "\r": "Carriage Return",
  "\ufb33": "Hebrew Letter Dalet With Dagesh",
  "1": "One",
  "\ud83d\ude00": "Emoji: Grinning Face",
  "\u0080": "Control",
  "\u00f6": "Latin Small Letter O With Diaeresis"
}"""
SORTED = [
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
]
# Appendix B
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


def number(bits: str) -> float:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    return float(value)


def test_the_sample_of_the_rfc() -> None:
    assert canonical(json.loads(SAMPLE)) == SAMPLE_BYTES


def test_members_are_sorted_by_utf_16_code_units() -> None:
    assert list(json.loads(canonical(json.loads(SORTING))).values()) == SORTED


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_the_numbers_of_the_rfc(bits: str, text: str) -> None:
    assert canonical(number(bits)).decode() == text


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_the_numbers_that_the_rfc_refuses(bits: str) -> None:
    with pytest.raises(JsonError, match="no canonical form"):
        canonical({"a": [number(bits)]})


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "document",
    [
        2**53, -(2**53), 2**64, "\ud800", {"\udfff": 1}, {"a": ["\ud83d"]}, {1: 2}, {None: 1},
        b"bytes", {1, 2}, object(), 1j, nested(129), nested(900), nested(10**5),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_refused(document: Any) -> None:
    with pytest.raises(JsonError, match="no canonical form"):
        canonical(document)
    with pytest.raises(JsonError):
        digest(document)


@pytest.mark.parametrize(
    ("document", "data"),
    [
        (2**53 - 1, b"9007199254740991"),
        (-(2**53) + 1, b"-9007199254740991"),
        (True, b"true"),
        (1.0, b"1"),
        ((1, "a"), b'[1,"a"]'),
        ({"b": {}, "a": []}, b'{"a":[],"b":{}}'),
        ("\x7f\u2028</\u00e9", '"\x7f\u2028</\u00e9"'.encode()),
        (nested(128), b"[" * 128 + b"1" + b"]" * 128),
    ],
    ids=str,
)
def test_accepted(document: Any, data: bytes) -> None:
    assert canonical(document) == data


def test_a_digest_is_tagged() -> None:
    document = {"b": 1, "a": "é"}
    expected = hashlib.sha256('{"a":"é","b":1}'.encode()).hexdigest()
    assert digest(document) == f"sha256:{expected}"


safe_integers = st.integers(-(2**53) + 1, 2**53 - 1)


def is_safe(value: Any) -> bool:
    """No number that is written as an integer which reads back as one beyond the limit."""
    if isinstance(value, int | float):
        return abs(value) < 2**53 or (isinstance(value, float) and abs(value) >= 1e21)
    if isinstance(value, dict | list):
        return all(map(is_safe, value.values() if isinstance(value, dict) else value))
    return True


@LAW
@given(json_values.filter(is_safe) | st.dictionaries(st.text(), safe_integers), st.randoms())
def test_two_parties_compute_the_same(document: Any, random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = [(name, shuffled(member)) for name, member in value.items()]
            random.shuffle(items)
            return dict(items)
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    data = canonical(document)
    assert canonical(shuffled(document)) == data
    assert canonical(loads_strict(data)) == data
    assert json.loads(data) == document
