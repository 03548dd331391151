"""`check`: what an experience asks of a session, and whether recorded ones fulfil it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.text import Text

from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._play_library import Source, named
from playhead.cli._tapes import all_tapes, find, open_store
from playhead.cli._text import one_line, plural, short_id
from playhead.errors import ExperienceError
from playhead.experience.checks import Case, CheckedTape, CheckEngine, case_of_tape, check_over
from playhead.experience.document import Check, Experience, experience_digest
from playhead.experience.play import newest_play
from playhead.store import SqliteStore
from playhead.tape import Json


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the command."""

    common: Common
    experience: str
    limited: bool


def load_experience(name: str, store: Path) -> Experience:
    """The experience that a person names: a file, or one of the library.

    Raises:
        UsageFault: There is none.
        ExperienceFileError: It is no experience; the message names file and line.
    """
    return named(Source(None, store), name)


def look(wanted: Wanted) -> int:
    """Compile the checks, and list them."""
    experience = load_experience(wanted.experience, wanted.common.store)
    CheckEngine(experience.checks, limited=wanted.limited)
    output = Output(as_json=wanted.common.as_json)
    if output.as_json:
        output.document({**_named(experience), "checks": [_as_json(c) for c in experience.checks]})
        return DONE
    output.out.print(_title(experience), soft_wrap=True)
    for check in experience.checks:
        output.out.row(_line(check))
    words = sum("words" in check.check.model_dump() for check in experience.checks)
    judged = f", {words} of them judged by a model" if words else ""
    output.message(f"{plural(len(experience.checks), 'check')}{judged}: all compile", "green")
    return DONE


def _named(experience: Experience) -> dict[str, Json]:
    digest = experience_digest(experience)
    return {"experience": experience.name, "version": experience.version, "digest": digest}


def _title(experience: Experience) -> Text:
    name = Text(f"{experience.name} version {experience.version}", style="bold")
    return name.append(f"  {one_line(experience.title, 200)}", style="dim")


def _line(check: Check) -> Text:
    condition = check.check.model_dump(by_alias=True)
    (language, text), *_ = condition.items()
    said = f"  {check.id:<28} {check.kind:<14} {check.at:<8} {language:<6}"
    evidence = f"+{len(check.supports)} -{len(check.contradicts)}  "
    return Text(one_line(said, 300)).append(evidence, style="dim").append(one_line(str(text), 300))


def _as_json(check: Check) -> Json:
    plain: Json = check.model_dump(mode="json", by_alias=True)
    return plain


def over(wanted: Wanted, names: Sequence[str], *, everything: bool) -> int:
    """Ask the checks about tapes, and list what does not hold."""
    experience = load_experience(wanted.experience, wanted.common.store)
    output = Output(as_json=wanted.common.as_json)
    cases, skipped = asyncio.run(_cases(wanted.common, experience, names, everything=everything))
    if not cases:
        raise UsageFault("no tape fits: name tapes, or say --all")
    found = list(check_over(experience, cases, limited=wanted.limited))
    if output.as_json:
        listed = [asdict(each) for each in found]
        output.document({**_named(experience), "tapes": listed, "skipped": skipped})
    else:
        output.out.print(_title(experience), soft_wrap=True)
        for each in found:
            _tell(output, each)
        _sum_up(output, found, skipped)
    return NEGATIVE if any(each.failed for each in found) else DONE


async def _cases(
    common: Common, experience: Experience, names: Sequence[str], *, everything: bool
) -> tuple[list[Case], dict[str, str]]:
    """The sessions that are meant, and why others were left out."""
    cases: list[Case] = []
    skipped: dict[str, str] = {}
    async with open_store(common) as store:
        for tape in await _meant(store, names):
            opened = await store.open(tape)
            if not names and not everything and not _is_play(opened, experience):
                continue
            if opened.is_annotation:
                continue
            try:
                cases.append(case_of_tape(experience, opened))
            except ExperienceError as error:
                skipped[tape] = error.message
    return cases, skipped


async def _meant(store: SqliteStore, names: Sequence[str]) -> list[str]:
    return [await find(store, name) for name in names] if names else await all_tapes(store)


def _is_play(tape: object, experience: Experience) -> bool:
    from playhead.tape import Tape

    assert isinstance(tape, Tape)
    found = newest_play(tape)
    return found is not None and found[1].experience == experience.name


def _tell(output: Output, each: CheckedTape) -> None:
    style = "bold red" if each.failed else "green"
    line = Text(short_id(each.tape), style="bold").append("  ")
    line.append(f"{len(each.held)} hold, {len(each.failed)} do not", style=style)
    if each.unasked:
        line.append(f", {len(each.unasked)} not asked", style="dim")
    output.out.print(line, soft_wrap=True)
    for name, why in each.failed.items():
        output.out.row(Text(f"  {one_line(name, 60)}  {one_line(why, 400)}"))


def _sum_up(output: Output, found: Sequence[CheckedTape], skipped: dict[str, str]) -> None:
    failing = sum(bool(each.failed) for each in found)
    said = f"{plural(len(found), 'tape')}: {failing} with a check that does not hold"
    if skipped:
        said += f"; {len(skipped)} left out: {one_line(next(iter(skipped.values())), 200)}"
    output.message(said, "red" if failing else "green")
