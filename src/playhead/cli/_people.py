"""The commands for people who decide: `pending` and `decide`."""

from __future__ import annotations

from typing import Annotated

import typer

from playhead.cli._complete import complete_tape
from playhead.cli._options import (
    DEFAULT_STORE,
    AgentOption,
    AsJson,
    Common,
    Debug,
    Durability,
    Durable,
    EnvironmentOption,
    KeyFileOption,
    Privacy,
    Store,
    TapeArgument,
    VaultOption,
)


def pending(
    tape: Annotated[
        str | None,
        typer.Argument(
            metavar="TAPE",
            help="Only on this tape, named as for show.",
            autocompletion=complete_tape,
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List the actions that wait for a decision, those that wait longest first."""
    from playhead.cli import _pending

    return _pending.pending(Common(store, as_json), tape)


def decide(
    tape: TapeArgument,
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", help="What waits: its position, or first or last digits of its id."
        ),
    ],
    decision: Annotated[
        str,
        typer.Argument(
            metavar="DECISION",
            help="approve, deny, edit; redo, skip, result where the outcome is unknown.",
        ),
    ],
    message: Annotated[
        str | None,
        typer.Option(
            "--message", "-m", metavar="TEXT", help="Why; the agent is told if it is denied."
        ),
    ] = None,
    arguments: Annotated[
        str | None,
        typer.Option("--arguments", metavar="JSON", help="For edit: the arguments instead."),
    ] = None,
    result: Annotated[
        str | None,
        typer.Option("--result", metavar="JSON", help="For result: what came of the action."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="NAME", envvar="PLAYHEAD_BY", help="Who decides; it is on the tape."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the tape with it; needs --agent.")
    ] = False,
    agent: AgentOption = None,
    environment: EnvironmentOption = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    vault: VaultOption = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Decide about an action that waits, also if its session lives in another process."""
    from playhead.cli import _pending

    common = Common(store, as_json, durability, debug, Privacy(vault, key_file))
    said = _pending.Decision(action, decision, message, arguments, result, by)
    return _pending.decide(common, tape, said, resume=(agent, environment) if resume else None)
