"""Presidio's rules: real analyzers, and a real model that was trained here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from names_model import FIRST, LAST, pipeline
from planted import found_in
from presidio_analyzer import (
    AnalyzerEngine,
    LocalRecognizer,
    Pattern,
    PatternRecognizer,
    pattern_recognizer,
)
from presidio_analyzer.nlp_engine import NoOpNlpEngine

import playhead as ph
from playhead.errors import MissingExtraError, PrivacyError
from playhead.govern import (
    Guard,
    MemoryVault,
    Redactor,
    Rule,
    Scanner,
    SqliteVault,
    default_rules,
    new_key,
    presidio_rules,
)
from playhead.tape import ToolCallPart

NEW = [("Harper", "Sanchez"), ("Evelyn", "Anderson"), ("Mason", "Thomas"), ("Ethan", "Jackson")]
SAID = (
    "Good evening, my name is {} and I lost my bag.",
    "I spoke with {} yesterday about the refund.",
    "Please ask {} whether the seats are together.",
    "The reservation was booked by {} in May.",
    "Dear {}, the train was late.",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(pipeline(tmp_path_factory.mktemp("pipeline")))


@pytest.fixture(scope="module")
def guard(model: str) -> Guard:
    return Guard(MemoryVault(), rules=presidio_rules(model=model))


def found(text: str, rules: list[Rule]) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for start, end, kind in Scanner(rules).find(text)]


def analyzer(*recognizers: Any) -> AnalyzerEngine:
    """An engine without a model that finds these things as well."""
    engine = AnalyzerEngine(nlp_engine=NoOpNlpEngine([{"lang_code": "en", "model_name": ""}]))
    for recognizer in recognizers:
        engine.registry.add_recognizer(recognizer)
    return engine


def codes(*words: str) -> AnalyzerEngine:
    return analyzer(PatternRecognizer(supported_entity="CODE", deny_list=list(words)))


def test_names_that_the_model_never_saw_are_found(model: str) -> None:
    rules = presidio_rules(model=model)
    hits = 0
    for first, last in NEW:
        assert first not in FIRST
        assert last not in LAST
        for line in SAID:
            hits += ("name", f"{first} {last}") in found(line.format(f"{first} {last}"), rules)
    assert hits >= 0.8 * len(NEW) * len(SAID)
    assert found("The flight to New York leaves on Monday.", rules) == []


def test_they_stand_beside_the_built_in_rules(model: str) -> None:
    rules = [*default_rules(), *presidio_rules(model=model)]
    text = "Please ask Harper Sanchez about it, at harper@example.com or +1 650-253-0000."
    assert found(text, rules) == [
        ("name", "Harper Sanchez"),
        ("email", "harper@example.com"),
        ("phone", "+1 650-253-0000"),
    ]


def test_where_both_find_something_the_earlier_rule_names_it_and_nothing_stays_behind() -> None:
    text = "card 4111 1111 1111 1111 of C-12"
    own = codes("1111 of C-12")
    rules = [*default_rules(), *presidio_rules(own, entities=["CODE"])]
    assert found(text, rules) == [("card", "4111 1111 1111 1111 of C-12")]


def test_equal_values_have_one_kind_whoever_finds_them() -> None:
    rules = presidio_rules(model=None, entities=["CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS"])
    text = "4111111111111111 DE89370400440532013000 10.20.30.40"
    assert found(text, rules) == found(text, default_rules())


def test_a_text_is_looked_at_once_for_all_entities() -> None:
    class Counting(AnalyzerEngine):
        asked = 0

        def analyze(self, *args: Any, **kwargs: Any) -> Any:
            type(self).asked += 1
            return super().analyze(*args, **kwargs)

    engine = Counting(nlp_engine=NoOpNlpEngine([{"lang_code": "en", "model_name": ""}]))
    rules = presidio_rules(engine, entities={"US_SSN": "ssn", "UUID": "id", "CRYPTO": "id"})
    text = "536-90-4399, 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    assert [rule.kind for rule in rules] == ["ssn", "id"]
    assert [kind for kind, _ in found(text, rules)] == ["ssn", "id"]
    assert Counting.asked == 1
    assert found(" ⟦ ; … ", rules) == []
    assert Counting.asked == 1  # nothing to look at


def test_what_is_less_certain_than_asked_for_is_left_alone() -> None:
    for score, expected in ((0.5, []), (0.05, [("us_passport", "912803456")])):
        rules = presidio_rules(model=None, entities=["US_PASSPORT"], score=score)
        assert found("passport 912803456", rules) == expected


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"model": None}, "names of people need a `model`"),
        ({"model": None, "entities": "CREDIT"}, "the analyzer finds no `CREDIT` in `en`"),
        ({"model": None, "entities": []}, "name what to look for"),
        ({"model": None, "entities": {"UUID": "An id"}}, "`An id` is no kind of value"),
    ],
)
def test_what_would_find_nothing_is_refused(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(PrivacyError, match=why):
        presidio_rules(**asked)


def test_making_an_analyzer_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    code = "from playhead.govern import presidio_rules as p; p(model=None, entities=['UUID'])"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr() == ("", "")


def test_a_language_without_an_engine_is_refused() -> None:
    with pytest.raises(PrivacyError, match="does not know the language `xx`"):
        presidio_rules(analyzer(), entities=["UUID"], language="xx")


def test_a_model_that_is_not_there_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy.cli, "download", lambda *_: pytest.fail("it was downloaded"))
    with pytest.raises(MissingExtraError, match="python -m spacy download en_no_such_model"):
        presidio_rules(model="en_no_such_model")


def test_a_pipeline_that_finds_no_entities_is_refused(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(PrivacyError, match="finds no entities"):
        presidio_rules(model=str(tmp_path / "blank"))


class Failing(LocalRecognizer):
    """Raises at every text, and says it in the error."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"], name="failing")

    def load(self) -> None:
        pass

    def analyze(self, text: str, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(text)


def hanging() -> AnalyzerEngine:
    """Has a pattern that takes for ever, which Presidio leaves out after its time-out."""
    pattern = Pattern("slow", r"(?:\w|\w\w|[a-z])+\?", 1.0)
    return analyzer(PatternRecognizer(supported_entity="PERSON", patterns=[pattern]))


@pytest.mark.parametrize("made", [lambda: analyzer(Failing()), hanging])
def test_an_analyzer_that_fails_keeps_nothing(
    made: Callable[[], AnalyzerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_recognizer, "REGEX_TIMEOUT_SECONDS", 0.05)
    rules = presidio_rules(made())
    body = "HarperSanchez" * 30 + " ?"
    assert Redactor(rules).body(body) == "⟦dropped: the redactor failed with PrivacyError⟧"
    guard = Guard(MemoryVault(), rules=rules)
    store = ph.MemoryStore()
    agent = ph.Agent("a", model=ph.ScriptedModel(["Hello."]))
    with pytest.raises(PrivacyError, match="the rule for `name` raised") as caught:
        ph.run_sync(agent, body, store=store, privacy=guard)
    assert "Harper" not in f"{caught.value!r} {caught.value.__cause__} {caught.value.__context__}"


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 60_000), st.integers(0, 60_000), st.sampled_from([" ", "\n", "-", "é"]))
def test_no_value_falls_between_two_windows(first: int, second: int, filling: str) -> None:
    text = " xyz-QK77 ".join(filling * many for many in (first, second, 5))
    rules = presidio_rules(codes("xyz-QK77"), entities=["CODE"])
    assert found(text, rules) == [("code", "xyz-QK77")] * 2


@settings(deadline=None, max_examples=100)
@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_comes_back_as_it_was(guard: Guard, text: str) -> None:
    assert guard.resolve(guard.tokenise(text)) == text


@pytest.mark.parametrize(
    "text", ["\ud800 Please ask Harper Sanchez about it.", "𝒜𝒜 Please ask Harper Sanchez about it."]
)
def test_odd_characters_do_not_move_what_is_found(model: str, text: str) -> None:
    assert "Harper Sanchez" in [value for _, value in found(text, presidio_rules(model=model))]


def test_a_name_reaches_the_tool_and_not_the_disk(tmp_path: Path, model: str) -> None:
    asked: list[str] = []

    @ph.tool(effect="read")
    def orders(customer: str) -> str:
        """Orders of a customer."""
        asked.append(customer)
        return f"{customer} has two orders."

    def script(request: Any) -> Any:
        said = request.prompt.messages()[-1]
        if said.role == "tool":
            return "Done."
        name = said.text.removeprefix("Please ask ").removesuffix(" about it.")
        return ph.assistant((ToolCallPart(id="1", name="orders", arguments={"customer": name}),))

    vault = SqliteVault(tmp_path / "vault.db", key=new_key())
    guard = Guard(vault, rules=presidio_rules(model=model))
    agent = ph.Agent("a", model=ph.ScriptedModel(script), tools=[orders])
    store = ph.SqliteStore(tmp_path / "tapes.db")
    tape = ph.run_sync(agent, "Please ask Harper Sanchez about it.", store=store, privacy=guard)
    assert asked == ["Harper Sanchez"]
    [result] = [step for step in tape if step.kind == "playhead.tool_result"]
    assert "⟦name:" in str(result.body)
    files = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert found_in(files, ["Harper Sanchez", "Harper", "Sanchez"]) == set()
    vault.close()
