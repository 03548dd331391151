"""`replay`: the agent's code against what a tape recorded."""

from __future__ import annotations

import asyncio

from rich.table import Table
from rich.text import Text

import playhead as ph
from playhead.cli._agents import load, missing_agent
from playhead.cli._guard import DONE, NEGATIVE
from playhead.cli._options import Common, Mode
from playhead.cli._output import Output
from playhead.cli._tapes import find, open_store
from playhead.cli._text import one_line, plural, short_id


def replay(common: Common, text: str, agent: str | None, mode: Mode) -> int:
    """Replay a tape; no model is asked and nothing is done."""
    output = Output(as_json=common.as_json)
    report = asyncio.run(_report(common, text, agent, mode))
    if output.as_json:
        output.document(_document(report))
    elif report.ok:
        output.out.print(_ok(report), soft_wrap=True)
    else:
        output.out.print(_table(report))
        output.out.print(Text(_counts(report), style="bold red"), soft_wrap=True)
    return DONE if report.ok else NEGATIVE


async def _report(common: Common, text: str, agent: str | None, mode: Mode) -> ph.ReplayReport:
    async with open_store(common) as store:
        tape = await store.open(await find(store, text))
        if agent is None:
            raise missing_agent(tape)
        return await ph.replay(tape, agent=load(agent).agent, mode=mode.value, store=store)


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


def _table(report: ph.ReplayReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("step", justify="right")
    for name in ("node", "what"):
        table.add_column(name, no_wrap=True)
    for name in ("recorded", "now"):
        table.add_column(name, ratio=1, overflow="fold")
    for found in report.divergences:
        table.add_row(
            str(found.seq),
            Text(one_line(found.node, 30)),
            Text(found.what),
            Text(one_line(found.recorded, 400), style="red"),
            Text(one_line(found.now, 400), style="green"),
        )
    return table


def _document(report: ph.ReplayReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "tape": report.tape,
        "mode": report.mode,
        "turns": report.turns,
        "steps": report.steps,
        "divergences": [
            {
                "seq": found.seq,
                "agent": found.agent,
                "node": found.node,
                "what": found.what,
                "recorded": found.recorded,
                "now": found.now,
            }
            for found in report.divergences
        ],
    }
