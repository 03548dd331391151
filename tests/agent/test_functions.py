"""Typed functions: signatures, what they are made of, what fits them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import playhead as ph
from playhead.agent import Field, FunctionSpec
from playhead.agent.functions import read_signature
from playhead.errors import AgentError, FunctionError

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name != "reasoning"
)
plain = st.sampled_from(["str", "int", "float", "bool", "object", "any", "'a'", '"b c"'])
types = st.recursive(plain, lambda inner: inner.map("list[{}]".format), max_leaves=3)
unions = st.lists(types, min_size=1, max_size=2, unique=True).map(" | ".join)
fields = st.dictionaries(names, unions, min_size=1, max_size=3)


def written(given: dict[str, str]) -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in given.items())


@given(fields, fields)
def test_a_signature_is_read_as_it_is_written(inputs: dict[str, str], outputs: dict[str, str]):
    read = read_signature(f"{written(inputs)} -> {written(outputs)}")
    assert [{each.name: each.type for each in group} for group in read] == [inputs, outputs]


@given(fields, fields, st.booleans(), st.text(max_size=20))
def test_a_function_is_what_it_says_of_itself(inputs, outputs, reasoning, instruction):
    made = FunctionSpec.of(
        f"{written(inputs)} -> {written(outputs)}", reasoning=reasoning, instruction=instruction
    )
    again = FunctionSpec.of(**made.describe())
    assert again == made
    assert again.describe() == made.describe()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question", "`->` is missing before `its end`"),
        ("-> answer", "a field has a name; there is `->`"),
        ("a -> ", "a field has a name; there is `nothing`"),
        ("a: strr -> b", "there is no type `strr`, only any, bool"),
        ("a: list[str -> b", "`]` is missing"),
        ("a -> b c", "`c` is too much"),
        ("a -> b; import os", "`; import os` cannot be read"),
        ("a: __import__ -> b", "there is no type `__import__`"),
        ("a, a -> b", "names each input, and each output, once"),
    ],
)
def test_a_signature_that_cannot_be_read_says_why(text: str, said: str):
    with pytest.raises(AgentError, match=said.replace("[", r"\[")):
        FunctionSpec.of(text)


def test_what_a_model_is_told():
    made = FunctionSpec.of(
        "question, tone: 'calm' | 'cross', hint: str | none -> answer: int",
        inputs={"question": {"description": "What is asked."}},
        reasoning=True,
    )
    assert made.parameters["required"] == ["question", "tone"]
    assert made.parameters["properties"]["question"] == {
        "type": "string",
        "description": "What is asked.",
    }
    assert made.parameters["properties"]["tone"] == {
        "enum": ["calm", "cross"],
        "type": "string",
    } or ("calm" in str(made.parameters["properties"]["tone"]))
    assert list(made.asked_for["properties"]) == ["reasoning", "answer"]


def test_inputs_and_outputs_are_checked():
    made = FunctionSpec.of("a: int, b: list[str] -> c")
    assert made.given({"a": 1, "b": []}).faults == ()
    faults = made.given({"a": "x", "c": 1}).faults
    assert {fault.field for fault in faults} == {"a", "b", "c"}
    assert made.made({"c": "x"}).value == {"c": "x"}
    assert made.made([]).faults


def test_a_field_may_have_a_schema():
    made = FunctionSpec.of(
        "text -> day", outputs={"day": {"schema": {"type": "string", "format": "date"}}}
    )
    assert made.made({"day": "2026-11-21"}).faults == ()
    assert made.made({"day": "tomorrow"}).told.startswith("`day`")
    with pytest.raises(AgentError, match="no keyword `formt`"):
        FunctionSpec.of("a -> b", outputs={"b": {"schema": {"formt": "date"}}})


class Invoice(BaseModel):
    number: str
    lines: list[str] = []


def test_outputs_may_be_a_pydantic_model():
    made = FunctionSpec.of(inputs={"text": "str"}, outputs=Invoice)
    assert made.made({"number": "7"}).value == {"number": "7", "lines": []}
    assert made.made({"lines": []}).told == "`number` is missing"


def test_demonstrations_have_to_fit():
    good = {"inputs": {"a": "x"}, "outputs": {"b": 1}}
    made = FunctionSpec.of("a -> b: int", demonstrations=[good])
    assert made.describe()["demonstrations"] == [good]
    with pytest.raises(AgentError, match="demonstration 1 of function `function`: outputs: `b`"):
        made.with_(demonstrations=[good, {"inputs": {"a": "x"}, "outputs": {"b": "one"}}])


def test_a_tuner_changes_it_without_touching_it():
    function = ph.llm_function("a -> b", name="f", model=ph.ScriptedModel([]))
    other = function.with_(
        instruction="Better.", demonstrations=[{"inputs": {"a": "1"}, "outputs": {"b": "2"}}]
    )
    assert function.describe()["instruction"] == ""
    assert other.describe()["instruction"] == "Better."
    digests = {f.agent.config_digest for f in (function, other, other.with_(reasoning=True))}
    assert len(digests) == 3
    assert function.with_().agent.config_digest == function.agent.config_digest
    with pytest.raises(AgentError, match="cannot be changed so"):
        function.with_(instructions="x")


def test_contradictions_are_refused():
    with pytest.raises(AgentError, match="has an output `reasoning` and reasons"):
        FunctionSpec.of("a -> reasoning", reasoning=True)
    with pytest.raises(AgentError, match="has no output"):
        FunctionSpec("f", (Field("a"),), ())
    with pytest.raises(AgentError, match="no input `c`"):
        ph.FunctionNode(FunctionSpec.of("a -> b"), inputs={"c": "task"})
    with pytest.raises(AgentError, match=r"not from `os\.environ`"):
        ph.FunctionNode(FunctionSpec.of("a -> b"), inputs={"a": "os.environ"})
    with pytest.raises(FunctionError, match="is no function"):
        ph.LLMFunction.of(ph.Agent("a"))


def test_a_word_that_is_no_choice_is_told_once_with_all_choices():
    sure = ph.llm_function(
        "q -> sure: 'yes' | 'no' | 'maybe'", model=ph.ScriptedModel(['{"sure": "who knows"}'] * 2)
    ).using(store=ph.MemoryStore())
    with pytest.raises(FunctionError) as caught:
        sure.sync(q="?")
    [fault] = caught.value.faults
    assert (fault.field, fault.message) == ("sure", "input should be 'yes', 'no' or 'maybe'")
