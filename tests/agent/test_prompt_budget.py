"""Budgets of tokens: what of a conversation is sent, and what is told about the rest."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import playhead as ph
from playhead.agent._window import newest
from playhead.agent.prompting._budget import GAP, fitted
from playhead.errors import AgentError
from playhead.llm import Prompt
from playhead.tape import Body, Draft, Message, Tape, ToolCallPart, View, system, text_parts
from playhead.tape.kinds import AssistantMessage, Broadcast, ToolCall, ToolResult, UserMessage

ELSEWHERE = 99  # a frame

turns = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 400)),
        st.tuples(st.just("tool"), st.integers(0, 2000)),
        st.tuples(st.just("shout"), st.integers(0, 2000)),
    ),
    max_size=25,
)


def bodies(wanted: list[tuple[str, int]]) -> list[Body | Draft]:
    made: list[Body | Draft] = [UserMessage(parts=text_parts("the task"))]
    for number, (what, size) in enumerate(wanted):
        if what == "say":
            made += [
                AssistantMessage(parts=text_parts("a" * size)),
                UserMessage(parts=text_parts("u")),
            ]
        else:
            name = f"call_{number}"
            heard = Broadcast(agent="other", parts=text_parts("b" * (size // 4)))
            made += [
                ToolCall(call_id=name, name="look", arguments={}),
                *([Draft(heard, frame=ELSEWHERE)] * (what == "shout")),
                ToolResult(call_id=name, name="look", result="r" * size),
            ]
    return made


def view_of(wanted: list[tuple[str, int]]) -> View:
    tape = Tape.new().append(*bodies(wanted))
    return View(tape, tape.fold())


def flat(items: list) -> list[Message]:
    return [m for item in items for m in ([item] if isinstance(item, Message) else item)]


@given(
    turns,
    st.integers(60, 3000),
    st.sampled_from([("results", "oldest"), ("oldest",), ("oldest", "results")]),
)
def test_a_prompt_fits_and_all_that_it_lacks_is_told(wanted, tokens, drop):
    view = view_of(wanted)
    budget = ph.PromptBudget(tokens, drop=drop)
    around = [system("Be brief.")]
    try:
        made = fitted(view, budget, around)
    except AgentError:
        newest = len(view.messages)
        last = list(view.messages[-2:]) if newest > 1 else []
        assert budget.estimate([*around, view.messages[0], GAP, *last]) > tokens - 60
        return
    sent = flat(made.items)
    whole = list(view.messages)
    assert budget.estimate([*around, *sent]) <= tokens
    assert sent[0] == whole[0]
    assert sent[-1].role == whole[-1].role
    if made.note is None:
        assert sent == whole
    else:
        note = made.note
        assert note.tokens == budget.estimate([*around, *sent])
        lost = sum(
            1
            for at in range(len(whole))
            for start, stop in note.dropped
            if start <= view.messages[at : at + 1].start < stop
        )
        assert len(sent) - bool(note.dropped) + lost == len(whole)
        changed = [m for m in sent if m not in whole and m is not GAP]
        assert len(changed) == len(note.shortened)
    due: set[str] = set()
    for message in sent:  # each answer goes with its question
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                due.add(str(part.id))
            elif message.role == "tool":
                due.remove(part.id)
    assert not due
    assert_answers_follow(Prompt.of(*made.items).messages())


def assert_answers_follow(messages: list[Message]) -> None:
    """Each tool's answer comes right after its call, or another answer to it."""
    for before, message in pairwise(messages):
        assert message.role != "tool" or before.role in ("assistant", "tool")


@given(turns, st.integers(1, 30))
def test_no_window_and_nothing_said_to_all_parts_calls_from_answers(wanted, window):
    messages = view_of(wanted).messages
    whole = Prompt.of(messages)
    assert_answers_follow(whole.messages())
    assert sorted(map(repr, whole)) == sorted(map(repr, messages))
    for role in ("assistant", "tool", "user"):
        assert [m for m in whole if m.role == role] == [m for m in messages if m.role == role]
    sent = Prompt.of(newest(messages, window)).messages()
    assert_answers_follow(sent)
    assert sent[0].role != "tool"
    assert len(sent) >= min(window, len(messages))


def test_a_prompt_in_order_stays_one_range():
    quiet = Prompt.of(view_of([("say", 3), ("tool", 3)] * 20).messages)
    assert len(quiet.segments) == 1
    loud = Prompt.of(view_of([("tool", 3)] * 20 + [("shout", 3)] + [("tool", 3)] * 20).messages)
    assert len(loud.segments) == 4  # up to the call, its answer, what was said to all, the rest


def test_results_are_shortened_before_messages_are_left_out():
    view = view_of([("tool", 4000), ("tool", 100), ("tool", 100)])
    note = fitted(view, ph.PromptBudget(300), []).note
    assert note is not None
    assert (note.policy, note.dropped, len(note.shortened)) == (("results",), (), 1)


def test_a_policy_that_does_not_suffice_is_an_error():
    view = view_of([("say", 4000)])
    with pytest.raises(AgentError, match=r"does not fit into 100 tokens.*let it drop more"):
        fitted(view, ph.PromptBudget(100, drop=("results",)), [])


@pytest.mark.parametrize(
    "given", [0, {"tokens": 5, "drop": ["newest"]}, {"tokens": 5, "characters": 0}, {"token": 5}]
)
def test_a_budget_that_is_none_is_refused(given):
    with pytest.raises(AgentError):
        ph.PromptNode("a", budget=given)


def test_a_budget_is_plain_data():
    budget = ph.PromptBudget(50, drop=("oldest",), recent=1)
    assert ph.PromptBudget.of(budget.describe()) == budget
