"""`record otlp` as a process, and `export --otlp` and `--format otlp`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from cli_helpers import playhead
from test_cli_record_llm import serving

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Rain in Oslo?"}]}]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}]}]


def request(number: int) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.conversation.id": "c",
        "gen_ai.input.messages": json.dumps(ASKED),
        "gen_ai.output.messages": json.dumps(SAID),
    }
    span = {
        "traceId": "ab" * 16,
        "spanId": f"{number:016x}",
        "name": "chat m",
        "startTimeUnixNano": str(number),
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in told.items()],
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def post(url: str, document: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    body = json.dumps(document).encode()
    with urlopen(Request(f"{url}/v1/traces", body, headers), timeout=60) as answer:
        got: dict[str, Any] = json.loads(answer.read())
    return got


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_traces_are_received_until_somebody_stops_it(number: int, tmp_path: Path) -> None:
    with serving(
        "record", "otlp", "--port", "0", "--store", "s.db", cwd=tmp_path, number=number
    ) as (
        url,
        ended,
    ):
        assert post(url, request(1)) == {}
        bad = request(2)
        bad["resourceSpans"][0]["scopeSpans"][0]["spans"].append({"traceId": "x"})
        assert post(url, bad)["partialSuccess"]["rejectedSpans"] == "1"
        with pytest.raises(HTTPError, match="400"):
            post(url, {"resourceSpans": 1})
    assert ended[0].code == 0
    assert ended[0].err.splitlines()[-1] == "recorded 2 spans; rejected 1 span"
    listed = json.loads(playhead("ls", "--store", "s.db", "--json", cwd=tmp_path).out)
    assert len(listed["tapes"]) == 1


def test_a_store_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"this is no database" * 100)
    with serving("record", "otlp", "--port", "0", "--store", "s.db", cwd=tmp_path) as (url, ended):
        assert post(url, request(1)) == {}
    assert ended[0].code == 4
    assert "spans were not recorded: store_corrupt" in ended[0].err
    assert ended[0].err.endswith("recorded 0 spans; not all was recorded\n")


def test_what_a_pattern_matches_is_redacted(tmp_path: Path) -> None:
    words = (
        "record",
        "otlp",
        "--port",
        "0",
        "--store",
        "s.db",
        "--redact",
        "Os.o",
        "--settle",
        "0",
    )
    with serving(*words, cwd=tmp_path) as (url, _):
        post(url, request(1))
    shown = playhead("show", "last", "--store", "s.db", cwd=tmp_path).out
    assert "Rain in" in shown
    assert "Oslo" not in shown


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with serving("record", "otlp", "--port", "0", "--store", "s.db", cwd=tmp_path) as (url, _):
        port = url.rpartition(":")[2]
        done = playhead("record", "otlp", "--port", port, "--store", "t.db", cwd=tmp_path)
        assert done.code == 1
        assert "choose another port" in done.err


def test_tapes_go_out_as_a_file_and_over_http(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(request(1)) + "\n" + json.dumps(request(2)))
    done = playhead("import", "in.jsonl", "--store", "a.db", cwd=tmp_path)
    assert "OTLP JSON traces: 1 tape" in done.out
    playhead(
        "export", "last", "--format", "otlp", "-o", "out.jsonl", "--store", "a.db", cwd=tmp_path
    )
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    spans = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [one["spanId"] for one in spans] == [f"{1:016x}", f"{2:016x}"]
    with serving("record", "otlp", "--port", "0", "--store", "b.db", cwd=tmp_path) as (url, ended):
        sent = playhead("export", "last", "--otlp", url, "--store", "a.db", cwd=tmp_path)
        assert sent.out.startswith("2 spans of 1 tape sent")
        words = ("export", "--all", "--otlp", url, "--json")
        told = json.loads(playhead(*words, "--store", "a.db", cwd=tmp_path).out)
        assert (told["spans"], told["rejected"]) == (2, 0)
    assert ended[0].err.splitlines()[-1] == "recorded 2 spans"
    gone = playhead("export", "last", "--otlp", url, "--store", "a.db", cwd=tmp_path)
    assert gone.code == 1
    assert "does not answer" in gone.err


@pytest.mark.parametrize(
    "words",
    [
        ["--otlp", "http://127.0.0.1:9"],
        ["last", "--all", "--otlp", "http://127.0.0.1:9"],
        ["last", "--otlp", "http://127.0.0.1:9", "-o", "x"],
        ["last", "--otlp", "http://127.0.0.1:9", "--format", "otlp"],
    ],
)
def test_what_does_not_fit_together_is_told(words: list[str], tmp_path: Path) -> None:
    assert playhead("export", *words, "--store", "a.db", cwd=tmp_path).code == 2
