"""Tables of labelled rows that are cheap to copy, and their CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources.abc import Traversable
from io import StringIO
from pathlib import Path
from typing import TypeAlias, TypedDict

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Record: TypeAlias = dict[str, JsonValue]
Cell: TypeAlias = "JsonValue | datetime"
Row: TypeAlias = tuple[Cell, ...]
Folder: TypeAlias = Path | Traversable

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class TableState(TypedDict):
    """A table as plain JSON.

    `times` lists the (row, column) positions of the cells that are moments of time; JSON has no
    type for them, and the judge tells them apart from text.
    """

    columns: list[str]
    labels: list[int]
    rows: list[list[JsonValue]]
    times: list[list[int]]


class Table:
    """Rows in order, each with an integer label, under named columns.

    Rows are immutable and shared between copies; every change puts a new row in place. A copy
    therefore costs two list copies, and an unchanged row is recognised by its identity.
    """

    __slots__ = ("columns", "labels", "rows")

    def __init__(
        self,
        columns: Iterable[str],
        rows: Iterable[Row] = (),
        *,
        labels: Iterable[int] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.rows = list(rows)
        self.labels = list(range(len(self.rows)) if labels is None else labels)

    def __len__(self) -> int:
        return len(self.rows)

    def copy(self) -> Table:
        """Give an independent table of the same rows."""
        return Table(self.columns, self.rows, labels=self.labels)

    def find(self, column: str, value: object) -> list[int]:
        """Give the positions of the rows whose cell equals a value."""
        place = self.columns.index(column)
        return [at for at, row in enumerate(self.rows) if row[place] == value]

    def cell(self, at: int, column: str) -> Cell:
        """Give one cell of the row at a position."""
        return self.rows[at][self.columns.index(column)]

    def record(self, at: int) -> Record:
        """Give the row at a position as a JSON object."""
        return {name: as_json(cell) for name, cell in zip(self.columns, self.rows[at], strict=True)}

    def records(self, positions: Iterable[int]) -> list[JsonValue]:
        """Give the rows at some positions as JSON objects."""
        return [self.record(at) for at in positions]

    def append(self, values: Mapping[str, Cell], *, label: int) -> None:
        """Add a row at the end; columns without a value hold null."""
        self.rows.append(tuple(values.get(name) for name in self.columns))
        self.labels.append(label)

    def put(self, values: Mapping[str, Cell], *, label: int) -> None:
        """Replace the row that carries a label, or add one at the end."""
        if label not in self.labels:
            self.append(values, label=label)
            return
        at = self.labels.index(label)
        self.rows[at] = tuple(values.get(name) for name in self.columns)

    def set(self, positions: Iterable[int], *, column: str, value: Cell) -> None:
        """Write one cell in some rows; an unknown column is added at the right."""
        if column not in self.columns:
            self.columns = (*self.columns, column)
            self.rows = [(*row, None) for row in self.rows]
        place = self.columns.index(column)
        for at in positions:
            row = self.rows[at]
            self.rows[at] = (*row[:place], value, *row[place + 1 :])

    def delete(self, positions: Iterable[int]) -> None:
        """Remove rows; the others keep their order and labels."""
        gone = set(positions)
        self.rows = [row for at, row in enumerate(self.rows) if at not in gone]
        self.labels = [label for at, label in enumerate(self.labels) if at not in gone]

    def renumber(self) -> None:
        """Give the rows the labels 0, 1, 2 and so on."""
        self.labels = list(range(len(self.rows)))

    def next_number(self, column: str) -> int:
        """Give the number after the greatest id, where ids are compared as text.

        Raises:
            ValueError: The greatest id is no whole number, or the table is empty.
            TypeError: Some id is not text.
        """
        place = self.columns.index(column)
        return int(max(row[place] for row in self.rows)) + 1  # type: ignore[type-var,arg-type]

    def state(self) -> TableState:
        """Give the table as plain JSON."""
        return {
            "columns": list(self.columns),
            "labels": list(self.labels),
            "rows": [[as_json(cell) for cell in row] for row in self.rows],
            "times": [
                [at, place]
                for at, row in enumerate(self.rows)
                for place, cell in enumerate(row)
                if isinstance(cell, datetime)
            ],
        }

    @classmethod
    def of_state(cls, state: TableState) -> Table:
        """Build the table that `state` described."""
        rows: list[list[Cell]] = [list(row) for row in state["rows"]]
        for at, place in state["times"]:
            rows[at][place] = datetime.strptime(str(rows[at][place]), TIME_FORMAT)
        return cls(state["columns"], map(tuple, rows), labels=state["labels"])


def as_json(cell: Cell) -> JsonValue:
    """Give a cell as JSON; a moment of time becomes text."""
    return cell.strftime(TIME_FORMAT) if isinstance(cell, datetime) else cell


def read_table(folder: Folder, name: str, *, columns: Sequence[str]) -> Table:
    """Read a CSV file with a header row; every cell is text, an empty one null.

    Args:
        folder: Where the file lies.
        name: The file's name.
        columns: The columns that the file must have, in this order.

    Raises:
        ValueError: The header names other columns.
    """
    header, *lines = _read_lines(folder, name)
    if header != list(columns):
        raise ValueError(f"`{name}` must have the columns {', '.join(columns)} in this order")
    return Table(columns, (tuple(cell or None for cell in line) for line in lines))


def read_column(folder: Folder, name: str) -> tuple[str, ...]:
    """Read a CSV file of one column without a header row."""
    return tuple(line[0] for line in _read_lines(folder, name))


def _read_lines(folder: Folder, name: str) -> list[list[str]]:
    text = folder.joinpath(name).read_bytes().decode("utf-8")
    return [line for line in csv.reader(StringIO(text, newline="")) if line]
