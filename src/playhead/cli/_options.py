"""Options and arguments that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._complete import DEFAULT_STORE as DEFAULT_STORE
from playhead.cli._complete import complete_tape

_COMMON, _LIMITS, _PRIVACY = "Common options", "Limits of this run", "Secrets and personal data"


class Durability(StrEnum):
    """What a stored step survives."""

    full = "full"
    normal = "normal"


class Approve(StrEnum):
    """Which actions wait for somebody's word."""

    irreversible = "irreversible"
    write = "write"
    none = "none"


class OnTimeout(StrEnum):
    """What happens to an action about which nobody decided in time."""

    pause = "pause"
    deny = "deny"
    approve = "approve"


class EffectsPolicy(StrEnum):
    """What a fork does about effects that its parent had after the point."""

    ask = "ask"
    reuse = "reuse"
    redo = "redo"
    simulate = "simulate"


class Mode(StrEnum):
    """What a replay compares."""

    strict = "strict"
    steps = "steps"
    observe = "observe"


Store = Annotated[
    Path,
    typer.Option(
        "--store",
        metavar="PATH",
        envvar="PLAYHEAD_STORE",
        help="File that holds the tapes.",
        rich_help_panel=_COMMON,
    ),
]
Durable = Annotated[
    Durability,
    typer.Option(
        "--durability",
        metavar="full|normal",
        help="full survives power loss, normal a crash of the process.",
        rich_help_panel=_COMMON,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="One JSON document on stdout; messages go to stderr.",
        rich_help_panel=_COMMON,
    ),
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show where an error arose.", rich_help_panel=_COMMON)
]

VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault",
        metavar="PATH",
        envvar="PLAYHEAD_VAULT",
        help="Keep secrets and personal data off the tape, in this file.",
        rich_help_panel=_PRIVACY,
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="PATH",
        help="File of the vault's key; else PLAYHEAD_VAULT_KEY has it.",
        rich_help_panel=_PRIVACY,
    ),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="MODEL",
        help="A model that is given the values; may be repeated. All others see placeholders.",
        rich_help_panel=_PRIVACY,
    ),
]

AgentArgument = Annotated[
    str,
    typer.Argument(
        metavar="AGENT",
        help="FILE.yaml, FILE.py:NAME or PACKAGE.MODULE:NAME of an Agent, or demo.",
    ),
]
AgentOption = Annotated[
    str | None,
    typer.Option(
        "--agent",
        metavar="AGENT",
        help="FILE.py:NAME or PACKAGE.MODULE:NAME of an Agent, or demo. "
        "Always yours to give: a tape is data, no code is loaded because a tape names it.",
    ),
]
EnvironmentOption = Annotated[
    list[str] | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="ENV",
        help="FILE.py:NAME or PACKAGE.MODULE:NAME of an Environment; may be repeated.",
    ),
]
TapeArgument = Annotated[
    str,
    typer.Argument(
        metavar="TAPE",
        help="An id, its first or last digits, last, or -1, -2 … for the newest ones.",
        autocompletion=complete_tape,
    ),
]
TapesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="TAPE", help="Tapes, named as for show.", autocompletion=complete_tape),
]
KindOption = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="Only steps of this kind; may be repeated."),
]
NotesOption = Annotated[
    bool, typer.Option("--all", "-a", help="Notes, too: what the system itself recorded.")
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="2026-01-31, 2026-01-31T12:00, or 90min, 12h, 7d ago."
    ),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Before this time.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="What you say to the agent.")]
TaskOption = Annotated[
    str | None, typer.Option("--task", metavar="TASK", help="What you say on the child tape.")
]
GoOnOption = Annotated[
    str | None,
    typer.Option("--tape", metavar="TAPE", help="Go on with this tape: TASK is said next."),
]
DecideOption = Annotated[
    list[str] | None,
    typer.Option(
        "--decide",
        metavar="ACTION=DECISION",
        help="ACTION: position or id of what waits. DECISION: approve, deny, deny:WHY, "
        "edit:JSON; redo, skip, result:JSON where the outcome is unknown.",
    ),
]
AtOption = Annotated[
    int | None,
    typer.Option(
        "--at",
        metavar="N",
        min=1,
        help="Share the first N steps: step N is the first that can differ. All if not given.",
    ),
]
EffectsOption = Annotated[
    EffectsPolicy,
    typer.Option(
        "--effects",
        metavar="ask|reuse|redo|simulate",
        help="What the parent did to the world after the point: ask lists it and stops; "
        "reuse gives an equal call the recorded result; redo does it again; simulate asks the "
        "function of --simulate instead of the world.",
    ),
]
SimulateOption = Annotated[
    str | None,
    typer.Option(
        "--simulate",
        metavar="FUNCTION",
        help="FILE.py:NAME or PACKAGE.MODULE:NAME of a function that takes a ToolCall and gives "
        "its result; for a fork that simulates.",
    ),
]
ApproveOption = Annotated[
    Approve,
    typer.Option(
        "--approve",
        metavar="irreversible|write|none",
        help="Which actions wait for your word: irreversible ones, also those that write, none.",
    ),
]
RulesOption = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="JSON: rules that say ask, allow or deny by tool, effect and arguments.",
    ),
]
WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="S",
        min=0,
        help="Wait so many seconds for a decision, also from another process (decide).",
    ),
]
OnTimeoutOption = Annotated[
    OnTimeout,
    typer.Option(
        "--on-timeout",
        metavar="pause|deny|approve",
        help="What happens after --wait; a decision so made stands on the tape as the system's.",
    ),
]
AskOption = Annotated[
    bool | None,
    typer.Option(
        "--ask/--no-ask",
        help="Ask in the terminal when a decision is needed.",
        show_default="ask if stdin is a terminal",
    ),
]
BudgetCalls = Annotated[
    int,
    typer.Option(
        "--budget-model-calls",
        metavar="N",
        min=1,
        help="So many model calls at most.",
        rich_help_panel=_LIMITS,
    ),
]
BudgetSteps = Annotated[
    int | None,
    typer.Option(
        "--budget-steps", metavar="N", min=1, help="So many steps.", rich_help_panel=_LIMITS
    ),
]
BudgetTokens = Annotated[
    int | None,
    typer.Option(
        "--budget-tokens",
        metavar="N",
        min=1,
        help="So many tokens, input and output together.",
        rich_help_panel=_LIMITS,
    ),
]
BudgetUsd = Annotated[
    float | None,
    typer.Option(
        "--budget-usd",
        metavar="USD",
        min=0,
        help="So many dollars, where the model's rates are known.",
        rich_help_panel=_LIMITS,
    ),
]
BudgetSeconds = Annotated[
    float | None,
    typer.Option(
        "--budget-seconds", metavar="S", min=0, help="So many seconds.", rich_help_panel=_LIMITS
    ),
]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What was asked for about secrets and personal data.

    Args:
        vault: The file that keeps the values; without one, nothing is looked for.
        key_file: The file of its key.
        trusted: Models that are given the values.
    """

    vault: Path | None = None
    key_file: Path | None = None
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Common:
    """What is asked of every command.

    Args:
        store: The file of the store.
        as_json: One JSON document on stdout.
        durability: Of what is written.
        debug: Show where an error arose.
        privacy: About secrets and personal data.
    """

    store: Path
    as_json: bool = False
    durability: Durability = Durability.full
    debug: bool = False
    privacy: Privacy = Privacy()
