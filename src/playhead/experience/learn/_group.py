"""Which traces are of one kind of task: those that say and do alike."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from playhead.experience.learn._trace import Example, ToolSpec
from playhead.experience.values import find_mentions, stem, words_of

ALIKE = 0.5
"""How alike every two traces of a group have to be, 0 … 1."""


def grouped(
    examples: Sequence[Example], tools: Mapping[str, ToolSpec], *, alike: float = ALIKE
) -> list[list[int]]:
    """Traces by kind of task: the most similar groups are joined as long as all in them are alike.

    Args:
        examples: The traces.
        tools: The tools.
        alike: How alike every two traces of a group have to be.
    """
    signs = [_signs(each) for each in examples]
    groups = [[at] for at in range(len(examples))]
    near = {
        (one, other): _alike(signs[one], signs[other])
        for one in range(len(examples))
        for other in range(one)
    }
    pairs = sorted((-value, pair) for pair, value in near.items() if value >= alike)
    of = list(range(len(examples)))
    for _, (one, other) in pairs:
        left, right = of[one], of[other]
        if left == right:
            continue
        if all(near[max(a, b), min(a, b)] >= alike for a in groups[left] for b in groups[right]):
            groups[left] += groups[right]
            for member in groups[right]:
                of[member] = left
            groups[right] = []
    return [sorted(group) for group in groups if group]


def _signs(example: Example) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the task without what varies, in pairs and alone; and the tools that wrote."""
    text = example.trace.task
    for found in reversed(find_mentions(text, now=example.trace.now)):
        text = f"{text[: found.start]} {found.kind.upper()} {text[found.end :]}"
    words = [stem(word) for word, _, _ in words_of(text)]
    pairs = {f"{one} {other}" for one, other in itertools.pairwise(words)}
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
