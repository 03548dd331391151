"""Task texts as sequences of words, with what varies from task to task told by its type only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from playhead.experience.values import find_mentions, stem, words_of

LONGEST = 8_000  # characters of a text that are looked at
_MOST = 400  # words of it
_NOW = "2000-01-01 00:00:00"  # days count by their type, whichever they are
_LONGEST_BLANK = 8  # words
_LIGHT = frozenset(
    stem(word)
    for line in (
        "a also am an and are be can could did do does for get give got had has have hello help",
        "hey hi i i'd i'll i'm i've is it it's just kindly let let's like me my need of our please",
        "should so some thank thanks that that's the their them then there these they this those",
        "to us want was we we'd we'll we're we've were will with would you your",
    )
    for word in line.split()
)


@dataclass(frozen=True, slots=True)
class Blanks:
    """Where the texts of an experience hold values, besides what any text mentions.

    Args:
        options: Words that stand for a value.
        between: What stands before and behind a value that is put in any words.
    """

    options: tuple[str, ...] = ()
    between: tuple[tuple[str, str], ...] = ()


def words(text: str, blanks: Blanks | None = None) -> tuple[str, ...]:
    """The words of a text, without their endings; `#date`, `#name` … for what it mentions.

    Two tasks of one kind differ in their values, so these count by their type alone.

    Args:
        text: A task.
        blanks: Where else there are values; nowhere if not given.
    """
    said = _words(text[:LONGEST])
    return _blanked(said, blanks) if blanks else said


@lru_cache(maxsize=4096)
def _blanked(said: tuple[str, ...], blanks: Blanks) -> tuple[str, ...]:
    for before, behind in blanks.between:
        said = _between(said, words(before), words(behind))
    options = sorted({words(each) for each in blanks.options} - {()}, key=len, reverse=True)
    found: list[str] = []
    at = 0
    while at < len(said):
        long = next((len(each) for each in options if said[at : at + len(each)] == each), 0)
        found.append("#option" if long else said[at])
        at += long or 1
    return tuple(found)


def _between(
    said: tuple[str, ...], before: tuple[str, ...], behind: tuple[str, ...]
) -> tuple[str, ...]:
    """The words with those between two others put as one value."""
    for start in range(len(said) - len(before) - len(behind) + 1):
        first = start + len(before)
        if said[start:first] != before:
            continue
        for end in range(first + 1, min(len(said), first + _LONGEST_BLANK) + 1):
            if said[end : end + len(behind)] == behind:
                return (*said[:first], "#words", *said[end:])
    return said


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    mentions = find_mentions(text, now=_NOW)
    said = [(each.start, f"#{each.kind}") for each in mentions]
    for each in mentions:
        text = f"{text[: each.start]}{' ' * (each.end - each.start)}{text[each.end :]}"
    said += [(start, stem(word)) for word, start, _ in words_of(text) if not word.isdigit()]
    return tuple(word for _, word in sorted(said)[:_MOST])


def holds(said: tuple[str, ...], part: tuple[str, ...]) -> bool:
    """Whether some words stand in others, one behind the other."""
    size = len(part)
    return any(said[at : at + size] == part for at in range(len(said) - size + 1) if part)


def is_typed(word: str) -> bool:
    """Whether it stands for a value of a type."""
    return word.startswith("#")


def is_light(word: str) -> bool:
    """Whether any task may say it, however it is put: `can you`, `I need to`, `please`."""
    return word in _LIGHT
