"""OTLP JSON: traces as exporters write them to files, and as collectors keep them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

from playhead.record._file import ForeignFile
from playhead.record._foreign import ForeignTape, Keys
from playhead.record._format import Format
from playhead.record._losses import Losses
from playhead.record._stored import StoredTape
from playhead.record._writing import json_lines
from playhead.record.otlp._lists import Identity, share_lists
from playhead.record.otlp._requests import read_requests
from playhead.record.otlp._sorter import Sorter
from playhead.record.otlp._span import Span
from playhead.record.otlp._tell import FORMAT, Teller
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
        with closing(Sorter()) as sorter:
            read_requests(file, sorter)
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
