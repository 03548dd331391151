"""Which experience is for a task, by its text alone; or that none is.

How well a text fits an experience is in 0 … 1: the words that it shares with the most similar
example, weighed by how rare they are in the library, in their order; less what in the text no
example explains, less what all examples have and the text has not. An experience that has no part
of the task must lose even if all others lose more, so the measure does not depend on rank.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from playhead.experience.library._words import is_typed, words

FITS = 0.35  # below, no experience is for the task
APART = 0.05  # by so much the best must be better than another that does something else
_MOVED = 0.5  # what a word counts that stands elsewhere
_SLOT = 0.3  # what a word costs that stands where the examples differ
_LEAST = 0.2  # weight of the most frequent word
_MOST_EXAMPLES = 24
_LEAST_KNOWN = 0.2  # of a text has to be known to an experience before the two are aligned


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of an experience when a task comes.

    Args:
        key: What it is called here: its digest, or anything else.
        texts: Texts of tasks that it was learnt from or solved, the most telling ones first.
        worth: Calibrated success × rating × audit, see `worth`.
        tools: The tools that it uses. Of two that use the same ones either may be taken.
        avoid: Texts of tasks on which it went wrong.
    """

    key: str
    texts: tuple[str, ...]
    worth: float = 1.0
    tools: frozenset[str] = frozenset()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """How an experience stands to a task.

    Args:
        candidate: The experience.
        fit: How well the text fits, 0 … 1.
        score: Fit × worth, by which fitting ones are ordered.
        guarded: The text of a task on which it went wrong and that is at least as similar.
    """

    candidate: Candidate
    fit: float
    score: float
    guarded: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates, the best first, and the verdict.

    Args:
        ranked: All of them.
        chosen: The one to play; None if none fits, or if it cannot be told which.
        reason: Why that one, or why none.
    """

    ranked: tuple[Ranked, ...]
    chosen: Ranked | None
    reason: str


def rank(
    query: str, candidates: Iterable[Candidate], *, fits: float = FITS, apart: float = APART
) -> Ranking:
    """Order experiences by a task's text, and choose the one to play, or none.

    Args:
        query: What the user wants.
        candidates: The experiences that may be chosen.
        fits: The least fit of a choice.
        apart: The least distance in fit between the choice and an experience with other tools.
    """
    known = list(candidates)
    texts = _Texts(known)
    asked = words(query)
    ranked = sorted(
        (_ranked(asked, candidate, texts) for candidate in known),
        key=lambda one: (one.fit >= fits, one.score, one.fit, one.candidate.key),
        reverse=True,
    )
    chosen, reason = _chosen(ranked, fits, apart)
    return Ranking(tuple(ranked), chosen, reason)


def _ranked(asked: Sequence[str], candidate: Candidate, texts: _Texts) -> Ranked:
    fit = texts.fit(asked, texts.examples[candidate.key])
    guard = None
    for text in candidate.avoid[:_MOST_EXAMPLES]:
        if texts.fit(asked, [words(text)]) >= max(fit, FITS):
            guard = text
            break
    return Ranked(candidate, fit, fit * candidate.worth, guard)


def _chosen(ranked: Sequence[Ranked], fits: float, apart: float) -> tuple[Ranked | None, str]:
    fitting = [one for one in ranked if one.fit >= fits]
    if not fitting:
        nearest = max((one.fit for one in ranked), default=0.0)
        return None, f"no experience fits (the nearest: {nearest:.2f}, needed: {fits:.2f})"
    best = fitting[0]
    closest = max(fitting, key=lambda one: one.fit)
    if closest.candidate.tools != best.candidate.tools and closest.fit - best.fit >= apart:
        best = closest  # what is worth more, but does something else, is no better answer
    other = next((one for one in ranked if _rivals(best, one, apart)), None)
    if other is not None:
        return None, (
            f"`{best.candidate.key}` ({best.fit:.2f}) and `{other.candidate.key}` "
            f"({other.fit:.2f}) fit alike and do different things: name one"
        )
    if best.guarded is not None:
        return None, f"`{best.candidate.key}` went wrong on a task like this: {best.guarded!r}"
    return best, f"fit {best.fit:.2f}, worth {best.candidate.worth:.2f}"


def _rivals(best: Ranked, other: Ranked, apart: float) -> bool:
    if other is best or other.candidate.tools == best.candidate.tools != frozenset():
        return False
    return best.fit - other.fit < apart


@dataclass(slots=True)
class _Examples:
    """The texts of one experience, as words, and in how many of them each word is."""

    texts: list[tuple[str, ...]]
    share: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = Counter(word for text in self.texts for word in set(text))
        self.share = {word: count / len(self.texts) for word, count in counts.items()}


class _Texts:
    """All texts of a library, and how much each word tells in it."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.examples: dict[str, list[tuple[str, ...]]] = {
            candidate.key: [words(text) for text in candidate.texts[:_MOST_EXAMPLES]]
            for candidate in candidates
        }
        kinds = {frozenset(texts) for texts in self.examples.values() if texts}  # copies count once
        self._count = len(kinds)
        self._holding = Counter(word for texts in kinds for word in set().union(*texts))

    def weight(self, word: str) -> float:
        """How much a word tells: the rarer, the more (the weight of BM25)."""
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
        always = [word for word, share in examples.share.items() if share == 1]
        absent = set(always) - set(asked)
        unexplained = self.total(strange) / self.total(asked)
        missing = self.total(absent) / self.total(always) if always else 0.0
        return max(0.0, likeness - unexplained - missing)

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
