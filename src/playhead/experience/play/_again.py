"""Replaying a play: every level's code again on what was recorded, without model or effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from playhead.agent import Agent
from playhead.errors import ExperienceError
from playhead.experience.document import Experience
from playhead.experience.play._begin import knowing_guard
from playhead.experience.play._levels import (
    ROUTINE,
    Level,
    Setting,
    checked_levels,
    level_agent,
)
from playhead.experience.play._past import newest_play, read_past
from playhead.experience.play._play import values_of
from playhead.experience.play._recorded import recorded_experience
from playhead.llm import Model
from playhead.orchestrator import ReplayReport, default_store, replay, sync_twin
from playhead.store import Store
from playhead.tape import Tape

if TYPE_CHECKING:
    from playhead.govern import Guard


async def replay_play(
    tape: Tape | str,
    *,
    experience: Experience | None = None,
    levels: Sequence[Level] = (ROUTINE,),
    mode: Literal["strict", "steps", "observe"] = "strict",
    every: bool = False,
    store: Store | None = None,
    judge: Model | str | None = None,
    limited: bool = True,
    privacy: Guard | None = None,
) -> ReplayReport:
    """Run the code of a play's levels against what its tape recorded, as `replay` does.

    Args:
        tape: The tape, or its id.
        experience: What was played, or a changed one; the one that the tape names if not given.
        levels: Those that played.
        mode: As for `replay`, and so is `every`.
        every: Go on after a difference.
        store: Where the tape lives.
        judge: The model that judged checks in words; it is not asked.
        limited: Evaluate checks in a process with limits of memory and time.
        privacy: The guard that the tape was played with: a player works on values.

    Raises:
        ExperienceError: Nothing was played on the tape.
    """
    store = store or default_store()
    opened = await store.open(tape) if isinstance(tape, str) else tape
    if newest_play(opened) is None:
        raise ExperienceError(f"nothing was played on tape `{opened.id}`")
    values = values_of(privacy)
    experience = experience or await recorded_experience(opened, store, values=values)
    ladder, setting = checked_levels(levels), Setting(limited, judge, values)
    inputs = read_past(opened, experience, values).inputs
    guard = knowing_guard(experience, inputs, ladder, privacy)
    agents = [level_agent(level, experience, setting) for level in ladder]
    everybody = Agent("all levels of a play", nodes=agents[0].nodes, subagents=agents)
    return await replay(opened, agent=everybody, mode=mode, every=every, store=store, privacy=guard)


replay_play_sync = sync_twin(replay_play)
