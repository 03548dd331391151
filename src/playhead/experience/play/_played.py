"""What came of a play, read from its tape."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from playhead.errors import ExperienceError
from playhead.experience.play._levels import LevelKey
from playhead.experience.play._node import DRY, NOTHING
from playhead.experience.play._tools import tools_digest
from playhead.tape import Json, Step, Tape
from playhead.tape.kinds import Pause, Play, Stop, ToolCall, ToolResult

Outcome: TypeAlias = Literal["done", "nothing", "handed_over", "waiting", "dry", "unfinished"]


@dataclass(frozen=True, slots=True)
class HandOver:
    """A level gave up.

    Args:
        level: Which one.
        why: What the tape says.
        seq: The step that says so.
        writes: Writes that were done by then.
    """

    level: str
    why: str
    seq: int
    writes: int


@dataclass(frozen=True, slots=True)
class Played:
    """A play, from its tape alone.

    Args:
        tape: The tape.
        experience: The experience's name.
        version: Its version.
        digest: Of its document.
        level: Who played last.
        outcome: `done`; `nothing` was to be done; `handed_over` to nobody; `waiting` for a
            person's word or decision; `dry` run; `unfinished`.
        handed_over: Levels that gave up, in their order.
        tools: The digest of the tools that it needs, as they were.
        writes: Calls that changed something.
        model_calls: Over all levels.
        tokens: Input and output together.
        usd: Where rates are known.
        seconds: From the first to the last step.
    """

    tape: Tape
    experience: str
    version: int
    digest: str
    level: str
    outcome: Outcome
    handed_over: tuple[HandOver, ...]
    tools: str
    writes: int
    model_calls: int
    tokens: int
    usd: float
    seconds: float

    @property
    def answer(self) -> str | None:
        """What was said at the end."""
        return self.tape.answer

    @property
    def why(self) -> str | None:
        """Why the last level gave up, if one did."""
        return self.handed_over[-1].why if self.handed_over else None

    @property
    def would(self) -> Json:
        """Of a dry run: what would be written, or why nobody can tell."""
        for seq in range(len(self.tape) - 1, -1, -1):
            body = self.tape[seq].body if self.tape[seq].kind == Stop.kind else None
            if isinstance(body, Stop) and body.reason == DRY:
                return body.result
        return None

    @property
    def key(self) -> LevelKey:
        """What the outcome of the last level counts for."""
        return LevelKey(self.digest, self.level, self.tools)

    def as_json(self) -> dict[str, Json]:
        """Its members by name; of the tape, its id."""
        members = {name: getattr(self, name) for name in _PLAIN}
        over: list[Json] = [asdict(each) for each in self.handed_over]
        return {"tape": self.tape.id, **members, "answer": self.answer, "handed_over": over}


_PLAIN = (
    "experience",
    "version",
    "digest",
    "level",
    "outcome",
    "tools",
    "writes",
    "model_calls",
    "tokens",
    "usd",
    "seconds",
)


def read_played(tape: Tape) -> Played:
    """What came of the play on a tape.

    Raises:
        ExperienceError: Nothing was played on it.
    """
    note: Play | None = None
    over: list[HandOver] = []
    asked: set[str] = set()
    writes = 0
    for step in tape:
        match step.body if step.known and not step.erased else None:
            case Play() as body:
                note = body
            case ToolCall() as body if body.effect != "read":
                asked.add(step.id)
            case ToolResult() if step.re and step.re[0] in asked:
                writes += 1
            case Pause(reason="handed_over") as body if note is not None:
                over.append(HandOver(note.level, body.message, step.seq, writes))
    if note is None:
        raise ExperienceError(f"nothing was played on tape `{tape.id}`")
    totals = tape.fold().totals
    return Played(
        tape=tape,
        experience=note.experience,
        version=note.version,
        digest=note.digest,
        level=note.level,
        outcome=_outcome(tape),
        handed_over=tuple(over),
        tools=tools_digest(note.tools),
        writes=writes,
        model_calls=totals.model_calls,
        tokens=totals.input_tokens + totals.output_tokens,
        usd=totals.usd,
        seconds=_seconds(tape[0], tape[-1]),
    )


def _outcome(tape: Tape) -> Outcome:
    fold = tape.fold()
    if fold.stopped is not None:
        body = tape[fold.stopped].body
        reason = body.reason if isinstance(body, Stop) else ""
        return "dry" if reason == DRY else "nothing" if reason == NOTHING else "done"
    if tape.status == "waiting":
        return "waiting"
    if tape.status == "answered":
        return "waiting" if tape[-1].by.type == "player" else "done"
    if fold.paused is not None:
        body = tape[fold.paused].body
        return (
            "handed_over"
            if isinstance(body, Pause) and body.reason == "handed_over"
            else "unfinished"
        )
    return "unfinished"


def _seconds(first: Step, last: Step) -> float:
    return max(0.0, (_moment(last) - _moment(first)).total_seconds())


def _moment(step: Step) -> datetime:
    return datetime.fromisoformat(step.time)
