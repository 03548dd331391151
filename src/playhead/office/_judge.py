"""Judging a run by the tables that its calls leave behind."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from playhead.office._office import Office, OfficeData
from playhead.office._tables import Cell, JsonValue, Row, Table

_CASED = ("status", "list_name", "board")
"""The columns in which upper and lower case differ."""


class OfficeCall(NamedTuple):
    """A call of a tool: its full name and its arguments by name."""

    tool: str
    args: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one run.

    Args:
        solved: The calls left the tables that the expected ones leave, and there was no error.
        side_effect: The calls changed something, and not to what was expected, error or not.
        exact_match: The writing calls, as lower-case text, are those expected, in any order.
    """

    solved: bool
    side_effect: bool
    exact_match: bool


def judge(
    data: OfficeData,
    made: Iterable[OfficeCall],
    *,
    expected: Iterable[OfficeCall],
    error: str | None = None,
) -> Verdict:
    """Judge the calls of a run against the calls that solve the task.

    Both lists are replayed from the clean state. A call that raises, names an unknown tool or
    cannot be read is skipped.

    Args:
        data: The clean state.
        made: Every call of the run, reads included, with the arguments as the agent gave them.
        expected: The calls that solve the task, as text that was read back already.
        error: The message with which the run ended, if any.
    """
    read_back = [call for each in made if (call := as_replayed(each))]
    wanted = list(expected)
    clean = data.fresh()
    done, ideal = replay(data, read_back), replay(data, wanted)
    reached = same_tables(done, ideal)
    return Verdict(
        solved=reached and not error,
        side_effect=not reached and not _unchanged(done, clean),
        exact_match=_written(read_back, clean) == _written(wanted, clean),
    )


def replay(data: OfficeData, calls: Iterable[OfficeCall]) -> Office:
    """Make calls in a clean office, skipping those that fail; reads are skipped too."""
    office = data.fresh()
    for call in calls:
        # The tools raise all sorts of errors on odd input, and each means: skip this call.
        with suppress(Exception):
            if office.tool(call.tool).effect != "read":
                office.call(call.tool, call.args)
    return office


def as_replayed(call: OfficeCall) -> OfficeCall | None:
    """Write each argument as `name="value"` and read it back, as a replay does.

    Numbers, null and lists become text, a backslash and an n become a line break.

    Returns:
        The call, or None where a value cannot be read back, such as one with a double quote.
    """
    args: dict[str, JsonValue] = {}
    for name, value in call.args.items():
        text = _read_back(str(value))
        if text is None:
            return None
        args[name] = text
    return OfficeCall(call.tool, args)


def _read_back(text: str) -> str | None:
    if '"' in text:
        return None
    if "\\" not in text:
        return text
    with warnings.catch_warnings(), suppress(SyntaxError, ValueError):
        warnings.simplefilter("ignore")
        return str(ast.literal_eval('"' + text.replace("\n", "\\n") + '"'))
    return None


def same_tables(left: Office, right: Office) -> bool:
    """Tell whether two offices are equal in the eyes of the judge."""
    pairs = zip(left.tables.values(), right.tables.values(), strict=True)
    return all(_same_table(one, other) for one, other in pairs)


def _same_table(left: Table, right: Table) -> bool:
    if left.columns != right.columns or left.labels != right.labels:
        return False
    cased = [name in _CASED for name in left.columns]
    pairs = zip(left.rows, right.rows, strict=True)
    return all(one is other or _folded(one, cased) == _folded(other, cased) for one, other in pairs)


def _folded(row: Row, cased: list[bool]) -> list[str | None]:
    return [_fold(cell, keep=keep) for cell, keep in zip(row, cased, strict=True)]


def _fold(cell: Cell, *, keep: bool) -> str | None:
    if not isinstance(cell, str):
        return None
    return cell if keep else cell.lower()


def _unchanged(office: Office, clean: Office) -> bool:
    return all(
        one.columns == other.columns and one.labels == other.labels and one.rows == other.rows
        for one, other in zip(office.tables.values(), clean.tables.values(), strict=True)
    )


def _written(calls: Iterable[OfficeCall], office: Office) -> list[str]:
    writing = {tool.name for tool in office.tools if tool.effect != "read"}
    return sorted(_text(call).lower() for call in calls if call.tool in writing)


def _text(call: OfficeCall) -> str:
    args = ", ".join(f'{name}="{value}"' for name, value in call.args.items())
    return f"{call.tool}({args})"
