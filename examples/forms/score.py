"""`python -m examples.forms.score STORE`: GREADTH of the dialogues in a store, also imported."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from examples.forms.dialogue import Dialogue, read_dialogue
from examples.forms.greadth import LETTERS, measure
from playhead.errors import PlayheadError
from playhead.store import SqliteStore

_PAGE = 200


async def dialogues_in(path: Path) -> dict[str, Dialogue]:
    """By tape, the dialogues of a store in which a form was looked for."""
    found: dict[str, Dialogue] = {}
    async with SqliteStore(path) as store:
        before: str | None = None
        while page := await store.tapes(limit=_PAGE, before=before):
            for info in page:
                dialogue = read_dialogue(await store.open(info.id))
                if dialogue.state.candidates is not None:
                    found[info.id] = dialogue
            before = page[-1].id
    return found


def main(store: Annotated[Path, typer.Argument(help="A store of tapes.")]) -> None:
    """Measure the dialogues of a store: of agents here, or imported from TapeAgents."""
    if not store.exists():
        typer.echo(f"there is no `{store}`: import tapes with `playhead import`", err=True)
        raise typer.Exit(2)
    try:
        found = asyncio.run(dialogues_in(store))
    except PlayheadError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    for tape, dialogue in found.items():
        greadth = measure(dialogue)
        figures = "  ".join(
            f"{each[0].upper()} {100 * greadth.value(each):.0f}" for each in LETTERS
        )
        typer.echo(f"{tape[-8:]}  {greadth.turns} turns  {figures}")
        for finding in greadth.findings:
            typer.echo(f"  turn {finding.turn}, {finding.letter}: {finding.why}")
    typer.echo(f"{len(found)} dialogues")


if __name__ == "__main__":
    typer.run(main)
