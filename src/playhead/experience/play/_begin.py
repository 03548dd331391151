"""What a play begins with: parameters that are there and fit, limits, a guard, the clock."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from playhead.agent import Agent
from playhead.errors import ExperienceError
from playhead.experience.checks import CheckEngine, Moment
from playhead.experience.document import Check, Experience, Parameter
from playhead.experience.play._levels import Level
from playhead.experience.play._limits import Limits, needed_limits
from playhead.experience.play._past import request_text
from playhead.experience.routine import Inputs, parameters_of
from playhead.tape import Json

if TYPE_CHECKING:
    from playhead.govern import Guard

Ask: TypeAlias = Callable[[str, Parameter], Json | Awaitable[Json]]
_SHORTEST = 3  # characters of a value that can be told from others in a text


def clock(now: str | datetime | None) -> str:
    """The clock of a task, as routines read it.

    Raises:
        ExperienceError: It is no time.
    """
    try:
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now or datetime.now()
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    except (TypeError, ValueError, AttributeError):
        raise ExperienceError(f"`now` is a time such as `2030-01-31 12:00`, not {now!r}") from None


async def inputs_of(
    experience: Experience,
    task: str | None,
    given: Mapping[str, Json],
    *,
    now: str,
    ask: Ask | None,
    limited: bool,
) -> tuple[str, Inputs]:
    """What is said on the tape, and what the routine reads of it.

    Raises:
        ExperienceError: A parameter is missing, unknown, or does not fit.
    """
    if unknown := sorted(set(given) - set(experience.parameters)):
        known = ", ".join(f"`{name}`" for name in experience.parameters) or "none"
        raise ExperienceError(f"no parameter `{unknown[0]}`: the experience has {known}")
    if task is not None and (not isinstance(task, str) or not task.strip()):
        raise ExperienceError("a task is a text that says something")
    inputs = Inputs(task=task or "", now=now, given=dict(given))
    values = parameters_of(experience, inputs)
    if isinstance(values, dict):
        missing = [
            name
            for name, parameter in experience.parameters.items()
            if values.get(name) is None and parameter.default is None
        ]
        if missing and ask is not None:
            answers = {name: await _asked(ask, name, experience) for name in missing}
            inputs = Inputs(task=inputs.task, now=now, given={**inputs.given, **answers})
        elif missing and task is None:
            told = ", ".join(_told(name, experience.parameters[name]) for name in missing)
            raise ExperienceError(f"missing: {told}", missing=missing)
    check_values(experience, inputs, limited=limited)
    return task or request_text(experience, inputs.given), inputs


async def _asked(ask: Ask, name: str, experience: Experience) -> Json:
    said = ask(name, experience.parameters[name])
    return await said if inspect.isawaitable(said) else said


def _told(name: str, parameter: Parameter) -> str:
    return f"`{name}` ({parameter.description})" if parameter.description else f"`{name}`"


def check_values(experience: Experience, inputs: Inputs, *, limited: bool) -> None:
    """Make sure that given values fit the schemas of their parameters.

    Raises:
        ExperienceError: One does not.
    """
    schemas = {
        name: parameter.schema_
        for name, parameter in experience.parameters.items()
        if parameter.schema_ and name in inputs.given
    }
    for name, schema in schemas.items():
        shape: Json = {"properties": {"parameters": {"properties": {name: dict(schema)}}}}
        check = Check.model_validate(
            {"id": f"parameter {name}", "kind": "data", "at": "end", "check": {"shape": shape}}
        )
        moment = Moment(inputs.task, {name: inputs.given[name]}, inputs.now)
        verdict = CheckEngine([check], limited=limited).judge(moment)
        if verdict.failed:
            raise ExperienceError(
                f"the parameter `{name}` does not fit: {verdict.failed[0].fault}", parameter=name
            )


def granted(experience: Experience, limits: Limits | None) -> Limits:
    """What the play may use: what is granted, and nothing that it does not need.

    Raises:
        ExperienceError: The experience needs more than is granted.
    """
    needed = needed_limits(experience)
    if limits is None:
        return needed
    for name, requirement in experience.tools.items():
        if limits.tools is not None and name not in limits.tools:
            raise ExperienceError(f"the experience calls `{name}`, which its limits do not grant")
        if requirement.effect not in limits.effects:
            raise ExperienceError(
                f"the experience calls `{name}`, which is `{requirement.effect}`: its limits do "
                "not grant that"
            )
    return Limits(
        tools=needed.tools,
        hosts=limits.hosts,
        effects=tuple(each for each in needed.effects if each in limits.effects),
        calls=limits.calls,
        writes=limits.writes,
        seconds=limits.seconds,
    )


def knowing_guard(
    experience: Experience, inputs: Inputs, levels: tuple[Level, ...], guard: Guard | None
) -> Guard | None:
    """The guard with the values of sensitive parameters, which no untrusted model may see.

    Raises:
        ExperienceError: There is no guard and a model could see one, or a value cannot be hidden.
    """
    sensitive = [name for name, parameter in experience.parameters.items() if parameter.sensitive]
    if not sensitive:
        return guard
    if guard is None:
        if any(isinstance(level, Agent) for level in levels):
            raise ExperienceError(
                f"the parameter `{sensitive[0]}` is sensitive, and a model might see it: pass "
                "`privacy=Guard(vault)`, or play without agents"
            )
        return None
    values = parameters_of(experience, inputs)
    known = values if isinstance(values, dict) else dict(inputs.given)
    hidden: list[tuple[str, str]] = []
    for name in sensitive:
        value = known.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or len(value) < _SHORTEST:
            raise ExperienceError(
                f"the parameter `{name}` is sensitive, and only texts of at least {_SHORTEST} "
                "characters can be kept from a model"
            )
        hidden.append(("sensitive", value))
    return guard.knowing(hidden)
