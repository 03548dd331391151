"""Spans outside of memory, sorted by what they belong to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import jiter

from playhead.record._foreign import content_bytes
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject
from playhead.record.otlp._read import conversation_of
from playhead.record.otlp._span import Span, read_span
from playhead.record.otlp._tree import conversations

Around = tuple[JsonObject, JsonObject]


class Sorter:
    """Spans in a file that goes away by itself.

    What stands around spans is kept once for all that stand in one place.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=OFF")
        self._rows.execute("CREATE TABLE around (id INTEGER PRIMARY KEY, document BLOB)")
        self._rows.execute(
            "CREATE TABLE spans (at INTEGER PRIMARY KEY, trace TEXT, id TEXT, session TEXT,"
            " told INTEGER, place TEXT, around INTEGER, document BLOB, UNIQUE (trace, id))"
        )
        self._rows.execute("BEGIN")
        self._twice = self._places = 0
        self._last: tuple[int, Around] = (0, ({}, {}))

    def close(self) -> None:
        """Throw all away."""
        self._rows.close()

    def place(self) -> int:
        """A new place for spans; what stands around it is told by `enclose`, before `join`."""
        self._places += 1
        return self._places

    def enclose(self, place: int, around: Around) -> None:
        """Say what stands around a place: resource and scope."""
        self._rows.execute("INSERT INTO around VALUES (?, ?)", (place, content_bytes([*around])))

    def add(self, span: Span, place: int) -> None:
        """Take a span; one with the ids of another is left out."""
        done = self._rows.execute(
            "INSERT OR IGNORE INTO spans (trace, id, session, told, place, around, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(span.trace, span.id, conversation_of(span), span.kind is not None, span.place),
                *(place, content_bytes(span.whole)),
            ),
        )
        self._twice += 1 - done.rowcount

    def join(self) -> Losses:
        """Find out which spans belong together; what is left out."""
        self._rows.execute("CREATE INDEX by_trace ON spans (trace)")
        losses = Losses()
        if self._twice:
            losses.drop("span with the ids of another", self._twice)
        several = self._rows.execute(
            "SELECT trace, count(DISTINCT session), max(session), max(told), count(*)"
            " FROM spans GROUP BY trace"
        ).fetchall()
        for trace, many, session, told, count in several:
            if not told:
                losses.drop("span of a trace that tells of no model, agent or tool", count)
                self._rows.execute("DELETE FROM spans WHERE trace = ?", (trace,))
            elif many > 1:
                for (one, id), name in conversations(self._of("trace = ?", trace)).items():
                    self._rows.execute(
                        "UPDATE spans SET session = ? WHERE trace = ? AND id = ?",
                        (_session(name, one), one, id),
                    )
            else:
                self._rows.execute(
                    "UPDATE spans SET session = ? WHERE trace = ?",
                    (_session(session, trace), trace),
                )
        self._rows.execute("CREATE INDEX by_session ON spans (session)")
        return losses

    def sessions(self) -> Iterator[list[Span]]:
        """The spans of each session, in the order in which the file first names them."""
        found = self._rows.execute("SELECT session FROM spans GROUP BY session ORDER BY min(at)")
        for (session,) in found:
            yield list(self._of("session = ?", session))

    def _of(self, where: str, value: str) -> Iterator[Span]:
        rows = self._rows.execute(
            f"SELECT place, around, document FROM spans WHERE {where} ORDER BY at",  # noqa: S608
            (value,),
        )
        for place, around, document in rows:
            members = jiter.from_json(document)
            yield read_span(members, "span", around=self._around(around), place=place)

    def _around(self, place: int) -> Around:
        """What stands around a place; it is the same object for spans that follow each other."""
        if self._last[0] != place:
            query = "SELECT document FROM around WHERE id = ?"
            (document,) = self._rows.execute(query, (place,)).fetchone()
            resource, scope = jiter.from_json(document)
            self._last = (place, (resource, scope))
        return self._last[1]


def _session(name: str | None, trace: str) -> str:
    """What spans belong to: a conversation, or a trace."""
    return f"conversation {name}" if name is not None else f"trace {trace}"
