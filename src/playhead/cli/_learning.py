"""`learn`: from the tapes of a store to experience documents."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from playhead.cli._agents import load_environments
from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._play_library import Source, keep
from playhead.cli._replay_all import Filter, meant_tapes
from playhead.cli._tapes import open_store
from playhead.cli._text import one_line, plural, short_id
from playhead.environment import Environment
from playhead.experience.document import Experience, experience_digest, experience_yaml
from playhead.experience.learn import Learned
from playhead.experience.learn import learn as learn_from
from playhead.tape import Tape

_FILTERS = ("agent", "status", "since", "until")


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


def learn(wanted: Wanted) -> int:
    """Learn, write the documents, and say what became of every tape."""
    if not wanted.tapes and wanted.filter is None:
        raise UsageFault("name tapes to learn from, or choose them: --from status=answered")
    output = Output(as_json=wanted.common.as_json)
    found = asyncio.run(_tapes(wanted, _filter(wanted)))
    if not found:
        raise UsageFault("no tape fits: `playhead ls` lists those of the store")
    names = wanted.environments
    learnt = learn_from(
        found,
        environment=(lambda: _environment(names)) if names else None,
        name=wanted.name,
        now=wanted.now,
    )
    written = {each.name: _write(wanted, each) for each in learnt.experiences}
    keep(Source(wanted.library, wanted.common.store), learnt.experiences, found)
    if output.as_json:
        output.document(_as_json(learnt, written))
    else:
        _show(output, learnt, written)
    return DONE if learnt.experiences else NEGATIVE


def _filter(wanted: Wanted) -> Filter:
    """Read `NAME=VALUE NAME=VALUE`."""
    given: dict[str, str] = {}
    for pair in (wanted.filter or "").split():
        name, sign, value = pair.partition("=")
        if name not in _FILTERS or not sign or not value:
            known = ", ".join(f"{each}=…" for each in _FILTERS)
            raise UsageFault(f"`--from {pair}`: write {known}, with blanks between")
        given[name] = value
    return Filter(wanted.tapes, **given)


async def _tapes(wanted: Wanted, meant: Filter) -> list[Tape]:
    ids = await meant_tapes(wanted.common, meant)
    async with open_store(wanted.common) as store:
        tapes = [await store.open(each) for each in ids]
        return [tape for tape in tapes if not tape.is_annotation]


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
                "tapes": [trace.tape for trace in each.evidence.traces],
                "validation": each.evidence.validation.model_dump(mode="json"),
            }
            for each in learnt.experiences
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
        said = f"  of {plural(len(each.evidence.traces), 'tape')}; left out in turn: "
        said += f"{found.right} right, {found.refused} refused"
        output.out.row(Text(str(written[each.name]), style="bold").append(said, style="dim"))
    for aside in learnt.quarantined:
        tapes = ", ".join(short_id(tape) for tape in aside.traces)
        output.out.row(Text(f"nothing kept of {tapes}", style="yellow"))
        for reason in aside.reasons[:3]:
            output.out.row(Text(f"  {one_line(reason, 300)}", style="dim"))
    for tape, reason in learnt.skipped.items():
        output.out.row(Text(f"left out {short_id(tape)}: {reason}", style="dim"))
