"""What an experience is worth beside others that fit: calibrated success × rating × audit mark."""

from __future__ import annotations

import math
from dataclasses import dataclass

_RATINGS_OF_NOBODY = 3  # as if so many had given the middle
_MIDDLE = 3.0
_AUDITED = 1.1


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of how an experience did.

    Args:
        good: Tasks that it solved: plays, and traces that it was verified with.
        bad: Plays that went wrong or had to be handed over.
        stars: Sum of the ratings, each 1 … 5.
        ratings: How many there are.
        audited: A person has read it and said that it is right.
    """

    good: int = 0
    bad: int = 0
    stars: float = 0.0
    ratings: int = 0
    audited: bool = False


def wilson_low(good: int, tried: int, *, z: float = 1.0) -> float:
    """The lower end of the Wilson interval of a share; 0 if nothing was tried.

    Args:
        good: Successes.
        tried: All.
        z: Width: 1.0 is one-sided 84 %, 1.645 is 95 %.
    """
    if tried <= 0:
        return 0.0
    share = good / tried
    middle = share + z * z / (2 * tried)
    spread = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    low = (middle - spread) / (1 + z * z / tried)
    return min(share, max(0.0, low))  # rounding may put it a trifle above


def worth(standing: Standing) -> float:
    """The factor by which a fit counts: up to 1.32 for what is proven, rated well and audited."""
    success = wilson_low(standing.good, standing.good + standing.bad)
    stars = standing.stars + _MIDDLE * _RATINGS_OF_NOBODY
    mean = stars / (standing.ratings + _RATINGS_OF_NOBODY)
    rated = 1 + (mean - _MIDDLE) / 10  # 0.8 … 1.2
    return success * rated * (_AUDITED if standing.audited else 1.0)
