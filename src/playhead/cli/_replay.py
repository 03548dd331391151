"""`replay`: the agent's code against what a tape recorded."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

import playhead as ph
from playhead.cli._agents import load, missing_agent
from playhead.cli._guard import DONE, NEGATIVE
from playhead.cli._options import Common, Mode
from playhead.cli._output import Output
from playhead.cli._report import store_words
from playhead.cli._tapes import find, open_store
from playhead.cli._text import one_line, plural, short_id
from playhead.orchestrator import Divergence
from playhead.store import SqliteStore
from playhead.tape import Tape
from playhead.tape.kinds import Play

_FIRST = 6  # entries among which a play says that it is one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a replay was asked for."""

    common: Common
    agent: str | None
    mode: Mode
    every: bool = False


def replay(wanted: Wanted, text: str) -> int:
    """Replay a tape; no model is asked and nothing is done."""
    output = Output(as_json=wanted.common.as_json)
    report = asyncio.run(_report(wanted, text))
    if output.as_json:
        output.document(report.as_json())
    elif report.ok:
        output.out.print(_ok(report), soft_wrap=True)
    else:
        output.out.print(_table(report.divergences))
        output.out.print(Text(_counts(report), style="bold red"), soft_wrap=True)
        output.message(fork_hint(wanted, report.tape, report.divergences[0]), "dim")
    return DONE if report.ok else NEGATIVE


async def _report(wanted: Wanted, text: str) -> ph.ReplayReport:
    async with open_store(wanted.common) as store:
        tape = await store.open(await find(store, text))
        if any(step.kind == Play.kind for step in tape.range(0, min(_FIRST, len(tape)))):
            return await _play_report(wanted, tape, store)
        if wanted.agent is None:
            raise missing_agent(tape)
        agent = load(wanted.agent).agent
        return await ph.replay(
            tape, agent=agent, mode=wanted.mode.value, every=wanted.every, store=store
        )


async def _play_report(wanted: Wanted, tape: Tape, store: SqliteStore) -> ph.ReplayReport:
    """A play holds its experience; an agent is needed where one took over."""
    from playhead.experience.play import ROUTINE, Level, replay_play

    levels: list[Level] = [ROUTINE]
    if wanted.agent is not None:
        levels.append(load(wanted.agent).agent)
    return await replay_play(
        tape, levels=levels, mode=wanted.mode.value, every=wanted.every, store=store
    )


def fork_hint(wanted: Wanted, tape: str, found: Divergence) -> str:
    """How to go on live from where a tape and the agent part."""
    words = ["playhead", "fork", short_id(tape), "--at", str(found.fork_at)]
    words += ["--agent", wanted.agent or "", *store_words(wanted.common)]
    return f"go on live from there: {shlex.join(words)}"


def _counts(report: ph.ReplayReport) -> str:
    return (
        f"{plural(len(report.divergences), 'divergence')} in {plural(report.turns, 'turn')} of "
        f"tape {short_id(report.tape)} (mode {report.mode})"
    )


def _ok(report: ph.ReplayReport) -> Text:
    return Text.assemble(
        ("ok ", "bold green"),
        f"{plural(report.turns, 'turn')} and {plural(report.steps, 'step')} of tape "
        f"{short_id(report.tape)} as recorded (mode {report.mode}); no model was asked",
    )


def _table(divergences: Sequence[Divergence]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("step", justify="right")
    for name in ("node", "what"):
        table.add_column(name, no_wrap=True)
    for name in ("where", "recorded", "now"):
        table.add_column(name, ratio=1, overflow="fold")
    for found in divergences:
        was, now = found.told
        table.add_row(
            str(found.seq),
            Text(one_line(found.node, 30)),
            Text(found.what),
            Text(one_line(found.place, 100)),
            Text(one_line(was, 400), style="red"),
            Text(one_line(now, 400), style="green"),
        )
    return table
