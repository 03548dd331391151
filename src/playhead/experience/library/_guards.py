"""Negative experiences: tasks on which something went wrong, kept so that it does not again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playhead.errors import LibraryError
from playhead.experience.library._file import LibraryFile
from playhead.experience.library._rank import Candidate, rank
from playhead.experience.library._similar import Lexical
from playhead.tape import utc_now


@dataclass(frozen=True, slots=True)
class Guard:
    """A task that is not to be played again.

    Args:
        number: In the library.
        experience: Digest of the experience that went wrong; None if no experience should try.
        text: The task.
        reason: What went wrong, for people.
        tape: The tape on which it did.
        time: When it was noted.
    """

    number: int
    experience: str | None
    text: str
    reason: str
    tape: str | None
    time: str


class Guards:
    """The guards of a library."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def add(
        self, text: str, reason: str, *, experience: str | None = None, tape: str | None = None
    ) -> Guard:
        """Remember a task on which something went wrong.

        Args:
            text: The task.
            reason: What went wrong.
            experience: Digest of the one experience that it concerns; all if not given.
            tape: The tape that shows it.

        Raises:
            LibraryError: There is no text.
        """
        if not text.strip():
            raise LibraryError("a guard needs the text of the task that went wrong")
        with self._file.transaction():
            self._file.write(
                "INSERT INTO guard (experience, text, reason, tape, time) VALUES (?, ?, ?, ?, ?)",
                (experience, text[:20_000], reason[:2000], tape, utc_now()),
            )
            return self.all()[-1]

    def all(self) -> list[Guard]:
        """All guards, the oldest first."""
        rows = self._file.all(
            "SELECT number, experience, text, reason, tape, time FROM guard ORDER BY number"
        )
        return [Guard(*row) for row in rows]

    def of(self, experience: str) -> list[Guard]:
        """Those that concern one experience only."""
        return [each for each in self.all() if each.experience == experience]

    def remove(self, number: int) -> bool:
        """Forget one; whether it was there."""
        return self._file.write("DELETE FROM guard WHERE number = ?", (number,)) > 0

    def forbidding(self, task: str, allowed: Iterable[Candidate]) -> Guard | None:
        """The guard for all experiences that fits a task better than what could be played.

        Args:
            task: The task's text.
            allowed: The experiences that could be played.
        """
        known = {f"guard {each.number}": each for each in self.all() if each.experience is None}
        if not known:
            return None
        guards = [Candidate(key, (each.text,)) for key, each in known.items()]
        best = max(rank(task, [*guards, *allowed]).ranked, key=lambda one: one.fit)
        return known.get(best.candidate.key) if best.fit >= Lexical().fits else None
