"""A gate for CI: conditions under which an evaluation is worse than one before."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playhead.errors import EvaluationError
from playhead.evaluate._results import EvaluationResult, TrialResult
from playhead.evaluate._summarise import PASSED, by_task, scorer_names
from playhead.evaluate.statistics import Comparison, compare
from playhead.tape import Json

ALPHA = 0.05  # the share of false alarms of a condition without an amount
Unit: TypeAlias = Literal["points", "percent"]

_FORM = re.compile(
    r"(?P<measure>.+?)\s+(?P<way>drops?|falls?|rises?|grows?)"
    r"(?:\s+by\s+(?P<amount>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>%|points?|percent)?)?",
    re.IGNORECASE,
)
_SHARES = {"score": PASSED, "pass": PASSED, "pass rate": PASSED, PASSED: PASSED, "errors": "errors"}
_AMOUNTS = {
    "cost": "usd",
    "tokens": "tokens",
    "latency": "seconds",
    "steps": "steps",
    "model calls": "model_calls",
    "tool calls": "tool_calls",
}


@dataclass(frozen=True, slots=True)
class GateCondition:
    """When an evaluation fails, such as `score drops` or `cost rises by 10 %`.

    Without an amount: where the change is more than chance (a one-sided test at 5 %). With one:
    where the measured change is at least as large, whatever chance has to do with it.

    Args:
        text: As it was written.
        measure: `passed`, `errors`, the name of a scorer, or what the trials took.
        rises: Whether more is worse.
        amount: How large a change; None for any that is more than chance.
        unit: Of the amount: `points` of a hundred, or `percent` of what it was.
    """

    text: str
    measure: str
    rises: bool
    amount: float | None = None
    unit: Unit | None = None

    @classmethod
    def of(cls, text: str, *, scorers: Iterable[str] = ()) -> GateCondition:
        """Read a condition.

        Args:
            text: MEASURE `drops` or `rises`, and perhaps `by` AMOUNT.
            scorers: The scorers that the evaluation has.

        Raises:
            EvaluationError: It is none; the message says how to write it.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise EvaluationError(
                f"`{text}` is no condition: write MEASURE drops or rises, perhaps by an amount, "
                "such as `score drops`, `score drops by 3 points` or `cost rises by 10 %`"
            )
        name = found["measure"].strip()
        shares = {**_SHARES, **{scorer: scorer for scorer in scorers}}
        measure = shares.get(name) or _AMOUNTS.get(name)
        if measure is None:
            known = [*shares, *_AMOUNTS]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"do you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
            raise EvaluationError(f"`{text}`: there is no measure `{name}`: {hint}")
        rises = found["way"].lower().startswith(("rise", "grow"))
        if found["amount"] is None:
            return cls(text, measure, rises)
        unit: Unit = "points" if (found["unit"] or "").startswith("point") else "percent"
        if (unit == "points") is not (name in shares):
            wanted = "points` of a hundred" if name in shares else "%` of what it was"
            raise EvaluationError(f"`{text}`: a change of `{name}` is given in `{wanted}")
        return cls(text, measure, rises, float(found["amount"]), unit)


@dataclass(frozen=True, slots=True)
class GateFinding:
    """What became of a condition.

    Args:
        condition: The condition.
        candidate: Whose.
        fails: Whether the evaluation fails by it.
        was: The mean of the baseline, over the tasks that both have.
        now: The mean now.
        comparison: The difference, its interval, and what could have been noticed.
    """

    condition: GateCondition
    candidate: str
    fails: bool
    was: float | None
    now: float | None
    comparison: Comparison

    @property
    def p_value(self) -> float | None:
        """How often chance alone makes it worse by as much: one-sided."""
        seen = self.comparison
        if seen.p_value is None or seen.difference is None:
            return None
        is_worse = seen.difference > 0 if self.condition.rises else seen.difference < 0
        return seen.p_value / 2 if is_worse else 1 - seen.p_value / 2

    def as_json(self) -> dict[str, Json]:
        """Its members as JSON."""
        seen = self.comparison
        return {
            "condition": self.condition.text,
            "candidate": self.candidate,
            "fails": self.fails,
            "was": self.was,
            "now": self.now,
            "difference": seen.difference,
            "low": seen.low,
            "high": seen.high,
            "p_value": self.p_value,
            "power": seen.power,
            "effect": seen.effect,
            "detectable": seen.detectable,
            "tasks": seen.tasks,
            "note": seen.note,
        }


def check_gate(
    conditions: Sequence[str], now: EvaluationResult, *, baseline: EvaluationResult
) -> list[GateFinding]:
    """Compare an evaluation with one before, paired by task, and say which conditions fail.

    Candidates are compared with those of the same name; where each evaluation has one, with it.

    Args:
        conditions: As `GateCondition.of` reads them.
        now: The evaluation.
        baseline: The one before.

    Raises:
        EvaluationError: A condition is none, the two have no candidate or task in common, or one
            of them is not finished.
        MissingExtraError: The extra `evaluate` is not installed.
    """
    for what, each in (("the evaluation", now), ("the baseline", baseline)):
        if not each.finished:
            raise EvaluationError(f"{what} `{each.id}` is not finished: resume it first")
    scorers = scorer_names([*now.trials, *baseline.trials])
    asked = [GateCondition.of(text, scorers=scorers) for text in conditions]
    return [
        _finding(condition, name, now.of(name), baseline.of(before))
        for name, before in _pairs(now, baseline)
        for condition in asked
    ]


def _pairs(now: EvaluationResult, baseline: EvaluationResult) -> list[tuple[str, str]]:
    same = [(name, name) for name in now.candidates if name in baseline.candidates]
    if not same and len(now.candidates) == len(baseline.candidates) == 1:
        return [(now.candidates[0], baseline.candidates[0])]
    if not same:
        raise EvaluationError(
            f"the baseline has the candidates {', '.join(baseline.candidates)}, this evaluation "
            f"{', '.join(now.candidates)}: none is the same"
        )
    return same


def _finding(
    condition: GateCondition, name: str, now: Sequence[TrialResult], before: Sequence[TrialResult]
) -> GateFinding:
    mine, theirs = gate_values(now, condition.measure), gate_values(before, condition.measure)
    # Two-sided at twice the level, and a look at the sign: one-sided at the level.
    seen = compare(mine, theirs, alpha=2 * ALPHA)
    if not seen.tasks:
        raise EvaluationError(
            f"`{condition.text}`: of `{name}` no task is measured in both evaluations"
        )
    common = mine.keys() & theirs.keys()
    was = _mean({task: theirs[task] for task in common})
    difference = seen.difference or 0.0
    worse = difference if condition.rises else -difference
    if condition.amount is None:
        fails = worse > 0 and seen.significant
    else:
        whole = 1.0 if condition.unit == "points" else abs(was)
        fails = worse > 0 and worse >= condition.amount / 100 * whole - 1e-12
    return GateFinding(condition, name, fails, was, was + difference, seen)


def _mean(of_tasks: dict[str, list[float]]) -> float:
    means = [sum(each) / len(each) for each in of_tasks.values()]
    return sum(means) / len(means)


def gate_values(trials: Iterable[TrialResult], measure: str) -> dict[str, list[float]]:
    """The values of a measure of a gate, by task."""
    if measure not in ("errors", *_AMOUNTS.values()):
        return by_task(trials, measure)
    found: dict[str, list[float]] = {}
    for trial in trials:
        value = _taken(trial, measure)
        if value is not None:
            found.setdefault(trial.start.task, []).append(value)
    return found


def _taken(trial: TrialResult, measure: str) -> float | None:
    end = trial.end
    if measure == "errors":
        return float(end.status == "error")
    if measure == "tokens":
        return float(end.input_tokens + end.output_tokens)
    taken: float | None = getattr(end, measure)
    return None if taken is None else float(taken)
