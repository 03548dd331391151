"""What the tape keeps of a model call: the same, whether its members had to be validated or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

import playhead as ph
from playhead.llm import Completion
from playhead.orchestrator import _calls
from playhead.orchestrator._calls import call_note
from playhead.tape import Message, TextPart, ToolCallPart, assistant
from playhead.tape.kinds import Attempt, CachedFrom, ModelCall, Price, PromptRecord, Usage

MODEL = ph.ScriptedModel([])
RECORD = PromptRecord(items=())
PLAIN = Completion(
    message=Message(role="assistant", parts=(ToolCallPart(id="c", name="t", arguments={"a": 1}),)),
    finish_reason="tool_calls",
    usage=Usage(input_tokens=1, output_tokens=2),
    attempts=(Attempt(started="2026-01-01T00:00:00.000000Z", seconds=1.0),),
    seconds=0.25,
    raw="{}",
    price=Price(usd=1.0, as_of="2026-01-01", source="x"),
    cached=CachedFrom(key="k"),
)


def test_the_members_stand_in_the_order_of_the_note() -> None:
    assert list(_calls._CERTAIN) == list(ModelCall.model_fields)


@pytest.mark.parametrize(
    "answer",
    [PLAIN, Completion(message=assistant("hi")), replace(PLAIN, token_ids=[1, 2], logprobs=[0.5])],
    ids=["full", "least", "tokens"],
)
def test_a_note_is_the_same_as_a_validated_one(answer: Completion) -> None:
    note = call_note(MODEL, RECORD, answer)
    checked = ModelCall.model_validate(dict(note.__dict__))
    assert note == checked
    assert list(note.__dict__) == list(ModelCall.model_fields)
    assert note.model_dump_json(exclude_none=True) == checked.model_dump_json(exclude_none=True)
    assert ModelCall.model_validate_json(note.model_dump_json(exclude_none=True)) == note


@pytest.mark.parametrize(
    "wrong",
    [
        {"finish_reason": 5},
        {"usage": {"input_tokens": "many"}},
        {"attempts": ("again",)},
        {"price": "dear"},
        {"token_ids": object()},
        {"cached": "yes"},
        {"model": 5},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_a_model_gives_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        call_note(MODEL, RECORD, replace(PLAIN, **wrong))


def test_what_can_be_read_as_a_member_is() -> None:
    given: Any = {"usage": {"input_tokens": 1, "output_tokens": 2}, "attempts": [*PLAIN.attempts]}
    note = call_note(MODEL, RECORD, replace(PLAIN, **given))
    assert note.usage == PLAIN.usage
    assert note.attempts == PLAIN.attempts
    assert isinstance(note.raw, TextPart)
