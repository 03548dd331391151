"""`eval` and `report`: run a suite, and say what came of it."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from playhead.cli._eval_live import Watch
from playhead.cli._eval_summary import show_findings, show_summary
from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._loop import InterruptedRun, interruptible
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._report import store_words
from playhead.cli._tapes import all_tapes, find, open_store
from playhead.cli._text import short_id
from playhead.cli._verify_file import lines_of
from playhead.evaluate import (
    EvaluationResult,
    GateCondition,
    GateFinding,
    Source,
    Summary,
    check_gate,
    read_evaluation,
    result_of,
    run_suite,
    scorer_names,
    summarise,
)
from playhead.evaluate.report import as_document, write_csv, write_html
from playhead.store import SqliteStore
from playhead.tape import read_tape
from playhead.tape.annotations import Evaluation


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run."""

    source: Source
    trials: int | None = None
    jobs: int = 8
    processes: int = 1
    seed: int | None = None
    resume: str | None = None
    retry_errors: bool = False
    score_again: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be written."""

    html: Path | None = None
    csv: Path | None = None
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """When the command ends with exit code 1."""

    baseline: str | None = None
    conditions: tuple[str, ...] = ()

    async def opened(self, store: SqliteStore, scorers: Iterable[str]) -> Opened:
        """The baseline and the conditions, looked at before anything is paid for.

        Raises:
            UsageFault: There is nothing to compare with.
            EvaluationError: The baseline is no evaluation, or a condition is none.
        """
        if self.baseline is None:
            if self.conditions:
                raise UsageFault(
                    "`--fail-if` compares with an evaluation: name it with `--baseline`"
                )
            return Opened(None, ())
        before = await evaluation_named(store, self.baseline)
        conditions = self.conditions or ("score drops",)
        names = [*scorers, *scorer_names(before.trials)]
        for text in conditions:
            GateCondition.of(text, scorers=names)
        return Opened(before, conditions)


@dataclass(frozen=True, slots=True)
class Opened:
    """A gate whose baseline was read."""

    baseline: EvaluationResult | None
    conditions: tuple[str, ...]

    def findings(self, now: EvaluationResult) -> list[GateFinding]:
        """What became of each condition; a drop of the score, if none is given."""
        if self.baseline is None:
            return []
        return check_gate(self.conditions, now, baseline=self.baseline)


def evaluate(common: Common, wanted: Wanted, files: Files, *, gate: Gate) -> int:
    """Run a suite."""
    output = Output(as_json=common.as_json)
    suite, candidates = wanted.source.load()
    watch = Watch(output.err, _hint(common, wanted))

    async def work() -> int:
        async with open_store(common) as store:
            opened = await gate.opened(store, [scorer.name for scorer in suite.scorers])
            resume = await find(store, wanted.resume) if wanted.resume is not None else None
            try:
                result = await interruptible(
                    run_suite(
                        suite,
                        candidates,
                        trials=wanted.trials,
                        jobs=wanted.jobs,
                        processes=wanted.processes,
                        seed=wanted.seed,
                        store=store,
                        resume=resume,
                        retry_errors=wanted.retry_errors,
                        score_again=wanted.score_again,
                        on_event=watch,
                        source=wanted.source,
                    )
                )
            finally:
                watch.stop()
            return await _told(common, store, result, files, opened, output)

    try:
        return asyncio.run(work())
    except InterruptedRun as interrupted:
        hint = f"{_hint(common, wanted)} {short_id(watch.id)}" if watch.id else "nothing was begun"
        output.message(f"interrupted: what is done is kept. Go on: {hint}", "yellow")
        return interrupted.exit_code


def _hint(common: Common, wanted: Wanted) -> str:
    """The words that go on with an evaluation, but for its id."""
    source = wanted.source
    words = ["playhead", "eval", source.suite]
    for option, values in (
        ("--agent", source.candidates),
        ("--task", source.tasks),
        ("--perturb", source.perturb),
    ):
        words += [word for value in values for word in (option, value)]
    words += [] if source.limit is None else ["--limit", str(source.limit)]
    return shlex.join([*words, *store_words(common), "--resume"])


def report(common: Common, name: str, files: Files, *, gate: Gate) -> int:
    """Say what an evaluation came to."""
    output = Output(as_json=common.as_json)

    async def work() -> int:
        async with open_store(common) as store:
            result = await evaluation_named(store, name)
            opened = await gate.opened(store, scorer_names(result.trials))
            return await _told(common, store, result, files, opened, output)

    return asyncio.run(work())


async def evaluation_named(store: SqliteStore, name: str) -> EvaluationResult:
    """An evaluation: a tape of the store, `last` for the newest one, or a file.

    Raises:
        UsageFault: The file cannot be read, or there is no evaluation yet.
        EvaluationError: It is something else.
        TapeNotFoundError: There is no such tape.
    """
    if name.endswith(".jsonl"):
        return result_of(read_tape(lines_of(name)))
    if name != "last":
        return await read_evaluation(store, await find(store, name))
    for tape in await all_tapes(store):
        opened = await store.open(tape)
        if opened.is_annotation and opened[opened.start + 1].kind == Evaluation.kind:
            return result_of(opened)
    raise UsageFault("there is no evaluation yet: `playhead eval SUITE` makes one")


async def _told(
    common: Common,
    store: SqliteStore,
    result: EvaluationResult,
    files: Files,
    gate: Opened,
    output: Output,
) -> int:
    summary = summarise(result, measure=files.measure)
    findings = gate.findings(result)
    for path in await _written(store, result, summary, files):
        output.message(f"written: {path}", "dim")
    if output.as_json:
        document = as_document(result, summary)
        output.document({**document, "gate": [each.as_json() for each in findings]})
    else:
        _show(common, output, result, summary, findings)
    unscored = any(trial.unscored for trial in result.trials)
    failed = any(finding.fails for finding in findings)
    return NEGATIVE if unscored or failed else DONE


async def _written(
    store: SqliteStore, result: EvaluationResult, summary: Summary, files: Files
) -> list[Path]:
    """The files that were written."""
    written = []
    try:
        if files.csv is not None:
            write_csv(result, files.csv)
            written.append(files.csv)
        if files.html is not None:
            await write_html(result, files.html, store=store, summary=summary)
            written.append(files.html)
    except OSError as error:
        raise UsageFault(f"`{error.filename}` cannot be written: {error.strerror}") from None
    return written


def _show(
    common: Common,
    output: Output,
    result: EvaluationResult,
    summary: Summary,
    findings: Sequence[GateFinding],
) -> None:
    show_summary(output.out, result, summary)
    if findings:
        output.out.print()
        show_findings(output.out, findings)
    for trial in result.trials:
        if trial.unscored:
            name = trial.unscored[0]
            said = f"scorer `{name}` failed on task {trial.start.task}: {trial.scores[name].error}"
            output.message(said, "red")
            output.message("mend it, then let it judge again: --resume … --score-again", "dim")
            break
    words = shlex.join(["playhead", "report", short_id(result.id), *store_words(common)])
    output.err.print(Text(f"\nmore: {words} --html report.html", style="dim"), soft_wrap=True)
