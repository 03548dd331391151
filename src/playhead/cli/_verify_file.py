"""`verify` of a file: read once, with little of it in memory."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from playhead.cli._guard import UsageFault
from playhead.errors import PlayheadError, VerificationError
from playhead.tape import LINE_LIMIT, Step, scan_tape

_WHERE = ("seq", "line", "fault")
_HEAD = re.compile("([0-9a-f]{32}):([1-9][0-9]{0,17}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Found:
    """What a verification found.

    Args:
        name: As it was asked for.
        tape: The tape's id, if it could be read.
        steps: Its length.
        erased: How many of the steps have no body any more.
        head: `TAPE:N:LINK`.
        fault: What does not fit.
        at: Where: a position, or the line of a file.
    """

    name: str
    tape: str | None = None
    steps: int = 0
    erased: int = 0
    head: str | None = None
    fault: str | None = None
    at: dict[str, object] | None = None


def faulty(error: Exception, so_far: Found) -> Found:
    """What an error says of a tape.

    Raises:
        UsageFault: It is none of the tape.
    """
    if isinstance(error, UsageFault):
        raise error
    if not isinstance(error, PlayheadError):  # a stranger's bytes may be anything
        fault = f"it cannot be read: {type(error).__name__}: {error}"
        return replace(so_far, fault=fault, at={})
    at = {str(key): error.data[key] for key in _WHERE if key in error.data}
    return replace(so_far, fault=error.message, at=at)


@dataclass(slots=True)
class _Heads:
    """Heads kept elsewhere, held against the steps as they go by."""

    wanted: Sequence[str]
    seen: dict[int, tuple[str, str]] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    last: Step | None = None

    def take(self, step: Step) -> None:
        """The next step."""
        self.starts.setdefault(step.tape, step.seq)
        self.last = step
        ending = f":{step.link}"
        if any(f":{step.seq + 1}:" in head or head.endswith(ending) for head in self.wanted):
            self.seen[step.seq + 1] = (step.tape, step.link)

    def used(self, *, alone: bool) -> set[str]:
        """The heads that are of this tape or of one that it shares steps with."""
        return {head for head in self.wanted if alone or self._concerns(head)}

    def _concerns(self, head: str) -> bool:
        name, _, rest = head.partition(":")
        length = rest.partition(":")[0]
        own = self.last.tape if self.last is not None else ""
        if not length.isdecimal() or name == own:
            return True
        return name in self.starts and int(length) <= self.starts[own]

    def check(self, heads: set[str]) -> None:
        """Make sure that these heads are the file's.

        Raises:
            VerificationError: One is not.
        """
        total = self.last.seq + 1 if self.last is not None else 0
        for head in sorted(heads):
            found = _HEAD.fullmatch(head)
            if found is None:
                raise VerificationError(f"`{head}` is no head: it reads TAPE:N:LINK")
            length = int(found[2])
            if length > total:
                raise VerificationError(
                    f"the tape has {total} steps, a head kept elsewhere says {length}: its end "
                    "was cut off",
                    seq=total,
                )
            if self.seen.get(length) != (found[1], found[3]):
                raise VerificationError(
                    f"the head after {length} steps was another one", seq=length - 1
                )


def verify_file(name: str, heads: Sequence[str], *, alone: bool) -> tuple[Found, set[str]]:
    """What became of a file, and the heads that were held against it."""
    held, erased, so_far = _Heads(heads), 0, Found(name)
    used: set[str] = set()
    try:
        with closing(lines_of(name)) as lines:
            for item in scan_tape(lines):
                if isinstance(item, Step):
                    held.take(item)
                    erased += item.erased
        assert held.last is not None
        so_far = Found(name, held.last.tape, held.last.seq + 1, erased)
        used = held.used(alone=alone)
        held.check(used)
        head = f"{held.last.tape}:{held.last.seq + 1}:{held.last.link}"
        return replace(so_far, head=head), used
    except Exception as error:
        return faulty(error, replace(so_far, erased=0)), used


def is_file(name: str) -> bool:
    """Whether a person means a file rather than a tape of the store."""
    return name == "-" or name.endswith(".jsonl") or os.sep in name or Path(name).is_file()


def lines_of(name: str) -> Generator[bytes]:
    """The lines of a file, or of stdin for `-`; none is read beyond what the format allows.

    Raises:
        UsageFault: It cannot be read.
    """
    if name == "-":
        yield from iter(lambda: sys.stdin.buffer.readline(LINE_LIMIT + 1), b"")
        return
    try:
        with Path(name).open("rb") as file:
            yield from iter(lambda: file.readline(LINE_LIMIT + 1), b"")
    except OSError as error:
        raise UsageFault(f"`{name}` cannot be read: {error.strerror}") from None
