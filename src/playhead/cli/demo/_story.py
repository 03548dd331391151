"""The demonstration from beginning to end."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
import time
from pathlib import Path

from rich.text import Text

import playhead as ph
from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._output import Output
from playhead.cli._text import short_id
from playhead.cli.demo import _acts, _acts_back
from playhead.cli.demo._stage import Stage

_ACTS = (
    _acts.first_session,
    _acts.killed_session,
    _acts.resumed_session,
    _acts_back.replayed_session,
    _acts_back.forked_session,
    _acts_back.verified_tapes,
)


def demonstrate(keep: Path | None, *, as_json: bool) -> int:
    """Tell the story; exit code 0 only if every claim in it was checked and held."""
    output = Output(as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="playhead-demo-") as temporary:
        try:
            folder = _place(keep, temporary)
        except OSError as error:
            raise UsageFault(f"`{keep}` cannot be made: {error.strerror}") from None
        stage = asyncio.run(_tell(output, folder))
        seconds = time.monotonic() - stage.started
        _end(stage, folder if keep is not None else None, seconds)
    if as_json:
        output.document(
            {
                "ok": stage.ok,
                "seconds": round(seconds, 3),
                "completions": "hand-written",
                "store": str(stage.store.path) if keep is not None else None,
                "checks": [{"claim": text, "ok": held} for text, held in stage.checks],
                **stage.facts,
            }
        )
    return DONE if stage.ok else NEGATIVE


async def _tell(output: Output, folder: Path) -> Stage:
    async with ph.SqliteStore(folder / "tapes.db") as store:
        stage = Stage(output, store, folder / "ledger.jsonl")
        for act in _ACTS:
            await act(stage)
    return stage


def _end(stage: Stage, kept: Path | None, seconds: float) -> None:
    held = sum(held for _, held in stage.checks)
    people = stage.output.people
    people.print()
    style = "bold green" if stage.ok else "bold red"
    text = f"{held} of {len(stage.checks)} claims hold, checked in {seconds:.1f} s"
    people.print(Text(text, style=style))
    if kept is None:
        people.print(Text("keep the tapes to look around: playhead demo --keep there", style="dim"))
        return
    store = shlex.quote(str(stage.store.path))
    for name in ("show", "replay --agent demo", "verify"):
        tape = short_id(stage.tapes["resumed"].id)
        people.print(Text(f"  playhead {name} {tape} --store {store}", style="dim"), soft_wrap=True)


def _place(keep: Path | None, temporary: str) -> Path:
    """The folder of the demonstration."""
    folder = keep if keep is not None else Path(temporary)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
