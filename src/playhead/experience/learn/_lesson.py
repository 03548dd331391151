"""What is learnt from: the traces of tapes, and the tools and reads of their world."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from playhead.environment import Environment
from playhead.errors import ExperienceError
from playhead.experience.learn._probing import Probing
from playhead.experience.learn._tapes import (
    tools_of_tapes,
    trace_of_tape,
    was_played,
    was_proposed,
)
from playhead.experience.learn._trace import Probe, ToolSpec, Trace
from playhead.tape import Tape


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt from.

    Args:
        traces: Sessions that did what was asked.
        failed: Sessions that did not.
        tools: The tools of their world.
        probe: Makes a read in a fresh environment.
        skipped: Tapes that cannot be learnt from, each with the reason.
    """

    traces: tuple[Trace, ...]
    failed: tuple[Trace, ...]
    tools: dict[str, ToolSpec]
    probe: Probe | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def lesson(
    tapes: Iterable[Tape],
    *,
    failed: Iterable[Tape] = (),
    environment: Callable[[], Environment] | None = None,
    now: str | None = None,
) -> Iterator[Lesson]:
    """Gather what is learnt from; the environment is open within.

    Raises:
        ExperienceError: There is nothing to learn from, a tape lacks what is needed, or one is
            said to be right and wrong.
    """
    given, wrong = list(tapes), list(failed)
    both = {tape.id for tape in given} & {tape.id for tape in wrong}
    if both:
        raise ExperienceError(
            f"tape `{min(both)}` is given as right and as `failed`: leave one of them out"
        )
    skipped = {tape.id: why for tape in given if (why := _no_session(tape)) is not None}
    used = [tape for tape in given if tape.id not in skipped]
    if not used:
        raise ExperienceError("no tape to learn from: give sessions that did what was asked")
    traces = tuple(trace_of_tape(tape, now=now) for tape in used)
    bad = tuple(trace_of_tape(tape, now=now) for tape in wrong)
    with contextlib.ExitStack() as stack:
        probing = stack.enter_context(Probing(environment)) if environment else None
        tools = probing.tools if probing else tools_of_tapes([*used, *wrong])
        yield Lesson(traces, bad, tools, probing.read if probing else None, skipped)


def _no_session(tape: Tape) -> str | None:
    """Why a tape is no independent session, if it is none."""
    if was_played(tape):
        return "it is the play of an experience"
    return "a model proposed changes of an experience on it" if was_proposed(tape) else None
