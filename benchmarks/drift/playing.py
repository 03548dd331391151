"""Plays in a world that has changed, and what became of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import playhead as ph
from benchmarks.drift.sessions import NOW, Session
from benchmarks.drift.world import CHANGES, THROWN, Change, Recorded, unchanged
from playhead.experience.document import Experience
from playhead.experience.play import Played, play
from playhead.tape import Json

OUTCOMES = ("adapted", "stopped", "stopped_late", "wrong")


@dataclass(frozen=True)
class Subject:
    """An experience of a session, and what it is played with."""

    session: Session
    experience: Experience
    task: str | None
    parameters: dict[str, Json] = field(default_factory=dict)


async def outcome(
    subject: Subject, change: Change, *, checks: bool, tool: str | None = None
) -> str:
    """What becomes of a play in the changed world."""
    world = Recorded(subject.session, change, tool)
    experience = subject.experience
    if not checks:
        experience = experience.model_copy(update={"checks": ()})
    done: Played = await play(
        experience,
        parameters=subject.parameters,
        task=subject.task,
        environment=world,
        store=ph.MemoryStore(),
        limited=False,
        now=NOW,
    )
    right = Counter(call.key for call in subject.session.writes)
    written = Counter(world.written)
    if not written <= right:
        return "wrong"
    if done.outcome == "done":
        return "adapted" if written == right else "stopped_late"
    return "stopped_late" if written else "stopped"


async def table(subjects: Sequence[Subject], seeds: int) -> list[dict[str, Any]]:
    """A row for each kind of change."""
    rows: list[dict[str, Any]] = []
    for kind in CHANGES:
        counts = {True: Counter[str](), False: Counter[str]()}
        for seed in range(seeds if kind in THROWN else 1):
            for each in subjects:
                for checks in (True, False):
                    chance = random.Random(f"{seed} {kind.__name__} {each.session.name}")
                    change = kind(each.session, chance)
                    counts[checks][await outcome(each, change, checks=checks)] += 1
        rows.append(row(kind.__name__, counts))
    counts = {True: Counter[str](), False: Counter[str]()}
    for each in subjects:
        for checks in (True, False):
            tool = random.Random(each.session.name).choice(list(each.experience.tools))
            change = unchanged(each.session, random.Random())
            counts[checks][await outcome(each, change, checks=checks, tool=tool)] += 1
    return [*rows, row("tool_schema", counts)]


def row(name: str, counts: Mapping[bool, Counter[str]]) -> dict[str, Any]:
    """The counts of a change."""
    return {
        "change": name,
        "plays": counts[True].total(),
        **{each: counts[True][each] for each in OUTCOMES},
        **{f"{each}_without_checks": counts[False][each] for each in OUTCOMES},
    }
