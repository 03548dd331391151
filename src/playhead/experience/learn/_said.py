"""Words of a task that name an operation: of several explanations, they choose the one meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from playhead.experience.routine import TaskText, Term, parts_of

Said: TypeAlias = tuple[tuple[re.Pattern[str], frozenset[str]], ...]


def said_by(*rows: tuple[str, Iterable[str]]) -> Said:
    """Words, and the operations that they name."""
    return tuple(
        (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), frozenset(names)) for words, names in rows
    )


def as_said(words: Said, found: list[Term], texts: Sequence[TaskText]) -> list[Term]:
    """The explanations for whose operation all task texts have a word; all if there are none."""
    for pattern, names in words:
        if all(pattern.search(text.text) for text in texts):
            said = [term for term in found if names & operators(term)]
            if said:
                return said
    return found


def operators(term: Term) -> set[str]:
    """The functions, quantities and choices of rows in a term."""
    parts = list(parts_of(term))
    named = {part[1] for part in parts if len(part) > 1 and part[0] in ("fn", "over")}
    return named | {
        part[0] for part in parts if len(part) == 2 and part[0] in ("lowest", "highest")
    }
