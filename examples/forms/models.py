"""Agents and models by name: rule models without a key, any other by configuration alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from examples.forms.errors import FormError
from examples.forms.form import Company
from examples.forms.rules import (
    ErrorRates,
    RuleJudgeModel,
    RuleModel,
    RuleStudentModel,
    RuleTeacherModel,
    RuleUserModel,
)
from examples.forms.student import student
from examples.forms.teacher import teacher
from playhead.agent import Agent
from playhead.llm import Model

RULES = "rules"
Role: TypeAlias = Literal["teacher", "student", "user", "judge"]
_RULES: dict[Role, type[RuleModel]] = {
    "teacher": RuleTeacherModel,
    "student": RuleStudentModel,
    "user": RuleUserModel,
    "judge": RuleJudgeModel,
}
AGENTS: dict[str, Callable[..., Agent]] = {"teacher": teacher, "student": student}


def model_for(role: Role, name: str = RULES, *, errors: ErrorRates | None = None) -> Model | str:
    """The model of a role: `rules`, or a name such as `openai:gpt-5-mini`.

    Raises:
        FormError: Error rates are given to another model than a rule model.
    """
    if name == RULES:
        return _RULES[role](errors)
    if errors is not None and errors.describe():
        raise FormError(f"`{name}` makes errors of its own: error rates are for `{RULES}`")
    return name


def agent_for(
    kind: str, company: Company, *, model: str = RULES, errors: ErrorRates | None = None
) -> Agent:
    """The teacher or the student for a company, with its model.

    Raises:
        FormError: There is no such agent.
        AgentError: The name names no model.
    """
    if kind not in AGENTS:
        raise FormError(f"there is no agent `{kind}`: there are {', '.join(AGENTS)}")
    role: Role = "teacher" if kind == "teacher" else "student"
    return AGENTS[kind](company, model=model_for(role, model, errors=errors))
