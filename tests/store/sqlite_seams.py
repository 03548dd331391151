"""Connections of the store under test that can be watched, and made to fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from playhead.store._memo import WritingConnection

Hook = Callable[[sqlite3.Connection, str], Any]


def io_error(name: str = "SQLITE_IOERR_FSYNC") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    return error


class Seam:
    """Hooks around what every writing connection does."""

    def __init__(self) -> None:
        self.before: Hook = lambda connection, statement: None
        self.after: Hook = lambda connection, statement: None
        self.statements: list[str] = []
        self.connections: list[sqlite3.Connection] = []

    def count(self, statement: str) -> int:
        return sum(1 for done in self.statements if done.startswith(statement))


def watched(monkeypatch: pytest.MonkeyPatch) -> Seam:
    """Let all connections that are made from now on be watched."""
    seam = Seam()

    class Hand(sqlite3.Cursor):
        def execute(self, statement: str, *rest: Any) -> sqlite3.Cursor:
            seam.before(self.connection, statement)
            super().execute(statement, *rest)
            seam.statements.append(statement)
            seam.after(self.connection, statement)
            return self

        def executemany(self, statement: str, *rest: Any) -> sqlite3.Cursor:
            seam.before(self.connection, statement)
            return super().executemany(statement, *rest)

    class Watched(WritingConnection):
        @property
        def hand(self) -> sqlite3.Cursor:
            return self._hand

        @hand.setter
        def hand(self, cursor: sqlite3.Cursor) -> None:
            self._hand = Hand(self)

        def execute(self, statement: str, *rest: Any) -> sqlite3.Cursor:
            seam.before(self, statement)
            cursor = super().execute(statement, *rest)
            seam.statements.append(statement)
            seam.after(self, statement)
            return cursor

        def executemany(self, statement: str, *rest: Any) -> sqlite3.Cursor:
            seam.before(self, statement)
            return super().executemany(statement, *rest)

        def close(self) -> None:
            seam.before(self, "close")
            super().close()

    connect = sqlite3.connect

    def connecting(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if options.get("uri"):  # a reader
            return connect(*arguments, **options)
        if "factory" in options:
            options["factory"] = Watched
        connection = connect(*arguments, **options)
        seam.connections.append(connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", connecting)
    return seam
