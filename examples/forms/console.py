"""Where tables are printed."""

from __future__ import annotations

from rich.console import Console


def wide() -> Console:
    """A console that breaks no table where nobody looks at it directly."""
    console = Console()
    return console if console.is_terminal else Console(width=120)
