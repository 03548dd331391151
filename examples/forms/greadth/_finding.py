"""What breaks a letter, and how texts are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from examples.forms.form import Form, Slot
from examples.forms.values import plain

Letter: TypeAlias = Literal[
    "grounded", "responsive", "accurate", "disciplined", "transparent", "helpful"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach of a letter in a turn.

    Args:
        letter: Which condition is broken.
        turn: In which turn.
        code: In which way.
        why: In words.
    """

    letter: Letter
    turn: int
    code: str
    why: str


def sentences(text: str) -> list[str]:
    """The sentences of a text, with their marks."""
    pieces = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [piece.strip() for piece in pieces if piece.strip()]


def questions(text: str) -> list[str]:
    """The sentences that ask."""
    return [sentence for sentence in sentences(text) if sentence.endswith("?")]


def names(text: str, label: str) -> bool:
    """Whether a text names something, word by word."""
    return re.search(rf"(?<!\w){re.escape(plain(label))}(?!\w)", plain(text)) is not None


def stems(text: str) -> set[str]:
    """The beginnings of the words of a text, by which forms of one word are alike."""
    return {word[:4] for word in re.findall(r"[a-z]{3,}", plain(text))}


def attributed(text: str, form: Form) -> Iterator[tuple[Slot, str]]:
    """Slots that a text names with a value: the slot, and the text up to the next such name."""
    found: list[tuple[int, int, Slot]] = []
    left = text
    for slot in sorted(form.slots.values(), key=lambda slot: -len(slot.label)):
        words = r"[\s_-]+".join(map(re.escape, slot.label.split()))
        pattern = rf"(?<!\w){words}(?!\w)\s*(?:is\b|are\b|should be\b|take\b|:|=)"
        for match in re.finditer(pattern, left, re.IGNORECASE):
            found.append((match.start(), match.end(), slot))
            left = left[: match.start()] + " " * len(match[0]) + left[match.end() :]
    found.sort(key=lambda each: each[0])
    ends = [start for start, _, _ in found[1:]] + [len(text)]
    for (_, begin, slot), end in zip(found, ends, strict=False):
        yield slot, text[begin:end]


def joined(items: Sequence[str]) -> str:
    """Names in a message."""
    return ", ".join(f"`{item}`" for item in items)
