"""What leads: of several reads that differ in one argument, the value that found most or least."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from playhead.experience.learn._atoms import World
from playhead.experience.learn._conditions import is_identity
from playhead.experience.routine import Term, const, fn
from playhead.tape import Json

_MOST = re.compile(
    r"\b(most(?! recent)|highest|largest|biggest|greatest|busiest|strongest|top|leading)\b",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"\b((?<!at )least(?! recent)|lowest|smallest|fewest|weakest|quietest)\b", re.IGNORECASE
)
_SHORTEST = 3  # letters of a value that is looked for within a text
_FEWEST, _MANY = 2, 16  # reads that are compared


def leading(world: World, value: Json, texts: Sequence[str]) -> Iterator[Term]:
    """The value as what leads, or as a fixed text around it, where all texts ask for that."""
    how = how_said(texts)
    if how is None or not isinstance(value, str):
        return
    for pairs in _compared(world):
        leader = fn("leader", const(how), *(term for pair in pairs for term in pair))
        found = world.value(leader)
        if found == value:
            yield leader
        elif isinstance(found, str) and len(found) >= _SHORTEST and found in value:
            head, _, tail = value.partition(found)
            if not is_identity(head) and not is_identity(tail):
                parts = (const(head), leader, const(tail))
                yield fn("join", *(part for part in parts if part != const("")))


def how_said(texts: Sequence[str]) -> str | None:
    """Whether all texts speak of what is `most`, or of what is `least`; None if neither."""
    for how, words in (("most", _MOST), ("least", _LEAST)):
        if all(map(words.search, texts)):
            return how
    return None


def _compared(world: World) -> Iterator[list[tuple[Term, Term]]]:
    """Reads that differ in one argument: its values, each with what was found for it."""
    groups: dict[tuple[object, ...], dict[Term, Term]] = {}
    for state, (tool, arguments) in world.asked.items():
        for name, term in arguments.items():
            rest = frozenset(each for each in arguments.items() if each[0] != name)
            found: Term = ("result", state, None, None, ())
            groups.setdefault((tool, name, rest), {}).setdefault(term, found)
    for pairs in groups.values():
        if _FEWEST <= len(pairs) <= _MANY:
            yield list(pairs.items())
