"""What every store refuses before it writes anything."""

from __future__ import annotations

import re

from playhead.errors import JsonError, StoreError, TapeNotFoundError
from playhead.store._protocol import Batch
from playhead.tape import Json, Step, compact, loads_strict
from playhead.tape.kinds import TapeHeader

MAX_LENGTH = 1 << 32  # steps of a tape
HEADER = TapeHeader.kind
_GENESIS = "0" * 64  # docs/format.md, section 3
_ADDRESS = re.compile(rb"[0-9a-f]{64}")


def check_batch(batch: Batch) -> None:
    """Make sure that the steps follow one another from `expected_length` on.

    Raises:
        StoreError: There are none, or they were sealed for another place.
    """
    if not batch.steps:
        raise StoreError("a batch has at least one step")
    if not 0 <= batch.expected_length <= MAX_LENGTH - len(batch.steps):
        raise StoreError(f"`expected_length` is {batch.expected_length}: there is no such place")
    before: Step | None = None
    for seq, step in enumerate(batch.steps, batch.expected_length):
        follows = before is None or step.prev == before.link
        if not follows or step.seq != seq or step.tape != batch.tape:
            raise StoreError(
                f"step {step.seq} of the batch was not sealed for position {seq} of tape "
                f"`{batch.tape}`: seal the steps on the tape's newest value",
                tape=batch.tape,
            )
        if before is not None and step.kind == HEADER:
            raise StoreError(f"step {seq} is a tape's header: it begins the batch that creates it")
        before = step


def created_by(batch: Batch) -> TapeHeader:
    """The header entry with which a checked batch creates its tape.

    Raises:
        TapeNotFoundError: The batch does not begin with one: it belongs to a tape that is there.
        StoreError: The header does not fit its own place.
    """
    first = batch.steps[0]
    if first.kind != HEADER:
        raise TapeNotFoundError(f"no tape `{batch.tape}` in this store", tape=batch.tape)
    header = first.body
    if not isinstance(header, TapeHeader):
        raise StoreError(f"tape `{batch.tape}` was made by a newer Playhead: install that")
    place = (header.parent.at, header.parent.head) if header.parent else (0, _GENESIS)
    if (first.seq, first.prev) != place:
        raise StoreError(f"the header of tape `{batch.tape}` names another place than its own")
    return header


def check_shared(batch: Batch, header: TapeHeader, last: Step | None) -> None:
    """Make sure that the parent holds what a fork shares; `last` is its step before the fork.

    Raises:
        StoreError: The parent has fewer steps here, or others.
    """
    if header.parent is not None and (last is None or last.link != header.parent.head):
        raise StoreError(
            f"tape `{batch.tape}` shares {header.parent.at} steps with `{header.parent.tape}`, "
            "which this store does not hold: store them first",
            tape=batch.tape,
        )


def check_repeat(batch: Batch, there: list[str]) -> bool:
    """Whether the ids found in the batch's place are the batch's own: it was stored before."""
    return there == [step.id for step in batch.steps]


def check_seconds(seconds: float) -> None:
    """Make sure that a lease lasts for a sensible time.

    Raises:
        StoreError: It does not.
    """
    if not 0 < seconds <= 86_400:
        raise StoreError(f"a lease lasts more than 0 and at most 86,400 seconds, not {seconds}")


def message_text(content: Json) -> str:
    """An inbox message as JSON text.

    Raises:
        StoreError: It is no JSON value.
    """
    try:
        text = compact(content)
        loads_strict(text)
    except JsonError as error:
        raise StoreError(f"an inbox message is a JSON value: {error}") from None
    return text


def addresses_in(body: bytes | None) -> set[str]:
    """What may be a blob's address in a body (docs/format.md, section 9)."""
    return {found.decode() for found in _ADDRESS.findall(body or b"")}
