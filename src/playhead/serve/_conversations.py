"""Which tape a request goes on with, where nothing but the messages tells it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from playhead.serve._served import Served
from playhead.tape import Step, Tape, compact, result_text
from playhead.tape.kinds import AssistantMessage, Stop, UserMessage

Said: TypeAlias = tuple[str, str]  # role, text
_MOST = 20_000  # states of conversations that are known
_RECALLED = 500  # tapes of the store that are looked at for conversations of before


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

    Args:
        served: The agent on offer, whose store is asked for conversations of before.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._places: OrderedDict[bytes, Place] = OrderedDict()
        self._recalled = False

    async def find(self, said: Sequence[Said]) -> Place | None:
        """The newest state in which exactly this was said."""
        key = _key(said)
        if key not in self._places and not self._recalled:
            await self._recall()
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

    async def _recall(self) -> None:
        """Know the conversations that this agent had before this process began."""
        self._recalled = True
        store, known = self._served.store, dict(self._places)
        for info in reversed(await store.tapes(limit=_RECALLED)):
            tape = await store.open(info.id)
            if tape.fold().frames[0].agent == self._served.agent.name and tape.fold().ran:
                self.remember(tape)
        self._places.update(known)


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
