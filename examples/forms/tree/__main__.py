"""`python -m examples.forms.tree --to FOLDER`: grow a tree, evaluate it, and report on it."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from examples.forms.console import wide
from examples.forms.models import RULES, model_for
from examples.forms.tree._evaluate import evaluate_tree
from examples.forms.tree._grow import grow
from examples.forms.tree._ledger import Ledger
from examples.forms.tree._report import print_report, report_of
from examples.forms.tree._settings import TreeSettings, read_settings
from examples.forms.tree._workers import workers_for
from playhead.errors import PlayheadError
from playhead.store import SqliteStore

_SHOWN: dict[str, Any] = {"style": "red", "markup": False, "highlight": False, "soft_wrap": True}


def main(
    to: Annotated[Path, typer.Option(help="Folder of the tree; what is there is gone on with.")],
    settings: Annotated[Path | None, typer.Option(help="A page of YAML.")] = None,
    dialogues: Annotated[int | None, typer.Option(help="How many dialogues.")] = None,
    roots: Annotated[int | None, typer.Option(help="How many of them begin apart.")] = None,
    agent: Annotated[str | None, typer.Option(help="`teacher` or `student`.")] = None,
    model: Annotated[str | None, typer.Option(help="Its model: `openai:gpt-5-mini`.")] = None,
    user_model: Annotated[str | None, typer.Option(help="Of the simulated user.")] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many are at work; one for each core if not given."),
    ] = None,
    judge: Annotated[str, typer.Option(help="Model of the judges.")] = RULES,
    judged: Annotated[int, typer.Option(help="How many dialogues they judge.")] = 50,
) -> None:
    """Grow a tree of dialogues, evaluate it, and report on it. Killed, it goes on where it was."""
    console, errors = wide(), Console(stderr=True)
    try:
        chosen = read_settings(settings) if settings is not None else TreeSettings()
        given: dict[str, Any] = {
            "dialogues": dialogues, "roots": roots, "agent": agent,
            "model": model, "user_model": user_model,
        }  # fmt: skip
        changes = {name: value for name, value in given.items() if value is not None}
        if dialogues is not None and roots is None:
            changes["roots"] = min(chosen.roots, max(1, dialogues // 4))
        chosen = TreeSettings.model_validate({**chosen.model_dump(), **changes})
        to.mkdir(parents=True, exist_ok=True)
        asyncio.run(_grow(chosen, to, judge, judged, processes or cores(), console))
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            option = "".join(f"--{each}: ".replace("_", "-") for each in fault["loc"])
            errors.print(option + fault["msg"].removeprefix("Value error, "), **_SHOWN)
        raise typer.Exit(2) from None
    except PlayheadError as error:
        errors.print(str(error), **_SHOWN)
        raise typer.Exit(2) from None


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def _grow(
    settings: TreeSettings, to: Path, judge: str, judged: int, processes: int, console: Console
) -> None:
    began = time.perf_counter()
    ledger = Ledger(to / "tree.jsonl", settings=settings.digest)
    known = len(ledger.leaves())

    def show(layer: int, nodes: int, ledger: Ledger) -> None:
        ended = sum(leaf.layer <= layer for leaf in ledger.leaves())
        console.print(f"turn {layer + 1:>2}: {nodes:>5,} nodes, {ended:>5,} dialogues ended")

    async with SqliteStore(to / "tapes.db", durability="normal") as store:
        try:
            async with workers_for(settings, ledger, store, processes=processes) as workers:
                await grow(settings, ledger, store, workers=workers, on_layer=show)
                grown, new = time.perf_counter() - began, len(ledger.leaves()) - known
                evaluated = await evaluate_tree(
                    ledger, store, judge=model_for("judge", judge), judged=judged,
                    jobs=settings.jobs, workers=workers,
                )  # fmt: skip
            report = await report_of(ledger, store)
        finally:
            ledger.close()
    took = time.perf_counter() - began
    (to / "report.json").write_text(json.dumps(asdict(report), indent=1))
    print_report(report, console)
    for key, why in evaluated.failed.items():
        console.print(f"not judged, {key}: {why}", markup=False, highlight=False)
    console.print(
        f"{new:,} new dialogues in {grown:.0f} s, {evaluated.dialogues:,} evaluated in "
        f"{took - grown:.0f} s: {3600 * max(new, evaluated.dialogues) / took:,.0f} an hour",
        highlight=False,
    )


if __name__ == "__main__":
    typer.run(main)
