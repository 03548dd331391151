"""Words that choose one way or the other: who learnt of the first knows nothing of the last."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    for one, other in _PAIRS:
        for ours, theirs in ((one, other), (other, one)):
            said = ours.search(text)
            if said is None or theirs.search(text) is not None:
                continue
            if examples and all(theirs.search(e) and not ours.search(e) for e in examples):
                return said[0]
    return None
