"""Parts of task texts that no recogniser knows, and that calls were made with, word by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from playhead.experience.document import Mention
from playhead.experience.learn._trace import Example
from playhead.experience.routine import TaskText
from playhead.experience.values import words_of

_CUES = 2
"""Words on each side by which such a part is found again."""
_LONGEST = 8


def spans(
    examples: Sequence[Example], texts: Sequence[TaskText], options: Sequence[Any]
) -> Iterator[Mention]:
    """Sources of the words that stand between the same words in every text."""
    found: dict[Mention, None] = {}
    for example, text in zip(examples, texts, strict=True):
        taken = {
            (each.start, each.end) for known in ((), *options) for each in text.mentions(known)
        }
        places = [(start, end) for _, start, end in words_of(text.text)]
        for first, last in _said(example, text):
            if (places[first][0], places[last - 1][1]) not in taken:
                found |= dict.fromkeys(_around(text, first, last))
    whole = [each for each in found if all(text.found(each) for text in texts)]
    values = {text.found(each) for each in whole for text in texts}
    yield from whole if len(texts) == 1 or len(values) > 1 else ()


def _said(example: Example, text: TaskText) -> Iterator[tuple[int, int]]:
    """Where the values of a trace's calls stand in its text: from which word to which."""
    values = {
        tuple(word.casefold() for word, _, _ in words_of(value))
        for call in (*example.reads, *example.writes)
        for value in call.arguments.values()
        if isinstance(value, str)
    }
    for words in sorted(values):
        size = len(words)
        if 1 < size <= _LONGEST:
            for first in range(len(text.words) - size + 1):
                if tuple(text.words[first : first + size]) == words:
                    yield first, first + size


def _around(text: TaskText, first: int, last: int) -> Iterator[Mention]:
    lefts = [" ".join(text.words[max(0, first - size) : first]) for size in range(1, _CUES + 1)]
    rights = [" ".join(text.words[last : last + size]) for size in range(1, _CUES + 1)]
    for left in lefts:
        for right in rights:
            if left or right:
                yield Mention(kind="words", after=left or None, before=right or None)
