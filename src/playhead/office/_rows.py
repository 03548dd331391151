"""What several tools do alike: look a row up, delete it, filter rows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playhead.office._tables import Record, Table, as_json


def look_up(
    table: Table, *, key: str, kind: str, row_id: str | None, field: str | None
) -> Record | str:
    """Read one field of the first row with an id.

    Args:
        table: The table to read.
        key: The column that holds the ids.
        kind: What a row is called in messages, such as "Event".
        row_id: The id.
        field: The column to read.

    Returns:
        An object whose only key is the field, or a message.
    """
    if not row_id:
        return f"{kind} ID not provided."
    if not field:
        return "Field not provided."
    found = table.find(key, row_id)
    if not found:
        return f"{kind} not found."
    if field not in table.columns:
        return "Field not found."
    return {field: as_json(table.cell(found[0], field))}


def remove(table: Table, *, key: str, kind: str, row_id: str | None) -> str:
    """Delete every row with an id, and say so; the arguments are those of `look_up`."""
    if not row_id:
        return f"{kind} ID not provided."
    found = table.find(key, row_id)
    if not found:
        return f"{kind} not found."
    table.delete(found)
    return f"{kind} deleted successfully."


def matching(table: Table, positions: Iterable[int], *, column: str, pattern: str) -> list[int]:
    """Keep the rows whose cell holds a match of a regular expression, case ignored.

    Raises:
        ValueError: A cell to be searched holds no text.
        re.error: The pattern is no regular expression, even if no row is left.
    """
    expression = re.compile(pattern, re.IGNORECASE)
    kept = []
    for at in positions:
        cell = table.cell(at, column)
        if not isinstance(cell, str):
            raise ValueError(f"cannot search `{column}`: a row that is still in play holds no text")
        if expression.search(cell):
            kept.append(at)
    return kept


def within(
    table: Table, positions: Iterable[int], *, column: str, low: str | None, high: str | None
) -> list[int]:
    """Keep the rows whose cell lies between two bounds, both inclusive, compared as text.

    A blank bound is open. Rows without text in the column fall to any bound.
    """
    kept = list(positions)
    if low:
        kept = [at for at in kept if isinstance(c := table.cell(at, column), str) and c >= low]
    if high:
        kept = [at for at in kept if isinstance(c := table.cell(at, column), str) and c <= high]
    return kept
