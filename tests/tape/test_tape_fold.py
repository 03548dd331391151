"""The state of a tape is the same however it was folded, and tells what the tape waits for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tape_helpers import (
    CONFIG,
    DictLoader,
    agent,
    erased,
    model_call,
    reread,
    says,
    stored,
    tape_of,
)
from tape_sessions import UNKNOWN, sessions
from tape_strategies import LAW

from playhead.errors import BodyError, TapeError
from playhead.tape import By, Draft, Fold, Frame, Log, Step, Tape, View, assistant, text_parts
from playhead.tape import kinds as k
from playhead.tape.kinds import (
    AssistantMessage,
    Decision,
    DecisionRequest,
    ModelCall,
    Pause,
    PromptRecord,
    Run,
    Stop,
    ToolCall,
    ToolError,
    ToolResult,
)


def state(fold: Fold) -> dict[str, Any]:
    """All that a fold says, but for caches."""
    return {
        "length": fold.length,
        "frames": [asdict(frame) for frame in fold.frames.values()],
        "top": fold.frame.id,
        "open": [asdict(action) for action in fold.open.values()],
        "totals": asdict(fold.totals),
        "scalars": (fold.config, fold.stopped, fold.paused, fold.unparsed, fold.ran),
        "literals": fold.literals,
        "status": fold.status,
        "histories": set(fold.histories),
    }


def folded(steps: Any, fold: Fold | None = None) -> Fold:
    fold = fold or Fold()
    for step in steps:
        fold.advance(step)
    return fold


@LAW
@given(sessions())
def test_folding_step_by_step_or_at_once_is_the_same(tape: Tape) -> None:
    at_once = state(reread(tape).fold())
    growing = tape.at(1)
    for length in range(1, len(tape) + 1):
        growing = Tape.of(tape[:length])
        assert growing.fold().length == length
    in_between = reread(tape)
    for length in range(1, len(tape) + 1):
        assert state(in_between.at(length).fold()) == state(folded(tape[:length]))
    assert state(growing.fold()) == state(in_between.fold()) == at_once


@LAW
@given(sessions(), st.data())
def test_a_checkpoint_restores_the_state_at_any_point(tape: Tape, data: st.DataObject) -> None:
    full = folded(tape)
    at = data.draw(st.integers(0, len(tape)))
    saved = folded(tape[:at]).checkpoint()
    restored = Fold.restore(saved)
    assert restored is not None
    assert state(restored) == state(folded(tape[:at]))
    assert restored.checkpoint() == saved
    assert state(folded(tape[at:], restored)) == state(full)


@LAW
@given(sessions(), st.data())
def test_a_fork_starts_from_the_state_it_shares(tape: Tape, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(tape)))
    before = state(tape.at(at).fold())
    child = state(tape.fork(at).fold())
    assert child | {"length": at} == before
    assert child["length"] == at + 1


@LAW
@given(sessions())
def test_reading_an_old_value_disturbs_nothing(tape: Tape) -> None:
    now = state(tape.fold())
    for length in range(1, len(tape) + 1):
        assert tape.at(length).fold().length == length
    assert state(tape.fold()) == now
    assert state(tape.append(says("more")).fold())["length"] == len(tape) + 1


def test_a_checkpoint_that_cannot_be_used_is_none() -> None:
    good = folded(tape_of(says("a"))).checkpoint()
    assert Fold.restore(good) is not None
    for bad in (
        b"",
        b"{}",
        b"[]",
        b"null",
        good[:-5],
        good.replace(b'"version":1', b'"version":0'),
    ):
        assert Fold.restore(bad) is None
    for name in ("frames", "open", "totals", "scalars", "literals", "length"):
        assert Fold.restore(good.replace(f'"{name}"'.encode(), b'"other"')) is None


@LAW
@given(sessions(), st.data())
def test_the_state_does_not_hang_on_what_was_said(tape: Tape, data: st.DataObject) -> None:
    """Erasing messages, plans and results changes no frame, no open action and no status."""
    plain = {
        k.UserMessage, k.AssistantMessage, k.ToolResult, k.ToolError, k.Plan, k.Reflection, k.Stop,
        k.Broadcast, k.Return, k.NodeRun, k.ParseError, k.Pause,
    }  # fmt: skip
    seqs = [step.seq for step in tape if type(step.body) in plain]
    gone = data.draw(st.sets(st.sampled_from(seqs)) if seqs else st.just(set()))
    assert state(erased(tape, *gone).fold()) == state(tape.fold())


def test_a_body_that_cannot_be_read_changes_nothing_and_is_said_again() -> None:
    whole = tape_of(ToolCall(name="t"), model_call(assistant("a")), k.NextNode(node="b"))
    for seq in (1, 2, 3):
        entries = stored(whole)
        entries[seq] = (*entries[seq][:2], b'{"unfit":true}')
        tape = Tape.of([Step.load(*entry) for entry in entries])
        for _ in range(3):
            with pytest.raises(BodyError):
                tape.fold()
        assert state(tape.at(seq).fold()) == state(whole.at(seq).fold())


# --- what the tape waits for ---------------------------------------------------------------------

RUN = Run(mode="run", agent="helper", config=CONFIG)
CALL = Draft(ToolCall(name="send", arguments={"to": "Ada"}, effect="write"), by=agent())
REPLY = Draft(AssistantMessage(parts=text_parts("done")), by=agent())
ASKED = DecisionRequest(action=CALL.id, why="approval", arguments_digest=CONFIG)
PAUSED = Pause(reason="budget", message="spent")
RESULT = Draft(ToolResult(name="send", result="ok"), by=By("tool", "send"), re=(CALL.id,))
STOP = Draft(Stop(reason="done", result=1), by=agent())


@pytest.mark.parametrize(
    ("drafts", "status"),
    [
        ([], "new"),
        ([says("hi")], "new"),
        ([says("hi"), RUN], "unfinished"),
        ([RUN, CALL], "unfinished"),
        ([RUN, CALL, ASKED], "waiting"),
        ([RUN, CALL, ASKED, PAUSED], "waiting"),
        ([RUN, CALL, ASKED, Decision(action=CALL.id, decision="approve")], "unfinished"),
        ([RUN, CALL, ASKED, Decision(action=CALL.id, decision="approve"), ASKED], "waiting"),
        ([RUN, CALL, ASKED, Decision(action="0" * 32, decision="approve")], "waiting"),
        ([RUN, CALL, ASKED, RESULT], "unfinished"),
        ([RUN, PAUSED], "paused"),
        ([RUN, PAUSED, RUN], "unfinished"),
        ([RUN, PAUSED, Draft(k.NodeRun(node="main"), by=agent())], "unfinished"),
        ([RUN, PAUSED, says("go on")], "unfinished"),
        ([RUN, REPLY], "answered"),
        ([RUN, REPLY, PAUSED], "paused"),
        ([RUN, REPLY, CALL], "unfinished"),
        ([RUN, REPLY, CALL, RESULT], "answered"),
        ([RUN, REPLY, says("and then?")], "unfinished"),
        ([RUN, STOP], "stopped"),
        ([RUN, PAUSED, STOP], "stopped"),
        ([RUN, CALL, ASKED, STOP], "stopped"),
        ([RUN, STOP, says("one more thing")], "unfinished"),
        ([RUN, STOP, Draft(says("one more thing"), by=By("person")), STOP], "stopped"),
        ([RUN, CALL, STOP, says("again")], "unfinished"),
    ],
)  # fmt: skip
def test_status(drafts: list[Any], status: str) -> None:
    tape = tape_of(*drafts)
    assert tape.status == status
    assert reread(tape).status == status


def test_a_user_message_opens_a_stopped_tape_and_answers_the_agent() -> None:
    tape = tape_of(RUN, CALL, REPLY, STOP)
    assert tape.fold().stopped == 4
    assert set(tape.fold().open) == {CALL.id, REPLY.id}
    tape = tape.append(says("go on"))
    assert tape.fold().stopped is None
    assert set(tape.fold().open) == {CALL.id}


@pytest.mark.parametrize("seq", [3, 4])
def test_an_erased_stop_or_message_still_counts(seq: int) -> None:
    tape = tape_of(RUN, CALL, STOP, says("secret"))
    assert erased(tape, seq).status == tape.status == "unfinished"
    assert erased(tape.at(4), 3).status == "stopped"
    assert erased(tape_of(RUN, PAUSED), 2).status == "paused"
    assert erased(tape_of(RUN), 1).status == "unfinished"


# --- open actions and totals ---------------------------------------------------------------------


def test_an_action_is_open_until_an_observation_answers_it() -> None:
    tape = tape_of(RUN, CALL, Draft(k.Reflection(text="hm"), by=agent(), re=(CALL.id,)))
    (action,) = tape.fold().open.values()
    assert (action.id, action.seq, action.frame, action.kind) == (CALL.id, 2, 0, ToolCall.kind)
    assert (action.name, action.effect, action.known) == ("send", "write", True)
    failed = ToolError(name="send", code="timeout", message="late")
    for body in (RESULT.body, failed):
        assert not tape.fork().append(Draft(body, re=(CALL.id,))).fold().open
    assert not tape.fork().append(Draft(RESULT.body, re=("0" * 32, CALL.id))).fold().open


def test_parallel_actions_are_answered_one_by_one() -> None:
    calls = [Draft(ToolCall(name=name), by=agent()) for name in "abc"]
    tape = tape_of(RUN, *calls)
    for i in (1, 0, 2):
        tape = tape.append(Draft(ToolResult(name="x", result=i), re=(calls[i].id,)))
        assert calls[i].id not in tape.fold().open
    assert not tape.fold().open


def test_an_erased_tool_call_stays_open_without_its_name() -> None:
    (action,) = erased(tape_of(RUN, CALL), 2).fold().open.values()
    assert (action.id, action.name, action.effect) == (CALL.id, "", None)


def test_an_opaque_action_is_open_and_not_known() -> None:
    for cls in UNKNOWN:
        if cls.role == "action":
            tape = tape_of(RUN, Draft(cls(data=1), by=agent()))  # type: ignore[call-arg]
            (action,) = reread(tape).fold().open.values()
            assert (action.kind, action.known) == (cls.kind, False)
            assert tape.status == "unfinished"


def test_a_request_names_what_the_action_waits_for() -> None:
    tape = tape_of(
        RUN, CALL, DecisionRequest(action=CALL.id, why="unknown_outcome", arguments_digest="")
    )
    assert tape.fold().open[CALL.id].request == "unknown_outcome"
    tape = tape.append(Decision(action=CALL.id, decision="redo"))
    assert tape.fold().open[CALL.id].decision == 4


def test_totals() -> None:
    usage = k.Usage(input_tokens=10, output_tokens=3, cached_tokens=4, reasoning_tokens=1)
    price = k.Price(usd=0.5, as_of="2026-01-01", source="list")
    tape = tape_of(
        RUN,
        model_call(assistant("a"), usage=usage, price=price),
        CALL,
        model_call(status="failed"),
        model_call(status="incomplete", usage=usage),
    )
    totals = tape.fold().totals
    assert (totals.model_calls, totals.tool_calls) == (3, 1)
    assert (totals.input_tokens, totals.output_tokens, totals.usd) == (20, 6, 0.5)


def test_a_completion_is_unparsed_until_something_is_made_of_it() -> None:
    call = Draft(model_call(assistant("a")), by=agent())
    tape = tape_of(RUN, call)
    assert tape.fold().unparsed == 2
    by = agent(call=call.id)
    assert tape.fork().append(Draft(k.Plan(items=()), by=agent())).fold().unparsed == 2
    assert tape.fork().append(Draft(k.Plan(items=()), by=by)).fold().unparsed is None
    for status in ("incomplete", "failed"):
        assert tape_of(model_call(status=status)).fold().unparsed is None


def test_calls_of_a_node_are_counted_for_each_frame() -> None:
    tape = tape_of(
        Draft(model_call(status="failed"), by=agent("a")),
        Draft(model_call(assistant("x")), by=agent("a")),
        Draft(model_call(assistant("x")), by=agent("b")),
        Draft(k.Delegate(agent="sub", parts=()), by=agent("b")),
        Draft(model_call(assistant("x")), by=agent("a"), frame=4),
    )
    assert tape.fold().frames[0].ordinals == {"a": 2, "b": 1}
    assert tape.fold().frames[4].ordinals == {"a": 1}
    assert erased(tape, 1, 2).fold().frames[0].ordinals == {"a": 2, "b": 1}


def test_what_runs_is_named_by_the_run() -> None:
    fold = tape_of(RUN, Run(mode="resume", agent="helper", config="sha256:" + "2" * 64)).fold()
    assert (fold.frames[0].agent, fold.config, fold.ran) == ("helper", "sha256:" + "2" * 64, True)


# --- the literal table ---------------------------------------------------------------------------


def literal_call(*keep: tuple[int, int, int]) -> ModelCall:
    return model_call(assistant("a"), prompt=PromptRecord(items=(), keep=keep))


def test_the_literal_table_grows_call_by_call() -> None:
    tape = tape_of(literal_call((0, 1, 0)), literal_call(), literal_call((1, 1, 2), (2, 2, 5)))
    assert tape.fold().literals == 3
    assert [tape.literal(at) for at in range(3)] == [(1, 0), (1, 2), (2, 5)]
    assert [tape.fork().literal(at) for at in range(3)] == [(1, 0), (1, 2), (2, 5)]
    for at in (-1, 3):
        with pytest.raises(TapeError, match=f"3 messages, there is no {at}"):
            tape.literal(at)


def test_the_older_part_of_the_literal_table_stays_in_the_store() -> None:
    tape = tape_of(
        literal_call((0, 1, 0), (1, 1, 1)), literal_call((2, 2, 0)), literal_call((3, 3, 0))
    )
    entries = dict(enumerate(stored(tape)))
    log = Log(length=4, loader=DictLoader(entries, literals=[(1, 0), (1, 1)]))
    log.fold = Fold.restore(folded(tape[:2]).checkpoint()) or Fold()
    opened = Tape(log, 4, tape_id=tape.id)
    assert [opened.literal(at) for at in range(4)] == [(1, 0), (1, 1), (2, 0), (3, 0)]


def test_a_view_of_the_first_frame_is_there_before_anything_happened() -> None:
    tape = Tape.new()
    view = View(tape, tape.fold())
    assert (view.frame, list(view.messages), view.task, view.agent) == (Frame(0), [], "", "")
