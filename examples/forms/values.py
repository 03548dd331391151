"""Values of slots: how people write them, and how they stand in a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from playhead.tape import Json

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
YES = frozenset({"yes", "y", "true", "yeah", "yep", "sure", "correct", "please do"})
NO = frozenset({"no", "n", "false", "nope", "not", "none"})
SKIP = "<|skip|>"  # as a gathered value: the person wants to skip the slot

_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})\.? ({'|'.join(MONTHS)}),? (\d{{4}})\b", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"\b({'|'.join(MONTHS)}) (\d{{1,2}}),? (\d{{4}})\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:[.,]\d+)?(?![\w-]|[.,]\d)")


def read_value(text: Json, schema: Mapping[str, Json]) -> Json:
    """What a person wrote, as the value that it means for a slot; as it is where it means none."""
    if not isinstance(text, str):
        return text
    said = text.strip().strip("\"'").strip()
    kind = schema.get("type")
    if isinstance(choices := schema.get("enum"), list):
        known = {plain(choice): choice for choice in choices}
        return known.get(plain(said), said)
    if kind == "boolean":
        word = plain(said)
        return True if word in YES else False if word in NO else said
    if kind in ("integer", "number"):
        return _number(said, whole=kind == "integer")
    if schema.get("format") == "date":
        found = next(dates_in(said), None)
        return found.isoformat() if found is not None else said
    return said


def _number(said: str, *, whole: bool) -> Json:
    found = _NUMBER.findall(said)
    if len(found) != 1:
        return said
    number = float(found[0].replace(",", "."))
    if number == int(number):
        return int(number) if whole or "." not in found[0] else number
    return number


def write_value(value: Json) -> str:
    """A value in words, as an agent says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(map(write_value, value))
    return str(value)


def plain(value: Json) -> str:
    """Text without what does not count when two are compared: case, `_`, `-`, white space."""
    return re.sub(r"[\s_\-]+", " ", write_value(value)).strip().casefold()


def dates_in(text: str) -> Iterator[date]:
    """The dates that a text names, in any of the ways in which they are written."""
    for found in _ISO.finditer(text):
        yield from _date(found[1], found[2], found[3])
    for found in _DAY_FIRST.finditer(text):
        yield from _date(found[3], _month(found[2]), found[1])
    for found in _MONTH_FIRST.finditer(text):
        yield from _date(found[3], _month(found[1]), found[2])


def _month(name: str) -> str:
    return str(MONTHS.index(name.casefold()) + 1)


def _date(year: str, month: str, day: str) -> Iterator[date]:
    try:
        yield date(int(year), int(month), int(day))
    except ValueError:
        return


def numbers_in(text: str) -> Iterator[float]:
    """The numbers that a text names, without those within words, codes and dates."""
    without_dates = _MONTH_FIRST.sub(" ", _DAY_FIRST.sub(" ", _ISO.sub(" ", text)))
    for found in _NUMBER.findall(without_dates):
        yield float(found.replace(",", "."))


def same_value(one: Json, other: Json) -> bool:
    """Whether two values are one, however they are written."""
    if isinstance(one, bool) or isinstance(other, bool):
        return plain(one) == plain(other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other)
    return plain(one) == plain(other)


def is_mentioned(value: Json, text: str) -> bool:
    """Whether a text names a value: a date or a number in any way of writing, else its words."""
    if isinstance(value, bool):
        wanted = YES if value else NO
        return bool(wanted & set(re.findall(r"\w+", text.casefold())))
    if isinstance(value, int | float):
        return float(value) in set(numbers_in(text)) or write_value(value) in text.split()
    words = plain(value)
    if any(day.isoformat() == words.replace(" ", "-") for day in dates_in(text)):
        return True
    return bool(words) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", plain(text)) is not None
