"""Redaction: nothing of a value stays, nothing brings it back, and a failure keeps nothing."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import found_in, secrets

from playhead.govern import Redactor, Rule, basic_rules

REDACTOR = Redactor()


@pytest.mark.parametrize("seed", range(5))
def test_no_value_survives(seed: int) -> None:
    values = secrets(seed)
    body = {"said": " ; ".join(values.values()), "card": int(values["card"]), values["email"]: 1}
    for kept in (
        REDACTOR.text(body["said"]),  # type: ignore[arg-type]
        REDACTOR.body(json.dumps(body)),
        REDACTOR.body(json.dumps({"inner": json.dumps(body)}).encode()),
        REDACTOR.body("data: " + json.dumps(body)),
    ):
        assert found_in(kept.encode(), values.values()) == set()
        assert "⟦redacted:email⟧" in kept


def test_a_text_that_is_json_is_looked_into() -> None:
    """The result of a tool is JSON in a text, where only the member's name tells the value."""
    inner = '{"password": "lilac-tuesday", "note": "plain"}'
    said = REDACTOR.json({"role": "tool", "content": inner})
    assert "lilac-tuesday" not in json.dumps(said)
    assert "lilac-tuesday" not in REDACTOR.text(f"[{json.dumps(inner)}]")
    assert REDACTOR.text('{"note":  "plain"}') == '{"note":  "plain"}'  # as it was written
    deep = "[" * 100_000
    assert REDACTOR.text(deep) == deep


def test_json_stays_json_and_says_what_was_there() -> None:
    kept = REDACTOR.body('{"a": [1, 2.50, "x"], "password": "p", "n": 4111111111111111}')
    assert kept == '{"a":[1,2.5,"x"],"password":"⟦redacted:secret⟧","n":"⟦redacted:card⟧"}'


def test_headers_that_authorise_go_whatever_they_say() -> None:
    headers = {
        "Authorization": "x",
        "Set-Cookie": "a=b",
        "X-Api-Key": "k",
        "X-Goog-Api-Key": "k",
        "X-Amz-Security-Token": "t",
        "Content-Type": "application/json",
        "From": "ana@example.com",
    }
    kept = REDACTOR.headers(headers)
    assert kept.pop("Content-Type") == "application/json"
    assert kept.pop("From") == "⟦redacted:email⟧"
    assert set(kept.values()) == {"⟦redacted:header⟧"}


def test_the_same_goes_the_same_way() -> None:
    text = "ana@example.com and bob@example.com"
    assert REDACTOR.text(text) == "⟦redacted:email⟧ and ⟦redacted:email⟧"
    assert REDACTOR.text(REDACTOR.text(text)) == REDACTOR.text(text)


def fails(text: str) -> str:
    raise RuntimeError(f"no: {text}")


@pytest.mark.parametrize("body", ["a secret plan", '{"a": "a secret plan"}', b'["a secret plan"]'])
def test_a_redactor_that_fails_keeps_nothing(body: str | bytes) -> None:
    spans = Rule("mine", lambda text: fails(text))  # type: ignore[arg-type, return-value]
    for redactor in (Redactor([], also=fails), Redactor([*basic_rules(), spans])):
        kept = redactor.body(body)
        assert re.fullmatch(r"⟦dropped: the redactor failed with \w+Error⟧", kept)


def test_what_is_no_text_is_dropped() -> None:
    assert REDACTOR.body(b"\xff\xfe\x00secret") == "⟦dropped: 9 bytes that are no text⟧"


def test_your_own_function_comes_after_the_rules() -> None:
    seen: list[str] = []

    def also(text: str) -> str:
        seen.append(text)
        return text.replace("plan", "…")

    redactor = Redactor(also=also)
    assert redactor.json({"a": "plan of ana@example.com"}) == {"a": "… of ⟦redacted:email⟧"}
    assert not any("ana@" in text for text in seen)


@given(st.binary())
def test_any_body_is_kept_or_dropped(body: bytes) -> None:
    assert isinstance(REDACTOR.body(body), str)
