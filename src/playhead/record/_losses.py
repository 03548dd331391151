"""What a conversion could not put where it belongs: the loss report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from playhead.tape import Json


@dataclass(slots=True)
class Losses:
    """What of a document has no place on a tape, or of a tape in a document, and how often.

    Args:
        kept: Has no place of its own, and is kept beside (`playhead.source`): an export of the
            same format has it again.
        dropped: Is not kept at all.
    """

    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def keep(self, what: str, times: int = 1) -> None:
        """Count something that is kept beside."""
        self.kept[what] += times

    def drop(self, what: str, times: int = 1) -> None:
        """Count something that is not kept."""
        self.dropped[what] += times

    def add(self, other: Losses) -> None:
        """Count what another report says, too."""
        for what, times in other.kept.items():
            self.kept[what] += times
        for what, times in other.dropped.items():
            self.dropped[what] += times

    def as_json(self) -> dict[str, Json]:
        """Both as objects, the most frequent first."""
        return {"kept": dict(self.kept.most_common()), "dropped": dict(self.dropped.most_common())}
