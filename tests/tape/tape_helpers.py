"""Tapes made by hand, taken apart to stored bytes, and put together again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from playhead.tape import Body, By, Draft, Message, Step, Tape, text_parts
from playhead.tape.kinds import ModelCall, PromptRecord, UserMessage

CONFIG = "sha256:" + "c" * 64
Stored = tuple[bytes, bytes | None, bytes | None]


def agent(node: str = "main", *, name: str = "helper", call: str | None = None) -> By:
    return By("agent", name, node, CONFIG, call=call)


def says(text: str) -> UserMessage:
    return UserMessage(parts=text_parts(text))


def model_call(message: Message | None = None, **members: Any) -> ModelCall:
    """A model call, complete unless told otherwise, with an empty prompt."""
    given = {"status": "complete", "prompt": PromptRecord(items=()), **members}
    return ModelCall(model="m", provider="p", message=message, **given)


def tape_of(*drafts: Draft | Body) -> Tape:
    return Tape.new().append(*drafts)


def stored(tape: Tape) -> list[Stored]:
    return [(step.header, step.salt, step.data) for step in tape]


def loaded(triples: Iterable[Stored]) -> list[Step]:
    return [Step.load(*triple) for triple in triples]


def reread(tape: Tape) -> Tape:
    """The tape made again from its stored bytes."""
    return Tape.of(loaded(stored(tape)))


def erased(tape: Tape, *seqs: int) -> Tape:
    """The tape with these bodies and salts gone."""
    return Tape.of(
        loaded(
            (step.header, None, None) if step.seq in seqs else (step.header, step.salt, step.data)
            for step in tape
        )
    )


def header_of(step: Step) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(step.header)
    return members


def body_of(step: Step) -> Any:
    return None if step.data is None else json.loads(step.data)


def file_lines(tape: Tape) -> list[bytes]:
    """The tape as a file, docs/format.md, section 10."""
    first = {"playhead": "tape", "v": 1, "tape": tape.id, "length": len(tape), "head": tape.head}
    return [_line(first), *(_line(entry_of(step)) for step in tape)]


def entry_of(step: Step) -> dict[str, str | None]:
    return {
        "header": step.header.decode(),
        "salt": None if step.salt is None else step.salt.hex(),
        "body": None if step.data is None else step.data.decode(),
    }


def _line(members: dict[str, Any]) -> bytes:
    return json.dumps(members).encode() + b"\n"


class DictLoader:
    """Pages steps in from a dict, as a store would, and counts what it was asked for."""

    def __init__(self, steps: dict[int, Stored], literals: Sequence[tuple[int, int]] = ()) -> None:
        self.stored = steps
        self.literals = literals
        self.reads = 0

    def steps(self, start: int, stop: int) -> list[Step]:
        self.reads += 1
        return loaded(self.stored[seq] for seq in range(start, stop))

    def literal(self, at: int) -> tuple[int, int]:
        return self.literals[at]
