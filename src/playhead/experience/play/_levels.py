"""Who may play: the routine, an agent with the procedure, a person; and who is likely enough to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple, TypeAlias

from playhead.agent import Agent, Node, NodeContext
from playhead.errors import ExperienceError
from playhead.experience.document import Experience, experience_digest
from playhead.experience.play._guide import checklist, guided
from playhead.experience.play._past import Values
from playhead.llm import Completion, Model
from playhead.tape import Body, By, View, text_parts
from playhead.tape.kinds import AssistantMessage, Stop, UserMessage

ROUTINE: Literal["routine"] = "routine"
PERSON: Literal["person"] = "person"
Level: TypeAlias = Agent | Literal["routine", "person"]


class Record(NamedTuple):
    """How often a level was tried, and how often it did what was asked."""

    right: int
    trials: int


class LevelKey(NamedTuple):
    """What a record is about: a level of an experience, with the tools as they were.

    Args:
        experience: The digest of the document.
        level: Its name.
        tools: The digest of the tools that the experience needs, or `VERIFIED`.
    """

    experience: str
    level: str
    tools: str


Statistics: TypeAlias = Mapping[LevelKey, Record]
VERIFIED = ""
"""In the place of the tools' digest: what learning or a verification here gave. It counts with any
tools, because drift stops the routine anyway."""


def level_name(level: Level) -> str:
    """The name of a level, as tapes and statistics have it."""
    return level.name if isinstance(level, Agent) else level


def checked_levels(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Levels that are in order.

    Raises:
        ExperienceError: One is none, two have one name, or there are none.
    """
    if not levels or isinstance(levels, str):
        raise ExperienceError("`levels` is a list: `routine`, agents, `person`")
    for level in levels:
        if not isinstance(level, Agent) and level not in (ROUTINE, PERSON):
            raise ExperienceError(f"a level is `routine`, an agent or `person`, not {level!r}")
    names = [level_name(level) for level in levels]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ExperienceError(f"two levels are called `{twice}`: rename one")
    return tuple(levels)


def lower_bound(record: Record, *, confidence: float = 0.9) -> float:
    """The rate that is reached at least, with this confidence: Wilson's bound, one-sided."""
    right, trials = record
    if trials <= 0:
        return 0.0
    quantile = NormalDist().inv_cdf(confidence)
    rate, square = right / trials, quantile * quantile
    middle = rate + square / (2 * trials)
    spread = quantile * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials))
    return max(0.0, (middle - spread) / (1 + square / trials))


def first_level(
    experience: Experience,
    levels: Sequence[Level],
    statistics: Statistics | None,
    *,
    tools: str,
    at_least: float = 0.5,
) -> int:
    """Which level begins: the lowest that is likely to succeed; the last one if none is.

    Only what the statistics hold counts. What a document says of its own validation does not: a
    stranger may have written it. A library's statistics have what was verified there.

    Args:
        experience: What is played.
        levels: From the lowest to the highest.
        statistics: What earlier plays came to; None to begin with the lowest level.
        tools: The digest of the tools as they are now.
        at_least: The rate of success that has to be certain enough.
    """
    if statistics is None:
        return 0
    digest = experience_digest(experience)
    for number, level in enumerate(levels):
        name = level_name(level)
        right, trials = statistics.get(LevelKey(digest, name, tools), Record(0, 0))
        if level == ROUTINE:
            known = statistics.get(LevelKey(digest, name, VERIFIED), Record(0, 0))
            right, trials = right + known.right, trials + known.trials
        if lower_bound(Record(right, trials)) >= at_least:
            return number
    return len(levels) - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """What the agents of all levels are made with.

    Args:
        limited: Evaluate checks in a process with limits.
        judge: The model for checks in words.
        values: Puts values back where placeholders stand.
    """

    limited: bool = True
    judge: Model | str | None = None
    values: Values | None = None


def level_agent(level: Level, experience: Experience, setting: Setting) -> Agent:
    """The agent that plays at a level."""
    if isinstance(level, Agent):
        return guided(level, experience, values=setting.values)
    if level == PERSON:
        return Agent("person", nodes=[ChecklistNode(experience)])
    from playhead.experience.play._node import player_agent

    return player_agent(
        experience, limited=setting.limited, judge=setting.judge, values=setting.values
    )


class ChecklistNode(Node):
    """Gives a person the procedure as a checklist; what they say then ends the play.

    Args:
        experience: Whose procedure it is.
    """

    def __init__(self, experience: Experience) -> None:
        super().__init__("checklist", next="checklist", digest=experience_digest(experience))
        self._experience = experience
        self.plays = By("player", experience.name, version=str(experience.version))

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """See `Node.generate_steps`."""
        if said := _said_since(view):
            return [Stop(reason="a person finished it", result=said)]
        return [AssistantMessage(parts=text_parts(checklist(self._experience, view.tape)))]


def _said_since(view: View) -> str | None:
    """What the person said after they were given a checklist."""
    said: str | None = None
    for step in view.steps():
        if step.by.type == "player" and isinstance(step.body, AssistantMessage):
            said = ""
        elif said is not None and isinstance(step.body, UserMessage):
            said = step.body.text
    return said
