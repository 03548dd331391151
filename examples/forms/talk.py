"""One dialogue of an agent with a simulated user: `python -m examples.forms.talk`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import typer

from examples.forms.dialogue import read_dialogue
from examples.forms.environment import FormEnvironment
from examples.forms.errors import FormError
from examples.forms.form import Company
from examples.forms.goal import Goal, sample_goal
from examples.forms.greadth import measure
from examples.forms.loader import companies
from examples.forms.models import RULES, agent_for, model_for
from examples.forms.state import FormState
from examples.forms.user import SimulatedUser, brief, opening, speak, user_agent
from playhead import run
from playhead.agent import Agent
from playhead.errors import PlayheadError
from playhead.store import MemoryStore, Store
from playhead.tape import Tape


async def talk(
    agent: Agent,
    company: Company,
    goal: Goal,
    *,
    behaviour: str | None = None,
    user_model: str = RULES,
    seed: int = 0,
    store: Store | None = None,
) -> Tape:
    """The tape of a dialogue.

    Args:
        agent: The agent.
        company: Its company.
        goal: What the user wants.
        behaviour: What the user shows; left to chance if not given.
        user_model: The user's model.
        seed: For what is left to chance.
        store: Where the tape lives; in memory if not given.

    Raises:
        FormError: There is no such behaviour.
        ModelError: A model failed.
    """
    user = user_agent(model=model_for("user", user_model))
    text = brief(opening(behaviour), goal, FormState(), [], company=company.name, seed=seed)
    first = await speak(user, text, store=MemoryStore())
    says = SimulatedUser(user, goal, company=company.name, behaviour=behaviour, seed=seed)
    around = [FormEnvironment(company), says]
    return await run(agent, first, environment=around, store=store or MemoryStore())


def transcript(tape: Tape) -> Iterator[str]:
    """Who said what, line by line."""
    for turn in read_dialogue(tape).turns:
        yield f"user : {turn.user}"
        yield f"agent: {turn.message}"


def main(
    company: Annotated[str, typer.Option(help="The folder of a company.")] = "northline",
    agent: Annotated[str, typer.Option(help="`teacher` or `student`.")] = "teacher",
    behaviour: Annotated[str | None, typer.Option(help="What the user shows.")] = None,
    model: Annotated[str, typer.Option(help="The agent's, such as `openai:gpt-5`.")] = RULES,
    user_model: Annotated[str, typer.Option(help="The user's.")] = RULES,
    seed: Annotated[int, typer.Option(help="Another goal.")] = 0,
) -> None:
    """Print a dialogue, and what GREADTH says of it."""
    try:
        if company not in companies():
            raise FormError(f"there is no company `{company}`: {', '.join(companies())}")
        of = companies()[company]
        filler = agent_for(agent, of, model=model)
        goal = sample_goal(of, str(seed))
        tape = asyncio.run(
            talk(filler, of, goal, behaviour=behaviour, user_model=user_model, seed=seed)
        )
    except PlayheadError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    for line in transcript(tape):
        typer.echo(line)
    greadth = measure(read_dialogue(tape))
    for finding in greadth.findings:
        typer.echo(f"{finding.letter}: turn {finding.turn}: {finding.why}")
    typer.echo(f"{greadth.turns} turns, {len(greadth.findings)} breaches")


if __name__ == "__main__":
    typer.run(main)
