"""Days and times as texts: `YYYY-MM-DD` and `YYYY-MM-DD HH:MM:SS`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from playhead.experience.values._number import Absent, number

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EARLY = 7  # o'clock: nobody means the morning


def moment(value: Any) -> datetime:  # noqa: ANN401
    """A text as a moment.

    Raises:
        Absent: It is none.
    """
    if isinstance(value, str) and 10 <= len(value) <= 19:
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except ValueError:
            pass
    raise Absent


def day(value: Any) -> str:  # noqa: ANN401
    """The day of a moment."""
    return f"{moment(value):%Y-%m-%d}"


def time_of_day(value: Any) -> str:  # noqa: ANN401
    """The time of a moment."""
    return f"{moment(value):%H:%M:%S}"


def at(on: Any, when: Any) -> str:  # noqa: ANN401
    """A day and a time as a moment."""
    return f"{moment(f'{day(on)} {when}'):%Y-%m-%d %H:%M:%S}"


def afternoon(when: Any) -> str:  # noqa: ANN401
    """A time that is meant within a working day."""
    found = moment(f"2000-01-01 {when}")
    if found.hour < _EARLY:
        found += timedelta(hours=12)
    return f"{found:%H:%M:%S}"


def add_days(value: Any, days: Any) -> str:  # noqa: ANN401
    """The day, some days later."""
    return f"{_moved(value, days=days):%Y-%m-%d}"


def add_minutes(value: Any, minutes: Any) -> str:  # noqa: ANN401
    """The moment, some minutes later."""
    return f"{_moved(value, minutes=minutes):%Y-%m-%d %H:%M:%S}"


def _moved(value: Any, **by: Any) -> datetime:  # noqa: ANN401
    try:
        return moment(value) + timedelta(**{unit: number(count) for unit, count in by.items()})
    except (OverflowError, ValueError):
        raise Absent from None


def free_at(
    rows: Any,  # noqa: ANN401
    start: str,
    length: str,
    on: Any,  # noqa: ANN401
    minutes: Any,  # noqa: ANN401
    opening: Any,  # noqa: ANN401
    closing: Any,  # noqa: ANN401
) -> str:
    """The first moment of a day at which so many minutes are free of all rows."""
    wanted, until = timedelta(minutes=number(minutes)), moment(at(on, closing))
    found = [row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)]
    starts = [moment(row.get(start)) for row in found]
    lengths = [timedelta(minutes=number(row.get(length))) for row in found]
    taken = [
        (begun, begun + lasting)
        for begun, lasting in zip(starts, lengths, strict=True)
        if begun.date() == until.date()
    ]
    free = moment(at(on, opening))
    for begun, over in sorted(taken):
        if begun - free >= wanted:
            break
        free = max(free, over)
    if free + wanted > until:
        raise Absent
    return f"{free:%Y-%m-%d %H:%M:%S}"


def past_day(now: Any, weekday: Any) -> str:  # noqa: ANN401
    """The last such weekday before a moment."""
    place = _place(weekday, ("", "last", "past"))
    back = (moment(now).weekday() - place) % 7 or 7
    return add_days(day(now), -back)


def coming_day(now: Any, weekday: Any) -> str:  # noqa: ANN401
    """The first such weekday after a moment."""
    place = _place(weekday, ("", "this", "next", "coming"))
    return add_days(day(now), (place - moment(now).weekday()) % 7 or 7)


def day_of_next_week(now: Any, weekday: Any) -> str:  # noqa: ANN401
    """That weekday of the week after, weeks beginning on Monday."""
    place = _place(weekday, ("next",))
    return add_days(day(now), 7 - moment(now).weekday() + place)


def _place(weekday: Any, allowed: tuple[str, ...]) -> int:  # noqa: ANN401
    said = str(weekday).split()
    if not said or said[-1] not in WEEKDAYS or (said[0] if len(said) > 1 else "") not in allowed:
        raise Absent
    return WEEKDAYS.index(said[-1])
