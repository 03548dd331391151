"""What one agent of the call stack sees of a tape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from playhead.tape._body import Body
from playhead.tape._fold import Fold, Frame
from playhead.tape._history import History
from playhead.tape._step import Step
from playhead.tape._tape import Tape

BodyT = TypeVar("BodyT", bound=Body)


class View:
    """A tape as the agent of one frame sees it: its own steps, what answers them, no notes.

    Args:
        tape: The tape value.
        fold: The tape's state at that length.
        frame: A frame of the call stack; the one on top if not given.
    """

    __slots__ = ("_history", "frame", "tape")

    def __init__(self, tape: Tape, fold: Fold, frame: Frame | None = None) -> None:
        self.tape = tape
        self.frame = frame or fold.frame
        self._history = History(tape, self.frame.id, fold.histories[self.frame.id])

    @property
    def agent(self) -> str:
        """Name of the agent whose view it is."""
        return self.frame.agent

    @property
    def messages(self) -> History:
        """The conversation so far; slice it for a window."""
        return self._history

    @property
    def task(self) -> str:
        """What the agent was asked first."""
        return next((message.text for message in self.messages if message.role == "user"), "")

    def steps(self) -> Iterator[Step]:
        """The steps of the frame, oldest first, without notes."""
        for step in self.tape.range(self.frame.id, len(self.tape)):
            if step.frame == self.frame.id and step.role != "note":
                yield step

    def last(self, kind: type[BodyT]) -> BodyT | None:
        """The newest body of a kind in the frame."""
        for seq in range(len(self.tape) - 1, self.frame.id - 1, -1):
            step = self.tape[seq]
            if step.kind == kind.kind and step.frame == self.frame.id and not step.erased:
                body = step.body
                return body if isinstance(body, kind) else None
        return None
