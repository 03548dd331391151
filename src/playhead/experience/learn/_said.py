"""Words of a task that name an operation: of several explanations, they choose the one meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from playhead.experience.routine import TaskText, Term

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
    found: set[str] = set()
    stack: list[Any] = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            if len(part) > 1 and part[0] in ("fn", "over"):
                found.add(part[1])
            if len(part) == 2 and part[0] in ("lowest", "highest"):
                found.add(part[0])
            stack += part
    return found
