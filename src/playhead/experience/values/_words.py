"""Words of English that are no names, and words brought to a common form."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON = frozenset(resources.files(__package__).joinpath("common_words.txt").read_text().split())
_ENDINGS = ("ings", "ing", "ers", "ies", "ed", "es", "er", "s", "d", "ly")


def words_of(text: str) -> list[tuple[str, int, int]]:
    """The words of a text, as they stand there, each with start and end."""
    return [(found[0], found.start(), found.end()) for found in _WORD.finditer(text)]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its ending, roughly: enough to see that `engaged` is of `engage`."""
    word = word.casefold()
    for ending in _ENDINGS:
        if ending == "d" and not word.endswith("ed"):
            break  # `lead` is of `leads`
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word.removesuffix("e")


@lru_cache(maxsize=20_000)
def is_familiar(word: str) -> bool:
    """Whether it is a common English word, in some form, rather than a name."""
    word = re.split("['’]", word.casefold())[0]
    if len(word) < 2 or word.isdigit() or word in _COMMON:
        return True
    return len(word) > 3 and stem(word) in _STEMS


@lru_cache(maxsize=20_000)
def is_plain(word: str) -> bool:
    """Whether it is an English word as it stands in small letters, or two that were run together.

    Some are names as well if they are written as names (`Grant`), which `is_familiar` tells apart.
    """
    word = re.split("['’]", word.casefold())[0]
    if is_familiar(word) or word in _plain():
        return True
    parts = ((word[:at], word[at:]) for at in range(2, len(word) - 1))
    return any(one in _COMMON and other in _COMMON for one, other in parts)


@lru_cache(maxsize=1)
def _plain() -> frozenset[str]:
    """Words that the documentation of many programs uses, seldom with a capital letter."""
    return frozenset(resources.files(__package__).joinpath("plain_words.txt").read_text().split())


_STEMS = frozenset(stem(word) for word in _COMMON if len(word) > 3)
