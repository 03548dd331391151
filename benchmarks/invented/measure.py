"""Learning from some tasks of a family, and playing the others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.experience.playing import OUTCOMES, play
from benchmarks.experience.world import World, made
from benchmarks.invented.drawing import Drawing, Tables
from benchmarks.invented.registry import Family
from playhead.experience.learn import Induced, LearnSettings, Trace, clean, induce
from playhead.experience.routine import PastCall
from playhead.office import OfficeTask

TASKS = 14  # of a family
_TRIES = 3000  # some of what is drawn makes no task


@dataclass(frozen=True)
class Rules:
    """What is measured.

    Args:
        traces: Sessions of a family that are learnt from.
        draws: Random choices of them.
    """

    traces: int = 3
    draws: int = 4


@dataclass(frozen=True)
class Invented:
    """A task, and what is looked up to solve it."""

    task: OfficeTask
    reads: tuple[PastCall, ...]


@dataclass
class Tally:
    """What came of the plays of a family, or of several."""

    tasks: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take in the plays of another family."""
        self.tasks += other.tasks
        self.outcomes += other.outcomes
        self.reasons += other.reasons

    def row(self) -> dict[str, Any]:
        """The counts as they are printed."""
        plays = max(self.outcomes.total(), 1)
        counts = {name: self.outcomes[name] for name in OUTCOMES}
        solved = counts["solved_write"] + counts["solved_noop"]
        errors = counts["wrong_writes"] + counts["missed"]
        return {
            "tasks": self.tasks,
            "plays": self.outcomes.total(),
            **counts,
            "solved_percent": round(100 * solved / plays, 1),
            "errors_percent": round(100 * errors / plays, 2),
            "reason": max(self.reasons, key=lambda reason: self.reasons[reason], default=""),
        }


def measure(
    world: World,
    families: Sequence[Family],
    rules: Rules,
    *,
    tell: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """All figures; `tell` is called after each family."""
    tables = Tables.of(world.data)
    rows, total = [], Tally()
    for family in families:
        tally = play_family(world, draw_tasks(world, tables, family), family.name, rules)
        rows.append({"family": family.name, "later": family.later, **tally.row()})
        total.add(tally)
        tell()
    return {"families": rows, "total": {"families": len(rows), **total.row()}}


def draw_tasks(world: World, tables: Tables, family: Family) -> list[Invented]:
    """The tasks of a family, no text twice; the same ones each time."""
    chance = random.Random(family.name)
    found: dict[str, Invented] = {}
    for _ in range(_TRIES):
        drawn = Drawing(world, tables, chance)
        asked = family.draw(drawn)
        if asked is None or asked[0] in found:
            continue
        text, writes = asked
        name = f"{family.name}-{len(found)}"
        task = OfficeTask(name, "", text, tuple(writes), (), family.name)
        found[text] = Invented(task, tuple(drawn.calls))
        if len(found) == TASKS:
            break
    return list(found.values())


def play_family(world: World, tasks: Sequence[Invented], name: str, rules: Rules) -> Tally:
    """Learn from some tasks of a family and play the others, once for each draw."""
    tally = Tally(tasks=len(tasks))
    for seed in range(rules.draws):
        learnt_from = choose(tasks, rules.traces, random.Random(f"{name} {seed}"))
        learnt = learn(world, learnt_from)
        for each in tasks:
            if each in learnt_from:
                continue
            played = play(world, each.task, learnt.experience)
            tally.outcomes[played.outcome] += 1
            if played.outcome == "refused":
                tally.reasons[played.reason if learnt.experience else why_none(learnt)] += 1
    return tally


def choose(tasks: Iterable[Invented], count: int, chance: random.Random) -> list[Invented]:
    """The tasks that are learnt from: two that write, if there are, and any others."""
    shuffled = list(tasks)
    chance.shuffle(shuffled)
    least = [each for each in shuffled if each.task.expected_calls][: min(2, count)]
    rest = [each for each in shuffled if each not in least]
    return [*least, *rest[: count - len(least)]]


def learn(world: World, tasks: Iterable[Invented]) -> Induced:
    """What the sessions of some tasks teach; learning never sees which family it is."""
    examples = [clean(trace_of(world, each), world.tools) for each in tasks]
    if not examples:
        return Induced()
    return induce(examples, world.tools, name="learnt", settings=LearnSettings(), probe=world.read)


def trace_of(world: World, invented: Invented) -> Trace:
    """The session of an agent that looks up what it needs and writes what is right."""
    office = world.data.fresh()
    writes = [
        PastCall(call.tool, dict(call.args), made(office, call.tool, call.args))
        for call in invented.task.expected_calls
    ]
    now = f"{world.data.now:%Y-%m-%d %H:%M:%S}"
    return Trace(invented.task.task_id, invented.task.query, now, (*invented.reads, *writes))


def why_none(learnt: Induced) -> str:
    """Why sessions taught nothing, without the name of a session."""
    reasons = {reason.split(": ", 1)[-1] for reason in learnt.reasons}
    return f"no experience: {' | '.join(sorted(reasons))}"
