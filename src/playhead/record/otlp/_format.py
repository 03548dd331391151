"""OTLP JSON: traces as exporters write them to files, and as collectors keep them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

from playhead.record._file import ForeignFile
from playhead.record._foreign import ForeignTape, Keys, content_bytes
from playhead.record._format import Format
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject, ShapeFault
from playhead.record._stored import StoredTape
from playhead.record._writing import json_lines
from playhead.record.otlp._lists import Identity, share_lists
from playhead.record.otlp._read import conversation_of
from playhead.record.otlp._span import Span, read_span, read_spans
from playhead.record.otlp._tell import FORMAT, Teller
from playhead.record.otlp._tree import conversations
from playhead.record.otlp._write import requests_of
from playhead.tape import Json

_BEGINS = re.compile(rb'\s*\[?\s*\{\s*"resourceSpans"\s*:')


class Otlp(Format):
    """Export requests in JSON, one a line, one after the other, or in an array.

    Spans of a conversation, or of a trace that names none, become a tape, wherever in the file they
    stand. Attributes that have no place on a step are kept beside it, and so are spans that tell of
    no model, agent or tool; traces without any that does are left out.
    """

    name = FORMAT
    title = "OTLP JSON traces"
    extensions = (".json", ".jsonl")

    def detect(self, head: bytes, path: Path) -> bool:
        """See `Format.detect`: an object that begins with `resourceSpans`."""
        return _BEGINS.match(head) is not None

    def read(self, file: ForeignFile) -> Iterator[ForeignTape]:
        """See `Format.read`: the spans are sorted outside of memory first."""
        with closing(_Sorter()) as sorter:
            for value, place in file.values():
                try:
                    for span in read_spans(value, place=place):
                        sorter.add(span)
                except ShapeFault as fault:
                    raise file.fault(place, str(fault)) from None
            keys, lost = Keys(), sorter.join()
            for spans in sorter.sessions():
                tape = _tape(spans, keys)
                tape.losses.add(lost)
                lost = Losses()
                yield tape

    def write(self, tapes: AsyncIterator[StoredTape], losses: Losses) -> AsyncIterator[bytes]:
        """See `Format.write`: a line for each tape."""
        return json_lines(_requests(tapes, losses))


async def _requests(tapes: AsyncIterator[StoredTape], losses: Losses) -> AsyncIterator[Json]:
    async for tape in tapes:
        for request in requests_of(tape, losses):
            yield request


def _tape(spans: list[Span], keys: Keys) -> ForeignTape:
    share_lists(spans)
    told: list[Json] = [*sorted(map(Identity().of, spans))]
    tape = ForeignTape(FORMAT, keys.of(told), place=spans[0].place, has_calls=True)
    teller = Teller(exact=True, documents=tape.documents, losses=tape.losses)
    tape.drafts = teller.tell(spans)
    tape.steps = len(spans)
    for span in spans:
        if span.kind is None:
            tape.losses.keep("span that tells of no model, agent or tool")
        for name in ("events", "links"):
            if span.rest.get(name):
                tape.losses.keep(f"`{name}` of a span")
    return tape


class _Sorter:
    """Spans in a file that goes away by itself, sorted by what they belong to."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=OFF")
        self._rows.execute(
            "CREATE TABLE spans (at INTEGER PRIMARY KEY, trace TEXT, id TEXT, session TEXT,"
            " told INTEGER, place TEXT, document BLOB, UNIQUE (trace, id))"
        )
        self._rows.execute("BEGIN")
        self._twice = 0

    def close(self) -> None:
        """Throw all away."""
        self._rows.close()

    def add(self, span: Span) -> None:
        """Take a span; one with the ids of another is left out."""
        row = (span.trace, span.id, conversation_of(span), span.kind is not None, span.place)
        done = self._rows.execute(
            "INSERT OR IGNORE INTO spans (trace, id, session, told, place, document)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*row, content_bytes(span.document)),
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
            f"SELECT place, document FROM spans WHERE {where} ORDER BY at",  # noqa: S608
            (value,),
        )
        for place, document in rows:
            members: dict[str, JsonObject] = json.loads(document)  # whole numbers of any length
            around = (members["resource"], members["scope"])
            yield read_span(members["span"], "span", around=around, place=place)


def _session(name: str | None, trace: str) -> str:
    """What spans belong to: a conversation, or a trace."""
    return f"conversation {name}" if name is not None else f"trace {trace}"
