"""Which experience is for a task, by its text alone; or that none is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from playhead.experience.library._similar import MOST_EXAMPLES, Lexical, Similarity
from playhead.experience.library._words import Blanks


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of an experience when a task comes.

    Args:
        key: What it is called here: its digest, or anything else.
        texts: Texts of tasks that it was learnt from or solved, the most telling ones first.
        worth: Calibrated success × rating × audit, see `worth`.
        tools: The tools that it uses. Of two that use the same ones either may be taken.
        avoid: Texts of tasks on which it went wrong.
        blanks: Where its texts hold values.
    """

    key: str
    texts: tuple[str, ...]
    worth: float = 1.0
    tools: frozenset[str] = frozenset()
    avoid: tuple[str, ...] = ()
    blanks: Blanks | None = None


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
    query: str,
    candidates: Iterable[Candidate],
    *,
    similarity: Similarity | None = None,
    refuses: Callable[[Candidate], str | None] = lambda candidate: None,
) -> Ranking:
    """Order experiences by a task's text, and choose the one to play, or none.

    Fit alone says whether an experience is for the task; worth decides among those that are.

    Args:
        query: What the user wants.
        candidates: The experiences that may be chosen.
        similarity: How texts are compared; `Lexical()` if not given.
        refuses: Why an experience whose examples fit cannot read the task; None if it can.
    """
    similar = similarity or Lexical()
    known = list(candidates)
    texts = [candidate.texts for candidate in known]
    words = similar if isinstance(similar, Lexical) else Lexical()
    plainly = words(query, texts, [candidate.blanks for candidate in known])
    fits = plainly if words is similar else similar(query, texts)
    ranked = [
        Ranked(
            candidate,
            fit,
            fit * candidate.worth,
            _guard(query, candidate, word, words) or _guard(query, candidate, fit, similar),
        )
        for candidate, fit, word in zip(known, fits, plainly, strict=True)
    ]
    ranked.sort(
        key=lambda one: (one.fit >= similar.fits, one.score, one.fit, one.candidate.key),
        reverse=True,
    )
    chosen, reason = _chosen(ranked, similar, refuses)
    return Ranking(tuple(ranked), chosen, reason)


def _guard(query: str, candidate: Candidate, fit: float, similar: Similarity) -> str | None:
    """The text of a task on which it went wrong, if the query is as much like that one."""
    avoid = candidate.avoid[:MOST_EXAMPLES]
    if not avoid:
        return None
    near = similar(query, [[text] for text in avoid])
    worst = max(range(len(avoid)), key=lambda at: near[at])
    return avoid[worst] if near[worst] >= max(fit, similar.fits) else None


def _chosen(
    ranked: Sequence[Ranked],
    similar: Similarity,
    refuses: Callable[[Candidate], str | None],
) -> tuple[Ranked | None, str]:
    fitting = [one for one in ranked if one.fit >= similar.fits]
    if not fitting:
        nearest = max((one.fit for one in ranked), default=0.0)
        return None, f"no experience fits (the nearest: {nearest:.2f}, needed: {similar.fits:.2f})"
    closest = max(fitting, key=lambda one: one.fit)
    refused = {one.candidate.key: refuses(one.candidate) for one in fitting}
    if (why := refused[closest.candidate.key]) is not None:
        return None, f"`{closest.candidate.key}` fits best and cannot read the task: {why}"
    best = next(one for one in fitting if refused[one.candidate.key] is None)
    if closest.candidate.tools != best.candidate.tools and closest.fit - best.fit >= similar.apart:
        best = closest  # what is worth more, but does something else, is no better answer
    others = (one for one in ranked if refused.get(one.candidate.key) is None)
    other = next((one for one in others if _rivals(best, one, similar.apart)), None)
    if other is not None:
        return None, (
            f"`{best.candidate.key}` ({best.fit:.2f}) and `{other.candidate.key}` "
            f"({other.fit:.2f}) fit alike and do different things: name one"
        )
    if best.guarded is not None:
        return None, f"`{best.candidate.key}` went wrong on a task like this: {best.guarded!r}"
    return best, f"fit {best.fit:.2f}, worth {best.candidate.worth:.2f}"


def _rivals(best: Ranked, other: Ranked, apart: float) -> bool:
    """Whether another one that does something else fits about as well."""
    if other is best or other.candidate.tools == best.candidate.tools != frozenset():
        return False
    return best.fit - other.fit < apart
