"""Layer 7: the command line."""

from __future__ import annotations

import contextlib
import sys

__all__ = ["main"]


def main() -> None:
    """Run the program `playhead` with the arguments of this process."""
    from playhead.cli._app import app  # not before the program is asked for

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a stream of somebody else's
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="playhead")
