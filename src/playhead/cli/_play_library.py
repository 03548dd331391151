"""What `play` and `check` take from the library, and what they tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playhead.cli._guard import UsageFault
from playhead.cli._library_looking import opened
from playhead.cli._output import Output
from playhead.cli._text import one_line
from playhead.errors import LibraryError
from playhead.experience.document import Experience, experience_digest, read_experience
from playhead.experience.library import (
    Guard,
    baseline_of,
    budget_of,
    grants,
    guard_failures,
    library_path,
)
from playhead.experience.play import Played
from playhead.tape import Tape

_FILES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Source:
    """Where experiences are: the library's file, if another than the one beside the store."""

    library: Path | None
    store: Path

    @property
    def exists(self) -> bool:
        """Whether there is a library at all; looking makes none."""
        return (self.library or library_path(self.store)).exists()


def named(source: Source, name: str, *, trusted: bool = False) -> Experience:
    """The experience of a file, or of this name in the library.

    Args:
        source: Where the library is.
        name: FILE.yaml, FILE.json, NAME, NAME@VERSION, or the begin of a digest.
        trusted: Refuse one of the library that is not trusted.

    Raises:
        UsageFault: There is none, or it is not trusted.
        ExperienceFileError: The file holds none.
    """
    if Path(name).is_file():
        return read_experience(Path(name))
    if Path(name).suffix in _FILES or "/" in name or not source.exists:
        raise UsageFault(
            f"`{name}` is no file, and no experience of the library: name the YAML or JSON file of "
            "one, or look with `playhead library ls`"
        )
    with opened(source.library, source.store) as library:
        try:
            kept = library.get(name)
        except LibraryError as error:
            raise UsageFault(error.message) from None
        if trusted and kept.state != "trusted":
            raise UsageFault(f"`{kept.label}` is {kept.state}: {kept.reason}; see `library trust`")
        return library.document(kept.digest)


def chosen(source: Source, task: str | None, output: Output) -> Experience:
    """The experience of the library that is for a task.

    Raises:
        UsageFault: There is no task.
        LibraryError: None fits; the message says why.
    """
    if task is None:
        raise UsageFault("name an experience, or say `--task`: then the library is asked")
    with opened(source.library, source.store) as library:
        choice = library.find(task)
    if choice.experience is None or choice.kept is None:
        raise LibraryError(f"nothing is played: {choice.reason}")
    output.message(f"plays {choice.kept.label}: {one_line(choice.reason, 200)}", "dim")
    return choice.experience


def known_of(source: Source, digest: str) -> dict[str, Any]:
    """What the library knows that a play goes by: statistics, and the package's manifest."""
    if not source.exists:
        return {}
    with opened(source.library, source.store) as library:
        if not any(each.digest == digest for each in library.all()):
            return {}
        found: dict[str, Any] = {"statistics": library.plays.statistics()}
        declared = library.capabilities(digest)
        if declared is not None:
            found |= {"limits": grants(declared), "budget": budget_of(declared)}
        return found


def keep(source: Source, learnt: Sequence[Experience], tapes: Sequence[Tape]) -> None:
    """Keep what was learnt, and what the sessions that taught it cost: the ledger's baseline."""
    sessions = {tape.id: tape for tape in tapes}
    if not learnt:
        return
    with opened(source.library, source.store) as library:
        for experience in learnt:
            kept = library.add(experience, origin="learnt")
            taught = [sessions.get(tape) for tape in taught_by(experience)]
            known = [tape for tape in taught if tape is not None]
            if known:
                library.ledger.set_baseline(kept.digest, baseline_of(known))


def taught_by(experience: Experience) -> list[str]:
    """The tapes that an experience was learnt from, without those that went wrong."""
    return [each.tape for each in experience.evidence.traces if each.outcome != "failed"]


def guard(
    source: Source, learnt: Sequence[Experience], failed: Sequence[Tape], *, now: str | None
) -> list[Guard]:
    """Keep experiences from tasks on which they would do as a session that went wrong."""
    if not learnt or not failed:
        return []
    with opened(source.library, source.store) as library:
        return [
            each
            for experience in learnt
            for each in guard_failures(library, experience_digest(experience), failed, now=now)
        ]


def count(source: Source, played: Played) -> None:
    """Count a play of an experience that the library has."""
    if source.exists:
        with opened(source.library, source.store) as library:
            library.count(played)
