"""The commands of the library of experiences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._complete import complete_tape
from playhead.cli._options import (
    DEFAULT_STORE,
    AsJson,
    Debug,
    SinceOption,
    Store,
    UntilOption,
    YesOption,
)

library_app = typer.Typer(
    help="Keep, find, judge and share experiences: what tapes have taught.",
    no_args_is_help=True,
)

_COMMON = "Common options"
LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="PATH",
        envvar="PLAYHEAD_LIBRARY",
        help="File of the library; library.db beside the store if not given.",
        rich_help_panel=_COMMON,
    ),
]
NAME = "NAME, NAME@VERSION or the begin of a digest."
NameArgument = Annotated[str, typer.Argument(metavar="EXPERIENCE", help=NAME)]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who says so; you if not given.")
]
AuthorOption = Annotated[str | None, typer.Option("--author", metavar="NAME", help="Who made it.")]
BranchOption = Annotated[
    str | None, typer.Option("--branch", metavar="NAME", help="Of a git repository.")
]


def library_ls(
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also older versions and what may not be played.")
    ] = False,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List the experiences that may be played, or all."""
    from playhead.cli import _library_looking

    return _library_looking.ls(
        _library_looking.Place(library, store), everything=everything, as_json=as_json
    )


def library_show(
    experience: NameArgument,
    diagram: Annotated[
        bool, typer.Option("--diagram", help="Only the routine, as a Mermaid diagram.")
    ] = False,
    document: Annotated[
        bool, typer.Option("--document", help="Only the document, as YAML.")
    ] = False,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Show what an experience does, where it came from and how it did."""
    from playhead.cli import _library_looking

    place = _library_looking.Place(library, store)
    if diagram or document:
        return _library_looking.document(place, experience, diagram=diagram)
    return _library_looking.show(place, experience, as_json=as_json)


def library_search(
    text: Annotated[
        str | None, typer.Argument(metavar="TASK", help="A task in words, as you would say it.")
    ] = None,
    tool: Annotated[
        str | None, typer.Option("--tool", metavar="TOOL", help="Only those that use this tool.")
    ] = None,
    author: AuthorOption = None,
    embeddings: Annotated[
        str | None,
        typer.Option(
            "--embeddings",
            metavar="NAME",
            help="Compare by meaning as well: openai:NAME, at OPENAI_BASE_URL; the vectors are "
            "kept in the library.",
        ),
    ] = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Search by a task's text, by tool, by author; exit code 1 if none would be played."""
    from playhead.cli import _library_looking

    wanted = _library_looking.Sought(text, tool, author, embeddings)
    return _library_looking.search(_library_looking.Place(library, store), wanted, as_json=as_json)


def library_stats(
    experience: Annotated[
        str | None, typer.Argument(metavar="EXPERIENCE", help=f"Only this one: {NAME}")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Show how plays ended and what they saved against the sessions that taught them."""
    from playhead.cli import _library_stats
    from playhead.cli._when import moment

    times = moment(since, "--since"), moment(until, "--until")
    return _library_stats.stats(library, store, experience, times=times, as_json=as_json)


def library_add(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Experience documents (YAML, JSON).")
    ],
    author: AuthorOption = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Keep experience documents; they are quarantined until trust has verified them."""
    from playhead.cli import _library_keeping

    return _library_keeping.add(library, store, files, author=author, as_json=as_json)


def library_rm(
    experiences: Annotated[list[str], typer.Argument(metavar="EXPERIENCE", help=NAME)],
    yes: YesOption = False,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Remove experiences for good, with their statistics, ratings and packages."""
    from playhead.cli import _library_keeping

    return _library_keeping.rm(library, store, experiences, yes=yes, as_json=as_json)


def library_rate(
    experience: NameArgument,
    stars: Annotated[
        int | None, typer.Option("--stars", metavar="N", help="1 to 5.", min=1, max=5)
    ] = None,
    audited: Annotated[
        bool, typer.Option("--audited", help="You have read it, and say that it is right.")
    ] = False,
    wrong: Annotated[
        str | None,
        typer.Option(
            "--wrong",
            metavar="TAPE",
            help="The play on this tape wrote what it should not: tasks like it are refused.",
            autocompletion=complete_tape,
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why.")] = "",
    by: ByOption = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Rate an experience, put an audit mark on it, or tell of a play that went wrong."""
    from playhead.cli import _library_keeping

    wanted = _library_keeping.Judgement(by, stars, audited, note, wrong)
    return _library_keeping.rate(library, store, experience, wanted, as_json=as_json)


def library_trust(
    experience: NameArgument,
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            metavar="TAPE",
            help="A session here that did such a task well; may be repeated.",
            autocompletion=complete_tape,
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            "--now",
            metavar="TIME",
            help="The clock of the sessions, if their world has its own: 2026-01-31 12:00:00.",
        ),
    ] = None,
    environment: Annotated[
        list[str] | None,
        typer.Option(
            "--environment",
            "-e",
            metavar="ENV",
            help="FILE.py:NAME or PACKAGE.MODULE:NAME of a function that makes a fresh "
            "environment, whose effects harm nobody: it is played there, with its effects; may be "
            "repeated.",
        ),
    ] = None,
    withdraw: Annotated[
        str | None, typer.Option("--withdraw", metavar="WHY", help="Trust it no more.")
    ] = None,
    yes: YesOption = False,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Verify an experience over sessions of yours or in an environment; trust it if it is right."""
    from playhead.cli import _library_keeping, _library_rehearsing

    if withdraw is not None:
        return _library_keeping.withdraw(library, store, experience, withdraw, as_json=as_json)
    if environment:
        wanted = _library_rehearsing.Wanted(experience, over or [], environment, now, yes)
        return _library_rehearsing.trust(library, store, wanted, as_json=as_json)
    return _library_keeping.trust(library, store, experience, over or [], now=now, as_json=as_json)


def library_publish(
    experience: NameArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="PLACE",
            help="A folder, a git repository (git+ADDRESS, git@…, ….git), or FILE.experience.",
        ),
    ],
    sign: Annotated[
        Path | None,
        typer.Option("--sign", metavar="KEYFILE", help="Sign it; library keys --new makes a key."),
    ] = None,
    by: ByOption = None,
    author: AuthorOption = None,
    licence: Annotated[
        str | None, typer.Option("--licence", metavar="SPDX", help="Such as Apache-2.0.")
    ] = None,
    readme: Annotated[
        Path | None, typer.Option("--readme", metavar="FILE", help="What is to be said about it.")
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST", help="A host that its calls may name; repeat it."),
    ] = None,
    branch: BranchOption = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Pack an experience with a manifest of what it may do, sign it, and put it somewhere."""
    from playhead.cli import _library_sharing

    wanted = _library_sharing.Packing(sign, by, author, licence, readme, tuple(host or ()))
    return _library_sharing.publish(
        library, store, experience, wanted, to=to, branch=branch, as_json=as_json
    )


def library_install(
    package: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE",
            help="A file or folder; with --from, NAME, NAME@VERSION or a digest.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PLACE", help="A folder, a git repository or https://… of an index."
        ),
    ] = None,
    signed_by: Annotated[
        str | None,
        typer.Option("--signed-by", metavar="NAME", help="Refuse it without this signature."),
    ] = None,
    branch: BranchOption = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Take in a package; nothing in it runs, and it is quarantined until trust has verified it."""
    from playhead.cli import _library_sharing

    return _library_sharing.install(
        library, store, package, source=source, signed_by=signed_by, branch=branch, as_json=as_json
    )


def library_keys(
    new: Annotated[
        Path | None,
        typer.Option("--new", metavar="FILE", help="Make a key to sign with; keep it secret."),
    ] = None,
    add: Annotated[
        str | None,
        typer.Option("--add", metavar="NAME=KEY", help="Whose public key this is: ask them."),
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--rm", metavar="NAME", help="Forget the keys of somebody.")
    ] = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Make a key to sign packages with, or say whose public keys are known."""
    from playhead.cli import _library_sharing

    return _library_sharing.keys(library, store, new=new, add=add, remove=remove, as_json=as_json)


def library_guard(
    text: Annotated[
        str | None, typer.Argument(metavar="TASK", help="A task that no play is to try.")
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What would go wrong.")] = "",
    remove: Annotated[
        int | None, typer.Option("--rm", metavar="N", help="Forget this guard.")
    ] = None,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List the tasks that no play is to try, or add one."""
    from playhead.cli import _library_keeping

    return _library_keeping.guard(library, store, text, why, remove=remove, as_json=as_json)
