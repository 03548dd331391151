"""How two tapes differ: what they share, what says the same, and the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

from playhead.cli._steps import body_json
from playhead.tape import Json, Step, Tape, compact
from playhead.tape.kinds import Context, ModelCall, Pause, Run, Snapshot, TapeHeader

Tag: TypeAlias = Literal["equal", "replace", "delete", "insert"]
_IDS = frozenset(["call_id", "id", "action", "not_started", "address"])  # keyed by the tape
_CONTENT = frozenset(["arguments", "result", "response", "state"])
_OF_THIS_TAPE = frozenset([TapeHeader.kind, Run.kind, Context.kind, Pause.kind, Snapshot.kind])


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of both tapes, as positions."""

    tag: Tag
    a: list[int]
    b: list[int]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two tapes side by side.

    Args:
        shared: How many entries are the very same ones: the tapes have an ancestor in common.
        blocks: What follows, in order.
    """

    shared: int
    blocks: list[Block]

    @property
    def same(self) -> bool:
        """Whether both say the same."""
        return all(block.tag == "equal" for block in self.blocks)

    @property
    def equal(self) -> int:
        """How many steps after the shared ones say the same."""
        return sum(len(block.a) for block in self.blocks if block.tag == "equal")


def align(a: Tape, b: Tape, *, notes: bool = False) -> Alignment:
    """Align two tapes: by shared entries, then by what the steps say; ids and times do not count.

    Args:
        a: One tape.
        b: The other.
        notes: Compare what the system records as well; without, of notes only what models said.
    """
    shared = shared_entries(a, b)
    left, right = _keys(a, shared, notes=notes), _keys(b, shared, notes=notes)
    return Alignment(shared, _blocks(left, right))


def shared_entries(a: Tape, b: Tape) -> int:
    """How many first entries are the same: a link covers all before it."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high) // 2
        if a[middle].link == b[middle].link:
            low = middle + 1
        else:
            high = middle
    return low


def counts(step: Step, *, notes: bool) -> bool:
    """Whether a step takes part in a comparison."""
    if step.role != "note" or step.kind == ModelCall.kind:
        return True
    return notes and step.kind not in _OF_THIS_TAPE


def _keys(tape: Tape, start: int, *, notes: bool) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for step in tape.range(start, len(tape)):
        if counts(step, notes=notes):
            said = compact([step.kind, step.role, step.frame > 0, said_by(step)])
            found.append((step.seq, hashlib.sha256(said.encode(errors="replace")).digest()))
        step.forget_body()
    return found


def said_by(step: Step) -> Json:
    """What a step says, without ids, times and what else is this tape's own."""
    body = body_json(step)
    if step.kind == ModelCall.kind and isinstance(body, dict):
        return [body.get("status"), _without_ids(body.get("message"))]
    return _without_ids(body) if step.kind.startswith("playhead.") else body


def _without_ids(value: Json) -> Json:
    """The value without ids; what tools were given and gave stays as it is."""
    if isinstance(value, list):
        return [_without_ids(each) for each in value]
    if isinstance(value, dict):
        return {
            name: each if name in _CONTENT else _without_ids(each)
            for name, each in value.items()
            if name not in _IDS
        }
    return value


def _blocks(left: list[tuple[int, bytes]], right: list[tuple[int, bytes]]) -> list[Block]:
    a, b = [key for _, key in left], [key for _, key in right]
    start = _common(len(a), len(b), lambda i: a[i] == b[i])
    rest = min(len(a), len(b)) - start
    end = _common(rest, rest, lambda i: a[-1 - i] == b[-1 - i])
    stop_a, stop_b = len(a) - end, len(b) - end
    matcher = SequenceMatcher(None, a[start:stop_a], b[start:stop_b], autojunk=False)
    ranges: list[tuple[Tag, int, int, int, int]] = [("equal", 0, start, 0, start)]
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        ranges.append((tag, start + a0, start + a1, start + b0, start + b1))
    ranges.append(("equal", stop_a, len(a), stop_b, len(b)))
    return [
        Block(tag, [seq for seq, _ in left[a0:a1]], [seq for seq, _ in right[b0:b1]])
        for tag, a0, a1, b0, b1 in ranges
        if a1 > a0 or b1 > b0
    ]


def _common(a: int, b: int, same: Callable[[int], bool]) -> int:
    return next((i for i in range(min(a, b)) if not same(i)), min(a, b))
