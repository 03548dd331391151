"""Dialogues of the form filler that were really run, with rule models."""

from __future__ import annotations

from examples.forms.goal import Goal, sample_goal
from examples.forms.loader import companies
from examples.forms.models import agent_for
from examples.forms.rules import ErrorRates, RuleUserModel
from examples.forms.talk import talk
from examples.forms.user import user_agent

from playhead.store import Store
from playhead.tape import Body, Tape, text_parts
from playhead.tape.kinds import AssistantMessage, UserMessage

USER = user_agent(model=RuleUserModel())
NAMES = sorted(companies())


async def dialogue(
    kind: str = "student",
    *,
    company: str = "northline",
    seed: int = 0,
    behaviour: str | None = None,
    errors: ErrorRates | None = None,
    store: Store | None = None,
    goal: Goal | None = None,
) -> tuple[Goal, Tape]:
    """A goal, and the dialogue of a simulated user who has it."""
    of = companies()[company]
    goal = goal or sample_goal(of, str(seed))
    agent = agent_for(kind, of, errors=errors)
    tape = await talk(agent, of, goal, behaviour=behaviour, seed=seed, store=store)
    return goal, tape


async def sound_dialogues(count: int, kind: str = "student") -> list[tuple[Goal, Tape]]:
    """Dialogues with all companies, the user behaving by chance."""
    return [
        await dialogue(kind, company=NAMES[seed % len(NAMES)], seed=seed) for seed in range(count)
    ]


def bodies(tape: Tape, *kinds: type[Body]) -> list[Body]:
    """The bodies of some kinds on a tape."""
    return [step.body for step in tape if isinstance(step.body, kinds)]


def said(tape: Tape) -> list[str]:
    """Who said what, for the messages of failing tests."""
    return [
        f"{type(body).__name__}: {body.text}"
        for body in bodies(tape, UserMessage, AssistantMessage)
        if isinstance(body, UserMessage | AssistantMessage)
    ]


def user_says(text: str) -> UserMessage:
    """What a person says."""
    return UserMessage(parts=text_parts(text))


def agent_says(text: str) -> AssistantMessage:
    """What an agent says."""
    return AssistantMessage(parts=text_parts(text))
