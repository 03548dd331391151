"""What the built-in rules find, and what they leave alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import iban, secrets

from playhead.errors import PrivacyError
from playhead.govern import (
    Rule,
    Scanner,
    default_rules,
    national_id_rule,
    number_rules,
    own_rule,
    phone_rule,
)
from playhead.govern._numbers import luhn, mod_97

SCANNER = Scanner(default_rules())


def found(text: str, scanner: Scanner = SCANNER) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for start, end, kind in scanner.find(text)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("email", "Mail <Ana.B+x@sub.example.co.uk>.", "Ana.B+x@sub.example.co.uk"),
        ("email", "an 'ana@example.com', then", "ana@example.com"),
        ("email", "mailto:jürgen@bücher.example", "jürgen@bücher.example"),
        ("email", '{\\"to\\": \\"x\\nana@example.com\\"}', "ana@example.com"),
        ("card", "card 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
        ("card", "5500-0000-0000-0004", "5500-0000-0000-0004"),
        ("card", "amex:378282246310005.", "378282246310005"),
        ("card", "x\\n4111111111111111", "4111111111111111"),
        ("iban", "to DE89 3704 0044 0532 0130 00 BIC X", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432", "GB82WEST12345698765432"),
        ("phone", "call +1 650-253-0000 now", "+1 650-253-0000"),
        ("phone", "tel:+441174960123", "+441174960123"),
        ("ip", "from 10.20.30.40:443", "10.20.30.40"),
        ("ip", "from 2001:db8::8a2e:370:7334 to", "2001:db8::8a2e:370:7334"),
        ("national_id", "SSN 536-90-4399", "536-90-4399"),
        ("national_id", "DNI 12345678Z", "12345678Z"),
        ("national_id", "CF RSSMRA85T10A562S", "RSSMRA85T10A562S"),
        ("national_id", "CPF 390.533.447-05", "390.533.447-05"),
        ("national_id", "PESEL 44051401359", "44051401359"),
        ("national_id", "AHV 756.9217.0769.85", "756.9217.0769.85"),
        ("api_key", "key=sk-ant-api03-a1B2c3D4e5F6g7H8i9J0", "sk-ant-api03-a1B2c3D4e5F6g7H8i9J0"),
        ("api_key", "AKIAIOSFODNN7EXAMPLE,", "AKIAIOSFODNN7EXAMPLE"),
        ("api_key", "ghp_" + "a1" * 18, "ghp_" + "a1" * 18),
        ("jwt", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2ln", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2ln"),
        ("bearer", "Authorization: Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"),
        ("bearer", "authorization: basic QWxhZGRpbjpvcGVuIA==", "QWxhZGRpbjpvcGVuIA=="),
        ("cookie", "Cookie: sid=31d4d96e; theme=dark", "sid=31d4d96e; theme=dark"),
        ("password", "postgres://app:s3cr3t!@db/x", "s3cr3t!"),
        ("secret", 'password = "hunter2!"', "hunter2!"),
        ("secret", '{\\"api_key\\": \\"abc123def\\"}', "abc123def"),
        ("secret", "CLIENT_SECRET=q1w2e3r4", "q1w2e3r4"),
    ],
)  # fmt: skip
def test_a_value_is_found_whole(kind: str, text: str, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111 1111 1111 1112 is late.",  # a wrong check digit
        "DE88 3704 0044 0532 0130 00",
        "at 10:41:56, on 2024-05-20T10:41:56Z, version 1.2.3, flight HAT136",
        "std::vector<a::b> x; localhost 127.0.0.1 and ::1",
        "see @ana, price 12@3.50, x@y, a@b.c1",
        "a risk-management-and-other-such-things task-force-of-2024-and-beyond",
        "password: string, token: str, secret = None, max_tokens=4096",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "a basic understanding of bearer tokens; cookies are good",
        "id 0191f0a3b4c57d8e9f00112233445566, reservation 4WQ150, user mia_li_3668",
        "The bearer of bad news came at 1234567 o'clock.",
    ],
)
def test_what_is_no_value_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("seed", range(20))
def test_every_planted_kind_is_found_under_its_name(seed: int) -> None:
    for kind, value in secrets(seed).items():
        assert (kind, value) in found(f"({value})"), (kind, value)


def test_a_private_key_that_is_cut_off_is_found_to_the_end() -> None:
    value = secrets(1)["private_key"]
    cut = value[:100]
    assert found(f"key {cut}") == [("private_key", cut)]
    escaped = value.replace("\n", "\\n")
    assert found(f'{{"key": "{escaped}"}}') == [("private_key", escaped)]


def test_values_that_overlap_are_one_value() -> None:
    rules = [Rule("a", lambda text: [(0, 6)]), Rule("b", lambda text: [(4, 9)])]
    assert found("0123456789", Scanner(rules)) == [("a", "012345678")]
    assert found("0123456789", Scanner(rules[::-1])) == [("b", "012345678")]


digits = st.text("0123456789", min_size=1)


@st.composite
def cards(draw: st.DrawFn) -> str:
    prefix = draw(st.sampled_from(["4", "51", "55", "2221", "34", "37", "6011", "3530"]))
    length = 15 if prefix in ("34", "37") else 16
    missing = length - 1 - len(prefix)
    body = prefix + draw(st.text("0123456789", min_size=missing, max_size=missing))
    return next(body + check for check in "0123456789" if luhn(body + check))


def changed(number: str, at: int, by: int) -> str:
    at %= len(number)
    while not number[at].isdigit():
        at = (at + 1) % len(number)
    return number[:at] + str((int(number[at]) + 1 + by % 9) % 10) + number[at + 1 :]


@given(cards(), st.sampled_from(["", " ", "-"]))
def test_a_card_is_found_however_it_is_grouped(number: str, separator: str) -> None:
    said = separator.join(number[at : at + 4] for at in range(0, len(number), 4))
    assert found(f"<{said}>", Scanner(number_rules())) == [("card", said)]


@given(cards(), st.integers(0, 15), st.integers(0, 8))
def test_a_card_with_a_changed_digit_is_none(number: str, at: int, by: int) -> None:
    wrong = changed(number, at, by)
    assert not luhn(wrong)
    assert ("card", wrong) not in found(f"<{wrong}>", Scanner(number_rules()))


@given(st.integers(0, 10**9), st.integers(0, 21), st.integers(0, 8))
def test_an_iban_with_a_changed_digit_is_none(seed: int, at: int, by: int) -> None:
    number = iban(random.Random(seed))
    assert found(number, Scanner(number_rules())) == [("iban", number)]
    wrong = changed(number, at, by)
    assert not mod_97(wrong)
    assert ("iban", wrong) not in found(wrong, Scanner(number_rules()))


# But for Brazil's, whose check digit 0 stands for two remainders.
NATIONAL = {
    "de": "36574261809",
    "es": "12345678Z",
    "fi": "131052-308T",
    "fr": "295109912611193",
    "nl": "1112.22.333",
    "pl": "44051401359",
    "in": "2341 2341 2346",
    "ca": "130 692 544",
    "ch": "756.9217.0769.85",
    "se": "880320-0016",
    "it": "RSSMRA85T10A562S",
    "be": "93.05.18-223.61",
}


@pytest.mark.parametrize("country", NATIONAL)
def test_national_ids_with_a_changed_digit_are_none(country: str) -> None:
    scanner = Scanner([national_id_rule(country)])
    number = NATIONAL[country]
    assert found(f"id {number}.", scanner) == [("national_id", number)]
    for at, digit in enumerate(number):
        if digit.isdigit():
            for by in range(9):
                wrong = changed(number, at, by)
                assert found(f"id {wrong}.", scanner) == [], wrong


def test_national_telephone_numbers_need_their_region() -> None:
    text = "Call (650) 253-0000."
    assert found(text) == []
    assert found(text, Scanner([phone_rule(regions=("US",))])) == [("phone", "(650) 253-0000")]


def test_names_of_members_say_what_is_secret() -> None:
    assert SCANNER.field("db_password") == "secret"
    assert SCANNER.field("X-Api-Key") == "secret"
    assert SCANNER.field("Set-Cookie") == "secret"
    assert SCANNER.field("name") is None
    assert SCANNER.field("max_tokens") is None
    assert SCANNER.field("token", "a1b2c3d4e5") == "secret"
    assert SCANNER.field("token", " understanding") is None, "as in logprobs"


def test_own_patterns_are_matched_by_re2() -> None:
    scanner = Scanner([own_rule("order", r"\bORD-(\d{6})\b")])
    assert found("see ORD-123456", scanner) == [("order", "123456")]
    evil = own_rule("evil", r"(a|aa)+$")  # exponential where patterns are tried one after another
    assert found("a" * 50_000 + "b", Scanner([evil])) == []


@pytest.mark.parametrize("pattern", ["(", r"(?=a)b", "a*", ""])
def test_a_pattern_that_re2_cannot_serve_is_refused(pattern: str) -> None:
    with pytest.raises(PrivacyError, match="pattern of `x`"):
        own_rule("x", pattern)


def test_a_rule_that_raises_stops_everything_and_tells_nothing() -> None:
    def spans(text: str) -> list[tuple[int, int]]:
        raise ValueError(text)

    with pytest.raises(PrivacyError, match="raised ValueError") as caught:
        Scanner([Rule("mine", spans)]).find("a secret text")
    assert "secret text" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", ["", "Mine", "a:b", "x" * 25, "a⟧"])
def test_a_kind_that_placeholders_cannot_name_is_refused(kind: str) -> None:
    with pytest.raises(PrivacyError, match="no kind"):
        Rule(kind, lambda text: [])


HOSTILE = ["a", "1", "1 ", "@", "a@", "a.", ":", "-", "=", " ", "eyJ", "sk-", "+1", "Bearer ",
           "-----BEGIN PRIVATE KEY-----", "://", "a:", "cookie:", "password=", '\\"', "4111 ",
           "DE89", "⟦", "⟦email:", "1.", "::", '"password":"']  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_makes_the_search_hang(piece: str) -> None:
    SCANNER.find(piece * (200_000 // len(piece)))


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    last = 0
    for start, end, _ in SCANNER.find(text):
        assert last <= start < end <= len(text)
        last = end
