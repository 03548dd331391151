"""`learn`: from the tapes of a store to experience documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from playhead.cli._agents import load_environments
from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._learning_tapes import failed_tapes, right_tapes
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._play_library import Source, guard, keep, taught_by
from playhead.cli._tapes import open_store
from playhead.cli._text import one_line, plural, short_id
from playhead.environment import Environment
from playhead.experience.document import Experience, experience_digest, experience_yaml
from playhead.experience.learn import Learned
from playhead.experience.learn import learn as learn_from
from playhead.experience.learn.with_model import Proposed
from playhead.tape import Tape


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the command."""

    common: Common
    tapes: tuple[str, ...]
    filter: str | None
    environments: tuple[str, ...]
    name: str | None
    now: str | None
    out: Path
    force: bool
    library: Path | None = None
    failed: tuple[str, ...] = ()
    model: str | None = None


def learn(wanted: Wanted) -> int:
    """Learn, write the documents, and say what became of every tape."""
    if not wanted.tapes and wanted.filter is None:
        raise UsageFault("name tapes to learn from, or choose them: --from status=answered")
    output = Output(as_json=wanted.common.as_json)
    right, wrong = asyncio.run(_tapes(wanted))
    if not right:
        raise UsageFault("no tape fits: `playhead ls` lists those of the store")
    learnt = _learnt(wanted, right, wrong)
    written = {each.name: _write(wanted, each) for each in learnt.experiences}
    source = Source(wanted.library, wanted.common.store)
    keep(source, learnt.experiences, right)
    guards = guard(source, learnt.experiences, wrong, now=wanted.now)
    if output.as_json:
        output.document({**_as_json(learnt, written), "guards": [asdict(each) for each in guards]})
    else:
        _show(output, learnt, written)
        for each in guards:
            output.out.row(Text(f"guarded: {one_line(each.text, 200)}", style="yellow"))
    return DONE if learnt.experiences else NEGATIVE


def _learnt(wanted: Wanted, right: Sequence[Tape], wrong: Sequence[Tape]) -> Learned:
    names = wanted.environments
    how: dict[str, Any] = {
        "environment": (lambda: _environment(names)) if names else None,
        "name": wanted.name,
        "now": wanted.now,
        "failed": wrong,
    }
    if wanted.model is None:
        return learn_from(right, **how)
    return asyncio.run(_with_model(wanted.common, right, {**how, "model": wanted.model}))


async def _with_model(common: Common, right: Sequence[Tape], how: dict[str, Any]) -> Learned:
    from playhead.experience.learn.with_model import learn_with_model

    async with open_store(common) as store:
        return await learn_with_model(right, store=store, **how)


async def _tapes(wanted: Wanted) -> tuple[list[Tape], list[Tape]]:
    """The sessions that did what was asked, and those that did not, which count as that only."""
    wrong = await failed_tapes(wanted.common, wanted.failed)
    ids = {tape.id for tape in wrong}
    right = await right_tapes(wanted.common, wanted.tapes, wanted.filter)
    return [tape for tape in right if tape.id not in ids], wrong


def _environment(names: tuple[str, ...]) -> Environment:
    if len(names) > 1:
        raise UsageFault("learn takes one environment: make one that offers the tools of all")
    return load_environments(names)[0]


def _write(wanted: Wanted, experience: Experience) -> Path:
    path = wanted.out / f"{experience.name}.yaml"
    text = experience_yaml(experience)
    if path.exists() and path.read_text(encoding="utf-8") != text and not wanted.force:
        raise UsageFault(f"`{path}` is there already and says something else: --force, or --out")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _as_json(learnt: Learned, written: dict[str, Path]) -> dict[str, object]:
    return {
        "experiences": [
            {
                "name": each.name,
                "digest": experience_digest(each),
                "file": str(written[each.name]),
                "tapes": taught_by(each),
                "failed": [t.tape for t in each.evidence.traces if t.outcome == "failed"],
                "validation": each.evidence.validation.model_dump(mode="json"),
            }
            for each in learnt.experiences
        ],
        "proposals": [
            {
                "tape": each.tape.id if each.tape is not None else None,
                "experience": each.experience.name,
                "kept": list(each.kept),
                "refused": each.refused,
            }
            for each in learnt.proposals
        ],
        "quarantined": [
            {"tapes": list(each.traces), "reasons": list(each.reasons)}
            for each in learnt.quarantined
        ],
        "skipped": learnt.skipped,
    }


def _show(output: Output, learnt: Learned, written: dict[str, Path]) -> None:
    for each in learnt.experiences:
        found = each.evidence.validation
        said = f"  of {plural(len(taught_by(each)), 'tape')}; left out in turn: "
        said += f"{found.right} right, {found.refused} refused"
        output.out.row(Text(str(written[each.name]), style="bold").append(said, style="dim"))
    for proposal in learnt.proposals:
        _show_proposal(output, proposal)
    for aside in learnt.quarantined:
        tapes = ", ".join(short_id(tape) for tape in aside.traces)
        output.out.row(Text(f"nothing kept of {tapes}", style="yellow"))
        for reason in aside.reasons[:3]:
            output.out.row(Text(f"  {one_line(reason, 300)}", style="dim"))
    for tape, reason in learnt.skipped.items():
        output.out.row(Text(f"left out {short_id(tape)}: {reason}", style="dim"))


def _show_proposal(output: Output, proposal: Proposed) -> None:
    """What a model proposed: what was kept, and why the rest was not."""
    tape = short_id(proposal.tape.id) if proposal.tape is not None else ""
    said = f"proposed on {tape}: kept {', '.join(proposal.kept) or 'nothing'}"
    output.out.row(Text(said, style="dim"))
    for name, why in proposal.refused.items():
        output.out.row(Text(f"  refused {one_line(name, 60)}: {one_line(why, 300)}", style="dim"))
