"""Logs of inspect_ai as evaluations."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inspect_ai.log import (
    EvalLog,
    EvalSample,
    EvalSampleSummary,
    read_eval_log_async,
    read_eval_log_sample_async,
    read_eval_log_sample_summaries_async,
)

from playhead.errors import EvaluationError, TapeNotFoundError, told
from playhead.evaluate._results import EvaluationResult
from playhead.evaluate.inspect_bridge._kinds import InspectLog
from playhead.evaluate.inspect_bridge._plain import BY, KEY, NAME, derived_id, plain
from playhead.evaluate.inspect_bridge._sample import agent_of, note_of, sample_tape, trial_end
from playhead.evaluate.inspect_bridge._scores import scores_of
from playhead.evaluate.running._record import Record
from playhead.orchestrator import default_store, sync_twin
from playhead.store import Store
from playhead.tape import Draft, Json, Tape, digest
from playhead.tape.annotations import Candidate, Evaluation, Score, Target, TrialStart

_SKIP = {"samples", "reductions"}


@dataclass(frozen=True, slots=True)
class ImportedLog:
    """What came of reading a log.

    Args:
        result: The evaluation.
        added: How many trials were not there before.
        lost: What of the log stands nowhere, and how often.
    """

    result: EvaluationResult
    added: int
    lost: Mapping[str, int]


async def read_log(path: Path | str, *, store: Store | None = None) -> ImportedLog:
    """Store a log of inspect_ai as an evaluation: a tape of its own, and one for each sample.

    A second time it adds nothing; of a log that has grown, or was scored again, it adds what is
    new. A sample that was run by `as_solver` is judged on the tape that it was run on, if the store
    has it. One sample of an `.eval` file is in memory at a time; a `.json` file is read whole.

    Args:
        path: An `.eval` or `.json` file.
        store: Where the tapes go; `default_store()` if not given.

    Raises:
        EvaluationError: It is no log, or a sample cannot stand on a tape.
        TapeOwnedError: Somebody is reading the same log.
        StoreError: The store failed; what was acknowledged is safe.
    """
    file = str(path)
    with _readable(file):
        header = await read_eval_log_async(file, header_only=True)
    reading = await _Reading.begin(store or default_store(), header)
    try:
        async for sample in _samples(file, header):
            await reading.take(sample)
        await reading.keep_header()
        return ImportedLog(reading.record.result(), reading.added, dict(reading.lost))
    finally:
        await reading.record.close()


read_log_sync = sync_twin(read_log)


@contextmanager
def _readable(file: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a library that reads what anybody may have written
        raise EvaluationError(f"`{file}` is no log of inspect_ai: {told(error)}") from error


async def _samples(file: str, header: EvalLog) -> AsyncIterator[EvalSample]:
    """Samples in the order of the dataset, then of epochs; a log has them as they ended."""
    places = {each: place for place, each in enumerate(header.eval.dataset.sample_ids or ())}

    def place(sample: EvalSample | EvalSampleSummary) -> tuple[int, int]:
        return places.get(sample.id, len(places)), sample.epoch

    if not file.endswith(".eval"):
        with _readable(file):
            log = await read_eval_log_async(file, resolve_attachments=True)
        for sample in sorted(log.samples or (), key=place):
            yield sample
        return
    with _readable(file):
        summaries = await read_eval_log_sample_summaries_async(file)
    keys = [(each.id, each.epoch) for each in sorted(summaries, key=place)]
    del summaries
    for sample_id, epoch in keys:
        with _readable(file):
            sample = await read_eval_log_sample_async(
                file, sample_id, epoch, resolve_attachments=True
            )
        yield sample


class _Reading:
    """A log on its way into a store."""

    def __init__(self, store: Store, header: EvalLog, record: Record) -> None:
        self._store, self._header, self.record = store, header, record
        self._candidate = _candidate(header)
        self._known = {trial.key: trial for trial in record.result().trials}
        self._starts = {
            step.body.tape: step.id for step in record.tape if isinstance(step.body, TrialStart)
        }
        self.added = 0
        self.lost: Counter[str] = Counter()

    @classmethod
    async def begin(cls, store: Store, header: EvalLog) -> _Reading:
        spec = header.eval
        tape = derived_id("evaluation", spec.eval_id, moment=spec.created)
        try:
            record = await Record.go_on(store, tape)
        except TapeNotFoundError:
            record = await Record.begin(store, _about(header), _document(header), tape=tape)
        return cls(store, header, record)

    async def take(self, sample: EvalSample) -> None:
        """Store a sample, or what is new of it."""
        tape = await sample_tape(self._store, self._header, sample)
        note = note_of(tape)
        self.lost.update(note.lost if note is not None else {})
        target = Target(tape=tape.id, head=tape.head)
        scores = list(scores_of(sample.scores or {}, target=target))
        self.lost["values of scores"] += sum(s.value is None and not s.error for _, s in scores)
        key = (self._candidate, str(sample.id), sample.epoch - 1)
        known = self._known.get(key)
        if known is not None and known.start.tape == tape.id:
            start = self._starts[tape.id]
            drafts = [
                _draft(score, by=by, re=(start,))
                for by, score in scores
                if known.scores.get(score.name) != score
            ]
        else:
            drafts = self._trial(key, sample, tape)
            drafts += [_draft(score, by=by, re=(drafts[0].id,)) for by, score in scores]
            self.added += 1
        await self.record.append(drafts)

    def _trial(self, key: tuple[str, str, int], sample: EvalSample, tape: Tape) -> list[Draft]:
        candidate, task, number = key
        start = _draft(TrialStart(candidate=candidate, task=task, number=number, tape=tape.id))
        return [start, _draft(trial_end(sample, tape), re=(start.id,))]

    async def keep_header(self) -> None:
        """Keep what the log says beside its samples, if it is not what it said before."""
        said = plain(self._header.model_dump(exclude=_SKIP, exclude_none=True))
        assert isinstance(said, dict)
        if self._header.reductions:
            self.lost["reductions of scores"] += 1
        body = InspectLog(log=said)
        if header_of(self.record.tape) != body:
            await self.record.append([_draft(body)])
        self.lost = +self.lost


def header_of(tape: Tape) -> InspectLog | None:
    """What the log said beside its samples that an evaluation was made of."""
    found = None
    for step in tape:
        if step.kind == InspectLog.kind and isinstance(step.body, InspectLog):
            found = step.body
    return found


def _draft(body: TrialStart | Score | object, **members: object) -> Draft:
    return Draft(body, **{"by": BY, "origin": "imported", **members})  # type: ignore[arg-type]


def _candidate(header: EvalLog) -> str:
    about = (header.eval.metadata or {}).get(KEY)
    own = about.get("candidate") if isinstance(about, dict) else None
    if isinstance(own, str):
        return own
    return f"{agent_of(header)} ({header.eval.model})"


def _document(header: EvalLog) -> Json:
    """What was run consisted of, as far as the log says."""
    spec = header.eval
    return {
        "task": spec.task,
        "version": str(spec.task_version),
        "dataset": spec.dataset.name,
        "samples": [str(each) for each in spec.dataset.sample_ids or ()],
        "scorers": [each.name for each in spec.scorers or ()],
    }


def _about(header: EvalLog) -> Evaluation:
    spec = header.eval
    ids = spec.dataset.sample_ids or []
    return Evaluation(
        suite=spec.task,
        document=digest(_document(header)),
        tasks=len(ids) or spec.dataset.samples or 0,
        candidates=(Candidate(name=_candidate(header)),),
        trials=spec.config.epochs or 1,
        seed=spec.model_generate_config.seed or 0,
        settings={"imported": NAME, "eval": spec.eval_id},
    )
