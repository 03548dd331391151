"""The command `learn`: experiences from recorded sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._complete import complete_tape
from playhead.cli._library import LibraryOption
from playhead.cli._options import (
    DEFAULT_STORE,
    AsJson,
    Common,
    Debug,
    EnvironmentOption,
    Store,
)


def learn(
    tapes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TAPE",
            help="Sessions that did what was asked, named as for show.",
            autocompletion=complete_tape,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILTER",
            help="Which tapes, as 'agent=NAME status=answered since=7d until=1d'; of all tapes if "
            "none are named.",
        ),
    ] = None,
    failed: Annotated[
        list[str] | None,
        typer.Option(
            "--failed",
            metavar="TAPE|FILTER",
            help="Sessions that went wrong, as counter-examples: a tape, or a filter as for "
            "--from, also of people's labels: 'label=NAME:VALUE'; may be repeated.",
        ),
    ] = None,
    environment: EnvironmentOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="PROVIDER:NAME, which proposes words and routines; it sees tasks, calls and "
            "results. Kept is only what the sessions bear out.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="All tapes are of one kind of task, which is called so."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            "--now",
            metavar="TIME",
            help="The clock of the world of the sessions, as '2030-01-31 12:00'; when each task "
            "was given if not said.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where documents are written.")
    ] = Path("experiences"),
    force: Annotated[
        bool, typer.Option("--force", help="Write over documents that are there.")
    ] = False,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Learn experiences from recorded sessions; the library keeps them."""
    from playhead.cli import _learning

    wanted = _learning.Wanted(
        Common(store, as_json, debug=debug),
        tuple(tapes or ()),
        from_,
        tuple(environment or ()),
        name=name,
        now=now,
        out=out,
        force=force,
        library=library,
        failed=tuple(failed or ()),
        model=model,
    )
    return _learning.learn(wanted)
