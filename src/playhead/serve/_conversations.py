"""Which tape a request goes on with, where nothing but the messages tells it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from playhead.serve._served import Served
from playhead.store import TapeInfo
from playhead.tape import Step, Tape, compact, result_text
from playhead.tape.kinds import AssistantMessage, Run, Stop, UserMessage

Said: TypeAlias = tuple[str, str]  # role, text
_MOST = 20_000  # states of conversations that are known
_RECALLED = 2_000  # tapes of the store whose beginning is looked at
_BEGINNING = 16  # steps of a tape among which its first message is


@dataclass(frozen=True, slots=True)
class Place:
    """A state of a conversation: a tape, and how many of its steps make it up.

    `answered` says whether the agent has spoken last there.
    """

    tape: str
    at: int
    answered: bool


class Conversations:
    """Knows states of conversations by what was said in them.

    Of tapes from before this process only the beginnings are read, once and when they are needed
    first; a whole tape is read when a request begins as it does.

    Args:
        served: The agent on offer, whose store is asked for conversations of before.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._places: OrderedDict[bytes, Place] = OrderedDict()
        self._before: dict[bytes, list[str]] | None = None  # tapes by what was said first
        self._reading = asyncio.Lock()

    async def find(self, said: Sequence[Said]) -> Place | None:
        """The newest state in which exactly this was said."""
        key = _key(said)
        if key not in self._places:
            await self._recall(said[0][1])
        return self._places.get(key)

    def remember(self, tape: Tape) -> None:
        """Know all states of a conversation."""
        for said, place in states(tape):
            key = _key(said)
            self._places[key] = place
            self._places.move_to_end(key)
        while len(self._places) > _MOST:
            self._places.popitem(last=False)

    def know(self, said: Sequence[Said], tape: Tape) -> None:
        """Know that a client says this of what ends, or goes on, where the tape ends now."""
        self._places[_key(said)] = Place(tape.id, len(tape), said[-1][0] == "assistant")

    async def _recall(self, first: str) -> None:
        """Know the conversations from before this process that begin with this message."""
        async with self._reading:
            if self._before is None:
                self._before = await self._beginnings()
            known = dict(self._places)
            for begun in _begun_so(first):
                for name in self._before.pop(begun, ()):
                    tape = await self._served.opened(name)
                    if tape is not None:
                        self.remember(tape)
            self._places.update(known)

    async def _beginnings(self) -> dict[bytes, list[str]]:
        """The conversations of this agent by their first message, oldest first."""
        found: dict[bytes, list[str]] = {}
        for info in reversed(await self._served.store.tapes(limit=_RECALLED)):
            first = await self._first_said(info)
            if first is not None:
                found.setdefault(hashlib.sha256(first.encode()).digest(), []).append(info.id)
        return found

    async def _first_said(self, info: TapeInfo) -> str | None:
        """What a person said to this agent first on a tape; None if it is another agent's."""
        store, kinds = self._served.store, (Run.kind, UserMessage.kind)
        if info.parent is None:
            steps = await store.skim(info.id, count=_BEGINNING, kinds=kinds)
        else:
            steps = (await store.open(info.id))[:_BEGINNING]
        bodies = [step.body for step in steps if step.kind in kinds and not step.erased]
        runs = [body.agent for body in bodies if isinstance(body, Run)]
        if runs[:1] != [self._served.agent.name]:
            return None
        return next((body.text for body in bodies if isinstance(body, UserMessage)), None)


def _begun_so(first: str) -> Iterator[bytes]:
    """Digests of the messages with which a conversation may begin that is told as this one.

    What the same side says twice is told as one message, in paragraphs.
    """
    hashed = hashlib.sha256()
    for number, paragraph in enumerate(first.split("\n\n")):
        hashed.update(("\n\n" * (number > 0) + paragraph).encode())
        yield hashed.copy().digest()


def states(tape: Tape) -> Iterator[tuple[list[Said], Place]]:
    """Every state of the conversation on a tape: what was said, and how far it reaches."""
    said: list[Said] = []
    for step in tape:
        spoken = _spoken(step)
        if spoken is not None:
            said = merged([*said, spoken])
            yield said, Place(tape.id, step.seq + 1, spoken[0] == "assistant")


def _spoken(step: Step) -> Said | None:
    if step.frame != 0 or step.erased:
        return None
    if step.kind not in (UserMessage.kind, AssistantMessage.kind, Stop.kind):
        return None
    match step.body:
        case UserMessage() as body:
            return "user", body.text
        case AssistantMessage() as body:
            return "assistant", body.text
        case Stop(result=result) if result is not None:
            return "assistant", result_text(result)
    return None


def merged(said: Iterable[Said]) -> list[Said]:
    """What was said, where the same side spoke twice put together."""
    made: list[Said] = []
    for role, text in said:
        if made and made[-1][0] == role:
            made[-1] = (role, f"{made[-1][1]}\n\n{text}")
        else:
            made.append((role, text))
    return made


def answer_on(tape: Tape) -> str | None:
    """What the agent said since the person spoke last; None if it said nothing."""
    texts: list[str] = []
    for seq in range(len(tape) - 1, 0, -1):
        spoken = _spoken(tape[seq])
        if spoken is not None:
            if spoken[0] == "user":
                break
            texts.append(spoken[1])
    return "\n\n".join(reversed(texts)) if texts else None


def told_anew(said: Sequence[Said]) -> str:
    """A conversation that is on no tape, as the first message of a new one."""
    if len(said) == 1:
        return said[0][1]
    before = "\n\n".join(f"{role}: {text}" for role, text in said[:-1])
    return f"What was said before:\n\n{before}\n\nWhat is said now:\n\n{said[-1][1]}"


def _key(said: Sequence[Said]) -> bytes:
    return hashlib.sha256(compact([list(each) for each in said]).encode()).digest()
