"""Figures made of an evaluation's trials; what is numeric comes from `statistics`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeAlias

from playhead.errors import EvaluationError, MissingExtraError
from playhead.evaluate._results import EvaluationResult, TrialResult
from playhead.evaluate._summary import (
    Amount,
    CandidateSummary,
    Cell,
    Figure,
    Pair,
    Summary,
    TaskSummary,
)
from playhead.evaluate.statistics import (
    clustered_mean,
    compare,
    holm,
    mean_of_tasks,
    pass_at_k,
    pass_hat_k,
)

ByTask: TypeAlias = Mapping[str, Sequence[float]]
PASSED = "passed"
_LACKING = "intervals and comparisons are not in it"
SPENT = (
    "usd",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "seconds",
    "steps",
    "model_calls",
    "tool_calls",
)


def summarise(
    result: EvaluationResult, *, measure: str | None = None, baseline: str | None = None
) -> Summary:
    """All figures of an evaluation, finished or not.

    Without the extra `evaluate` there are no intervals and no comparisons, and `lacking` says so.

    Args:
        result: The evaluation.
        measure: What candidates are compared on: `passed`, or the name of a scorer. If not given,
            `passed`, or the first scorer where no score decides.
        baseline: The candidate that the others are compared with; all pairs if not given.

    Raises:
        EvaluationError: There is no such scorer or candidate.
    """
    result = result.read()
    names = result.candidates
    scorers = scorer_names(result.trials)
    if baseline is not None and baseline not in names:
        raise EvaluationError(f"no candidate `{baseline}`: there are {_listed(names)}")
    if measure is not None and measure not in (PASSED, *scorers):
        raise EvaluationError(f"no measure `{measure}`: there are {_listed([PASSED, *scorers])}")
    measure = measure or _measure(result.trials, scorers)
    maker = _Maker()
    candidates = [maker.candidate(result, name, scorers=scorers) for name in names]
    return Summary(
        measure=measure,
        candidates=candidates,
        pairs=maker.pairs(result, measure=measure, baseline=baseline),
        tasks=_tasks(result, measure),
        baseline=baseline,
        lacking=maker.lacking,
    )


def scorer_names(trials: Iterable[TrialResult]) -> list[str]:
    """The names of all scorers, in the order in which they judged."""
    return list(dict.fromkeys(name for trial in trials for name in trial.scores))


def value_of(trial: TrialResult, measure: str) -> float | None:
    """A trial's measure: 0 or 1 for `passed`, else the scorer's value; None if there is none."""
    if measure == PASSED:
        return None if trial.passed is None else float(trial.passed)
    score = trial.scores.get(measure)
    return None if score is None else score.value


def by_task(trials: Iterable[TrialResult], measure: str) -> dict[str, list[float]]:
    """The values of a measure, by task."""
    found: dict[str, list[float]] = {}
    for trial in trials:
        if (value := value_of(trial, measure)) is not None:
            found.setdefault(trial.start.task, []).append(value)
    return found


class _Maker:
    """Makes figures, and keeps what it was lacking for them."""

    def __init__(self) -> None:
        self.lacking: str | None = None

    def candidate(
        self, result: EvaluationResult, name: str, *, scorers: Sequence[str]
    ) -> CandidateSummary:
        trials = result.of(name)
        decided = [trial for trial in trials if trial.passed is not None]
        passed = sum(bool(trial.passed) for trial in decided)
        means = {scorer: self.figure(by_task(trials, scorer)) for scorer in scorers}
        outcomes = by_task(trials, PASSED)
        amounts = {what: _amount(trials, what, passed=passed) for what in SPENT}
        return CandidateSummary(
            name=name,
            config=next(each.config for each in result.about.candidates if each.name == name),
            trials=len(trials),
            missing=max(0, result.about.tasks * result.about.trials - len(trials)),
            passed=passed,
            failed=len(decided) - passed,
            undecided=len(trials) - len(decided),
            completed=sum(trial.end.status == "completed" for trial in trials),
            errors=sum(trial.end.status == "error" for trial in trials),
            unscored=sum(bool(trial.unscored) for trial in trials),
            pass_rate=self.figure(outcomes),
            scores={scorer: mean for scorer, mean in means.items() if mean is not None},
            pass_at=self.of_k(outcomes, pass_at_k),
            pass_hat=self.of_k(outcomes, pass_hat_k),
            spent={what: amount for what, amount in amounts.items() if amount is not None},
        )

    def figure(self, values: ByTask) -> Figure | None:
        """The mean of values that are clustered by task; a number without interval, if need be."""
        mean = mean_of_tasks(values)
        if mean is None:
            return None
        known = Figure(mean, None, None, len(values), sum(map(len, values.values())))
        try:
            made = clustered_mean(values)
        except MissingExtraError as error:
            self.lacking = f"{_LACKING}: {error}"
            return known
        return replace(known, low=_number(made.low), high=_number(made.high))

    def of_k(self, outcomes: ByTask, measure: Callable[..., float]) -> dict[int, Figure]:
        """A measure of k trials for each k, over the tasks that have as many decided trials."""
        found: dict[int, Figure] = {}
        for k in range(1, max(map(len, outcomes.values()), default=0) + 1):
            enough = {task: tried for task, tried in outcomes.items() if len(tried) >= k}
            made = self.figure(
                {task: [measure(len(t), int(sum(t)), k=k)] for task, t in enough.items()}
            )
            assert made is not None
            found[k] = replace(made, trials=sum(map(len, enough.values())))
        return found

    def pairs(self, result: EvaluationResult, *, measure: str, baseline: str | None) -> list[Pair]:
        """All pairs, or all against the baseline; the later candidate against the earlier."""
        values = {name: by_task(result.of(name), measure) for name in result.candidates}
        if baseline is None:
            chosen = list(combinations(result.candidates, 2))
        else:
            chosen = [(baseline, name) for name in result.candidates if name != baseline]
        made = [self.pair(values, a, b) for a, b in chosen]
        known = [pair for pair in made if pair is not None]
        judged = [pair.p_value for pair in known if pair.p_value is not None]
        adjusted = iter(holm(judged) if judged else ())
        return [
            pair if pair.p_value is None else replace(pair, p_adjusted=float(next(adjusted)))
            for pair in known
        ]

    def pair(self, values: Mapping[str, ByTask], a: str, b: str) -> Pair | None:
        try:
            made = compare(values[b], values[a])
        except MissingExtraError as error:
            self.lacking = f"{_LACKING}: {error}"
            return None
        if made.difference is None:
            return None
        return Pair(
            candidate=b,
            baseline=a,
            difference=made.difference,
            low=_number(made.low),
            high=_number(made.high),
            p_value=_number(made.p_value),
            p_adjusted=None,
            test=made.test,
            effect=made.effect,
            power=_number(made.power),
            detectable=_number(made.detectable),
            tasks=made.tasks,
            note=made.note,
        )


def _measure(trials: Iterable[TrialResult], scorers: Sequence[str]) -> str:
    decides = not scorers or any(trial.passed is not None for trial in trials)
    return PASSED if decides else scorers[0]


def _amount(trials: Sequence[TrialResult], what: str, *, passed: int) -> Amount | None:
    known = sorted(
        float(value) for trial in trials if (value := getattr(trial.end, what)) is not None
    )
    if not known:
        return None
    total = math.fsum(known)
    return Amount(
        total=total,
        mean=total / len(known),
        median=quantile(known, 0.5),
        p95=quantile(known, 0.95),
        per_pass=total / passed if passed and len(known) == len(trials) else None,
        trials=len(known),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _tasks(result: EvaluationResult, measure: str) -> list[TaskSummary]:
    """All tasks that were tried; those that tell the candidates apart first, then the hardest."""
    tried: dict[str, dict[str, list[TrialResult]]] = {}
    order = {name: at for at, name in enumerate(result.candidates)}
    for trial in sorted(result.trials, key=lambda each: order[each.start.candidate]):
        of_task = tried.setdefault(trial.start.task, {})
        of_task.setdefault(trial.start.candidate, []).append(trial)
    made = [_task(task, of_task, measure) for task, of_task in tried.items()]
    return sorted(made, key=_discriminating)


def _task(task: str, tried: Mapping[str, Sequence[TrialResult]], measure: str) -> TaskSummary:
    cells = {candidate: _cell(trials, measure) for candidate, trials in tried.items()}
    values = [cell.value for cell in cells.values() if cell.value is not None]
    return TaskSummary(task, max(values) - min(values) if values else 0.0, cells)


def _discriminating(task: TaskSummary) -> tuple[float, float, list[tuple[int, str]]]:
    values = [cell.value for cell in task.cells.values() if cell.value is not None]
    return -round(task.spread, 9), round(sum(values), 9), natural(task.task)


def _cell(trials: Sequence[TrialResult], measure: str) -> Cell:
    values = [value for trial in trials if (value := value_of(trial, measure)) is not None]
    return Cell(
        value=sum(values) / len(values) if values else None,
        decided=len(values),
        passed=sum(bool(trial.passed) for trial in trials),
        errors=sum(trial.end.status == "error" for trial in trials),
        trials=len(trials),
    )


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts `task-9` before `task-10`."""
    return [
        (int(piece), "") if piece.isdecimal() else (-1, piece)
        for piece in re.split(r"([0-9]{1,18})", text)
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
