"""Logs of inspect_ai as evaluations, and evaluations as its logs."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.log import (
    EvalLog,
    read_eval_log,
    read_eval_log_sample,
    read_eval_log_sample_summaries,
    read_eval_log_samples,
    write_eval_log,
)
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageUser,
    ContentImage,
    ContentReasoning,
    ContentText,
)
from inspect_ai.scorer import Score as InspectScore
from inspect_kit import WARNINGS, asked, evaluated, helper, inspect_run, place, scripted

import playhead as ph
from playhead.errors import EvaluationError, StoreFullError
from playhead.evaluate import Suite, Task, run_suite_sync, scorer
from playhead.evaluate.inspect_bridge import (
    InspectSample,
    as_solver,
    read_log_sync,
    write_log_sync,
)
from playhead.evaluate.inspect_bridge._content import chat_messages, message_of_chat
from playhead.evaluate.inspect_bridge._plain import derived_id
from playhead.evaluate.inspect_bridge._scores import log_scores, scores_of
from playhead.tape.annotations import Score
from playhead.tape.kinds import ModelCall, ToolCall, ToolError, ToolResult

pytestmark = WARNINGS
NOT_KEPT = {"events", "events_data", "attachments", "timelines"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `.eval` log of a run without Playhead."""
    log = inspect_run(tmp_path_factory.mktemp("ran"))
    assert log.status == "success", log.error
    return place(log)


def opened(store: ph.MemoryStore, tape: str) -> ph.Tape:
    return asyncio.run(store.open(tape))


def count(store: ph.MemoryStore) -> int:
    return len(asyncio.run(store.tapes(limit=1000)))


def dumped(log: EvalLog) -> list[dict[str, Any]]:
    return [sample.model_dump(exclude=NOT_KEPT) for sample in log.samples or ()]


def test_a_log_becomes_an_evaluation_with_a_tape_for_each_sample(ran: Path) -> None:
    store = ph.MemoryStore()
    read = read_log_sync(ran, store=store)
    result = read.result
    assert (read.added, len(result.trials), result.finished) == (4, 4, True)
    assert (result.about.suite, result.about.tasks, result.about.trials) == ("umbrellas", 2, 2)
    assert {trial.key[1:] for trial in result.trials} == {
        ("umbrella", 0), ("umbrella", 1), ("7", 0), ("7", 1),
    }  # fmt: skip
    assert {trial.key[1]: trial.passed for trial in result.trials} == {"umbrella": True, "7": False}
    for trial in result.trials:
        assert trial.end.input_tokens == 39
        assert (trial.end.cached_tokens, trial.end.output_tokens) == (9, 6)
        assert (trial.end.model_calls, trial.end.tool_calls) == (3, 2)
        tape = opened(store, trial.start.tape)
        tape.verify()
        assert {step.origin for step in list(tape)[1:]} == {"imported"}
        assert tape.answer == "An umbrella."
        assert tape.status == "answered"
    opened(store, result.id).verify()


def test_messages_calls_results_and_usage_stand_in_steps(ran: Path) -> None:
    store = ph.MemoryStore()
    trial = read_log_sync(ran, store=store).result.trials[0]
    bodies = [step.body for step in opened(store, trial.start.tape)]
    calls = [body for body in bodies if isinstance(body, ModelCall)]
    assert [call.usage.input_tokens for call in calls if call.usage] == [13, 13, 13]
    assert {(call.provider, call.model) for call in calls} == {("mockllm", "model")}
    assert [b.arguments for b in bodies if isinstance(b, ToolCall)] == [
        {"city": "Montreal"}, {"city": "Nowhere"},
    ]  # fmt: skip
    assert [b.result for b in bodies if isinstance(b, ToolResult)] == ["rain in Montreal"]
    assert [b.message for b in bodies if isinstance(b, ToolError)] == ["there is no such city"]
    tape = opened(store, trial.start.tape)
    last = [step for step in tape if isinstance(step.body, ModelCall)][-1]
    assert [m.role for m in ph.llm.read_prompt(tape, last)] == [
        "system", "user", "assistant", "tool", "assistant", "tool",
    ]  # fmt: skip


def test_what_has_no_place_is_said(ran: Path) -> None:
    lost = read_log_sync(ran, store=ph.MemoryStore()).lost
    assert lost["events `tool`"] == 8
    assert "events `model`" not in lost
    assert not any("message" in what for what in lost)


@pytest.mark.parametrize("format", ["eval", "json"])
def test_a_log_that_was_read_is_written_as_it_was(tmp_path: Path, format: str) -> None:
    before = place(inspect_run(tmp_path, format=format))
    store = ph.MemoryStore()
    write_log_sync(read_log_sync(before, store=store).result, tmp_path / "b.eval", store=store)
    old, new = read_eval_log(str(before)), read_eval_log(str(tmp_path / "b.eval"))
    assert dumped(new) == dumped(old)
    for member in ("eval", "plan", "results", "stats", "status"):
        assert getattr(new, member) == getattr(old, member), member


def test_reading_again_adds_nothing(ran: Path) -> None:
    store = ph.MemoryStore()
    first = read_log_sync(ran, store=store)
    tapes = count(store)
    again = read_log_sync(ran, store=store)
    assert (again.added, again.result.head, again.lost) == (0, first.result.head, first.lost)
    assert count(store) == tapes == 5


def test_a_log_that_was_scored_again_adds_its_new_scores(ran: Path, tmp_path: Path) -> None:
    store = ph.MemoryStore()
    first = read_log_sync(ran, store=store).result
    log = read_eval_log(str(ran))
    key = (first.candidates[0], str(log.samples[0].id), log.samples[0].epoch - 1)
    log.samples[0].scores["includes"] = InspectScore(value="I", explanation="on reflection, no")
    log.samples[1].scores["strict"] = InspectScore(value=0.25)
    write_eval_log(log, str(tmp_path / "again.eval"))
    again = read_log_sync(tmp_path / "again.eval", store=store)
    assert (again.added, again.result.id, len(again.result.trials)) == (0, first.id, 4)
    assert len(opened(store, first.id)) - len_of(first.head) == 2
    by_key = {trial.key: trial for trial in again.result.trials}
    changed = by_key[key].scores["includes"]
    assert (changed.value, changed.passed, changed.comment) == (0.0, False, "on reflection, no")
    assert sum("strict" in trial.scores for trial in again.result.trials) == 1


def len_of(head: str) -> int:
    return int(head.split(":")[1])


def test_a_log_that_has_grown_adds_what_is_new(ran: Path, tmp_path: Path) -> None:
    store, log = ph.MemoryStore(), read_eval_log(str(ran))
    samples, log.samples, log.status = log.samples, log.samples[:1], "started"
    write_eval_log(log, str(tmp_path / "part.eval"))
    part = read_log_sync(tmp_path / "part.eval", store=store)
    assert (part.added, part.result.finished) == (1, False)
    log.samples, log.status = samples, "success"
    whole = read_log_sync(ran, store=store)
    assert (whole.added, whole.result.finished, whole.result.id) == (3, True, part.result.id)


@pytest.mark.parametrize("format", ["eval", "json"])
def test_trials_stand_in_the_order_of_the_dataset(ran: Path, tmp_path: Path, format: str) -> None:
    log = read_eval_log(str(ran))
    assert log.samples is not None
    log.samples.reverse()  # as they may end
    write_eval_log(log, str(tmp_path / f"reversed.{format}"))
    read = read_log_sync(tmp_path / f"reversed.{format}", store=ph.MemoryStore())
    ids = [str(each) for each in log.eval.dataset.sample_ids or ()]
    assert [trial.key[1:] for trial in read.result.trials] == [(i, e) for i in ids for e in (0, 1)]


class Failing(ph.MemoryStore):
    """Its disk is full after some appends."""

    left = 5

    async def append(self, batch: Any) -> Any:
        if not self.left:
            raise StoreFullError("no space left: make room")
        self.left -= 1
        return await super().append(batch)


def test_a_reading_that_was_interrupted_goes_on(ran: Path) -> None:
    store = Failing()
    with pytest.raises(StoreFullError):
        read_log_sync(ran, store=store)
    store.left = 1000
    again = read_log_sync(ran, store=store)
    assert 0 < again.added < 4
    assert again.result.finished
    assert count(store) == 5


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("no.eval", None),
        ("garbage.eval", b"\x00\x01 no zip"),
        ("empty.eval", b""),
        ("garbage.json", b"{"),
        ("other.json", b'{"version": 2, "status": "success"}'),
        ("list.json", b"[1, 2]"),
        ("log.txt", b"hello"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    file, store = tmp_path / name, ph.MemoryStore()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EvaluationError, match="is no log of inspect_ai"):
        read_log_sync(file, store=store)
    assert count(store) == 0


def test_a_log_cut_in_half_is_refused(ran: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.eval"
    half.write_bytes(ran.read_bytes()[: ran.stat().st_size // 2])
    with pytest.raises(EvaluationError, match="is no log"):
        read_log_sync(half, store=ph.MemoryStore())


@scorer
def says_umbrella(run: Any) -> bool:
    return "umbrella" in (run.answer or "")


@scorer
def brief(run: Any) -> float:
    return 0.5


@scorer
def broken(run: Any) -> bool:
    raise ValueError("no idea")


def suite_run(store: ph.MemoryStore, **given: Any) -> tuple[Suite, Any]:
    tasks = [Task("t1", "What do I need?", expected="umbrella"), Task("t2", "And now?")]
    suite = Suite("weather", tasks, [says_umbrella, brief, broken])
    bad = ph.Agent("bad", model=ph.ScriptedModel(lambda request: 1 / 0))
    agents = given.get("agents") or [helper(asked("Montreal"), "An umbrella."), bad]
    return suite, run_suite_sync(suite, agents, trials=2, store=store)


def test_an_evaluation_becomes_a_log_that_inspect_reads(tmp_path: Path) -> None:
    store, file = ph.MemoryStore(), tmp_path / "helper.eval"
    suite, result = suite_run(store)
    write_log_sync(result, file, store=store, candidate="helper", suite=suite)
    log = read_eval_log(str(file))
    assert (log.status, log.eval.task, log.eval.config.epochs) == ("success", "weather", 2)
    assert log.eval.model == "scripted/scripted"
    assert log.eval.metadata["playhead"]["evaluation"] == result.id
    assert {(s.id, s.epoch, s.target) for s in log.samples} == {
        ("t1", 1, "umbrella"), ("t1", 2, "umbrella"), ("t2", 1, ""), ("t2", 2, ""),
    }  # fmt: skip
    metrics = {score.name: score.metrics for score in log.results.scores}
    assert metrics["says_umbrella"]["passed"].value == 1
    assert metrics["brief"]["mean"].value == 0.5
    assert metrics["broken"] == {}
    for sample in log.samples:
        tape = opened(store, sample.metadata["playhead"]["tape"])
        assert sample.output.completion == tape.answer == "An umbrella."
        assert [m.role for m in sample.messages] == [
            "system", "user", "assistant", "tool", "assistant",
        ]  # fmt: skip
        assert sample.model_usage["scripted/scripted"].total_tokens == 30
        assert sample.scores["says_umbrella"].value == 1
        assert math.isnan(sample.scores["broken"].value)
        assert "ValueError: no idea" in sample.scores["broken"].explanation
    summaries = read_eval_log_sample_summaries(str(file))
    assert [each.message_count for each in summaries] == [5] * 4
    assert len(list(read_eval_log_samples(str(file)))) == 4
    assert read_eval_log_sample(str(file), "t2", 2).messages[1].text == "And now?"


def test_trials_that_failed_are_errors_of_samples(tmp_path: Path) -> None:
    store, file = ph.MemoryStore(), tmp_path / "bad.json"
    _, result = suite_run(store)
    write_log_sync(result, file, store=store, candidate="bad")
    log = read_eval_log(str(file))
    assert all("ZeroDivisionError" in sample.error.message for sample in log.samples)
    assert log.results.completed_samples == 0


@pytest.mark.parametrize("same_store", [True, False])
def test_an_evaluation_comes_back_from_its_log(tmp_path: Path, same_store: bool) -> None:
    store, file = ph.MemoryStore(), tmp_path / "helper.eval"
    suite, result = suite_run(store, agents=[helper()])
    write_log_sync(result, file, store=store, suite=suite)
    other = store if same_store else ph.MemoryStore()
    back = read_log_sync(file, store=other).result
    assert (back.candidates, back.about.tasks, back.about.trials) == (("helper",), 2, 2)
    for old, new in zip(
        sorted(result.trials, key=key_of), sorted(back.trials, key=key_of), strict=True
    ):
        assert new.key == old.key
        assert (new.start.tape == old.start.tape) is same_store
        assert new.outcome == old.outcome
        assert (new.end.input_tokens, new.end.output_tokens) == (20, 10)
        for name, score in old.scores.items():
            assert new.scores[name].model_copy(update={"target": None}) == score.model_copy(
                update={"target": None}
            )


def key_of(trial: Any) -> Any:
    return trial.key


def test_a_sample_that_as_solver_ran_is_judged_on_its_own_tape(tmp_path: Path) -> None:
    store = ph.MemoryStore()
    log = evaluated(as_solver(helper(), store=store), tmp_path)
    (trial,) = read_log_sync(place(log), store=store).result.trials
    assert trial.start.tape == log.samples[0].metadata["playhead"]["tape"]
    assert count(store) == 2


def test_a_log_is_of_one_candidate_and_of_a_known_format(tmp_path: Path) -> None:
    store = ph.MemoryStore()
    _, result = suite_run(store)
    with pytest.raises(EvaluationError, match="one of helper, bad"):
        write_log_sync(result, tmp_path / "a.eval", store=store)
    with pytest.raises(EvaluationError, match=r"ends with \.eval or \.json"):
        write_log_sync(result, tmp_path / "a.csv", store=store, candidate="bad")
    assert list(tmp_path.iterdir()) == []


def test_large_texts_are_blobs_and_come_back(tmp_path: Path) -> None:
    long = "An umbrella. " * 10_000
    store = ph.MemoryStore()
    source, other = ph.MemoryStore(), store
    suite = Suite("long", [Task("t", "Say it.")], [brief])
    result = run_suite_sync(suite, [ph.Agent("a", model=scripted(long))], store=source)
    write_log_sync(result, tmp_path / "long.eval", store=source)
    back = read_log_sync(tmp_path / "long.eval", store=other).result
    write_log_sync(back, tmp_path / "again.eval", store=other)
    for name in ("long", "again"):
        (sample,) = read_eval_log(str(tmp_path / f"{name}.eval"), resolve_attachments=True).samples
        assert sample.messages[-1].text == long
    tape = opened(other, back.trials[0].start.tape)
    assert max(len(s.data or b"") for s in tape if s.kind != InspectSample.kind) < 70_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("C", (1.0, True)),
        ("I", (0.0, False)),
        ("P", (0.5, False)),
        ("N", (0.0, False)),
        (True, (1.0, True)),
        (False, (0.0, False)),
        (0.3, (0.3, None)),
        (1, (1.0, None)),
        (7, (None, None)),
        ("blue", (None, None)),
        ([1, 2], (None, None)),
    ],
)
def test_values_of_scores(value: Any, expected: Any) -> None:
    [(by, score)] = scores_of({"s": InspectScore(value=value)}, target=None)
    assert (score.value, score.passed, score.error, by.name) == (*expected, None, "s")


def test_a_score_of_several_values_is_one_for_each() -> None:
    given = {"s": InspectScore(value={"a": 1.0, "b": "I", "c": 9})}
    found = {score.name: score for _, score in scores_of(given, target=None)}
    assert {name: score.value for name, score in found.items()} == {"s": None, "s/a": 1, "s/b": 0}
    assert log_scores(found, answer=None) == given


def test_a_sample_that_was_not_scored_is_no_zero() -> None:
    given = InspectScore.unscored(reason="grader_failed", explanation="nonsense")
    [(_, score)] = scores_of({"s": given}, target=None)
    assert (score.value, score.passed, score.error) == (None, None, "nonsense")
    again = log_scores({"s": score}, answer=None)["s"]
    assert math.isnan(again.value)
    assert again.reason == "grader_failed"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
judged = st.builds(
    Score,
    name=st.just("s"),
    value=st.floats(0, 1),
    passed=st.none() | st.booleans(),
    comment=st.none() | texts,
    detail=plain_json.filter(lambda d: not isinstance(d, dict) or "inspect_ai" not in d),
    version=st.none() | texts,
    evidence=st.none() | texts,
)
failed = st.builds(Score, name=st.just("s"), error=texts, version=st.none() | texts)


@given(judged | failed)
def test_our_scores_survive_a_log(score: Score) -> None:
    written = log_scores({"s": score}, answer="x")["s"]
    stored = InspectScore.model_validate_json(written.model_dump_json())
    [(_, again)] = scores_of({"s": stored}, target=None)
    assert again == score


inspect_values = st.one_of(
    st.sampled_from(["C", "I", "P", "N", "other"]),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(-2, 2),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from("ab"), st.floats(0, 1), min_size=1),
)


@given(st.dictionaries(texts.filter(bool), inspect_values, max_size=3))
def test_their_scores_survive_a_tape(values: dict[str, Any]) -> None:
    given = {name: InspectScore(value=value, answer="a") for name, value in values.items()}
    stored = {
        score.name: Score.model_validate_json(score.model_dump_json())
        for _, score in scores_of(given, target=None)
    }
    assert log_scores(stored, answer=None) == given


def test_what_only_inspect_understands_is_sent_back_as_it_came() -> None:
    image = ContentImage(image="data:image/png;base64,AAAA", detail="low")
    thought = ContentReasoning(reasoning="hm", signature="s1g")
    asked_ = ChatMessageUser(content=[ContentText(text="Look:"), image])
    answered = ChatMessageAssistant(content=[thought, ContentText(text="Nice.")])
    for chat in (asked_, answered):
        (again,) = chat_messages([message_of_chat(chat)])
        assert (again.role, again.content) == (chat.role, chat.content)
    assert message_of_chat(answered).text == "Nice."


@given(st.lists(texts, min_size=1, max_size=3), st.dates().map(str) | st.none())
def test_ids_are_the_same_for_the_same_names_and_fit_the_format(
    names: list[str], moment: str | None
) -> None:
    made = derived_id(*names, moment=moment)
    assert made == derived_id(*names, moment=moment)
    assert ph.Tape.new(made).id == made
    assert made != derived_id(*names, "more", moment=moment)
