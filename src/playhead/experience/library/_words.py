"""Task texts as sequences of words, with what varies from task to task told by its type only."""

from __future__ import annotations

from functools import lru_cache

from playhead.experience.values import find_mentions, stem, words_of

_LONGEST = 8_000  # characters of a text that are looked at
_MOST = 400  # words of it
_NOW = "2000-01-01 00:00:00"  # days count by their type, whichever they are
_LIGHT = frozenset(
    map(
        stem,
        "a also am an and are be can could did do does for get give got had has have hello help hey"
        " hi i i'd i'll i'm i've is it it's just kindly let let's like me my need of our please"
        " should so some thank thanks that that's the their them then there these they this those"
        " to us want was we we'd we'll we're we've were will with would you your".split(),
    )
)


def words(text: str) -> tuple[str, ...]:
    """The words of a text, without their endings; `#date`, `#name` … for what it mentions.

    Two tasks of one kind differ in their values, so these count by their type alone.
    """
    return _words(text[:_LONGEST])


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    mentions = find_mentions(text, now=_NOW)
    said = [(each.start, f"#{each.kind}") for each in mentions]
    for each in mentions:
        text = f"{text[: each.start]}{' ' * (each.end - each.start)}{text[each.end :]}"
    said += [(start, stem(word)) for word, start, _ in words_of(text) if not word.isdigit()]
    return tuple(word for _, word in sorted(said)[:_MOST])


def is_typed(word: str) -> bool:
    """Whether it stands for a value of a type."""
    return word.startswith("#")


def is_light(word: str) -> bool:
    """Whether any task may say it, however it is put: `can you`, `I need to`, `please`."""
    return word in _LIGHT
