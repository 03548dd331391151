"""Sessions that went wrong, as guards: what would go wrong in the same way is not tried."""

from __future__ import annotations

from collections.abc import Iterable

from playhead.errors import LibraryError
from playhead.experience.library._guards import Guard
from playhead.experience.library._library import Library
from playhead.experience.library._verify import over_tape
from playhead.tape import Tape
from playhead.tape.kinds import UserMessage

_WHY = "it would do just what a session did that went wrong"


def guard_failures(
    library: Library, reference: str, failed: Iterable[Tape], *, now: str | None = None
) -> list[Guard]:
    """Guard an experience against tasks on which it would do as a session that went wrong.

    A failed session alone speaks against nobody but who made it. It does against an experience
    that, played over it, makes just its writes: such a task is refused from then on, and so is
    what is as much like it as like the examples.

    Args:
        library: Has the experience, and keeps the guards.
        reference: The experience, see `Library.get`.
        failed: Sessions that went wrong.
        now: The clock of the sessions, if their world has its own.

    Returns:
        The guards that are new.
    """
    kept = library.get(reference)
    document = library.document(kept.digest)
    known = {guard.tape for guard in library.guards.of(kept.digest)}
    made = []
    for tape in failed:
        if tape.id in known:
            continue
        try:
            ended, _ = over_tape(document, tape, now=now)
        except LibraryError:  # nobody asked for anything on it
            continue
        if ended == "right":
            text = next(step.body.text for step in tape if isinstance(step.body, UserMessage))
            made.append(library.guards.add(text, _WHY, experience=kept.digest, tape=tape.id))
    return made
