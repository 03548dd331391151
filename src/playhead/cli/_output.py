"""Where a command writes: results to stdout, messages to stderr, one JSON document on request."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from rich.console import Console
from rich.text import Text

_PIPED_WIDTH = 200  # where neither a terminal nor COLUMNS says how wide a line is


class PlainConsole(Console):
    """A console that takes no text for markup, and leaves broken pipes to the program."""

    def __init__(self, *, stderr: bool = False, file: IO[str] | None = None) -> None:
        paging = file is not None
        stream = file or (sys.stderr if stderr else sys.stdout)
        known = paging or "COLUMNS" in os.environ or stream.isatty()
        super().__init__(
            stderr=stderr,
            file=file,
            force_terminal=True if paging else None,
            width=None if known else _PIPED_WIDTH,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def on_broken_pipe(self) -> None:
        """Nobody reads any more."""
        raise BrokenPipeError

    def row(self, text: Text) -> None:
        """Print one line, cut at the width; the text is harmless already."""
        width = self.width
        if len(text) > 2 * width:
            text = text[: 2 * width]  # measuring text is slow
        text.truncate(width, overflow="ellipsis")
        self.print(text, soft_wrap=True)


@dataclass
class Output:
    """What a command writes to.

    Args:
        as_json: Only a JSON document goes to stdout.
    """

    as_json: bool = False
    out: PlainConsole = field(default_factory=PlainConsole)
    err: PlainConsole = field(default_factory=lambda: PlainConsole(stderr=True))

    @property
    def people(self) -> PlainConsole:
        """Where people read what goes on."""
        return self.err if self.as_json else self.out

    def document(self, value: object) -> None:
        """Write the JSON document; it is ASCII, so that nothing in it acts on a terminal."""
        sys.stdout.write(json.dumps(value, indent=2) + "\n")

    def message(self, text: str, style: str = "") -> None:
        """Tell people something beside the result."""
        self.err.print(Text(text, style=style), soft_wrap=True)


@contextlib.contextmanager
def paged(output: Output, *, wanted: bool) -> Iterator[PlainConsole]:
    """A console that shows page by page, where stdout is a terminal and a pager is there."""
    command = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    program = shutil.which(command[0])
    if not wanted or not sys.stdout.isatty() or program is None:
        yield output.out
        return
    environment = {"LESS": "FRX", **os.environ, "COLUMNS": str(output.out.width)}
    process = subprocess.Popen(  # noqa: S603  (the person's own pager)
        [program, *command[1:]],
        stdin=subprocess.PIPE,
        env=environment,
        encoding="utf-8",
        errors="backslashreplace",
    )
    assert process.stdin is not None
    try:
        console = PlainConsole(file=process.stdin)
        console.width = output.out.width
        yield console
        process.stdin.flush()
    except BrokenPipeError:  # the person has seen enough
        pass
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        while process.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):  # it is meant for the pager
                process.wait()
