"""`python -m examples.forms.evaluate`: teacher, student and degraded models by behaviour."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from examples.forms.console import wide
from examples.forms.greadth import LETTERS
from examples.forms.models import RULES, model_for
from examples.forms.suite import DEGRADED, SHOWN, candidate, degraded, dialogues
from playhead.errors import PlayheadError
from playhead.evaluate import EvaluationResult, TrialResult, run_suite, summarise
from playhead.evaluate.statistics import krippendorff_alpha
from playhead.store import MemoryStore, SqliteStore, Store


def main(
    each: Annotated[int, typer.Option(help="Dialogues for a behaviour and candidate.")] = 2,
    behaviour: Annotated[list[str] | None, typer.Option(help="Only these behaviours.")] = None,
    split: Annotated[str, typer.Option(help="Companies of `train` or `test`.")] = "test",
    rate: Annotated[float, typer.Option(help="Error rate of degraded models.")] = 0.3,
    teacher_model: Annotated[str, typer.Option(help="Such as `openai:gpt-5`.")] = RULES,
    student_model: Annotated[str, typer.Option(help="Such as `openai:gpt-5-mini`.")] = RULES,
    user_model: Annotated[str, typer.Option(help="Of the simulated user.")] = RULES,
    judge: Annotated[str | None, typer.Option(help="Model of the judges; `rules` is one.")] = None,
    details: Annotated[bool, typer.Option(help="A row for each behaviour.")] = True,
    store: Annotated[Path | None, typer.Option(help="Keep the tapes here.")] = None,
    seed: Annotated[int, typer.Option(help="Other goals.")] = 0,
) -> None:
    """Compare teacher, student and degraded models, by behaviour of the simulated user."""
    try:
        judging = None if judge is None else model_for("judge", judge)
        suite = dialogues(
            behaviour or SHOWN, each=each, split=split, user_model=user_model, judge=judging,
            seed=seed,
        )  # fmt: skip
        tried = [
            candidate("teacher", "teacher", model=teacher_model),
            candidate("student", "student", model=student_model),
            *(degraded(error, rate=rate) for error in DEGRADED),
        ]

        console = wide()

        async def evaluate() -> None:
            async with opened(store) as place:
                result = await run_suite(suite, tried, store=place, seed=seed)
                show(result, console, details=details, rate=rate)
                if judge is not None:
                    show_agreement(result, console)
                if _lost(result):
                    raise typer.Exit(1)

        asyncio.run(evaluate())
    except PlayheadError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(2) from None


@contextlib.asynccontextmanager
async def opened(path: Path | None) -> AsyncIterator[Store]:
    """The store at a path, or one in memory."""
    if path is None:
        yield MemoryStore()
        return
    async with SqliteStore(path) as store:
        yield store


def show(
    result: EvaluationResult, console: Console, *, details: bool = True, rate: float = 0.3
) -> None:
    """The table, and what separates degraded models from the sound one."""
    failed = _failed(result)
    table = Table(box=None, pad_edge=False)
    table.add_column("candidate", no_wrap=True)
    table.add_column("behaviour", no_wrap=True)
    for name in ("n", *(letter[0].upper() for letter in LETTERS), "success", "calls", "tokens"):
        table.add_column(name, justify="right")
    for name in result.candidates:
        trials = result.of(name)
        groups: dict[str, list[TrialResult]] = {}
        for trial in trials if details else ():
            groups.setdefault(trial.start.task.rpartition("-")[0], []).append(trial)
        for behaviour, some in groups.items():
            table.add_row(name, behaviour, *_figures(some))
        table.add_row(name, "all", *_figures(trials), style="bold", end_section=True)
    console.print(table)
    for name, faults in failed.items():
        for why, times in faults.items():
            console.print(
                f"{name}: {times} of {len(result.of(name))} dialogues failed and count for nothing "
                f"good: {why}",
                style="red", markup=False, highlight=False,
            )  # fmt: skip
    for error, letter in DEGRADED.items():
        name = f"student-{error}"
        if name in result.candidates and not _lost(result) & {name, "student"}:
            console.print(_separated(result, error, letter, rate), highlight=False)


def _failed(result: EvaluationResult) -> dict[str, Counter[str]]:
    """By candidate, why dialogues ended in an error, and how often."""
    found: dict[str, Counter[str]] = {}
    for trial in result.trials:
        if trial.end.status == "error":
            counted = found.setdefault(trial.start.candidate, Counter())
            counted[trial.end.error or "an error"] += 1
    return found


def _lost(result: EvaluationResult) -> set[str]:
    """The candidates of which no dialogue came to an end, so that their figures say nothing."""
    failed = _failed(result)
    return {name for name, each in failed.items() if each.total() == len(result.of(name))}


def _separated(result: EvaluationResult, error: str, letter: str, rate: float) -> str:
    """What a degraded model loses, with the interval of the difference over tasks."""
    pairs = summarise(result, measure=letter, baseline="student").pairs
    pair = next(pair for pair in pairs if pair.candidate == f"student-{error}")
    said = f"{error} at {rate:.0%}: {letter} changes by {100 * pair.difference:.1f} points"
    if pair.low is None or pair.high is None:
        return said
    return f"{said} ({100 * pair.low:.1f} to {100 * pair.high:.1f})"


def _figures(trials: Sequence[TrialResult]) -> list[str]:
    calls = fmean(trial.end.model_calls for trial in trials)
    tokens = fmean(trial.end.input_tokens + trial.end.output_tokens for trial in trials)
    names = (*LETTERS, "success")
    shares = [f"{_mean(trials, name):.0f}" for name in names]
    return [str(len(trials)), *shares, f"{calls:.1f}", f"{tokens:,.0f}"]


def _mean(trials: Sequence[TrialResult], name: str) -> float:
    """In hundredths, over the trials that have this score."""
    values = [trial.scores[name].value for trial in trials if name in trial.scores]
    known = [value for value in values if value is not None]
    return 100 * fmean(known) if known else 0.0


def show_agreement(result: EvaluationResult, console: Console) -> None:
    """How far program and judge say the same: is a letter kept in the whole dialogue?"""
    for letter in LETTERS:
        both: dict[str, dict[str, str]] = {}
        for name in (letter, f"{letter}_judge"):
            given = {t.start.tape: t.scores[name].value for t in result.trials if name in t.scores}
            both[name] = {k: "yes" if v == 1.0 else "no" for k, v in given.items() if v is not None}
        if not both[f"{letter}_judge"]:
            continue
        agreed = krippendorff_alpha(both)
        alpha = "not defined" if agreed.value is None else f"{agreed.value:.2f}"
        console.print(
            f"{letter}: program and judge agree on {agreed.raw or 0:.0%} of {agreed.items} "
            f"dialogues, alpha {alpha}",
            highlight=False,
        )


if __name__ == "__main__":
    typer.run(main)
