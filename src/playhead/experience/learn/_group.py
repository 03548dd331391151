"""Which traces are of one kind of task: those that say and do alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

from playhead.experience.learn._trace import Example
from playhead.experience.values import find_mentions, stem, words_of

ALIKE = 0.6
"""How alike every two traces have to be to be of one kind for certain, 0 … 1."""
RELATED = 0.5
"""How alike two groups have to be on average to be tried as one."""
SOMEWHAT = 0.25
"""How alike two groups have to be on average that write with the same tools."""
_MENTIONED = 0.7  # of the likeness goes where two texts mention nothing of the same sort
_ALL_MENTIONED = 0.2  # of what is not alike, where they mention just the same sorts
_OTHER_THINGS = 0.7  # of the likeness is left where each mentions a sort that the other does not
_MORE = 1e-9

Likeness: TypeAlias = Mapping[tuple[int, int], float]


def likeness(examples: Sequence[Example]) -> Likeness:
    """How alike every two traces are, 0 … 1; the greater number comes first."""
    signs = [_Signs.of(each) for each in examples]
    return {
        (one, other): _alike(signs[one], signs[other])
        for one in range(len(examples))
        for other in range(one)
    }


def grouped(examples: Sequence[Example], *, alike: float = ALIKE) -> list[list[int]]:
    """Traces by kind of task: groups are joined as long as all traces in them are alike.

    Args:
        examples: The traces.
        alike: How alike every two traces of a group have to be.
    """
    near = likeness(examples)
    groups = [[at] for at in range(len(examples))]
    of = list(range(len(examples)))
    pairs = sorted((-value, pair) for pair, value in near.items() if value >= alike)
    for _, (one, other) in pairs:
        left, right = of[one], of[other]
        if left == right or min(_between(near, groups[left], groups[right])) < alike:
            continue
        groups[left] += groups[right]
        for member in groups[right]:
            of[member] = left
        groups[right] = []
    return [sorted(group) for group in groups if group]


def parted(examples: Sequence[Example]) -> list[list[int]]:
    """Traces in groups that are more alike than all of them are; none if they are all the same."""
    near = sorted({*likeness(examples).values()})
    tries = (grouped(examples, alike=value + _MORE) for value in near)
    return next((parts for parts in tries if len(parts) > 1), [])


def related(near: Likeness, groups: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Pairs of groups that may be of one kind, the most alike first."""
    pairs = [(one, other) for one in range(len(groups)) for other in range(one)]
    return _nearest(near, groups, pairs, least=RELATED)


def writing_alike(
    examples: Sequence[Example], near: Likeness, groups: Sequence[Sequence[int]]
) -> list[tuple[int, int]]:
    """Pairs of groups that write with the same tools, though their words differ more."""
    wrote = [{examples[at].signature for at in group} - {()} for group in groups]
    pairs = [
        (one, other)
        for one in range(len(groups))
        for other in range(one)
        if len(wrote[one]) == 1 and wrote[one] == wrote[other]
    ]
    return _nearest(near, groups, pairs, least=SOMEWHAT)


def _nearest(
    near: Likeness,
    groups: Sequence[Sequence[int]],
    pairs: Sequence[tuple[int, int]],
    *,
    least: float,
) -> list[tuple[int, int]]:
    """Pairs of groups that are alike enough on average, the most alike first."""
    means = {pair: fmean(_between(near, groups[pair[0]], groups[pair[1]])) for pair in pairs}
    return sorted((p for p, mean in means.items() if mean >= least), key=lambda p: -means[p])


def _between(near: Likeness, one: Sequence[int], other: Sequence[int]) -> list[float]:
    return [near[max(a, b), min(a, b)] for a in one for b in other]


@dataclass(frozen=True, slots=True)
class _Signs:
    """What tells of which kind a trace is.

    Args:
        words: The words of the task without what varies, in pairs and alone.
        kinds: What the task mentions, by its sort: how many days, names and so on.
        wrote: The tools that wrote.
    """

    words: frozenset[str]
    kinds: Counter[str]
    wrote: frozenset[str]

    @classmethod
    def of(cls, example: Example) -> _Signs:
        """Read them off a trace."""
        text = example.trace.task
        found = find_mentions(text, now=example.trace.now)
        for each in reversed(found):
            text = f"{text[: each.start]} {each.kind.upper()} {text[each.end :]}"
        words = [stem(word) for word, _, _ in words_of(text)]
        pairs = {f"{one} {other}" for one, other in pairwise(words)}
        wrote = frozenset(call.tool for call in example.writes)
        return cls(frozenset({*words, *pairs}), Counter(each.kind for each in found), wrote)


def _alike(one: _Signs, other: _Signs) -> float:
    """How many words two tasks share, if they mention the same sorts of things.

    Tools that contradict each other make them less alike.
    """
    alike = _shared(one.words, other.words)
    if one.wrote and other.wrote:
        same = 0.1 * (one.wrote == other.wrote)
        alike = alike * (0.5 + 0.5 * _shared(one.wrote, other.wrote)) + same
    mentioned = (one.kinds | other.kinds).total()
    both = (one.kinds & other.kinds).total() / mentioned if mentioned else 1.0
    alike *= 1 - _MENTIONED + _MENTIONED * both
    if one.kinds.keys() - other.kinds.keys() and other.kinds.keys() - one.kinds.keys():
        alike *= _OTHER_THINGS
    return alike + _ALL_MENTIONED * (1 - alike) * (both == 1)


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    smaller = min(len(one), len(other))
    both = len(one & other)
    return 0.5 * both / len(one | other) + 0.5 * both / smaller if smaller else 0.0
