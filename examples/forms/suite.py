"""A suite of dialogues: the simulated user shows one behaviour in each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from examples.forms.behaviours import BEHAVIOURS, behaviour_named
from examples.forms.environment import FormEnvironment
from examples.forms.form import Form
from examples.forms.goal import Goal, sample_goal
from examples.forms.greadth import LETTERS, GreadthScorer, SuccessScorer, judges
from examples.forms.loader import companies
from examples.forms.models import RULES, agent_for, model_for
from examples.forms.rules import ErrorRates
from examples.forms.state import FormState
from examples.forms.user import SimulatedUser, brief, opening, speak, user_agent
from playhead.agent import Agent
from playhead.environment import Environment
from playhead.evaluate import Candidate, Scorer, Suite, Task, Trial
from playhead.llm import Model
from playhead.orchestrator import Budget
from playhead.store import MemoryStore
from playhead.tape import Json

SHOWN = tuple(
    name for name, each in BEHAVIOURS.items() if each.group != "answer" and name != "confirm"
)
"""The behaviours that a table has a row for."""

DEGRADED: dict[str, str] = {
    "invent": "grounded",
    "ignore": "responsive",
    "misread": "accurate",
    "wander": "disciplined",
    "hide": "transparent",
    "shrug": "helpful",
}
"""By the error of a degraded model, the letter that it breaks."""

_SUITABLE: dict[str, Callable[[Form, Goal], bool]] = {
    "correct_self": lambda form, goal: bool(goal.at_first),
    "skip_optional": lambda form, goal: any(
        not slot.required and slot.name not in goal.values for slot in form.slots.values()
    ),
}


def dialogues(
    behaviours: Sequence[str] = SHOWN,
    *,
    each: int = 4,
    split: str = "test",
    user_model: str = RULES,
    judge: Model | str | None = None,
    seed: int = 0,
) -> Suite:
    """The suite.

    Args:
        behaviours: Of the simulated user, one in each dialogue.
        each: How many dialogues for a behaviour.
        split: Companies of `train` or `test`.
        user_model: The model of the simulated user.
        judge: The model of the judges; none judge if not given.
        seed: Other goals.

    Raises:
        FormError: There is no such behaviour or split.
    """
    user = user_agent(model=model_for("user", user_model))
    tasks = [
        _task(behaviour_named(name).name, number, user, split=split, seed=seed)
        for name in behaviours
        for number in range(each)
    ]
    scorers: list[Scorer] = [SuccessScorer(), *map(GreadthScorer, LETTERS)]
    if judge is not None:
        scorers += judges(judge)

    def around(trial: Trial) -> Sequence[Environment]:
        setup = trial.task.setup
        assert isinstance(setup, dict)
        company = companies()[str(setup["company"])]
        says = SimulatedUser(
            user,
            Goal.of(setup["goal"]),  # type: ignore[arg-type]
            company=company.name,
            behaviour=str(setup["behaviour"]),
            seed=trial.seed,
        )
        return [FormEnvironment(company), says]

    return Suite("forms", tasks, scorers, around, budget=Budget(model_calls=400))


def _any(form: Form, goal: Goal) -> bool:
    return True


def _task(behaviour: str, number: int, user: Agent, *, split: str, seed: int) -> Task:
    chosen = companies(split)
    name = sorted(chosen)[number % len(chosen)]
    company = chosen[name]
    suits = _SUITABLE.get(behaviour, _any)
    goals = (sample_goal(company, f"{seed}/{behaviour}/{number}/{at}") for at in range(200))
    goal = next(goal for goal in goals if suits(company.forms[goal.function], goal))
    text = brief(
        opening(behaviour), goal, FormState(), [], company=company.name, seed=seed + number
    )
    said = asyncio.run(speak(user, text, store=MemoryStore()))
    setup: Json = {"company": name, "goal": goal.as_json(), "behaviour": behaviour}
    expected: Json = {**goal.as_json(), "leaves": behaviour == "leave"}
    return Task(f"{behaviour}-{number}", said, expected=expected, setup=setup)


def candidate(
    name: str, kind: str, *, model: str = RULES, errors: ErrorRates | None = None
) -> Candidate:
    """Teacher or student, as it is tried with each company.

    Raises:
        FormError: There is no such agent, or its model takes no error rates.
    """
    made: dict[str, Agent] = {
        folder: agent_for(kind, company, model=model, errors=errors)
        for folder, company in companies().items()
    }

    def of(trial: Trial) -> Agent:
        setup = trial.task.setup
        assert isinstance(setup, dict)
        return made[str(setup["company"])]

    return Candidate(name, of)


def degraded(error: str, *, rate: float = 0.3, kind: str = "student") -> Candidate:
    """An agent whose rule model makes one kind of error."""
    return candidate(f"{kind}-{error}", kind, errors=ErrorRates(**{error: rate}))  # type: ignore[arg-type]
