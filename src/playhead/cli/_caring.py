"""The commands that look after tapes: `search`, `tail`, `stats`, `export`, `rm` and others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._complete import complete_tape
from playhead.cli._guard import UsageFault
from playhead.cli._options import (
    DEFAULT_STORE,
    AsJson,
    Common,
    Debug,
    KindOption,
    NotesOption,
    SinceOption,
    Store,
    TapeArgument,
    TapesArgument,
    UntilOption,
    YesOption,
)


def search(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT",
            help='Words that must all occur; "in quotes" next to each other; -not this one; '
            "begin* of a word. Case and accents do not count.",
        ),
    ],
    tape: Annotated[
        list[str] | None,
        typer.Option(
            "--tape",
            metavar="TAPE",
            help="Only on this tape; may be repeated.",
            autocompletion=complete_tape,
        ),
    ] = None,
    kind: KindOption = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="NAME", help="Only steps of this agent; may be repeated."),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="How many.")] = 20,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="TAPE:SEQ", help="Go on after this hit."),
    ] = None,
    notes: NotesOption = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Search all tapes for words, the newest first."""
    from dataclasses import replace

    from playhead.cli import _search
    from playhead.cli._when import moment

    wanted = replace(
        _search.wanted_of(text, tape or (), kind or (), by or (), limit),
        since=moment(since, "--since"),
        until=moment(until, "--until"),
        before=_search.place_of(before),
    )
    return _search.search(Common(store, as_json), wanted, notes=notes)


def tail(
    tape: TapeArgument = "last",
    count: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=0, help="So many steps to begin with.")
    ] = 10,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on when the run ends, until Ctrl-C.")
    ] = False,
    kind: KindOption = None,
    notes: NotesOption = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Follow a tape as it grows, also in another process."""
    from playhead.cli import _show, _tail

    choice = _show.Choice(None, tuple(kind or ()), notes)
    return _tail.tail(Common(store, as_json), tape, count, choice, follow=follow)


def stats(
    tapes: TapesArgument = None,
    since: SinceOption = None,
    until: UntilOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Show what tapes cost: money, tokens, time, by model, agent, node, tool and day."""
    from playhead.cli import _stats
    from playhead.cli._when import moment

    times = moment(since, "--since"), moment(until, "--until")
    return _stats.stats(Common(store, as_json), tapes or [], *times)


def export(
    tapes: TapesArgument = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All tapes.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="DIR", help="Write ID.tape.jsonl for each tape there; replaces them."
        ),
    ] = None,
    inspect: Annotated[
        Path | None,
        typer.Option(
            "--inspect",
            metavar="FILE",
            help="Write an evaluation as a log of inspect_ai (.eval, .json; extra `inspect`).",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the FILE.")] = False,
    format: Annotated[
        str, typer.Option("--format", metavar="NAME", help="Another format: one file of all tapes.")
    ] = "playhead",
    otlp: Annotated[
        str | None,
        typer.Option(
            "--otlp",
            metavar="URL",
            help="Send them as OpenTelemetry spans to a receiver of OTLP/HTTP (extra `otlp`).",
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Write tapes as files of format 1, with all that they share and refer to, or of another."""
    from playhead.cli import _files

    if otlp is not None:
        from playhead.cli import _otlp

        if output is not None or to is not None or inspect is not None or format != "playhead":
            raise UsageFault("--otlp URL sends spans, and writes no file: --format otlp does")
        return _otlp.export(Common(store, as_json), tapes or [], everything=everything, url=otlp)
    return _files.export(
        Common(store, as_json),
        tapes or [],
        everything=everything,
        file=output,
        folder=to,
        log=inspect,
        force=force,
        format=format,
    )


def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|DIR",
            help="Files with tapes, sessions or logs of inspect_ai; folders; - for stdin.",
        ),
    ],
    format: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="Their format, if it is not to be detected."),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Store the tapes of files, or the sessions of other formats; a second time adds nothing."""
    from playhead.cli import _files

    return _files.import_files(Common(store, as_json), files, format=format)


def rm(
    tapes: Annotated[
        list[str],
        typer.Argument(
            metavar="TAPE", help="Tapes, named as for show.", autocompletion=complete_tape
        ),
    ],
    yes: YesOption = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Remove tapes for good; what their children share stays with these."""
    from playhead.cli import _removal

    return _removal.rm(Common(store, as_json), tapes, yes=yes)


def erase(
    tape: TapeArgument,
    steps: Annotated[
        list[str],
        typer.Option(
            "--steps",
            metavar="A:B",
            help="Steps A to B - 1; A:, :B, -A: and A as well; may be repeated.",
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it stands on the tape.")
    ] = "asked for",
    yes: YesOption = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Erase what steps say for good; the chain still verifies, and says that it was done."""
    from playhead.cli import _removal

    return _removal.erase(Common(store, as_json), tape, steps, reason, yes=yes)


def doctor(
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Look whether this machine and the store are fit, and say what to do where not."""
    from playhead.cli import _doctor

    return _doctor.doctor(Common(store, as_json))
