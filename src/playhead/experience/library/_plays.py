"""What became of plays, and what they cost. A play counts here, never as a trace to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from playhead.errors import LibraryError
from playhead.experience.library._file import LibraryFile
from playhead.experience.play import ROUTINE, VERIFIED, LevelKey, Played, Record
from playhead.tape import utc_now
from playhead.tape.kinds import UserMessage

Outcome: TypeAlias = Literal["solved", "handed_over", "refused", "failed"]
"""Solved alone; handed to a model or a person after it began; refused before any effect; gone
wrong: a wrong write, or a check that failed after one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a session cost, or a mean of several.

    Args:
        model_calls: Calls of models.
        tokens: In and out together.
        usd: Money for models; None if a price is not known.
        seconds: From the first step to the last.
        wrong_writes: Writes that were not what the task wanted; None if nobody judged.
    """

    model_calls: float = 0
    tokens: float = 0
    usd: float | None = 0.0
    seconds: float = 0.0
    wrong_writes: float | None = 0


@dataclass(frozen=True, slots=True)
class Play:
    """A play that ended.

    Args:
        experience: Digest of the experience.
        tape: Id of the tape; one play counts once, however often it is told.
        outcome: What became of it.
        task: The task's text.
        reason: Why it stopped, if it did.
        tools: Digest of what the tools were, as `Played.tools`.
        cost: Of the whole session, with what came after a hand-over.
        trials: The levels that tried, and whether they did what was asked.
    """

    experience: str
    tape: str
    outcome: Outcome
    task: str = ""
    reason: str = ""
    tools: str = ""
    cost: Cost = Cost()
    trials: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How plays ended."""

    solved: int = 0
    handed_over: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def good(self) -> int:
        """Those that count as successes."""
        return self.solved

    @property
    def tried(self) -> int:
        """Those that began: a refusal before the first effect is no failure."""
        return self.solved + self.handed_over + self.failed

    @property
    def all(self) -> int:
        """All of them."""
        return self.tried + self.refused


class Plays:
    """The plays of a library."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def record(self, play: Play) -> None:
        """Count a play; told again, it replaces what was told before.

        Raises:
            LibraryError: The outcome is none, or a number makes no sense.
        """
        cost = play.cost
        if play.outcome not in get_args(Outcome):
            choice = ", ".join(get_args(Outcome))
            raise LibraryError(f"a play ends as one of {choice}, not `{play.outcome}`")
        amounts = (
            cost.model_calls,
            cost.tokens,
            cost.usd or 0.0,
            cost.seconds,
            cost.wrong_writes or 0.0,
        )
        if any(not 0 <= amount < 1e15 for amount in amounts):
            raise LibraryError(f"a play cannot have cost {cost}")
        with self._file.transaction():
            self._write(play, cost)

    def _write(self, play: Play, cost: Cost) -> None:
        self._file.write(
            "DELETE FROM trial WHERE tape = ? AND experience = ?", (play.tape, play.experience)
        )
        for level, solved in play.trials:
            self._file.write(
                "INSERT INTO trial VALUES (?, ?, ?, ?, ?)",
                (play.tape, play.experience, level, play.tools, int(solved)),
            )
        self._file.write(
            "INSERT OR REPLACE INTO play VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (play.tape, play.experience, play.tools, utc_now(), play.task[:20_000], play.outcome,
             play.reason[:2000], int(cost.model_calls), int(cost.tokens), cost.usd, cost.seconds,
             cost.wrong_writes),
        )  # fmt: skip

    def counts(self, experience: str, *, tools: str | None = None) -> Counts:
        """How the plays of an experience ended.

        Args:
            experience: Its digest.
            tools: Only those with these tools, see `Play.tools`.
        """
        where, values = "experience = ?", [experience]
        if tools is not None:
            where, values = f"{where} AND tools = ?", [*values, tools]
        rows = self._file.all(
            f"SELECT outcome, COUNT(*) FROM play WHERE {where} GROUP BY outcome",  # noqa: S608
            values,
        )
        return Counts(**dict(rows))

    def judge(self, tape: str, wrong_writes: int, *, reason: str = "") -> int:
        """Say how many writes of a play were wrong: with any, it failed, and is a guard.

        Args:
            tape: The tape of the play.
            wrong_writes: How many.
            reason: What was wrong.

        Returns:
            How many plays are counted on that tape.
        """
        with self._file.transaction():
            self._file.write(
                "UPDATE play SET wrong_writes = ?, outcome = IIF(? > 0, 'failed', outcome), "
                "reason = IIF(? = '', reason, ?) WHERE tape = ?",
                (wrong_writes, wrong_writes, reason, reason[:2000], tape),
            )
            if wrong_writes > 0:
                self._file.write("UPDATE trial SET solved = 0 WHERE tape = ?", (tape,))
            return len(self._file.all("SELECT 1 FROM play WHERE tape = ?", (tape,)))

    def statistics(self) -> dict[LevelKey, Record]:
        """How often each level did what was asked, as `play(statistics=…)` takes it.

        What was verified here counts for the routine; what a document says of itself does not.
        """
        rows = self._file.all(
            "SELECT experience, level, tools, SUM(solved), COUNT(*) FROM trial "
            "GROUP BY experience, level, tools"
        )
        found = {LevelKey(*key): Record(right, tried) for *key, right, tried in rows}
        verified = self._file.all(
            "SELECT digest, verified_right, verified_right + verified_wrong + verified_refused "
            "FROM experience WHERE verified_right + verified_wrong + verified_refused > 0"
        )
        for digest, right, tried in verified:
            found[LevelKey(digest, ROUTINE, VERIFIED)] = Record(right, tried)
        return found

    def tasks(self, experience: str, outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
        """Texts and reasons of the newest plays with these outcomes."""
        marks = ", ".join("?" * len(outcomes))
        rows = self._file.all(
            f"SELECT task, reason FROM play WHERE experience = ? AND outcome IN ({marks}) "  # noqa: S608
            "AND task <> '' ORDER BY time DESC, tape LIMIT 20",
            (experience, *outcomes),
        )
        return [(task, reason) for task, reason in rows]


def play_of(played: Played, *, wrong_writes: int | None = None) -> Play | None:
    """What a play counts as; None of a dry run, and while it is not at its end.

    Args:
        played: What came of it.
        wrong_writes: How many of its writes were wrong, if somebody judged it.
    """
    if played.outcome in ("dry", "waiting", "unfinished"):
        return None
    tape = played.tape
    ended = played.outcome in ("done", "nothing")
    task = next((step.body.text for step in tape if isinstance(step.body, UserMessage)), "")
    trials = {each.level: False for each in played.handed_over}
    if ended:
        trials[played.level] = not wrong_writes
    return Play(
        experience=played.digest,
        tape=tape.id,
        outcome=_outcome(played, ended=ended, wrong_writes=wrong_writes),
        task=task,
        reason=played.why or "",
        tools=played.tools,
        cost=Cost(
            model_calls=played.model_calls,
            tokens=played.tokens,
            usd=played.usd if played.usd or not played.model_calls else None,
            seconds=played.seconds,
            wrong_writes=wrong_writes,
        ),
        trials=tuple(trials.items()),
    )


def _outcome(played: Played, *, ended: bool, wrong_writes: int | None) -> Outcome:
    if wrong_writes:
        return "failed"
    if ended:
        return "handed_over" if played.handed_over else "solved"
    return "refused" if played.writes == 0 else "handed_over"
