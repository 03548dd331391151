"""What a text mentions: typed parts of it, found by fixed recognisers that take linear time.

An earlier recogniser takes its part of the text away from the later ones, so that the digits of a
date are no number, and what is in quotes is nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from playhead.experience.values._days import WEEKDAYS, add_days, day
from playhead.experience.values._number import Absent
from playhead.experience.values._words import is_familiar, is_plain, stem, words_of


class Found(NamedTuple):
    """A part of a text that means something.

    Args:
        kind: What sort of thing it is.
        start: Where it begins.
        end: Where it ends.
        value: What it means, as plain JSON.
    """

    kind: str
    start: int
    end: int
    value: Any


_MONTHS = "january february march april may june july august september october november december"
_MONTH = {name: at for at, name in enumerate(_MONTHS.split(), 1)}
_MONTH |= {name[:3]: at for name, at in _MONTH.items()} | {"sept": 9}
_MONTH_WORD = "|".join(sorted(_MONTH, key=len, reverse=True))
_COUNTED = "zero one two three four five six seven eight nine ten eleven twelve"
_COUNT = {name: at for at, name in enumerate(_COUNTED.split())} | {
    "a": 1,
    "an": 1,
    "half": 0.5,
    "couple of": 2,
    "a couple of": 2,
}
_COUNT_WORD = r"\d{1,6}(?:\.\d{1,3})?|" + "|".join(sorted(_COUNT, key=len, reverse=True))
_UNIT_DAYS = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "year": 365}
_THAN = r"(?=[^.?!]{0,60}\bthan\b)"  # what is compared may stand between
_MORE = (
    rf"(?:more|greater|higher|larger|longer){_THAN}|(?:above|over|exceed(?:s|ed|ing)?)(?= \$?\d)"
)
_LESS = rf"(?:less|fewer|lower|smaller|shorter){_THAN}|(?:below|under)(?= \$?\d)"
_NO_MORE = r"(?= o'clock\b| (?:on|and|or|today|tomorrow|this|next)\b|[.?!,;](?!\d)|$)"
_HOUR = rf"(?:\d{{1,2}}(?:[:.]\d{{2}}| ?[ap]\.?m\b|{_NO_MORE})|noon\b|midday\b|midnight\b)"


_UP = "grew|grown|grows?|rose|risen|rises?|increase[ds]?|gain(?:ed|s)?|climb(?:ed|s)?|went up"
_DOWN = "fell|fallen|falls?|dropp?(?:ed|s)?|declined?|decrease[ds]?|shrank|shrunk|went down"
_RISE, _FALL = "growth|increase|rise|gain", "decline|decrease|drop|fall|loss|reduction"
_EARLY = 7  # o'clock
_IS_MORE = re.compile("more|greater|higher|larger|longer|above|over|exceed|after")


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _quoted(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    return next(each for each in found.groups() if each is not None)


def _iso(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    return day(found[0])


def _month_day(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    month = _MONTH[(found["m1"] or found["m2"]).casefold()]
    year = found["y"] or now[:4]
    return day(f"{year}-{month:02}-{int(found['d1'] or found['d2']):02}")


def _relative(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    said = found[0].casefold()
    days = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}.get(said)
    if days is None:
        days = 2 if "after" in said else -2
    return add_days(now, days)


def _weekday(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    return " ".join(found[0].casefold().split())


def _clock(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    hour, minute = int(found["h"]), int(found["m"] or 0)
    half = (found["half"] or "").replace(".", "").casefold()
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        raise Absent
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif 0 < hour < _EARLY and not found["h"].startswith("0"):
        hour += 12  # "at 2" is no hour of the night
    return f"{hour:02}:{minute:02}:00"


def _noon(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    return "00:00:00" if found[0].casefold() == "midnight" else "12:00:00"


def _count(said: str) -> float:
    said = said.casefold()
    return _COUNT[said] if said in _COUNT else float(said)


def _minutes(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    count = _count(found["n"]) * (60 if found["unit"].casefold().startswith("h") else 1)
    return int(count + (30 if found["half"] else 0))


def _half_hour(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    return 30


def _days(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    unit = _UNIT_DAYS[(found["unit"] or found["one"]).casefold().rstrip("s")]
    return int(_count(found["n"] or "1") * unit)


def _comparison(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    said = found[0].casefold()
    if "at least" in said or "at most" in said:
        return "at_least" if "least" in said else "at_most"
    return "more" if _IS_MORE.match(said) else "less"


def _direction(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    return "more" if found["up"] or found["rise"] else "less"


def _number(found: re.Match[str], now: str) -> Any:  # noqa: ANN401
    value = float(found["n"].replace(",", ""))
    return int(value) if value.is_integer() else value


_RECOGNISERS: Sequence[tuple[str, re.Pattern[str], Callable[[re.Match[str], str], Any]]] = (
    (
        "quoted",
        _pattern(
            r"(?<!\w)(?:'([^'\n]{1,2000}(?:'\w[^'\n]{0,2000}){0,20})'|\"([^\"\n]{1,2000})\")(?!\w)"
        ),
        _quoted,
    ),
    ("address", _pattern(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){0,8}"), lambda m, _: m[0]),
    ("date", _pattern(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)"), _iso),
    (
        "date",
        _pattern(
            rf"\b(?:(?P<m1>{_MONTH_WORD})\.? (?:the )?(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?"
            rf"|(?:the )?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m2>{_MONTH_WORD}))"
            r"(?:,? (?P<y>20\d{2}))?\b"
        ),
        _month_day,
    ),
    (
        "date",
        _pattern(
            r"\b(?:(?:the )?day (?:after tomorrow|before yesterday)"
            r"|today|tonight|tomorrow|yesterday)\b"
        ),
        _relative,
    ),
    (
        "weekday",
        _pattern(rf"\b(?:(?:next|last|this|past|coming) )?(?:{'|'.join(WEEKDAYS)})\b"),
        _weekday,
    ),
    ("duration", _pattern(r"\bhalf[- ](?:an? )?hours?\b"), _half_hour),
    (
        "duration",
        _pattern(
            rf"\b(?P<n>{_COUNT_WORD})[- ]?(?P<unit>hours?|hrs?|h|minutes?|mins?)"
            r"(?P<half> and a half)?\b"
        ),
        _minutes,
    ),
    (
        "period",
        _pattern(
            rf"\b(?:(?P<n>{_COUNT_WORD})[- ](?P<unit>days?|weeks?|fortnights?|months?|years?)"
            r"|(?:(?<=last )|(?<=past ))(?P<one>week|fortnight|month|year))\b"
        ),
        _days,
    ),
    ("comparison", _pattern(rf"\b(?:before|after)(?= {_HOUR})"), _comparison),
    (
        "time",
        _pattern(r"\b(?P<h>\d{1,2})(?:[:.](?P<m>\d{2}))?(?::00)? ?(?P<half>[ap]\.?m\b\.?)"),
        _clock,
    ),
    ("time", _pattern(r"\b(?P<h>\d{1,2}):(?P<m>\d{2})(?::00)?(?P<half>)\b"), _clock),
    (
        "time",
        _pattern(r"(?<=\bat )(?P<h>\d{1,2})(?P<m>)(?P<half>)(?= o'clock\b|\b(?!\.\d|%| percent))"),
        _clock,
    ),
    (
        "time",
        _pattern(rf"(?<=\x00 )(?P<h>\d{{1,2}})(?P<m>)(?P<half>){_NO_MORE}"),
        _clock,
    ),
    ("time", _pattern(r"\b(?:noon|midday|midnight)\b"), _noon),
    (
        "direction",
        _pattern(
            rf"\b(?:(?:(?P<up>{_UP})|{_DOWN})(?= by\b| (?:\w+ ){{0,4}}than\b| at (?:least|most)\b)"
            rf"|percent(?:age)? (?:(?P<rise>{_RISE})|{_FALL})\b)"
        ),
        _direction,
    ),
    (
        "comparison",
        _pattern(rf"\b(?:(?:{_MORE}|{_LESS})(?: than)?|at (?:least|most))\b"),
        _comparison,
    ),
    ("percent", _pattern(r"(?<![\w.])(?P<n>\d{1,9}(?:\.\d{1,9})?) ?(?:%|per ?cent\b)"), _number),
    (
        "number",
        _pattern(
            r"(?<![\w.])(?P<n>\d{1,3}(?:,\d{3}){1,5}"
            r"|\d{1,15}(?:\.\d{1,9})?)(?!\w)"
        ),
        _number,
    ),
)


def find_mentions(
    text: str,
    *,
    now: str,
    options: Sequence[tuple[Any, Sequence[str]]] = (),
    known: Collection[str] = (),
) -> list[Found]:
    """All that a text mentions, in its order.

    Args:
        text: A task.
        now: The clock, `YYYY-MM-DD HH:MM:SS`: what `tomorrow` is counted from.
        options: Values, each with the words that stand for it, to be found as `option`.
        known: Words that are no names, in small letters.
    """
    free = _Free(text)
    for kind, pattern, read in _RECOGNISERS:
        free.take(kind, pattern, lambda match, read=read: read(match, now))  # type: ignore[misc]
    taken = list(_once(free.found))
    names = [] if free.text.isspace() else list(_names(free.text, known))
    return sorted([*taken, *names, *_options(text, free, options)], key=lambda each: each[1:3])


def _once(found: Sequence[Found]) -> Iterator[Found]:
    """A direction that is said again is said once: `the growth … if it grew by`."""
    said: set[Any] = set()
    for each in sorted(found, key=lambda one: one.start):
        if each.kind != "direction" or each.value not in said:
            yield each
        said |= {each.value} if each.kind == "direction" else set()


class _Free:
    """A text of which parts are taken, by blanks of the same length."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Found] = []

    def take(
        self, kind: str, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Any]
    ) -> None:
        for match in pattern.finditer(self.text):
            try:
                value = read(match)
            except (Absent, ValueError, KeyError):
                continue
            self.found.append(Found(kind, match.start(), match.end(), value))
        for each in self.found:
            blank = "\x00" * (each.end - each.start)
            self.text = self.text[: each.start] + blank + self.text[each.end :]


def _names(text: str, known: Collection[str]) -> Iterator[Found]:
    """Runs of capitalised words that are not familiar, and single such words in small letters."""
    run: list[tuple[str, int, int]] = []
    for word, start, _ in [*words_of(text), ("", len(text) + 2, len(text) + 2)]:
        bare = re.split("['’]", word)[0]
        plain = is_familiar(bare) or (_is_small(text, start) and is_plain(bare))
        good = bool(bare) and not plain and bare.casefold() not in known
        good = good and not any(sign.isdigit() for sign in bare)
        joined = run and text[run[-1][2] : start] == " " and run[-1][0][0].isupper()
        if run and not (good and joined and bare[:1].isupper()):
            yield Found("name", run[0][1], run[-1][2], " ".join(each[0] for each in run))
            run = []
        if good:
            run.append((bare, start, start + len(bare)))


def _is_small(text: str, start: int) -> bool:
    """Whether a word has no capital letter of its own: it is small, or begins a sentence."""
    before = text[:start].rstrip(" \x00")
    return text[start : start + 1].islower() or not before or before[-1] in ".?!:;\n"


def _options(
    text: str, free: _Free, options: Sequence[tuple[Any, Sequence[str]]]
) -> Iterator[Found]:
    """Words that stand for a value; the longest at each place."""
    stems = [(stem(word), start, end) for word, start, end in words_of(free.text)]
    table: dict[str, list[tuple[list[str], Any]]] = {}
    for value, wordings in options:
        for wording in wordings:
            parts = [stem(word) for word, _, _ in words_of(wording)]
            if parts:
                table.setdefault(parts[0], []).append((parts, value))
    at = 0
    while at < len(stems):
        fits = [
            (len(parts), value)
            for parts, value in table.get(stems[at][0], ())
            if [each[0] for each in stems[at : at + len(parts)]] == parts
        ]
        longest = max((length for length, _ in fits), default=0)
        values = [value for length, value in fits if length == longest]
        if values and all(value == values[0] for value in values):
            yield Found("option", stems[at][1], stems[at + longest - 1][2], values[0])
        at += longest or 1
