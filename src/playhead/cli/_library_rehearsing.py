"""`library trust --environment`: an experience is played in fresh environments first."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.text import Text

from playhead.cli._agents import load_environments
from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._library_looking import opened
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._tapes import open_tape
from playhead.cli._text import one_line, plural
from playhead.environment import Environment, Environments
from playhead.experience.library import Rehearsal, baseline_of, grants, rehearse, verified
from playhead.tape import call_text

_STYLES = {"right": "green", "wrong": "bold red", "refused": "yellow"}


class Wanted(NamedTuple):
    """What is to be rehearsed, and where."""

    experience: str
    tapes: Sequence[str]
    environments: Sequence[str]
    now: str | None
    yes: bool


def trust(library: Path | None, store: Path, wanted: Wanted, *, as_json: bool) -> int:
    """Rehearse an experience, show what it wrote, and trust it if that was right."""
    output = Output(as_json=as_json)
    sessions = [open_tape(Common(store), tape) for tape in wanted.tapes]
    with opened(library, store) as found:
        kept = found.get(wanted.experience)
        declared = found.capabilities(kept.digest)
        document = found.document(kept.digest)
        how: dict[str, Any] = {"sessions": sessions, "now": wanted.now}
        how["limits"] = grants(declared) if declared is not None else None
        done = asyncio.run(rehearse(document, lambda: _fresh(wanted.environments), **how))
        verification = verified(done)
        _show(output, done)
        if verification.ok and not sessions and not (wanted.yes or _agreed(output)):
            return NEGATIVE
        kept = found.trust(kept.digest, verification)
        if verification.ok and sessions and found.ledger.baseline(kept.digest) is None:
            source = f"mean of {plural(len(sessions), 'session')} that it was verified over"
            found.ledger.set_baseline(kept.digest, baseline_of(sessions, source=source))
    if as_json:
        trials = [asdict(each) for each in done]
        output.document(
            {"experience": asdict(kept), "verification": asdict(verification), "trials": trials}
        )
    else:
        said = f"{kept.label} ({kept.short}) is {kept.state}: {one_line(kept.reason, 300)}"
        output.message(said)
    return DONE if kept.state == "trusted" else NEGATIVE


def _fresh(names: Sequence[str]) -> Environment:
    made = load_environments(names)
    return made[0] if len(made) == 1 else Environments(made)


def _show(output: Output, done: Sequence[Rehearsal]) -> None:
    """Each task with what was written: people see what they are asked to trust."""
    for each in done:
        line = Text(f"{each.ended:<8}", style=_STYLES[each.ended]).append(one_line(each.task, 200))
        output.people.print(line, soft_wrap=True)
        for call in each.writes:
            said = call_text(str(call["tool"]), call["arguments"])
            output.people.print(Text(f"  wrote {one_line(said, 600)}"), soft_wrap=True)
        if each.reason:
            told = Text(f"  {one_line(each.reason, 400)}", style="dim")
            output.people.print(told, soft_wrap=True)


def _agreed(output: Output) -> bool:
    question = "These are the examples of its author. Is what was written right?"
    if not sys.stdin.isatty():
        raise UsageFault(f"{question} Nobody is there to ask: say --yes, or --over TAPE")
    output.people.print(Text(f"{question} [y/N] ", style="bold"), end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
