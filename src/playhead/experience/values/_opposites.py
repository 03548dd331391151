"""Words that choose one way or the other: who learnt of the first knows nothing of the last."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

_TIMES = "seconds?|minutes?|hours?|days?|weeks?|fortnight|months?|quarter|years?|times?|[a-z]+day"
NO_ROW = rf"(?! (?:\S+ )?(?:{_TIMES}|free|available|slot)\b)"
"""What follows a word that chooses a row: `last` chooses none in `the last 3 days`."""

_OPPOSITES = (
    (
        f"(?:first|next|earliest|soonest|oldest|upcoming){NO_ROW}",
        f"(?:last|latest|newest|most recent){NO_ROW}",
    ),
    (
        "most(?! recent)|highest|largest|biggest|greatest|maximum",
        "(?<!at )least|fewest|lowest|smallest|minimum",
    ),
    ("before|earlier than|prior to", "after|later than"),
)
_PAIRS = [
    tuple(re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in pair) for pair in _OPPOSITES
]


def opposed(text: str, examples: Sequence[str]) -> str | None:
    """The word of a text that says the opposite of what all examples say, if there is one."""
    for pair, (side, word) in _sides(text).items():
        others = [_sides(each).get(pair) for each in examples]
        if others and all(other is not None and other[0] != side for other in others):
            return word
    return None


def contrary(texts: Sequence[str]) -> str | None:
    """A word of one text of which another one says the opposite, if there is one."""
    first: dict[int, int] = {}
    for text in texts:
        for pair, (side, word) in _sides(text).items():
            if first.setdefault(pair, side) != side:
                return word
    return None


@lru_cache(maxsize=4096)
def _sides(text: str) -> Mapping[int, tuple[int, str]]:
    """Of which pairs a text says just one side, which one, and by what word."""
    found: dict[int, tuple[int, str]] = {}
    for pair, patterns in enumerate(_PAIRS):
        said = [
            (side, word[0]) for side, each in enumerate(patterns) if (word := each.search(text))
        ]
        if len(said) == 1:
            found[pair] = said[0]
    return found
