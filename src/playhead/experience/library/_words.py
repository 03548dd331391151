"""Task texts as sequences of words, with what varies from task to task told by its type only."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

_LONGEST = 20_000  # characters of a text that are looked at
_MOST = 400  # words of it
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_TOKEN = re.compile(
    r"(?P<quote>(?<!\w)'[^'\n]{3,200}'(?!\w)|\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”)"
    r"|(?P<email>[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){0,8})"
    rf"|(?P<date>\d{{4}}-\d\d-\d\d|\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?!\d))"
    r"|(?P<day>\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b)"
    r"|(?P<time>\b\d{1,2}:\d\d|\b\d{1,2}\s?[ap]m\b)"
    r"|(?P<percent>\d{1,30}(?:[.,]\d{1,30})?\s?(?:%|percent))"
    r"|(?P<number>\d{1,30}(?:[.,]\d{1,30})?)"
    r"|(?P<word>[^\W\d_]{1,64}(?:[-’'][^\W\d_]{1,64}){0,8})",
    re.IGNORECASE,
)
_ENDINGS = ("ies", "ing", "ed", "es", "s")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, without their endings; `#date`, `#number` … for typed values.

    Two tasks of one kind differ in their values, so these count by their type alone.
    """
    return _words(text[:_LONGEST])


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(
        _stem(found[0]) if found.lastgroup == "word" else f"#{found.lastgroup}"
        for found in islice(_TOKEN.finditer(text), _MOST)
    )


def is_typed(word: str) -> bool:
    """Whether it stands for a value of a type."""
    return word.startswith("#")


def _stem(word: str) -> str:
    """A word without its ending, roughly: only equality counts, nobody reads it."""
    word = word.casefold().replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + ("y" if ending == "ies" else "")
            break
    return word.removesuffix("e") if len(word) > 3 else word
