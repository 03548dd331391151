"""Tapes of a store: found by what a person types, opened, read page by page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from playhead.cli._guard import UsageFault
from playhead.cli._options import Common
from playhead.cli._text import plural
from playhead.errors import PlayheadError, TapeNotFoundError
from playhead.store import SqliteStore, TapeInfo
from playhead.tape import Body, Fold, Step, Tape, step_text
from playhead.tape.annotations import Evaluation
from playhead.tape.kinds import Pause, Run, UserMessage

T = TypeVar("T")

NEWEST = re.compile(r"last|[-~]([1-9][0-9]{0,5})")
_TAIL = 64  # steps that tell how a long tape ended
_PAGE = 500  # tapes
_HEAD = 8  # steps that tell how a tape began
_CHUNK = 1024  # steps after which a tape is opened anew, so that read pages leave memory


def open_store(common: Common) -> SqliteStore:
    """The store that was asked for."""
    return SqliteStore(common.store, durability=common.durability.value)


async def find(store: SqliteStore, text: str) -> str:
    """The id of a tape: whole, shortened, `last`, or `-2` for the last but one.

    Raises:
        TapeNotFoundError: There is none, or more than one.
    """
    found = NEWEST.fullmatch(text)
    if found is None:
        return await store.find(text)
    number = int(found[1] or 1)
    newest = await store.tapes(limit=number)
    if len(newest) < number:
        name = text.replace("~", "-")
        raise TapeNotFoundError(
            f"`{name}`: the store has {plural(len(newest), 'tape')}: `playhead ls` lists them",
            tape=name,
        )
    return newest[-1].id


def read(common: Common, query: Callable[[SqliteStore], Awaitable[T]]) -> T:
    """Ask a store; tapes that it gives can be read on afterwards."""

    async def ask() -> T:
        async with open_store(common) as store:
            return await query(store)

    return asyncio.run(ask())


def open_tape(common: Common, text: str) -> Tape:
    """The tape that a person means.

    Raises:
        TapeNotFoundError: There is none, or more than one.
    """

    async def query(store: SqliteStore) -> Tape:
        return await store.open(await find(store, text))

    return read(common, query)


async def all_tapes(store: SqliteStore) -> list[str]:
    """The ids of all tapes, the newest first."""
    ids: list[str] = []
    while page := await store.tapes(limit=_PAGE, before=ids[-1] if ids else None):
        ids += [info.id for info in page]
    return ids


def steps_of(common: Common, tape: Tape, start: int, stop: int) -> Iterator[Step]:
    """Steps of `[start, stop)`, with only a few pages of them in memory."""
    seq = start
    while seq < stop:
        end = min(stop, seq + _CHUNK)
        yield from open_tape(common, tape.id).range(seq, end)
        seq = end


@dataclass(frozen=True, slots=True)
class Glance:
    """What the two ends of a tape tell."""

    agent: str = ""
    status: str = "unreadable"
    task: str = ""


async def glance(store: SqliteStore, info: TapeInfo) -> Glance:
    """Look at the beginning and the end of a tape; what is between is not looked at."""
    tape = await store.open(info.id)
    try:
        return _glance(tape)
    except Exception:  # a stranger's bytes may be anything; the list goes on
        return Glance()


def _glance(tape: Tape) -> Glance:
    if tape.is_annotation:
        said = tape[tape.start + 1]
        what = "evaluation" if said.kind == Evaluation.kind else "annotations"
        return Glance(said.by.name or "", what, step_text(said))
    first = tape[:_HEAD]
    tail = first if len(tape) <= _HEAD else tape[-_TAIL:]
    makers = [step.by.name for step in tail if step.by.type == "agent" and step.frame == 0]
    run = _last(tail, Run) or _last(first, Run)
    agent = makers[-1] if makers else run.agent if run else None
    return Glance(agent or "", _status(tape, tail), task_of(first))


def task_of(first: list[Step]) -> str:
    """What the person said first, if that is among these steps and can be read."""
    for step in first:
        if step.kind == UserMessage.kind:
            try:
                body = step.body
            except PlayheadError:
                continue
            if isinstance(body, UserMessage):
                return body.text
    return ""


def status_of(tape: Tape) -> str:
    """The tape's status, from its newest steps alone if it is long."""
    try:
        return _status(tape, tape[-_TAIL:])
    except PlayheadError:
        return "unreadable"


def _status(tape: Tape, tail: list[Step]) -> str:
    if len(tape) <= _TAIL:
        return tape.status
    fold = Fold()
    for step in tail:
        fold.advance(step)
    pause = tape[fold.paused].body if fold.paused is not None else None
    if isinstance(pause, Pause) and pause.reason == "decision":
        return "waiting"
    return "unfinished" if fold.status == "new" else fold.status


B = TypeVar("B", bound=Body)


def _last(steps: list[Step], kind: type[B]) -> B | None:
    found = [step.body for step in steps if step.kind == kind.kind]
    return next((body for body in reversed(found) if isinstance(body, kind)), None)


def positions(text: str, length: int) -> range:
    """The positions that `A:B`, `A:`, `:B`, `-A:` or `A` mean on a tape.

    Raises:
        UsageFault: It is none of these, or there are no such steps.
    """
    found = re.fullmatch(r"(-?[0-9]{1,12})?(:)?(-?[0-9]{1,12})?", text)
    if not text or found is None or (found[2] is None and found[1] is None):
        raise UsageFault(f"`--steps {text}`: write A:B, A:, :B or one number")
    if found[2] is None:
        at = int(found[1])
        if not -length <= at < length:
            raise UsageFault(f"there is no step {at}: the tape has {length}")
        return range(length)[at : at + 1 or None]
    start, stop = (int(part) if part else None for part in (found[1], found[3]))
    return range(length)[start:stop]
