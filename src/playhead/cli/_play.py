"""The command `play`: carry out an experience, or go on with a play."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._check import TrustChecksOption
from playhead.cli._library import LibraryOption
from playhead.cli._options import (
    DEFAULT_STORE,
    Approve,
    ApproveOption,
    AsJson,
    Common,
    Debug,
    DecideOption,
    Durability,
    Durable,
    EnvironmentOption,
    Store,
)


def play(
    experience: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPERIENCE",
            help="FILE.yaml or FILE.json; NAME, NAME@VERSION of the library; with --task, the "
            "library chooses if none is named.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task", metavar="TASK", help="The task in words; parameters are read of it."
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="NAME=VALUE",
            help="A parameter; JSON, where it is no text. It counts before the task's words.",
        ),
    ] = None,
    environment: EnvironmentOption = None,
    level: Annotated[
        list[str] | None,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help="routine, person, or an agent as for run; repeated, from the lowest to the "
            "highest. routine alone if not given.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, and show what would be written.")
    ] = False,
    now: Annotated[
        str | None,
        typer.Option(
            "--now", metavar="TIME", help="The task's clock; this machine's if not given."
        ),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            "--limits",
            metavar="FILE",
            help="JSON: tools, hosts, effects, calls, writes, seconds that are granted at most.",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="MODEL", help="PROVIDER:NAME, for checks in words."),
    ] = None,
    tape: Annotated[
        str | None,
        typer.Option("--tape", metavar="TAPE", help="Go on with this play, killed or handed over."),
    ] = None,
    decide: DecideOption = None,
    approve: ApproveOption = Approve.none,
    trust_checks: TrustChecksOption = False,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Carry out an experience on a new task, without a model as far as it knows the way."""
    from playhead.cli import _playing

    wanted = _playing.Wanted(
        Common(store, as_json, durability, debug),
        experience,
        environments=tuple(environment or ()),
        levels=tuple(level or ("routine",)),
        judge=judge,
        approve=approve,
        limited=not trust_checks,
        library=library,
    )
    if tape is not None:
        return _playing.go_on(wanted, tape, decide or [])
    return _playing.begin(wanted, task, param or [], now=now, limits=limits, dry=dry_run)
