#!/usr/bin/env python3
"""Write the table of names in `docs/otlp.md`, from `playhead.conventions`.

`--check` only says whether the page is current.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from playhead.conventions import OPERATIONS, TABLE, VERSION, Name

PAGE = Path(__file__).resolve().parent.parent / "docs" / "otlp.md"
BEGIN, END = "<!-- the table: make docs -->\n", "<!-- end of the table -->\n"
FORMS = {
    "text": "text",
    "int": "whole number",
    "double": "number",
    "bool": "true or false",
    "texts": "texts",
    "json": "JSON",
    "messages": "messages, as JSON",
    "tools": "tools, as JSON",
}


def table() -> str:
    """Both tables as Markdown."""
    values: dict[str, list[str]] = {}
    for value, kind in OPERATIONS.items():
        values.setdefault(kind, []).append(f"`{value}`")
    kinds = {"agent": "an agent has control", "call": "a model call", "tool": "a tool call"}
    lines = [
        f"Version {VERSION}.",
        "",
        "| attribute, as it is written | is read, too | value | on the tape |",
        "|---|---|---|---|",
        *map(_row, TABLE),
        "",
        "| what a span tells of | values of `gen_ai.operation.name` or `openinference.span.kind` |",
        "|---|---|",
        *(f"| {kinds[kind]} | {', '.join(found)} |" for kind, found in values.items()),
    ]
    return "\n".join(lines) + "\n"


def _row(name: Name) -> str:
    also = ", ".join(f"`{each}{_numbered(name, each)}`" for each in name.also)
    return f"| `{name}` | {also} | {FORMS[name.form]} | {name.says} |"


def _numbered(name: Name, other: str) -> str:
    """How a name goes on of which there are many."""
    return ".N.…" if name.form in ("messages", "tools") else ""


def page(text: str) -> str:
    """The page with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = PAGE.read_text()
    made = page(text)
    if not parser.parse_args().check:
        PAGE.write_text(made)
    elif made != text:
        print("docs/otlp.md is not current: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
