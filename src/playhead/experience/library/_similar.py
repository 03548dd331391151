"""How well a task's text fits an experience, by its words, or by embeddings.

By words, a fit is in 0 … 1: the words that the text shares with the most similar example, weighed
by how rare they are in the library, in their order; less what in the text no example explains,
less what all examples have and the text has not. An experience that has no part of the task must
lose even if all others lose more, so a fit never depends on rank.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Protocol

from playhead.errors import LibraryError
from playhead.experience.library._words import LONGEST, Blanks, is_light, is_typed, words
from playhead.experience.values import asks_otherwise

_MOVED = 0.5  # what a word counts that stands elsewhere
_SLOT = 0.3  # what a word costs that stands where the examples differ
_LEAST = 0.2  # weight of the most frequent word
_LIGHT = 0.15  # weight of a word that any task may say
_LEAST_KNOWN = 0.2  # of a text has to be known to an experience before the two are aligned
_STRANGERS = 20  # experiences that a small library is taken to lack
MOST_EXAMPLES = 24


class Similarity(Protocol):
    """How well texts fit.

    `fits` is the least fit of a choice; by `apart` the best must be better than an experience that
    does something else.
    """

    @property
    def fits(self) -> float: ...

    @property
    def apart(self) -> float: ...

    def __call__(self, query: str, texts: Sequence[Sequence[str]]) -> list[float]:
        """The fit of a query to each of several sets of examples."""
        ...


@dataclass(frozen=True, slots=True)
class Lexical:
    """Similarity by words. Needs nothing, and gives the same everywhere."""

    fits: float = 0.2
    apart: float = 0.1

    def __call__(
        self,
        query: str,
        texts: Sequence[Sequence[str]],
        blanks: Sequence[Blanks | None] = (),
    ) -> list[float]:
        """See `Similarity`.

        Args:
            query: A task.
            texts: Sets of examples.
            blanks: Where the texts of each set hold values, if that is known.
        """
        where = blanks or [None for _ in texts]
        several = [
            [words(text, blank) for text in each[:MOST_EXAMPLES]]
            for each, blank in zip(texts, where, strict=True)
        ]
        weights = _Weights(several)
        return [
            0.0
            if asks_otherwise([query[:LONGEST]], [text[:LONGEST] for text in each[:MOST_EXAMPLES]])
            else weights.fit(words(query, blank), held)
            for each, held, blank in zip(texts, several, where, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Similarity by embeddings: the cosine to the nearest example.

    Args:
        embed: Gives a vector for each text; ask a local model or a provider.
        fits: What counts as fitting depends on the model: look at its cosines first.
        apart: See `Similarity`.
    """

    embed: Callable[[Sequence[str]], Sequence[Sequence[float]]]
    fits: float = 0.2
    apart: float = 0.02

    def __call__(self, query: str, texts: Sequence[Sequence[str]]) -> list[float]:
        """See `Similarity`."""
        examples = [text for each in texts for text in each[:MOST_EXAMPLES]]
        vectors = [unit(vector) for vector in self.embed([query, *examples])]
        if len(vectors) != len(examples) + 1 or len({len(vector) for vector in vectors}) != 1:
            raise LibraryError("an embedding has to give one vector of one length for each text")
        asked, rest = vectors[0], iter(vectors[1:])
        return [
            max((cosine(asked, next(rest)) for _ in each[:MOST_EXAMPLES]), default=0.0)
            for each in texts
        ]


def unit(vector: Sequence[float]) -> list[float]:
    """A vector of the same direction and the length 1."""
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length else [0.0 for _ in vector]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """How far two vectors of the length 1 point the same way; 0 where they do not."""
    return max(0.0, math.fsum(a * b for a, b in zip(one, other, strict=True)))


@dataclass(slots=True)
class _Examples:
    """The texts of one experience, as words, and in how many of them each word is."""

    texts: list[tuple[str, ...]]
    share: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = Counter(word for text in self.texts for word in set(text))
        self.share = {word: count / len(self.texts) for word, count in counts.items()}


class _Weights:
    """How much each word tells among all the texts of a library."""

    def __init__(self, texts: Sequence[Sequence[tuple[str, ...]]]) -> None:
        kinds = {frozenset(each) for each in texts if each}  # copies count once
        self._count = len(kinds) + _STRANGERS
        self._holding = Counter(word for texts in kinds for word in set().union(*texts))

    def weight(self, word: str) -> float:
        """How much a word tells: the rarer, the more (the weight of BM25)."""
        if is_light(word):
            return _LIGHT
        holding = self._holding[word]
        return max(_LEAST, math.log(1 + (self._count - holding + 0.5) / (holding + 0.5)))

    def total(self, several: Iterable[str]) -> float:
        return sum(map(self.weight, several))

    def fit(self, asked: Sequence[str], texts: list[tuple[str, ...]]) -> float:
        """How well a task's words fit some examples, 0 … 1."""
        if not asked or not texts:
            return 0.0
        examples = _Examples(texts)
        known = [word for word in asked if word in examples.share]
        if self.total(known) < _LEAST_KNOWN * self.total(asked):
            return 0.0
        explained: set[int] = set()
        likeness = max(self._likeness(asked, text, examples, explained) for text in texts)
        strange = [
            word
            for at, word in enumerate(asked)
            if word not in examples.share and at not in explained
        ]
        if any(map(is_typed, strange)):
            return 0.0  # it speaks of a sort of thing that the examples do not
        always = [word for word, share in examples.share.items() if share == 1]
        absent = set(always) - set(asked)
        unexplained = self.total(strange) / self.total(asked)
        several = always and len(texts) > 1  # of one example, nobody knows what is a value
        missing = self.total(absent) / self.total(always) if several else 0.0
        return min(1.0, max(0.0, likeness - unexplained - missing))

    def _likeness(
        self,
        asked: Sequence[str],
        text: Sequence[str],
        examples: _Examples,
        explained: set[int],
    ) -> float:
        """What both say of what either says; notes which words stand where examples differ."""
        shared = of_asked = of_text = 0.0
        aligned = SequenceMatcher(None, text, asked, autojunk=False).get_opcodes()
        for how, start, end, first, last in aligned:
            theirs, ours = text[start:end], asked[first:last]
            if how == "equal":
                weight = self.total(ours)
                shared, of_asked, of_text = shared + weight, of_asked + weight, of_text + weight
                continue
            slot = how == "replace" and _is_slot(theirs, ours, examples)
            if slot:
                explained.update(range(first, last))
            cost = _SLOT if slot else 1.0
            for word in ours:
                weight = self.weight(word)
                shared += _MOVED * weight if word in text else 0.0
                of_asked += weight * (1.0 if word in text else cost)
            for word in theirs:
                weight = self.weight(word) * examples.share[word]
                shared += _MOVED * weight if word in asked else 0.0
                of_text += weight * (1.0 if word in asked else cost)
        return 2 * shared / (of_asked + of_text) if of_asked + of_text else 0.0


def _is_slot(theirs: Sequence[str], ours: Sequence[str], examples: _Examples) -> bool:
    """Whether an example has there what no other example has: a value, as far as anybody knows."""
    several = len(examples.texts)
    return (
        several > 1
        and len(ours) <= len(theirs) + 1
        and all(examples.share[word] <= 1 / several and not is_typed(word) for word in theirs)
    )
