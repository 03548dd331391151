"""Parameters that texts suggest: what finds the same mention in every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from playhead.experience.document import Mention, Option
from playhead.experience.learn._options import OptionSet
from playhead.experience.routine import TaskText
from playhead.experience.values import Found, words_of

_JOINING = (None, "and", "or", "but", "if", "so", "then", "otherwise")  # they begin something else


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parameter that the texts suggest.

    Args:
        name: Its name.
        kind: Of which kind its mentions are.
        sources: How to find it; all that agree on every trace.
        values: What it is in each trace; None where it is absent.
        default: What is meant where the text does not say it; None for nothing.
    """

    name: str
    kind: str
    sources: tuple[Mention, ...]
    values: tuple[Any, ...]
    default: Any = None


def of_kind(
    kind: str,
    texts: Sequence[TaskText],
    options: OptionSet,
    taken: Sequence[Sequence[tuple[int, int]]] = (),
) -> Iterator[Candidate]:
    """Candidates of one kind: sources that say the same in all texts are one parameter."""
    parts = tuple(Option(value=value, words=words) for value, words in options)
    found = list(agreeing(kind, texts, _sources(kind, texts, parts, taken)))
    probe = Mention(kind=kind, options=parts)
    if any(len(text.different(probe)) > 1 for text in texts):
        found = _told_apart(found, texts, probe)
    yield from found


def _told_apart(
    found: Sequence[Candidate], texts: Sequence[TaskText], probe: Mention
) -> list[Candidate]:
    """Parameters without their places, where words tell them from the others in every text.

    A text that lacks these words is put in another way, and may name things in another order. What
    is left when all the others are told needs no words.
    """
    told = [_told(each.sources, texts) for each in found]
    claims = [_told([s for s in each.sources if s.leads], texts) for each in found]
    rest = probe.model_copy(update={"rest": True})
    made: list[Candidate] = []
    for at, each in enumerate(found):
        words = tuple(source for source in each.sources if source.nth is None)
        left = _left(texts, probe, [*claims[:at], *claims[at + 1 :]])
        alone = left is not None and left == (told[at] or left) and _values(left) == each.values
        kept = (*words, rest) if alone else words if told[at] else each.sources
        made.append(replace(each, sources=kept))
    left = _left(texts, probe, claims)
    if left is None or any(each.values == _values(left) for each in made):
        return made
    partial = [
        source
        for each in found
        for source in each.sources
        if source.nth is None and _compatible(tuple(text.found(source) for text in texts), left)
    ]
    sources = (*dict.fromkeys(partial), rest)
    return [*made, Candidate("", probe.kind, sources, _values(left))]


def _told(sources: Iterable[Mention], texts: Sequence[TaskText]) -> tuple[Found, ...] | None:
    """What words find of a parameter, if they find it in every text."""
    for source in sources:
        if source.nth is None:
            found = tuple(each for text in texts if (each := text.found(source)) is not None)
            if len(found) == len(texts):
                return found
    return None


def _left(
    texts: Sequence[TaskText], probe: Mention, claims: Sequence[tuple[Found, ...] | None]
) -> tuple[Found, ...] | None:
    """What is left in every text of what words tell."""
    told = [each for each in claims if each is not None]
    found = [text.left(probe, [each[at] for each in told]) for at, text in enumerate(texts)]
    left = tuple(each for each in found if each is not None)
    return left if told and len(left) == len(texts) else None


def _values(found: Sequence[Found]) -> tuple[Any, ...]:
    return tuple(each.value for each in found)


def agreeing(
    kind: str, texts: Sequence[TaskText], mentions: Iterable[Mention]
) -> Iterator[Candidate]:
    """What some sources find, those that agree taken together."""
    sources: dict[Mention, tuple[Any, ...]] = {}
    for mention in mentions:
        sources[mention] = tuple(text.found(mention) for text in texts)
    full = {found for found in sources.values() if None not in found}
    partial = {
        found
        for found in sources.values()
        if None in found and not any(_compatible(found, each) for each in full)
    }
    for chosen in [*_ordered(full, sources), *_ordered(_widest(partial), sources)]:
        fitting = [
            mention
            for mention, theirs in sources.items()
            if _compatible(theirs, chosen) and (theirs == chosen or _often(theirs))
        ]
        values = tuple(None if found is None else found.value for found in chosen)
        if any(value is not None for value in values):
            yield Candidate("", kind, tuple(fitting), values)


def _ordered(
    chosen: Iterable[tuple[Any, ...]], sources: Mapping[Mention, tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    wanted = set(chosen)
    return list(dict.fromkeys(values for values in sources.values() if values in wanted))


def _widest(partial: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Those that are not part of another."""
    return {
        values
        for values in partial
        if not any(values != other and _compatible(values, other) for other in partial)
    }


def _often(found: tuple[Any, ...]) -> bool:
    """Whether a source that says nothing in some texts is borne out by two others.

    Words that stand by one value only may be part of it: `average` tells no duration from others.
    """
    values = [each.value for each in found if each is not None]
    return any(value != values[0] for value in values)


def _compatible(part: tuple[Any, ...], whole: tuple[Any, ...]) -> bool:
    """Whether a source says nothing that the other does not say."""
    said = [(one, other) for one, other in zip(part, whole, strict=True) if one is not None]
    return bool(said) and all(one == other for one, other in said)


def _sources(
    kind: str,
    texts: Sequence[TaskText],
    options: tuple[Option, ...],
    taken: Sequence[Sequence[tuple[int, int]]],
) -> Iterator[Mention]:
    probe = Mention(kind=kind, options=options)
    counts = tuple(sorted({len(text.different(probe)) for text in texts} - {0}))
    for nth in range(max(counts, default=0)):
        yield Mention(kind=kind, nth=nth, of=tuple(c for c in counts if c > nth), options=options)
    cues: dict[tuple[str | None, str | None], None] = {}
    for at, text in enumerate(texts):
        for each in text.of_kind(probe):
            before, after = around(text, each, taken[at] if taken else ())
            cues |= {(before, None): None, (None, after): None}
    for left, right in cues:
        if (left or right) not in _JOINING:
            seen = counts if options else ()  # of other kinds the scope tells how many
            yield Mention(kind=kind, after=left, before=right, of=seen, options=options)


def around(
    text: TaskText, found: Found, taken: Sequence[tuple[int, int]] = ()
) -> tuple[str | None, str | None]:
    """The words beside a mention; none that belongs to another mention, because that varies."""
    words = words_of(text.text)
    left = [each for each in words if each[2] <= found.start][-1:]
    right = [each for each in words if each[1] >= found.end][:1]
    near = [
        None
        if not each or any(start <= each[0][1] and each[0][2] <= end for start, end in taken)
        else each[0][0].casefold()
        for each in (left, right)
    ]
    return near[0], near[1]
