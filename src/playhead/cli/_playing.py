"""`play`: an experience carried out, shown while it happens."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

import playhead as ph
from playhead.cli._agents import load, load_environments
from playhead.cli._ask import decisions, waiting_json, waiting_text
from playhead.cli._guard import DONE, NEGATIVE, WAITS, UsageFault
from playhead.cli._live import Stream
from playhead.cli._options import Approve, Common
from playhead.cli._output import Output
from playhead.cli._play_library import Source, chosen, count, known_of, named
from playhead.cli._tapes import find, open_store
from playhead.cli._text import clean, one_line, plural, short_id
from playhead.errors import JsonError
from playhead.experience.document import Experience, Parameter, experience_digest
from playhead.experience.play import PERSON, ROUTINE, Level, Limits, Played, play, resume_play
from playhead.tape import Json, call_text, loads_strict

_CODES = {"done": DONE, "nothing": DONE, "dry": DONE, "handed_over": WAITS, "waiting": WAITS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the command."""

    common: Common
    experience: str | None
    environments: tuple[str, ...]
    levels: tuple[str, ...]
    judge: str | None
    approve: Approve
    limited: bool
    library: Path | None = None

    @property
    def source(self) -> Source:
        """Where the library is."""
        return Source(self.library, self.common.store)


def begin(
    wanted: Wanted,
    task: str | None,
    params: Sequence[str],
    *,
    now: str | None,
    limits: Path | None,
    dry: bool,
) -> int:
    """Play an experience on a new task."""
    if wanted.experience is None:
        experience = chosen(wanted.source, task, Output(as_json=wanted.common.as_json))
    else:
        experience = named(wanted.source, wanted.experience, trusted=True)
    parameters = _parameters(experience, params)
    known = known_of(wanted.source, experience_digest(experience))
    if limits is not None:
        known["limits"] = _limits(limits)

    async def work(common: dict[str, Any]) -> Played:
        asked = {"parameters": parameters, "now": now, "dry": dry, **known, **common}
        return await play(experience, task, **asked)

    return _played(wanted, lambda common, _: work({**common, "ask": _asker(wanted)}))


def go_on(wanted: Wanted, text: str, said: Sequence[str]) -> int:
    """Go on with a play."""
    name = wanted.experience
    experience = named(wanted.source, name) if name is not None else None

    async def work(common: dict[str, Any], store: ph.SqliteStore) -> Played:
        tape = await store.open(await find(store, text))
        return await resume_play(
            tape, experience=experience, decisions=decisions(tape, said), **common
        )

    return _played(wanted, work)


def _played(
    wanted: Wanted, work: Callable[[dict[str, Any], ph.SqliteStore], Awaitable[Played]]
) -> int:
    """Do the work, and tell what came of it."""
    output = Output(as_json=wanted.common.as_json)
    levels, around = _levels(wanted)
    stream = Stream(output.people)

    async def main() -> Played:
        async with open_store(wanted.common) as store:
            common = {
                "environment": around,
                "store": store,
                "levels": levels,
                "judge": wanted.judge,
                "limited": wanted.limited,
                "approval": _approval(wanted.approve),
                "on_event": stream,
            }
            try:
                return await work(common, store)
            finally:
                stream.stop()

    done = asyncio.run(main())
    count(wanted.source, done)
    if output.as_json:
        waiting = waiting_json(done.tape)
        output.document({**done.as_json(), "would": done.would, "waiting": waiting})
    else:
        _tell(output, done)
    unfinished = WAITS if done.tape.status == "paused" else NEGATIVE
    return _CODES.get(done.outcome, unfinished)


def _levels(wanted: Wanted) -> tuple[list[Level], list[ph.Environment]]:
    """The levels that were named, and what is around them."""
    around = list(load_environments(wanted.environments))
    levels: list[Level] = []
    for name in wanted.levels:
        if name in (ROUTINE, PERSON):
            levels.append(ROUTINE if name == ROUTINE else PERSON)
            continue
        loaded = load(name)
        levels.append(loaded.agent)
        around = around or list(loaded.environments)
    return levels, around


def _parameters(experience: Experience, said: Sequence[str]) -> dict[str, Json]:
    """`NAME=VALUE` of the command line.

    Raises:
        UsageFault: One is not written so.
    """
    found: dict[str, Json] = {}
    for text in said:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageFault(f"`--param {text}`: write NAME=VALUE")
        known = experience.parameters.get(name)
        found[name] = _value(known, value)
    return found


def _value(parameter: Parameter | None, text: str) -> Json:
    kind = parameter.schema_.get("type") if parameter is not None else None
    if kind in (None, "string"):
        return text
    try:
        return loads_strict(text)
    except JsonError:
        return text  # told with its schema


def _limits(file: Path) -> Limits:
    try:
        return Limits.of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UsageFault(f"`{file}` cannot be read as JSON: {error}") from None


def _asker(wanted: Wanted) -> Callable[[str, Parameter], Json] | None:
    """Asks at the terminal for what is missing, if there is one."""
    if not sys.stdin.isatty() or wanted.common.as_json:
        return None

    def ask(name: str, parameter: Parameter) -> Json:
        about = f" ({one_line(parameter.description, 200)})" if parameter.description else ""
        return _value(parameter, input(f"{name}{about}: "))

    return ask


def _approval(approve: Approve) -> ph.Approval | None:
    if approve is Approve.none:
        return None
    irreversible = approve is Approve.irreversible
    return ph.Approval(effects=("irreversible",) if irreversible else ("write", "irreversible"))


def _tell(output: Output, done: Played) -> None:
    """Tell people how a play ended, and what they can do next."""
    if done.outcome == "dry":
        _tell_dry(output, done.would)
    elif done.answer is not None:
        output.out.print(Text(f"\n{clean(done.answer)}\n", style="bold"), soft_wrap=True)
    facts = [
        done.outcome.replace("_", " "),
        f"by {one_line(done.level, 60)}",
        plural(done.writes, "write"),
        plural(done.model_calls, "model call"),
    ]
    line = Text.assemble(("tape ", "dim"), (done.tape.id, "bold"), f"  {'  '.join(facts)}")
    output.out.print(line, soft_wrap=True)
    for each in done.handed_over:
        output.message(
            f"{one_line(each.level, 60)} handed over: {one_line(each.why, 600)}", "yellow"
        )
    for text in waiting_text(done.tape):
        output.message(text, "yellow")
    if done.outcome == "handed_over":
        output.message(
            f"go on with: playhead play EXPERIENCE --tape {short_id(done.tape.id)} --level routine "
            "--level AGENT"
        )


def _tell_dry(output: Output, would: Json) -> None:
    known = would if isinstance(would, dict) else {}
    writes = known.get("writes")
    listed = writes if isinstance(writes, list) else []
    for each in listed:
        call = each if isinstance(each, dict) else {}
        text = call_text(str(call.get("tool")), call.get("arguments"))
        output.out.row(Text(f"would {call.get('effect')}: {one_line(text, 1000)}"))
    if not listed:
        output.out.print(Text("would write nothing"), soft_wrap=True)
    if known.get("refused"):
        output.message(f"would stop: {one_line(str(known['refused']), 600)}", "yellow")
