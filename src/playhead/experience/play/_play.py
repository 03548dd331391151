"""`play`: carry out an experience on a new task, and hand over where it does not know on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from playhead.agent import Agent
from playhead.environment import Environment
from playhead.errors import ExperienceError
from playhead.experience.document import Experience, experience_digest
from playhead.experience.play._begin import Ask, clock, granted, inputs_of, knowing_guard
from playhead.experience.play._levels import (
    PERSON,
    ROUTINE,
    Level,
    Setting,
    Statistics,
    checked_levels,
    first_level,
    level_agent,
    level_name,
)
from playhead.experience.play._limits import Limits
from playhead.experience.play._once import DoneOnce
from playhead.experience.play._past import Values, newest_play, read_past
from playhead.experience.play._played import Played, read_played
from playhead.experience.play._recorded import recorded_experience
from playhead.experience.play._tools import tool_facts, tools_digest
from playhead.llm import Model
from playhead.orchestrator import (
    Approval,
    Budget,
    OnEvent,
    Verdict,
    default_store,
    resume,
    run,
    sync_twin,
)
from playhead.store import Store
from playhead.tape import Json, Tape
from playhead.tape.kinds import Pause, Play

if TYPE_CHECKING:
    from playhead.govern import Guard


@dataclass(frozen=True, slots=True)
class _Session:
    """What all levels of a play share."""

    experience: Experience
    levels: tuple[Level, ...]
    environments: tuple[Environment, ...]
    store: Store
    setting: Setting
    options: Mapping[str, Any]
    begun: Play

    async def note(self, level: Level) -> Play:
        """What a level begins with: the tools as they are now."""
        tools = [tool for part in self.environments for tool in part.tools()]
        tools += self.own_tools().tools()
        facts = tool_facts(self.experience, tools)
        return self.begun.model_copy(update={"level": level_name(level), "tools": facts})

    def own_tools(self) -> Environment:
        """The tools of the first agent among the levels, which the routine may use as well."""
        agents = (level for level in self.levels if isinstance(level, Agent))
        return next((agent.toolbox for agent in agents), Environment())

    def agent(self, level: Level) -> Agent:
        """The agent that plays at a level."""
        made = level_agent(level, self.experience, self.setting)
        if not isinstance(level, Agent):
            made.toolbox = self.own_tools()
        return made

    def around(self, level: Level) -> list[Environment]:
        """What is around it: whoever goes on after the routine repeats no effect."""
        if level == ROUTINE:
            return list(self.environments)
        return [DoneOnce(part, self.setting.values) for part in self.environments]

    async def go(self, index: int, tape: Tape | str | None, text: str | None) -> Played:
        """Play from a level on, upwards, until one brings it to an end."""
        decisions = self.options.get("decisions")
        shared = {name: value for name, value in self.options.items() if name != "decisions"}
        while True:
            level = self.levels[index]
            common = {
                **shared,
                "environment": self.around(level),
                "store": self.store,
                "notes": [await self.note(level)],
            }
            agent = self.agent(level)
            if tape is None or text is not None:
                done = await run(agent, text, tape=tape, **common)
            else:
                done = await resume(tape, agent=agent, decisions=decisions, **common)
            tape, text, decisions = done.id, None, None
            if not is_handed_over(done) or index + 1 == len(self.levels):
                return read_played(done)
            index += 1


async def play(
    experience: Experience,
    task: str | None = None,
    *,
    parameters: Mapping[str, Json] | None = None,
    environment: Environment | Sequence[Environment] | None = None,
    store: Store | None = None,
    levels: Sequence[Level] = (ROUTINE,),
    statistics: Statistics | None = None,
    at_least: float = 0.5,
    limits: Limits | None = None,
    now: str | datetime | None = None,
    dry: bool = False,
    judge: Model | str | None = None,
    limited: bool = True,
    ask: Ask | None = None,
    tape: Tape | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
    privacy: Guard | None = None,
    **given: Json,
) -> Played:
    """Carry out an experience on a new task.

    The routine is played without a model. Where it does not know on (a check that does not hold,
    a tool that has changed, a result or a task unlike those that it was learnt from), it stops
    before the effect, and the next level goes on with the same tape.

    Args:
        experience: What to play.
        task: The task in words; parameters are read out of it.
        parameters: Values of parameters by name, which count before the task's words.
        environment: What has the tools.
        store: Where the tape is kept; `default_store()` if not given.
        levels: Who plays, from the lowest to the highest: `routine`, agents (who are told the
            procedure), `person` (who is given it as a checklist).
        statistics: What earlier plays came to: then the lowest level begins that is likely enough
            to succeed. Without them, the lowest one begins.
        at_least: The rate of success that has to be certain enough for a level to begin.
        limits: What the play may use at most; what the experience says that it needs if not given.
        now: The clock of the task, in its own time zone; this machine's if not given.
        dry: Read, and show what would be written: see `Played.would`.
        judge: The model that judges checks in words; without one, they do not hold.
        limited: Evaluate checks in a process with limits of memory and time. Switch that off only
            for an experience whose checks you wrote or read yourself.
        ask: Asked for parameters that are missing: `ask(name, parameter)` gives the value.
        tape: One that is stored nowhere yet (`Tape.new()`), so that its id is known before.
        budget: Limits of each level's run.
        approval: Which calls wait for somebody's word.
        deps: Objects for tools, never recorded.
        on_event: Shown every step as it happens.
        privacy: Keeps secrets, personal data and the values of sensitive parameters off the tape
            and from models that are not trusted.
        given: Values of parameters by name; those whose names are taken above go to `parameters`.

    Raises:
        ExperienceError: A parameter is missing, unknown or does not fit; a check cannot be
            compiled; more is needed than is granted.
        ModelError: A level's model gave no completion: `resume_play` goes on.
    """
    names = {**(parameters or {}), **given}
    if task is None and not names and experience.parameters:
        raise ExperienceError("say what to play: `task=`, or parameters by name")
    moment, ladder = clock(now), checked_levels((ROUTINE,) if dry else levels)
    text, inputs = await inputs_of(experience, task, names, now=moment, ask=ask, limited=limited)
    guard = knowing_guard(experience, inputs, ladder, privacy)
    grants = granted(experience, limits)
    begun = Play(
        experience=experience.name,
        version=experience.version,
        digest=experience_digest(experience),
        level="",
        parameters=dict(inputs.given),
        now=moment,
        limits=grants.as_json(),
        dry=dry,
    )
    session = _Session(
        experience,
        ladder,
        await _opened(environment),
        store or default_store(),
        Setting(limited, judge, values_of(guard)),
        _options(_budget(budget, grants), approval, deps, on_event, guard),
        begun,
    )
    tools = tools_digest((await session.note(ladder[0])).tools)
    first = first_level(experience, ladder, statistics, tools=tools, at_least=at_least)
    return await session.go(first, tape, text)


async def resume_play(
    tape: Tape | str,
    *,
    experience: Experience | None = None,
    environment: Environment | Sequence[Environment] | None = None,
    store: Store | None = None,
    levels: Sequence[Level] = (ROUTINE,),
    decisions: Mapping[str, Verdict] | None = None,
    judge: Model | str | None = None,
    limited: bool = True,
    budget: Budget | None = None,
    approval: Approval | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
    privacy: Guard | None = None,
) -> Played:
    """Finish a play: after a crash, a decision, or with more levels than it had before.

    The level that played last goes on; if it has handed over, the one after it does. Nothing that
    is on the tape is done again.

    Args:
        tape: The tape, or its id.
        experience: What is played; the one that the tape names if not given.
        environment: As for `play`, and so are the others.
        store: Where the tape is kept.
        levels: Who plays.
        decisions: By the id of an action that waits, as for `resume`.
        judge: The model that judges checks in words.
        limited: Evaluate checks in a process with limits.
        budget: Limits of each level's run.
        approval: Which calls wait for somebody's word.
        deps: Objects for tools.
        on_event: Shown every step as it happens.
        privacy: The guard that the tape was begun with.

    Raises:
        ExperienceError: Nothing was played on the tape, the experience is another one, or no level
            is left.
        RunError: A decision fits no waiting action.
    """
    store = store or default_store()
    opened = await store.open(tape) if isinstance(tape, str) else tape
    found = newest_play(opened)
    if found is None:
        raise ExperienceError(f"nothing was played on tape `{opened.id}`")
    begun, ladder = found[1], checked_levels((ROUTINE,) if found[1].dry else levels)
    values = values_of(privacy)
    experience = experience or await recorded_experience(opened, store, values=values)
    if experience_digest(experience) != begun.digest:
        raise ExperienceError(
            f"tape `{opened.id}` plays `{begun.experience}` version {begun.version}, and this is "
            "another document: pass that one"
        )
    inputs = read_past(opened, experience, values).inputs
    guard = knowing_guard(experience, inputs, ladder, privacy)
    grants = Limits.of(begun.limits) if begun.limits is not None else Limits()
    session = _Session(
        experience,
        ladder,
        await _opened(environment),
        store,
        Setting(limited, judge, values),
        {
            **_options(_budget(budget, grants), approval, deps, on_event, guard),
            "decisions": decisions,
        },
        begun,
    )
    return await session.go(_next_level(opened, ladder, begun.level), opened.id, None)


play_sync = sync_twin(play)
resume_play_sync = sync_twin(resume_play)


def is_handed_over(tape: Tape) -> bool:
    """Whether the last level of a play gave up."""
    paused = tape.fold().paused
    body = tape[paused].body if paused is not None else None
    return isinstance(body, Pause) and body.reason == "handed_over"


def _next_level(tape: Tape, levels: Sequence[Level], last: str) -> int:
    """Which level goes on."""
    names = [level_name(level) for level in levels]
    if not is_handed_over(tape):
        if last not in names:
            raise ExperienceError(f"the tape is in the hands of `{last}`: give it among `levels`")
        return names.index(last)
    index = names.index(last) + 1 if last in names else 0
    if index == len(levels):
        raise ExperienceError(
            f"`{last}` has handed over, and `levels` has none after it: add an agent or `{PERSON}`"
        )
    return index


async def _opened(given: Environment | Sequence[Environment] | None) -> tuple[Environment, ...]:
    parts = (given,) if isinstance(given, Environment) else tuple(given or ())
    for part in parts:
        await part.open()
    return parts


def values_of(guard: Guard | None) -> Values | None:
    """What puts values back where placeholders of a guard stand."""
    if guard is None:
        return None
    from playhead.govern import Resolver

    return Resolver(guard.vault, strict=False).json


def _budget(budget: Budget | None, limits: Limits) -> Budget:
    made = budget or Budget()
    seconds = [each for each in (made.seconds, limits.seconds) if each is not None]
    return replace(made, seconds=min(seconds, default=None))


def _options(
    budget: Budget,
    approval: Approval | None,
    deps: object,
    on_event: OnEvent | None,
    guard: Guard | None,
) -> dict[str, Any]:
    return {
        "budget": budget,
        "approval": approval,
        "deps": deps,
        "on_event": on_event,
        "privacy": guard,
    }
