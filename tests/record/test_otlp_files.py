"""Files of traces, however they are laid out: lines, one document, an array."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from conversations import lines
from foreign_documents import exported, fresh, imported, is_empty, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traces import any_value, chat, documents, request, said, span, wish

from playhead.errors import ForeignFileError
from playhead.record import ForeignFile
from playhead.record.otlp import _requests
from playhead.record.otlp._lists import Lists, share_lists
from playhead.record.otlp._span import read_json, read_spans

LAW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def turned(value: Any) -> Any:
    """The value, with the members of all objects in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return list(map(turned, value)) if isinstance(value, list) else value


async def outcome(data: bytes) -> tuple[list[str], bytes]:
    """The ids of the tapes of a file, and what goes out of them."""
    store = fresh()
    report = await imported(store, data, format="otlp")
    return report.tapes, await exported(store, report)


@pytest.mark.parametrize("line", [0, _requests._LINE])
def test_the_layout_of_a_file_changes_nothing(monkeypatch: pytest.MonkeyPatch, line: int) -> None:
    monkeypatch.setattr(_requests, "_LINE", line)

    @LAW
    @given(documents())
    def law(document: list[Any]) -> None:
        async def work() -> None:
            groups = [each for part in document for each in part["resourceSpans"]]
            wanted = await outcome(lines(document))
            assert await outcome(json.dumps(document, indent=2).encode()) == wanted
            assert await outcome(json.dumps({"resourceSpans": groups}).encode()) == wanted
            assert await outcome(json.dumps({"resourceSpans": groups}, indent=1).encode()) == wanted
            assert (await outcome(lines(turned(document))))[0] == wanted[0]

        run(work())

    law()


SPANS = [span(n, chat([said("user", "Hi?")], said("assistant", "Yes."))) for n in (1, 2)]
DOCUMENT = {"other": [1], **request(*SPANS, resource={"service.name": "s"}), "more": None}


async def test_a_document_that_is_cut_off_anywhere_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_requests, "_LINE", 0)
    whole = json.dumps(DOCUMENT).encode()
    for end in range(1, len(whole)):
        store = fresh()
        with pytest.raises(ForeignFileError) as raised:
            await imported(store, whole[:end], format="otlp")
        assert raised.value.place.startswith("record 0")
        assert await is_empty(store)


MARK = json.dumps(DOCUMENT).encode()


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (b'"other"', b'"more"', "the member `more` stands twice"),
        (b'"other": [1]', b'"other": NaN', "NaN"),
        (b'"other": [1]', b'"other" [1]', "`:` should stand here"),
        (b'"other": [1],', b'"other": [1]', "`,` should stand here"),
        (b'"other": [1]', b"7: [1]", "a name in quotes"),
        (b'"more": null', b"", "a name in quotes"),
        (b'"scopeSpans"', b'"scopeSpans": [], "scopeSpans"', "stands twice"),
        (b'"spans"', b'"spans": [], "spans"', "stands twice"),
        (b'"spans": [', b'"spans": [,', "no JSON value begins here"),
        (b'"spanId": "0000000000000002"', b'"spanId": "2"', "spans.1.spanId"),
        (b'"service.name"', b'"service.name"}, {"key": "service.name"', "`service.name` twice"),
        (b'"resource": {', b'"resource": 1, "r": {', "`resourceSpans.0.resource` should be an"),
        (b'"scopeSpans": [', b'"scopeSpans": 1, "s": [', "scopeSpans` should be an array"),
        (b'"scopeSpans": [{', b'"scopeSpans": [1, {', "scopeSpans.0` should be an object"),
        (b'"spans": [', b'"spans": {}, "s": [', "spans` should be an array"),
    ],
)
async def test_what_is_wrong_in_a_large_document_is_told(
    old: bytes, new: bytes, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_requests, "_LINE", 0)
    assert old in MARK
    store = fresh()
    with pytest.raises(ForeignFileError) as raised:
        await imported(store, MARK.replace(old, new, 1), format="otlp", name="some")
    assert raised.value.message.startswith("`some`: record 0 (line 1): ")
    assert wanted in raised.value.message
    assert await is_empty(store)


async def test_missing_lists_are_empty_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_requests, "_LINE", 0)
    for text in (b"{}", b'{"resourceSpans": null}', b'{"resourceSpans": [{"scopeSpans": null}]}',
                 b'{"resourceSpans": [{"scopeSpans": [{"spans": null}]}]}'):  # fmt: skip
        report = await imported(fresh(), text, format="otlp")
        assert report.sessions == 0


def test_no_more_than_a_span_of_a_document_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 spans of 100 kB each, at most some are held while the file is read."""
    large = [span(n, chat([said("user", "x" * 100_000)])) for n in range(1, 201)]
    data = json.dumps(request(*large)).encode()
    monkeypatch.setattr(_requests, "_LINE", 1 << 18)
    file = ForeignFile(Path("f"), io.BytesIO(data))
    held: list[int] = []
    scan = file.scan()
    monkeypatch.setattr(file, "scan", lambda: scan)

    class Counting:
        def place(self) -> int:
            return 1

        def enclose(self, place: int, around: Any) -> None:
            assert around[0] == {}

        def add(self, span: Any, place: int) -> None:
            held.append(len(scan._data))

    _requests.read_requests(file, Counting())  # type: ignore[arg-type]
    assert len(held) == 200
    assert max(held) < 1_000_000


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)
)


@given(st.lists(st.tuples(st.lists(values, max_size=4), st.sampled_from(["", " ", "]", ","]))))
def test_lists_that_grow_are_read_as_they_stand(parts: list[tuple[list[Any], str]]) -> None:
    lists, said = Lists(), list[Any]()
    for more, junk in parts:
        for text in (json.dumps(said + more), json.dumps(more), json.dumps(said + more) + junk):
            assert lists.read(text) == read_json(text)
        said += more


def test_what_prompts_say_again_is_the_same_object() -> None:
    talk = [said("user", "a"), wish("c", "f"), said("user", "b")]
    spans = list(read_spans(request(*(span(n, chat(talk[:n])) for n in (1, 2, 3)))))
    share_lists(spans)
    first, _, last = (each.said("gen_ai.input.messages") for each in spans)
    assert last == talk
    assert isinstance(first, list)
    assert isinstance(last, list)
    assert first[0] is last[0]
    assert any_value(last) == any_value(talk)
