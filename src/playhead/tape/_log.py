"""The shared append-only log behind tape values; a store can page its steps in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from playhead.errors import StaleTapeError
from playhead.tape._fold import Fold
from playhead.tape._step import Step

PAGE = 256  # steps
_RECENT = 8  # appended steps whose bodies stay decoded; of older ones, the bytes stay


class Loader(Protocol):
    """Reads what a store has of a tape, synchronously."""

    def steps(self, start: int, stop: int) -> Sequence[Step]:
        """Steps `start` to `stop - 1`, all from the tape's own segment."""

    def literal(self, at: int) -> tuple[int, int]:
        """Where message `at` of the literal table stands: position of the call, index there."""


class Log:
    """One tape's own segment: positions `start` to `len(log) - 1`; before it, the parent's log.

    With a `loader`, all but the newest pages may leave memory and come back when looked at.
    """

    def __init__(
        self,
        *,
        parent: Log | None = None,
        start: int = 0,
        length: int | None = None,
        loader: Loader | None = None,
        resident_pages: int = 16,
    ) -> None:
        self.parent = parent
        self.start = start
        self.loader = loader
        self._length = start if length is None else length
        self._pages: dict[int, list[Step]] = {}
        self._resident_pages = resident_pages
        self.fold = Fold()
        self._recent: deque[Step] = deque()

    def __len__(self) -> int:
        return self._length

    def extend(self, length: int, steps: Sequence[Step]) -> None:
        """Append at the tip.

        Raises:
            StaleTapeError: `length` is not the tip.
        """
        if length != self._length:
            raise StaleTapeError(
                f"this tape value has {length} steps, its log already {self._length}: append to "
                "the newest value, or `fork` to go another way"
            )
        recent = self._recent
        for step in steps:
            self._page(length // PAGE).append(step)
            length += 1
            self._length = length
            recent.append(step)
            if length % PAGE == 0:
                self._evict()
        while len(recent) > _RECENT:
            recent.popleft().forget_body()

    def learn(self, other: Log) -> None:
        """Take over the steps and the state that a log of the same steps has in memory."""
        if other.start == self.start and len(other) == self._length:
            self._pages.update({number: list(page) for number, page in other._pages.items()})
            self._recent.extend(other._recent)
            self.fold = other.fold
            self._evict()

    def get(self, seq: int) -> Step:
        """The step at a position."""
        log = self
        while seq < log.start:
            assert log.parent is not None
            log = log.parent
        page = log._page(seq // PAGE)
        return page[seq - max(log.start, seq // PAGE * PAGE)]

    def range(self, start: int, stop: int) -> Iterator[Step]:
        """Steps of `[start, stop)`, page by page."""
        number = start // PAGE
        if self.start <= start < stop <= min(self._length, (number + 1) * PAGE):
            first = max(self.start, number * PAGE)
            return iter(self._page(number)[start - first : stop - first])
        return self._pages_of(start, stop)

    def _pages_of(self, start: int, stop: int) -> Iterator[Step]:
        seq = start
        while seq < stop:
            log = self
            while seq < log.start:
                assert log.parent is not None
                log = log.parent
            end = min(stop, (seq // PAGE + 1) * PAGE, self._segment_end(log))
            first = max(log.start, seq // PAGE * PAGE)
            yield from log._page(seq // PAGE)[seq - first : end - first]
            seq = end

    def _segment_end(self, owner: Log) -> int:
        """Where the part that `self` sees of `owner`'s segment ends."""
        log, end = self, self._length
        while log is not owner:
            end = log.start
            assert log.parent is not None
            log = log.parent
        return end

    def _page(self, number: int) -> list[Step]:
        page = self._pages.get(number)
        if page is None:
            first = max(self.start, number * PAGE)
            last = min(self._length, (number + 1) * PAGE)
            page = list(self.loader.steps(first, last)) if self.loader and first < last else []
            self._pages[number] = page
            self._evict()
        return page

    def _evict(self) -> None:
        """Let the least recently loaded pages go, never the newest one."""
        if self.loader is None or len(self._pages) <= self._resident_pages:
            return
        newest = max(self._pages)
        for number in list(self._pages):
            if len(self._pages) <= self._resident_pages // 2:
                return
            if number != newest:
                del self._pages[number]
