"""Which traces are of one kind of task: those that say and do alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

from playhead.experience.learn._trace import Example
from playhead.experience.values import find_mentions, stem, words_of

ALIKE = 0.6
"""How alike every two traces have to be to be of one kind for certain, 0 … 1."""
RELATED = 0.55
"""How alike two groups have to be on average to be tried as one."""
SOMEWHAT = 0.25
"""How alike two groups have to be on average that write with the same tools."""
_MORE = 1e-9

Likeness: TypeAlias = Mapping[tuple[int, int], float]


def likeness(examples: Sequence[Example]) -> Likeness:
    """How alike every two traces are, 0 … 1; the greater number comes first."""
    signs = [_signs(each) for each in examples]
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


def _signs(example: Example) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the task without what varies, in pairs and alone; and the tools that wrote."""
    text = example.trace.task
    for found in reversed(find_mentions(text, now=example.trace.now)):
        text = f"{text[: found.start]} {found.kind.upper()} {text[found.end :]}"
    words = [stem(word) for word, _, _ in words_of(text)]
    pairs = {f"{one} {other}" for one, other in pairwise(words)}
    return frozenset({*words, *pairs}), frozenset(call.tool for call in example.writes)


def _alike(
    one: tuple[frozenset[str], frozenset[str]], other: tuple[frozenset[str], frozenset[str]]
) -> float:
    """How many words two tasks share; tools that contradict each other make them less alike."""
    words = _shared(one[0], other[0])
    if not one[1] or not other[1]:
        return words
    return words * (0.5 + 0.5 * _shared(one[1], other[1])) + 0.1 * (one[1] == other[1])


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    smaller = min(len(one), len(other))
    both = len(one & other)
    return 0.5 * both / len(one | other) + 0.5 * both / smaller if smaller else 0.0
