"""What a node may ask of the world: the clock, chance and ids, recorded; the user's objects."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from playhead.tape import format_time
from playhead.tape.kinds import Context


class NodeContext:
    """Given to a node as `ctx`. What it hands out is recorded, and handed out again in a replay.

    Args:
        deps: The objects given to `run(deps=…)`; never recorded.
        recorded: Hand out what this note holds.
    """

    def __init__(self, *, deps: Any = None, recorded: Context | None = None) -> None:  # noqa: ANN401
        self.deps = deps
        self._replayed: Iterator[str] | None = iter(recorded.now) if recorded else None
        self._now: list[str] = []
        self._seed: str | None = recorded.seed if recorded else None
        self._rng: random.Random | None = None
        self._ids: random.Random | None = None

    def now(self) -> datetime:
        """The present, in UTC."""
        text = next(self._replayed, None) if self._replayed is not None else None
        if text is None:
            text = format_time(datetime.now(UTC))
        self._now.append(text)
        return datetime.fromisoformat(text)

    @property
    def rng(self) -> random.Random:
        """A generator of random numbers."""
        if self._rng is None:
            self._rng = random.Random(f"{self._seeded()}/rng")  # noqa: S311  (no secret)
        return self._rng

    def new_id(self) -> str:
        """A new id: 32 hexadecimal digits."""
        if self._ids is None:
            self._ids = random.Random(f"{self._seeded()}/id")  # noqa: S311  (no secret)
        return f"{self._ids.getrandbits(128):032x}"

    def _seeded(self) -> str:
        if self._seed is None:
            self._seed = secrets.token_hex(16)
        return self._seed

    def note(self) -> Context | None:
        """What was handed out so far; None if nothing was."""
        if not self._now and self._seed is None:
            return None
        return Context(now=tuple(self._now), seed=self._seed)
