"""TapeAgents' SQLite files of model calls (`tapedata.sqlite`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from playhead.errors import ForeignFileError, JsonError
from playhead.record._file import MAX_RECORD
from playhead.record._shape import JsonObject
from playhead.tape import Json, compact, loads_strict

NAME = "tapedata.sqlite"
_JSON = ("prompt", "output", "llm_info")
_COLUMNS = {
    "prompt_id": "TEXT PRIMARY KEY",
    "timestamp": "TEXT",
    "prompt": "TEXT",
    "output": "TEXT",
    "prompt_length_tokens": "INTEGER",
    "output_length_tokens": "INTEGER",
    "cached": "INTEGER",
    "llm_info": "TEXT",
    "cost": "REAL",
}


class CallsFile:
    """The model calls of such a file, which is only read.

    Raises:
        ForeignFileError: It is no SQLite file, or has no such table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        log = path.with_name(f"{path.name}-wal")
        if log.is_file() and log.stat().st_size:
            raise self._fault(f"`{log.name}` holds what is not in it yet: end what writes to it")
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True
            )
        except sqlite3.Error as error:
            raise self._fault(str(error)) from None
        try:
            self.columns = self._columns()
        except BaseException:
            self.close()
            raise

    def _columns(self) -> list[str]:
        try:
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_RECORD)
            rows = self._connection.execute("PRAGMA table_info(LLMCalls)").fetchall()
            kind = self._connection.execute(
                "SELECT type FROM sqlite_master WHERE name = 'LLMCalls'"
            ).fetchone()
        except (sqlite3.Error, UnicodeError) as error:
            raise self._fault(str(error)) from None
        columns = [str(row[1]) for row in rows]
        if kind != ("table",) or "prompt_id" not in columns or "prompt" not in columns:
            raise self._fault("there is no table `LLMCalls` of model calls in it")
        return columns

    def _fault(self, said: str, place: str = "") -> ForeignFileError:
        where = f"`{self.path}`: {place}: " if place else f"`{self.path}`: "
        return ForeignFileError(where + said, path=str(self.path), place=place)

    def all(self) -> Iterator[tuple[JsonObject, str]]:
        """All calls in their order, each with its place.

        Raises:
            ForeignFileError: A row cannot be read.
        """
        yield from self._rows("ORDER BY rowid")

    def find(self, prompt_id: str) -> JsonObject | None:
        """The call with a prompt of this id.

        Raises:
            ForeignFileError: Its row cannot be read.
        """
        return next((call for call, _ in self._rows("WHERE prompt_id = ?", prompt_id)), None)

    def _rows(self, rest: str, *values: str) -> Iterator[tuple[JsonObject, str]]:
        names = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in self.columns)
        try:
            rows = self._connection.execute(f"SELECT {names} FROM LLMCalls {rest}", values)  # noqa: S608
            for number, row in enumerate(rows):
                place = f"call {number}" if not values else f"call `{values[0]}`"
                yield self._call(row, place), place
        except (sqlite3.Error, UnicodeError) as error:
            raise self._fault(str(error)) from None

    def _call(self, row: tuple[object, ...], place: str) -> JsonObject:
        call: JsonObject = {}
        for name, value in zip(self.columns, row, strict=True):
            if isinstance(value, bytes):
                raise self._fault(f"`{name}` holds bytes, not text", place)
            call[name] = self._parsed(value, name, place) if name in _JSON else value  # type: ignore[assignment]
        return call

    def _parsed(self, value: object, name: str, place: str) -> Json:
        if value is None:
            return None
        try:
            return loads_strict(str(value))
        except JsonError as error:
            raise self._fault(f"`{name}`: {error}", place) from None

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def calls_beside(path: Path) -> Path | None:
    """The file of calls that belongs to a tape's: in the same folder, or the one above."""
    for folder in (path.parent, path.absolute().parent.parent):
        if (folder / NAME).is_file():
            return folder / NAME
    return None


def calls_file(calls: Iterable[JsonObject]) -> bytes:
    """The bytes of a SQLite file with these calls; the first one with a prompt's id counts."""
    connection = sqlite3.connect(":memory:")
    try:
        written = ", ".join(f"{name} {type}" for name, type in _COLUMNS.items())
        connection.execute(f"CREATE TABLE LLMCalls ({written})")
        marks = ", ".join("?" * len(_COLUMNS))
        for call in calls:
            connection.execute(
                f"INSERT OR IGNORE INTO LLMCalls VALUES ({marks})",  # noqa: S608
                [_cell(call.get(name), is_json=name in _JSON) for name in _COLUMNS],
            )
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()


def _cell(value: Json, *, is_json: bool) -> str | int | float | None:
    if value is None or (isinstance(value, int | float) and not is_json):
        return value
    return value if isinstance(value, str) and not is_json else compact(value)
