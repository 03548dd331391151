"""Results of an evaluation, packed: they say what the tape says, and take little memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.errors import BodyError, EvaluationError
from playhead.evaluate import TrialResult, result_of
from playhead.evaluate._packed import PackedTrials, pack, unpack
from playhead.evaluate._results import Results
from playhead.tape import Draft, Tape, new_id
from playhead.tape.annotations import Candidate, Evaluation, Score, Target, TrialEnd, TrialStart

ABOUT = Evaluation(
    suite="s",
    document="d",
    tasks=3,
    candidates=(Candidate(name="a"),),
    trials=9,
    seed=0,
    settings={},
)
TARGET = Target(tape=new_id(), head="0" * 64)


def start(task: str, number: int) -> TrialStart:
    return TrialStart(candidate="a", task=task, number=number, tape=new_id())


def end(steps: int, status: str = "completed", error: str | None = None) -> TrialEnd:
    return TrialEnd(
        status=status,  # type: ignore[arg-type]
        target=TARGET,
        error=error,
        steps=steps,
        model_calls=1,
        tool_calls=0,
        input_tokens=3,
        cached_tokens=0,
        output_tokens=5,
        usd=0.25,
        seconds=1.5,
    )


def score(name: str, value: float) -> Score:
    return Score(target=TARGET, name=name, value=value, passed=value > 0.5, comment="\0 \n é")


def tried(count: int) -> Tape:
    """An evaluation's tape with so many trials."""
    drafts = [Draft(ABOUT)]
    for number in range(count):
        begin = Draft(start("t", number))
        drafts += [begin, Draft(end(number), re=(begin.id,))]
        drafts.append(Draft(score("right", number % 2), re=(begin.id,)))
    return Tape.new().append(*drafts)


def expected(tape: Tape) -> list[TrialResult]:
    """What the tape says, in the plainest way."""
    starts = {step.id: step.body for step in tape if isinstance(step.body, TrialStart)}
    ends: dict[str, TrialEnd] = {}
    scores: dict[str, dict[str, Score]] = {}
    for step in tape:
        if isinstance(step.body, TrialEnd):
            ends[step.re[0]] = step.body
        elif isinstance(step.body, Score):
            scores.setdefault(step.re[0], {})[step.body.name] = step.body
    found = [TrialResult(starts[at], body, scores.get(at, {})) for at, body in ends.items()]
    last = {trial.key: trial for trial in found}
    return [trial for trial in found if last[trial.key] is trial]


events = st.lists(
    st.tuples(st.sampled_from(("start", "end", "score")), st.integers(0, 5), st.integers(0, 5)),
    max_size=25,
)


def evaluation(happened: Sequence[tuple[str, int, int]]) -> Tape:
    """Trials that begin, end, begin again and are judged, also once more, in any order."""
    drafts = [Draft(ABOUT)]
    begun: list[str] = []
    ended: set[str] = set()
    for what, one, other in happened:
        if what == "start" or not begun:
            drafts.append(Draft(start("tu"[one % 2], other % 3)))
            begun.append(drafts[-1].id)
            continue
        of = begun[other % len(begun)]
        if what == "score":
            drafts.append(Draft(score("xyz"[one % 3], float(one > 2)), re=(of,)))
        elif of not in ended:
            ended.add(of)
            drafts.append(Draft(end(len(drafts)), re=(of,)))
    return Tape.new().append(*drafts)


@example(  # the first run of a trial is judged once more when the second one has ended
    [("start", 0, 0), ("start", 0, 0), ("end", 0, 0), ("end", 0, 1), ("score", 0, 0)], [5]
)
@given(events, st.lists(st.integers(1, 6), max_size=10))
def test_results_say_what_the_tape_says_in_whatever_parts_it_comes(
    happened: Sequence[tuple[str, int, int]], parts: Sequence[int]
) -> None:
    tape = evaluation(happened)
    whole = result_of(tape)
    assert list(whole.trials) == expected(tape)
    results, at = Results(), 0
    for count in [*parts, len(tape)]:
        results.take(tape[at : at + count])
        at += count
    assert results.of(tape) == whole


bodies = st.binary(max_size=200).filter(lambda data: b"\0" not in data)


@given(bodies, bodies, st.lists(bodies, max_size=4))
def test_what_is_packed_is_unpacked(began: bytes, ended: bytes, scores: list[bytes]) -> None:
    assert unpack(pack(began, ended, scores)) == (began, ended, scores)


def test_trials_are_a_sequence() -> None:
    tape = tried(5)
    trials, plain = result_of(tape).trials, expected(tape)
    assert len(trials) == 5
    assert trials == plain
    assert trials != plain[:4]
    assert trials != plain[::-1]
    assert trials != 5
    assert trials == result_of(tape).trials
    assert (trials[0], trials[-1], trials[1:3]) == (plain[0], plain[-1], plain[1:3])
    assert plain[2] in trials
    assert [trial.passed for trial in trials] == [False, True, False, True, False]
    with pytest.raises(IndexError):
        trials[5]


def test_a_result_is_shown_in_short() -> None:
    assert "<2000 trials>" in repr(result_of(tried(2000)))  # a loop's end may show it, too
    assert len(repr(result_of(tried(2000)))) < 1000


def test_many_trials_take_little_memory_also_when_they_were_looked_at() -> None:
    trials = result_of(tried(1500)).trials
    assert isinstance(trials, PackedTrials)
    assert sum(trial.passed is True for trial in trials) == 750
    assert trials._read is None  # nothing that was read stays
    assert sum(map(sys.getsizeof, trials._packed)) < 1500 * 400
    whole = result_of(tried(1500))
    assert isinstance(whole.read().trials, list)
    assert whole.read() == whole
    few = result_of(tried(3)).trials
    assert next(iter(few)) is few[0]  # but of a few


def test_a_body_that_fits_no_kind_is_told_of_when_it_is_looked_at() -> None:
    trials = PackedTrials([pack(b"{}", b"{}", [])])
    with pytest.raises(BodyError, match="does not fit `playhead"):
        list(trials)


def test_a_tape_of_something_else_is_no_evaluation() -> None:
    with pytest.raises(EvaluationError, match="is no evaluation"):
        result_of(Tape.new())
