"""Reading the days and times that a caller writes in many ways."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, start=1)},
    "sept": 9,
}
_NAME = "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True))

_TIME = r"""
    (?:(?:T|[ ]+)
      (?P<hour>[0-9]{1,2}) : (?P<minute>[0-9]{2}) (?: : (?P<second>[0-9]{2}) (?:\.[0-9]+)? )?
      (?:[ ]* (?P<half>[AP]M) )?
      (?:[ ]* (?P<zone>Z | UTC | GMT | [+-][0-9]{2} (?: :?[0-9]{2} )? ) )?
    )?
"""
_DAYS = (
    r"(?P<year>[0-9]{4}) - (?P<month>[0-9]{1,2}) - (?P<day>[0-9]{1,2})" + _TIME,
    r"(?P<year>[0-9]{4}) / (?P<month>[0-9]{1,2}) / (?P<day>[0-9]{1,2})" + _TIME,
    r"(?P<year>[0-9]{4}) (?P<month>[0-9]{2}) (?P<day>[0-9]{2})" + _TIME,
    r"(?P<first>[0-9]{1,2}) / (?P<second_number>[0-9]{1,2}) / (?P<year>[0-9]{4})" + _TIME,
    rf"(?P<name>{_NAME}) [ ]+ (?P<day>[0-9]{{1,2}}) ,?[ ]+ (?P<year>[0-9]{{4}})" + _TIME,
    rf"(?P<day>[0-9]{{1,2}}) [ ]+ (?P<name>{_NAME}) ,?[ ]+ (?P<year>[0-9]{{4}})" + _TIME,
    r"(?P<year>[0-9]{4}) - (?P<month>[0-9]{2})",
    r"(?P<year>[0-9]{4})",
)
_FORMS = tuple(re.compile(form, re.IGNORECASE | re.VERBOSE) for form in _DAYS)


def read_date(text: object) -> datetime:
    """Read a day, with or without a time of day.

    Understood are 2023-11-30, 2023/11/30, 20231130, 2023-11 (its first day), 2023 (1 January),
    Nov 30 2023, 30 November 2023 and 11/30/2023, which is read as day/month/year when the first
    number exceeds 12. A full day may be followed by a blank or T and a time: 9:30, 09:30 or
    09:30:00, with AM or PM and with a zone (Z, UTC, +01:00). Blanks around are ignored.

    Returns:
        The moment; midnight where no time is given, aware where a zone is given.

    Raises:
        ValueError: The text is none of these, or the day or the time does not exist.
    """
    stripped = text.strip() if isinstance(text, str) else ""
    for form in _FORMS:
        if found := form.fullmatch(stripped):
            return _moment(found.groupdict())
    raise ValueError(f"cannot read {text!r} as a date: write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS")


def _moment(parts: dict[str, str | None]) -> datetime:
    month, day = _month_and_day(parts)
    return datetime(
        int(parts["year"] or 0),
        month,
        day,
        _hour(parts),
        int(parts.get("minute") or 0),
        int(parts.get("second") or 0),
        tzinfo=_zone(parts.get("zone")),
    )


def _month_and_day(parts: dict[str, str | None]) -> tuple[int, int]:
    if name := parts.get("name"):
        return _MONTH_NUMBERS[name.lower()], int(parts["day"] or 0)
    if first := parts.get("first"):
        month, day = int(first), int(parts["second_number"] or 0)
        return (day, month) if month > 12 else (month, day)
    return int(parts.get("month") or 1), int(parts.get("day") or 1)


def _hour(parts: dict[str, str | None]) -> int:
    hour, half = int(parts.get("hour") or 0), parts.get("half")
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"hour {hour} does not go with {half}")
    return hour % 12 + (12 if half.upper() == "PM" else 0)


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if text[0] == "-" else offset)
