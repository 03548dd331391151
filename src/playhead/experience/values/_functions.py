"""The pure functions that expressions may name (docs/experiences.md lists them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playhead.experience.values import _days
from playhead.experience.values._number import Absent, Unclear, number

MAX_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class PureFunction:
    """A function of values: always the same for the same, without any effect.

    Args:
        call: Carries it out; raises `Absent` where it has no value.
        least: How many values it needs.
        most: How many it takes.
        says: What it does, in one line.
    """

    call: Callable[..., Any]
    least: int
    most: int
    says: str

    def fault(self, given: int) -> str | None:
        """What is wrong with that number of values, if anything is."""
        if self.least <= given <= self.most:
            return None
        span = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
        return f"takes {span} values, not {given}"


def _numbers(values: Any) -> list[float | int]:  # noqa: ANN401
    found = [number(each) for each in _items(values)]
    if not found:
        raise Absent
    return found


def _items(values: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(values, dict):
        return list(values.values())
    if isinstance(values, list | tuple):
        return list(values)
    raise Absent


def _field(rows: Any, name: str) -> list[Any]:  # noqa: ANN401
    return [row[name] for row in _items(rows) if isinstance(row, dict) and name in row]


def _common(values: Any, *, most: bool) -> Any:  # noqa: ANN401
    counts = Counter(map(str, _items(values)))
    if not counts:
        raise Absent
    wanted = (max if most else min)(counts.values())
    found = [value for value, count in counts.items() if count == wanted]
    if len(found) > 1:
        raise Unclear
    return found[0]


def _leader(how: str, *pairs: Any) -> Any:  # noqa: ANN401
    if how not in ("most", "least") or len(pairs) % 2:
        raise Absent
    amounts = [_amount(each) for each in pairs[1::2]]
    wanted = (max if how == "most" else min)(amounts)
    if amounts.count(wanted) > 1:
        raise Unclear
    return pairs[2 * amounts.index(wanted)]


def _amount(found: Any) -> float | int:  # noqa: ANN401
    """How much was found: a number, the sum of an object of numbers, or how many rows."""
    if isinstance(found, dict):
        return sum(_numbers(found)) if found else 0
    if isinstance(found, list):
        return len(found)
    return 0 if _empty(found) and not _is_number(found) else number(found)


def _is_number(found: Any) -> bool:  # noqa: ANN401
    try:
        number(found)
    except Absent:
        return False
    return True


def _growth(values: Any) -> float:  # noqa: ANN401
    found = _numbers(values)
    if found[0] == 0:
        raise Absent
    return (found[-1] - found[0]) / found[0]


def _change(how: str, before: Any, after: Any) -> float | int:  # noqa: ANN401
    if how not in ("more", "less"):
        raise Absent
    risen = number(after) - number(before)
    return risen if how == "more" else -risen


def _percent_change(how: str, before: Any, after: Any) -> float:  # noqa: ANN401
    if number(before) <= 0:
        raise Absent
    return 100 * _change(how, before, after) / number(before)


def _value_at(values: Any, name: Any) -> Any:  # noqa: ANN401
    if not isinstance(values, dict) or values.get(name) is None:
        raise Absent
    return values[name]


def _divide(one: Any, other: Any) -> float:  # noqa: ANN401
    if number(other) == 0:
        raise Absent
    return number(one) / number(other)


def text(value: Any) -> str:  # noqa: ANN401
    """A value as a text: whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Absent
    return str(value)


def _join(*parts: Any) -> str:  # noqa: ANN401
    joined = "".join(map(text, parts))
    if len(joined) > MAX_TEXT:
        raise Absent
    return joined


def _capital(value: Any) -> str:  # noqa: ANN401
    said = text(value)
    return said[:1].upper() + said[1:]


def order(value: Any) -> tuple[int, Any]:  # noqa: ANN401
    """What values are ordered by: numbers as numbers, other texts as texts."""
    try:
        return 0, number(value)
    except Absent:
        if isinstance(value, str):
            return 1, value
        raise Absent from None


def _compare(how: str, one: Any, other: Any) -> bool:  # noqa: ANN401
    left, right = order(one), order(other)
    if left[0] != right[0]:
        raise Absent
    match how:
        case "more":
            return bool(left > right)
        case "less":
            return bool(left < right)
        case "at_least":
            return bool(left >= right)
        case "at_most":
            return bool(left <= right)
        case "equal":
            return bool(left == right)
    raise Absent


def equal(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same; texts without regard to case."""
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _contains(whole: Any, part: Any) -> bool:  # noqa: ANN401
    return bool(text(part)) and text(part).casefold() in text(whole).casefold()


def _truth(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        raise Absent
    return value


def _empty(value: Any) -> bool:  # noqa: ANN401
    """Nothing was found: an empty list or object, or a message in place of rows."""
    return value is None or isinstance(value, str) or (isinstance(value, list | dict) and not value)


def _one_of(values: Any, *, at: int) -> Any:  # noqa: ANN401
    found = _items(values)
    if not found:
        raise Absent
    return found[at]


def _all(*values: Any) -> bool:  # noqa: ANN401
    return all(list(map(_truth, values)))  # each of them has to be a condition


def _any(*values: Any) -> bool:  # noqa: ANN401
    return any(list(map(_truth, values)))


def _table(*rows: tuple[str, Callable[..., Any], int, int, str]) -> dict[str, PureFunction]:
    return {name: PureFunction(call, low, high, says) for name, call, low, high, says in rows}


def _extreme(values: Sequence[Any], *, top: bool) -> Any:  # noqa: ANN401
    found = _items(values)
    if not found:
        raise Absent
    return (max if top else min)(found, key=order)


FUNCTIONS = _table(
    ("day", _days.day, 1, 1, "The day of a moment: `YYYY-MM-DD`."),
    ("time_of_day", _days.time_of_day, 1, 1, "The time of a moment: `HH:MM:SS`."),
    ("at", _days.at, 2, 2, "A day and a time as a moment: `YYYY-MM-DD HH:MM:SS`."),
    ("afternoon", _days.afternoon, 1, 1, "A time before seven is meant to be after noon."),
    ("add_days", _days.add_days, 2, 2, "A day, some days later."),
    ("add_minutes", _days.add_minutes, 2, 2, "A moment, some minutes later."),
    (
        "free_at",
        _days.free_at,
        7,
        7,
        "The first moment that rows leave free: rows, their members that say start and minutes, "
        "a day, how many minutes, and the times from and to which the day is looked at.",
    ),
    ("past_day", _days.past_day, 2, 2, "The last such weekday before a moment."),
    ("coming_day", _days.coming_day, 2, 2, "The first such weekday after a moment."),
    ("day_of_next_week", _days.day_of_next_week, 2, 2, "That weekday of the week after."),
    ("number", number, 1, 1, "A text as a number."),
    ("add", lambda a, b: number(a) + number(b), 2, 2, "The sum of two numbers."),
    ("subtract", lambda a, b: number(a) - number(b), 2, 2, "Their difference."),
    ("multiply", lambda a, b: number(a) * number(b), 2, 2, "Their product."),
    ("divide", _divide, 2, 2, "Their quotient."),
    ("sum", lambda v: sum(_numbers(v)), 1, 1, "The sum of all numbers of a list."),
    ("mean", lambda v: sum(_numbers(v)) / len(_numbers(v)), 1, 1, "Their mean."),
    ("growth", _growth, 1, 1, "By which share the last exceeds the first."),
    ("change", _change, 3, 3, "By how much the second value is `more` or `less` than the first."),
    ("percent_change", _percent_change, 3, 3, "The same in percent of the first."),
    ("value_at", _value_at, 2, 2, "The member of an object that a value names."),
    ("smallest", lambda v: _extreme(v, top=False), 1, 1, "The smallest of a list."),
    ("largest", lambda v: _extreme(v, top=True), 1, 1, "The largest of a list."),
    ("first", lambda v: _one_of(v, at=0), 1, 1, "The first of a list."),
    ("last", lambda v: _one_of(v, at=-1), 1, 1, "The last of a list."),
    ("length", lambda v: len(_items(v)), 1, 1, "How many a list holds."),
    (
        "found",
        lambda v: 0 if _empty(v) else len(_items(v)),
        1,
        1,
        "How many were found; 0 if it is a message.",
    ),
    ("values", _items, 1, 1, "The values of an object as a list."),
    ("field", _field, 2, 2, "One member of every row, as a list."),
    ("most_common", lambda v: _common(v, most=True), 1, 1, "What a list holds most often."),
    ("least_common", lambda v: _common(v, most=False), 1, 1, "What it holds least often."),
    (
        "leader",
        _leader,
        5,
        33,
        "After `most` or `least`, pairs of a value and what was found for it: the value with the "
        "most or least of it; rows are counted, numbers are summed.",
    ),
    ("text", text, 1, 1, "A number as a text."),
    ("join", _join, 1, 16, "Texts one after the other."),
    ("lower", lambda v: text(v).lower(), 1, 1, "In small letters."),
    ("capital", _capital, 1, 1, "With a capital in front."),
    ("title", lambda v: text(v).title(), 1, 1, "With a capital in front of each word."),
    ("compare", _compare, 3, 3, "`more`, `less`, `at_least`, `at_most` or `equal`, of two values."),
    ("equal", equal, 2, 2, "Whether two values are the same, case aside."),
    ("contains", _contains, 2, 2, "Whether a text holds another, case aside."),
    ("empty", _empty, 1, 1, "Whether nothing was found: no row, no value, or only a message."),
    ("not", lambda v: not _truth(v), 1, 1, "The opposite of a condition."),
    ("both", _all, 2, 16, "Whether all conditions hold."),
    ("either", _any, 2, 16, "Whether one of them holds."),
)
