"""A line of 1.1 GB, truly: refused with its place, in bounded memory, and nothing of it stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MUCH = 1_049  # MiB: 1.1 GB
MOST = 700  # MiB of memory; a line of a tape's own file may have 256, and is joined of pieces
FILES = {  # what is good, how the record goes on whose line has no end, and what is told
    "openai-chat": (b'{"messages": [{"role": "user"}]}\n', b'{"messages": [{"c": "', "line 2"),
    "otlp": (b'{"resourceSpans": []}\n', b'{"resourceSpans": [{"x": "', "record 1 (line 2)"),
    "taubench": (b'[{"traj": []}\n,', b'{"traj": [{"c": "', "record 1 (line 2)"),
    "tapeagents": (b'[{"steps": []}\n,', b'{"steps": [{"kind": "', "record 1 (line 2)"),
    "tapeagents-yaml": (b"steps: []\n---\n", b'steps: [{kind: "', "document 1 (line 2)"),
    "playhead": (b"", b'{"playhead":"tape","v":1,"tape":"', "line 1"),
}
PLAYHEAD = (sys.executable, "-m", "playhead")


def finished(told: Path, *words: str) -> tuple[int, int]:
    """The exit code of a program, and MiB of memory at its peak."""
    with told.open("wb") as out:
        process = subprocess.Popen([*PLAYHEAD, *words], stdout=out, stderr=out)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss >> 10


@pytest.mark.chaos
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in the units of Linux")
@pytest.mark.parametrize("format", FILES)
def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory(format: str, tmp_path: Path) -> None:
    good, begun, place = FILES[format]
    path, store, told = tmp_path / "long", tmp_path / "store.db", tmp_path / "told"
    with path.open("wb") as file:
        file.write(good + begun)
        for _ in range(MUCH):
            file.write(b"a" * (1 << 20))
        file.write(b'"}]}]\n')
    code, memory = finished(told, "import", str(path), "--format", format, "--store", str(store))
    path.unlink()
    said = " ".join(told.read_text().split())
    assert code == 1, said
    assert f"{path}" in said
    assert f"{place}: " in said
    assert "more than " in said
    assert " bytes" in said
    assert memory < MOST
    assert finished(told, "ls", "--store", str(store), "--json")[0] == 0
    assert json.loads(told.read_text()) == {"tapes": []}
