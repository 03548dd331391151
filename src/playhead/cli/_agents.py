"""Agents and environments that a person names: `FILE.yaml`, `FILE.py:NAME`, `PACKAGE:NAME`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from playhead.agent import Agent, called, find_module, find_object, read_agent
from playhead.cli._guard import UsageFault
from playhead.cli._text import one_line, short_id
from playhead.environment import Environment
from playhead.errors import AgentError
from playhead.tape import Json, Tape

T = TypeVar("T")
AGENT_FILES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An agent, what is around it, and how it was named."""

    agent: Agent
    environments: tuple[Environment, ...]
    name: str
    environment_names: tuple[str, ...] = ()
    approval: Mapping[str, Json] | None = None


def load(agent: str, environments: Sequence[str] | None = None) -> Loaded:
    """The agent and the environments of these names.

    Raises:
        UsageFault: A name leads to none; the message says why.
    """
    names = tuple(environments or ())
    around = load_environments(names)
    if agent == "demo" or agent.startswith("demo:"):
        from playhead.cli.demo import office_agent, office_environment

        variant = agent.partition(":")[2]
        return Loaded(office_agent(variant), around or (office_environment(),), agent, names)
    if agent.endswith(AGENT_FILES):
        try:
            read = read_agent(Path(agent))
        except AgentError as error:
            raise UsageFault(error.message) from error
        around = (*read.environments, *around)
        return Loaded(read.agent, around, agent, names, read.approval)
    return Loaded(_found(agent, Agent, "agent"), around, agent, names)


def load_environments(names: Sequence[str]) -> tuple[Environment, ...]:
    """The environments of these names.

    Raises:
        UsageFault: A name leads to none; the message says why.
    """
    return tuple(_found(name, Environment, "environment") for name in names)


def load_function(spec: str, what: str) -> Callable[..., Any]:
    """The function of this name.

    Raises:
        UsageFault: The name leads to none; the message says why.
    """
    value = _object(spec, what, type(load_function))
    if not callable(value):
        raise UsageFault(f"`{spec}` is no function")
    return value


def missing_agent(tape: Tape) -> UsageFault:
    """Says which agent a tape names: none is ever loaded because a tape names it."""
    fold = tape.fold()
    name, config = one_line(fold.frames[0].agent, 100), one_line(fold.config or "", 80)
    made = f"was made by agent `{name}` (config {config})" if config else "was never run"
    return UsageFault(
        f"tape {short_id(tape.id)} {made}: pass that agent, or another, with "
        "--agent FILE.py:NAME (--agent demo for the built-in one)"
    )


def _found(spec: str, wanted: type[T], what: str) -> T:
    value = _object(spec, what, wanted)
    try:
        if callable(value) and not isinstance(value, wanted):
            function: Callable[[], object] = value
            value = called(function, spec)
    except AgentError as error:
        raise UsageFault(error.message) from error
    if not isinstance(value, wanted):
        raise UsageFault(
            f"`{spec}` is of the type {type(value).__name__}: name an {wanted.__name__}, or a "
            f"function without arguments that gives one{_choice(spec.rpartition(':')[0], wanted)}"
        )
    return value


def _object(spec: str, what: str, wanted: type) -> object:
    try:
        if not spec.rpartition(":")[0] or spec.endswith(":"):
            ways = "FILE.yaml, FILE.py:NAME" if wanted is Agent else "FILE.py:NAME"
            raise UsageFault(
                f"`{spec}` names no {what}: write {ways} or PACKAGE.MODULE:NAME"
                + (_choice(spec.removesuffix(":"), wanted) if ".py" in spec else "")
            )
        return find_object(spec)
    except AgentError as error:
        known = _choice(error.data["place"], wanted) if "place" in error.data else ""
        raise UsageFault(f"{error.message}{known}") from error


def _choice(place: object, wanted: type) -> str:
    """What could have been named in a module."""
    names = [
        name for name, value in vars(find_module(str(place))).items() if isinstance(value, wanted)
    ]
    return f"; it has {', '.join(f'`{name}`' for name in names)}" if names else ""
