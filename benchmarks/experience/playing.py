"""Playing an experience on a task, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.experience.world import World, made
from playhead.experience.document import Experience
from playhead.experience.routine import Calls, Inputs, PastCall, Refuse, decide
from playhead.office import OfficeTask

OUTCOMES = ("solved_write", "solved_noop", "wrong_writes", "missed", "refused")
_MOST_CALLS = 200


@dataclass
class Played:
    """What came of a task."""

    outcome: str
    writes: list[PastCall] = field(default_factory=list)
    reason: str = ""
    seconds: float = 0.0


def play(world: World, task: OfficeTask, experience: Experience | None) -> Played:
    """Play a task, and judge it; reads come from the clean office until something is written."""
    if experience is None:
        return Played("refused", reason="no experience")
    now = f"{world.data.now:%Y-%m-%d %H:%M:%S}"
    inputs = Inputs(task.query, now)
    past: list[PastCall] = []
    writes: list[PastCall] = []
    office = None
    spent = 0.0
    while len(past) < _MOST_CALLS:
        began = time.perf_counter()
        decision = decide(experience, inputs, past)
        spent += time.perf_counter() - began
        if not isinstance(decision, Calls):
            break
        for call in decision.calls:
            if call.effect != "read" and office is None:
                office = world.data.fresh()
            if office is None:
                try:
                    result = world.read(call.tool, call.arguments)
                except LookupError:
                    past.append(PastCall(call.tool, call.arguments, None, "it raised"))
                    continue
            else:
                result = made(office, call.tool, call.arguments)
            error = str(result) if isinstance(result, Exception) else None
            past.append(PastCall(call.tool, call.arguments, None if error else result, error))
            if call.effect != "read":
                writes.append(past[-1])
    if isinstance(decision, Refuse) and not writes:
        return Played("refused", reason=f"{decision.code}: {decision.reason}", seconds=spent)
    return Played(outcome(world, task, writes), writes, seconds=spent)


def outcome(world: World, task: OfficeTask, writes: Sequence[PastCall]) -> str:
    """What the writes of a finished play amount to."""
    right, clean = world.judged(task.task_id, writes, task.expected_calls)
    if right:
        return "solved_write" if writes else "solved_noop"
    return "missed" if clean else "wrong_writes"
