"""What playing saved, always against not playing: what the sessions that taught it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from playhead.errors import LibraryError
from playhead.experience.library._file import LibraryFile
from playhead.experience.library._plays import Cost, Counts
from playhead.tape import Tape


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a task of this kind costs without the experience.

    Args:
        sessions: Of how many sessions this is the mean.
        cost: The mean; its wrong writes are None where nobody judged the sessions.
        source: Where the figures come from, in words.
    """

    sessions: int
    cost: Cost
    source: str


@dataclass(frozen=True, slots=True)
class Savings:
    """One line of the ledger.

    Args:
        experience: Digest of the experience; None for the sum of all.
        counts: How the plays ended.
        spent: What all plays cost, with what came after a hand-over.
        compared: What those of them cost for which a baseline is known.
        instead: What these would have cost without the experience, as far as they did the task.
        baseline: Where that comes from; None for a sum, or if nobody knows.
        unknown: Plays for which no baseline is known.
    """

    experience: str | None
    counts: Counts
    spent: Cost
    compared: Cost
    instead: Cost
    baseline: Baseline | None = None
    unknown: int = 0

    @property
    def saved(self) -> Cost | None:
        """What was saved, negative where playing cost more; None if there is nothing to compare."""
        if self.counts.all == self.unknown:
            return None
        return Cost(
            model_calls=self.instead.model_calls - self.compared.model_calls,
            tokens=self.instead.tokens - self.compared.tokens,
            usd=_less(self.instead.usd, self.compared.usd),
            seconds=self.instead.seconds - self.compared.seconds,
            wrong_writes=_less(self.instead.wrong_writes, self.compared.wrong_writes),
        )


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _sum(costs: Iterable[Cost]) -> Cost:
    """All together; what is not known of one is not known of the sum."""
    total = Cost()
    for cost in costs:
        total = Cost(
            total.model_calls + cost.model_calls,
            total.tokens + cost.tokens,
            _plus(total.usd, cost.usd),
            total.seconds + cost.seconds,
            _plus(total.wrong_writes, cost.wrong_writes),
        )
    return total


def _times(cost: Cost, factor: float) -> Cost:
    return Cost(
        cost.model_calls * factor,
        cost.tokens * factor,
        None if cost.usd is None else cost.usd * factor,
        cost.seconds * factor,
        None if cost.wrong_writes is None else cost.wrong_writes * factor,
    )


class Ledger:
    """The savings ledger of a library."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def set_baseline(self, experience: str, baseline: Baseline) -> None:
        """Say what a session without the experience costs on average.

        Raises:
            LibraryError: It is the mean of nothing.
        """
        if baseline.sessions < 1:
            raise LibraryError("a baseline is the mean of at least one session")
        cost = baseline.cost
        self._file.write(
            "INSERT OR REPLACE INTO baseline VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (experience, baseline.sessions, cost.model_calls, cost.tokens, cost.usd, cost.seconds,
             cost.wrong_writes, baseline.source),
        )  # fmt: skip

    def baseline(self, experience: str) -> Baseline | None:
        """What a session without the experience costs; None if nobody knows."""
        row = self._file.one(
            "SELECT sessions, model_calls, tokens, usd, seconds, wrong_writes, source "
            "FROM baseline WHERE experience = ?",
            (experience,),
        )
        if row is None:
            return None
        sessions, calls, tokens, usd, seconds, wrong, source = row
        return Baseline(sessions, Cost(calls, tokens, usd, seconds, wrong), source)

    def of(self, experience: str, *, since: str = "", until: str = "~") -> Savings:
        """The line of one experience.

        Args:
            experience: Its digest.
            since: Plays before this time do not count.
            until: Nor do those from this time on.
        """
        rows = self._file.all(
            "SELECT outcome, model_calls, tokens, usd, seconds, wrong_writes FROM play "
            "WHERE experience = ? AND time >= ? AND time < ?",
            (experience, since, until),
        )
        costs = [Cost(*amounts) for _, *amounts in rows]
        ends = Counter(outcome for outcome, *_ in rows)
        spent, baseline = _sum(costs), self.baseline(experience)
        if baseline is None:
            return Savings(experience, Counts(**ends), spent, Cost(), Cost(), unknown=len(rows))
        done = ends["solved"] + ends["handed_over"]  # what was refused has still to be done
        instead = _times(baseline.cost, done)
        return Savings(experience, Counts(**ends), spent, spent, instead, baseline)


def total_of(lines: Iterable[Savings]) -> Savings:
    """The sum of lines of a ledger. Plays without a baseline count as spent, never as saved."""
    several = list(lines)
    counts = Counts(
        solved=sum(line.counts.solved for line in several),
        handed_over=sum(line.counts.handed_over for line in several),
        refused=sum(line.counts.refused for line in several),
        failed=sum(line.counts.failed for line in several),
    )
    return Savings(
        None,
        counts,
        _sum(line.spent for line in several),
        _sum(line.compared for line in several),
        _sum(line.instead for line in several),
        unknown=sum(line.unknown for line in several),
    )


def cost_of(tape: Tape, *, wrong_writes: int | None = None) -> Cost:
    """What the session of a tape cost.

    Args:
        tape: The tape.
        wrong_writes: How many it had, if somebody judged it.
    """
    totals = tape.fold().totals
    first, last = tape[0].time, tape[len(tape) - 1].time
    return Cost(
        model_calls=totals.model_calls,
        tokens=totals.input_tokens + totals.output_tokens,
        usd=totals.usd if totals.usd or not totals.model_calls else None,
        seconds=_between(first, last),
        wrong_writes=wrong_writes,
    )


def baseline_of(tapes: Iterable[Tape], *, source: str | None = None) -> Baseline:
    """The mean cost of the sessions that an experience was learnt from.

    Args:
        tapes: The sessions.
        source: Where they come from, in words.

    Raises:
        LibraryError: There are none.
    """
    several = [cost_of(tape) for tape in tapes]
    if not several:
        raise LibraryError("a baseline needs the sessions that the experience was learnt from")
    mean = _times(_sum(several), 1 / len(several))
    sessions = f"mean of the {len(several)} sessions" if len(several) > 1 else "the session"
    said = source or f"{sessions} that it was learnt from"
    return Baseline(len(several), mean, said)


def _between(begin: str, end: str) -> float:
    try:
        passed = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
    except ValueError:
        return 0.0
    return max(0.0, passed.total_seconds())
