"""The command `check`: the checks of an experience, and what they say about recorded tapes."""

from __future__ import annotations

from typing import Annotated

import typer

from playhead.cli._complete import complete_tape
from playhead.cli._options import DEFAULT_STORE, AsJson, Common, Debug, Store

ExperienceArgument = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIENCE", help="FILE.yaml or FILE.json; or NAME, NAME@VERSION of the library."
    ),
]
TrustChecksOption = Annotated[
    bool,
    typer.Option(
        "--trust-checks",
        help="Evaluate checks in this process, without limits of memory: for those that you wrote "
        "or read yourself.",
    ),
]


def check(
    experience: ExperienceArgument,
    tapes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TAPE",
            help="With --over: tapes, named as for show; all that played it if none are named.",
            autocompletion=complete_tape,
        ),
    ] = None,
    over: Annotated[
        bool,
        typer.Option("--over", help="Ask the checks about recorded tapes, whoever made them."),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="With --over: all tapes of the store.")
    ] = False,
    trust_checks: TrustChecksOption = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Read an experience and compile its checks; ask them about recorded tapes."""
    from playhead.cli import _check_over

    common = Common(store, as_json, debug=debug)
    wanted = _check_over.Wanted(common, experience, limited=not trust_checks)
    if over or tapes or everything:
        return _check_over.over(wanted, tapes or [], everything=everything)
    return _check_over.look(wanted)
