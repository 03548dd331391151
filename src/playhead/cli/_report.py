"""What a command says of a session when it ends."""

from __future__ import annotations

import os
import shlex

from rich.text import Text

from playhead.cli._agents import Loaded
from playhead.cli._ask import waiting_json, waiting_text
from playhead.cli._guard import DONE, NEGATIVE, WAITS
from playhead.cli._live import Used
from playhead.cli._options import DEFAULT_STORE, Common
from playhead.cli._output import Output
from playhead.cli._text import clean, one_line, plural, short_id
from playhead.errors import PlayheadError
from playhead.tape import Json, Tape
from playhead.tape.kinds import Pause

_CODES = {"answered": DONE, "stopped": DONE, "paused": WAITS, "waiting": WAITS}


def code_of(tape: Tape) -> int:
    """The exit code that a tape's status leads to."""
    return _CODES.get(tape.status, NEGATIVE)


def document(tape: Tape, used: Used, error: PlayheadError | None = None) -> dict[str, Json]:
    """What a session came to, as JSON; `run` is what this run alone used."""
    parent = tape.parent
    totals = tape.fold().totals
    return {
        "tape": tape.id,
        "status": tape.status,
        "answer": tape.answer,
        "steps": len(tape),
        "head": tape.head_text,
        "parent": None if parent is None else {"tape": parent.tape, "at": parent.at},
        "model_calls": totals.model_calls,
        "tool_calls": totals.tool_calls,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "usd": round(totals.usd, 9),
        "run": {
            "steps": used.steps,
            "model_calls": used.model_calls,
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "usd": round(used.usd, 9),
            "seconds": round(used.seconds, 3),
        },
        "waiting": waiting_json(tape),
        "error": None if error is None else {"code": error.code, "message": error.message},
    }


def tell(output: Output, tape: Tape, used: Used, loaded: Loaded, common: Common) -> None:
    """Tell people how a session ended, and what they can do next."""
    if tape.status in ("answered", "stopped") and tape.answer is not None:
        output.people.print(Text(f"\n{clean(tape.answer)}\n", style="bold"), soft_wrap=True)
    output.people.print(facts(tape, used), soft_wrap=True)
    for line in waiting_text(tape):
        output.message(line, "yellow")
    if tape.status in ("paused", "waiting"):
        if tape.status == "paused":
            output.message(one_line(f"paused: {pause_of(tape)}"), "yellow")
        output.message(f"go on with: {command('resume', tape.id, loaded, common)}")


def facts(tape: Tape, used: Used) -> Text:
    """A line with what the run used."""
    parts = [
        f"{len(tape):,} steps",
        plural(used.model_calls, "model call"),
        f"{used.input_tokens + used.output_tokens:,} tokens",
        f"${used.usd:.4f}",
        f"{used.seconds:.2f} s",
    ]
    return Text.assemble(
        ("tape ", "dim"), (tape.id, "bold"), f"  {tape.status}  ", ("  ".join(parts), "dim")
    )


def pause_of(tape: Tape) -> str:
    """Why a tape is paused."""
    at = tape.fold().paused
    body = tape[at].body if at is not None else None
    return body.message if isinstance(body, Pause) else ""


def command(name: str, tape: str, loaded: Loaded, common: Common) -> str:
    """The command that goes on with a tape."""
    words = ["playhead", name, short_id(tape), "--agent", loaded.name]
    for each in loaded.environment_names:
        words += ["--environment", each]
    return shlex.join([*words, *store_words(common)])


def store_words(common: Common) -> list[str]:
    """The options that name store and vault, where they would not be found without."""
    usual = os.environ.get("PLAYHEAD_STORE") or str(DEFAULT_STORE)
    words = [] if str(common.store) == usual else ["--store", str(common.store)]
    privacy = common.privacy
    if privacy.vault is not None and str(privacy.vault) != os.environ.get("PLAYHEAD_VAULT"):
        words += ["--vault", str(privacy.vault)]
    if privacy.key_file is not None:
        words += ["--key-file", str(privacy.key_file)]
    return [*words, *(word for name in privacy.trusted for word in ("--trust", name))]
