"""Any bytes, and any change of a good file: it is read, or refused, and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conversations import CONVERSATIONS, DATABASES, OWN, fixture, lines
from foreign_documents import (
    DOCUMENTS,
    calls_database,
    exported,
    fresh,
    imported,
    is_empty,
    llm_calls,
    run,
    written,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traces import documents

from playhead.errors import RecordError, VerificationError
from playhead.record import import_file

LINES = {**CONVERSATIONS, "otlp": documents()}
ALL = {**DOCUMENTS, **LINES, **DATABASES, **OWN}
PIECES = [
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\xff", b"\n", b"null", b"NaN", b"1e999",
    b"0", b"\\ud800", b"- ", b"&a ", b"*a", b"!!x ", b"---\n", b"\x00", b"\xef\xbb\xbf",
]  # fmt: skip
changes = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=4)),
    max_size=4,
)
A_DOCUMENT = 3  # ways in which each is changed: to think of one costs more than to read it
tries = st.lists(changes | st.binary(max_size=40), min_size=A_DOCUMENT, max_size=A_DOCUMENT)


def as_file(format: str, document: Any) -> bytes:
    if format in DATABASES | OWN:
        return fixture(document)
    return lines(document) if format in LINES else written(format, document)


def changed(data: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """The file, with a few bytes taken out here and there and others put in."""
    for place, gone, put in changes:
        at = int(place * len(data))
        data = data[:at] + put + data[at + gone :]
    return data


async def tried(format: str, data: bytes) -> str:
    store = fresh()
    try:
        report = await imported(store, data, format=format)
    except (RecordError, VerificationError) as error:
        told = error.message
        assert format in OWN or told.startswith("`file`: ")
    else:
        told = ""
    if told:
        assert await is_empty(store)
        return "refused"
    if format == "langgraph":  # is not written
        return "read"
    back = await exported(store, report)
    again = await imported(store, back, format=format)
    assert sorted(again.tapes) == sorted(report.tapes)  # an export is the same document
    assert again.steps == 0
    return "read"


def fuzz(format: str, cases: int) -> dict[str, int]:
    counts = {"read": 0, "refused": 0}

    @settings(
        max_examples=-(-cases // A_DOCUMENT),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(ALL[format], tries)
    def law(document: Any, tries: list[list[tuple[float, int, bytes]] | bytes]) -> None:
        good = as_file(format, document)
        for each in tries:
            data = each if isinstance(each, bytes) else changed(good, each)
            counts[run(tried(format, data))] += 1

    law()
    return counts


async def tried_store(path: Path) -> str:
    store = fresh()
    try:
        report = await import_file(store, path, format="tapeagents-calls")
    except RecordError as error:
        told = error.message
    else:
        return "read" if await exported(store, report) else ""
    assert "tapedata.sqlite" in told
    assert await is_empty(store)
    return "refused"


def fuzz_store(cases: int) -> dict[str, int]:
    counts = {"read": 0, "refused": 0}

    @settings(
        max_examples=-(-cases // A_DOCUMENT),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(llm_calls, max_size=3),
        st.lists(changes, min_size=A_DOCUMENT, max_size=A_DOCUMENT),
    )
    def law(calls: list[dict[str, Any]], tries: list[list[tuple[float, int, bytes]]]) -> None:
        path = Path(folder, "calls.sqlite")
        calls_database(path, [{"prompt_id": f"p{n}", **c} for n, c in enumerate(calls)])
        broken = Path(folder, "tapedata.sqlite")
        for each in tries:
            broken.write_bytes(changed(path.read_bytes(), each))
            counts[run(tried_store(broken))] += 1

    with tempfile.TemporaryDirectory() as folder:
        law()
    return counts


def test_a_changed_store_of_calls_is_read_or_refused() -> None:
    counts = fuzz_store(100)
    assert counts["read"]
    assert counts["refused"]


@pytest.mark.chaos
def test_many_changed_stores_of_calls(tally: Callable[..., None]) -> None:
    counts = fuzz_store(int(os.environ.get("PLAYHEAD_FUZZ", "10000")))
    tally("foreign files, changed", {f"calls {what}": many for what, many in counts.items()})


@pytest.mark.parametrize("format", ALL)
def test_a_changed_file_is_read_or_refused(format: str) -> None:
    counts = fuzz(format, 100)
    assert counts["read"]
    assert counts["refused"]


def test_a_session_that_stands_in_a_database_twice_is_refused() -> None:
    data = changed(fixture("langgraph.sqlite"), [(0.128549238526408, 1, b"{")])
    assert run(tried("langgraph", data)) == "refused"


@pytest.mark.chaos
@pytest.mark.parametrize("format", ALL)
def test_many_changed_files(format: str, tally: Callable[..., None]) -> None:
    counts = fuzz(format, int(os.environ.get("PLAYHEAD_FUZZ", "10000")))
    tally("foreign files, changed", {f"{format} {what}": many for what, many in counts.items()})
