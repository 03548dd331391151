"""Routines as Mermaid's own parser reads them; see `make mermaid`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from library_kit import experience, plot
from test_diagram import HOSTILE, loops

from playhead.experience.document import experience_diagram

PLACE = os.environ.get("PLAYHEAD_MERMAID")
pytestmark = pytest.mark.skipif(PLACE is None, reason="Mermaid is not here: `make mermaid`")


def parsed(diagrams: list[str]) -> list[str]:
    """What Mermaid takes each diagram for."""
    assert PLACE is not None
    program = Path(PLACE).resolve() / "parse.mjs"  # it finds packages beside itself
    shutil.copy(Path(__file__).with_name("mermaid_parse.mjs"), program)
    done = subprocess.run(
        ["node", str(program)],
        input=json.dumps(diagrams),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def named(name: str) -> str:
    """The diagram of a routine in which everything has one name."""
    call = {"tool": name, "arguments": {name: {"const": name}}}
    states: dict[str, Any] = {
        name: {"call": call, "next": [{"when": {"const": name}, "to": "stop"}]},
        "stop": {"refuse": name},
    }
    return experience_diagram(
        experience(
            tools={name: {"effect": "irreversible"}},
            routine={"start": name, "states": states},
            parameters={},
        )
    )


def test_mermaid_reads_every_diagram() -> None:
    signs = [chr(code) for code in (*range(32, 127), 0xA0, 0xDF, 0x203D, 0x4E2D, 0xFFFD)]
    diagrams = [experience_diagram(each) for each in (experience(), plot())]
    diagrams += [experience_diagram(experience(routine=loops()))]
    diagrams += [named(name) for name in [*HOSTILE, *signs, "".join(signs)[:90]]]
    said = parsed(diagrams)
    faults = {
        text: verdict
        for text, verdict in zip(diagrams, said, strict=True)
        if verdict != "flowchart-v2"
    }
    assert faults == {}


def test_mermaid_refuses_what_is_none() -> None:
    (said,) = parsed(["flowchart TD\n a -->\n b["])
    assert said.startswith("fault:")
