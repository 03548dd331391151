"""The simulated user: an agent with a tape of its own, told of a goal and how to behave."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from examples.forms.behaviours import BEHAVIOURS, PLAIN, applicable, behaviour_named
from examples.forms.errors import FormError
from examples.forms.goal import Goal
from examples.forms.prompts import LAST_MESSAGES, conversation, sections_of, written
from examples.forms.state import FormState
from playhead import run
from playhead.agent import Agent, Node, NodeContext
from playhead.environment import Environment, StateContract, ToolContext
from playhead.llm import Completion, Model, Prompt
from playhead.store import MemoryStore, Store
from playhead.tape import (
    Action,
    Body,
    Json,
    Observation,
    Tape,
    Thought,
    View,
    system,
    text_parts,
)
from playhead.tape.kinds import AssistantMessage, Stop, UserMessage

USER = """You are a customer of a company, in a conversation with its agent. You are told what you \
want, what was said so far, and how to behave now. Write what you say next: plain text, as a \
person would, and nothing else. Say values as they stand in your goal (dates in any usual way), \
except where your behaviour is to be wrong. Say nothing that your behaviour does not ask for."""


class UserMove(Thought, kind="forms.user_move"):
    """How the simulated user behaves."""

    behaviour: str


class SpeakNode(Node):
    """Says what the user says in one turn."""

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:
        """See `Node.make_prompt`."""
        return Prompt.of(system(USER), view.messages)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """See `Node.generate_steps`."""
        assert completion is not None
        said = completion.text.strip().strip('"')
        behaviour = behaviour_in(view.task)
        if not said:
            return [UserMove(behaviour=behaviour), Stop(reason="the user said nothing")]
        return [UserMove(behaviour=behaviour), AssistantMessage(parts=text_parts(said))]


def behaviour_in(text: str) -> str:
    """The behaviour that a brief asks for."""
    members = sections_of(text)["Behaviour"]
    assert isinstance(members, dict)
    return str(members["name"])


def user_agent(*, model: Model | str, name: str = "user") -> Agent:
    """The agent that plays the user."""
    return Agent(name, model=model, nodes=[SpeakNode("speak", instructions=USER)])


def brief(
    behaviour: str,
    goal: Goal,
    state: FormState,
    said: Sequence[tuple[str, str]],
    *,
    company: str,
    seed: int = 0,
) -> str:
    """What the user's agent is told before a turn."""
    sections: dict[str, Json] = {
        "Company": company,
        "Goal": goal.as_json(),
        "Behaviour": {"name": behaviour, "instruction": BEHAVIOURS[behaviour].instruction},
        "Conversation": [list(each) for each in said[-LAST_MESSAGES:]],
    }
    if state.form is not None:
        sections["Form"] = state.form.told()
        sections["Filled"] = dict(state.filled)
        sections["Asked"] = {"for": list(state.asked), "waiting": state.awaiting}
    sections["Chance"] = seed
    return written("speak", sections)


async def speak(agent: Agent, text: str, *, store: Store, tape: Tape | None = None) -> str:
    """What the user says to a brief; the user's tape is in the store.

    Raises:
        FormError: The user says nothing.
        ModelError: The user's model failed.
    """
    done = await run(agent, text, store=store, tape=tape)
    if done.answer is None:
        raise FormError(f"the simulated user said nothing: see its tape `{done.id}`")
    return done.answer


def choose(
    state: FormState,
    goal: Goal,
    rng: random.Random,
    *,
    only: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> str | None:
    """A behaviour that applies, by chance and weight; None if none does."""
    found = applicable(state, goal, weights=weights)
    if only is not None:
        found = {name: weight for name, weight in found.items() if name in only}
    if not found:
        return None
    names = sorted(found)
    return rng.choices(names, weights=[found[name] for name in names])[0]


@dataclass(slots=True)
class Listening:
    """What the user knows of a session: who said what, and the state of the form.

    Args:
        said: Who said what.
        state: The state of the form now.
        before: The state each time before the user spoke.
    """

    said: list[tuple[str, str]]
    state: FormState
    before: list[FormState] = field(default_factory=list)

    @classmethod
    def to(cls, tape: Tape) -> Listening:
        """A session as far as it is."""
        view = View(tape, tape.fold())
        said, _ = conversation(view)
        state, before = FormState(), []
        for step in view.steps():
            if step.kind == UserMessage.kind:
                before.append(state)
            if not step.erased:
                state = state.after_all([step.body])
        return cls(said, state, before)


class SimulatedUser(Environment):
    """Answers the agent's messages with what the user's agent says.

    A user shows one behaviour wherever it applies, up to `times`, and otherwise goes straight to
    the goal; without a behaviour, each turn is chosen by chance. What it says follows
    from the session, the goal and the seed alone.

    Args:
        agent: Plays the user.
        goal: What the user wants.
        company: The company's name.
        behaviour: What to show.
        times: How often it is shown, from the first turn on in which it applies.
        seed: For what is left to chance.
        turns: After so many messages, the user falls silent.
        store: Where the user's tapes go; nowhere if not given.
    """

    state_contract: ClassVar[StateContract] = "snapshot"

    def __init__(
        self,
        agent: Agent,
        goal: Goal,
        *,
        company: str,
        behaviour: str | None = None,
        times: int = 2,
        seed: int = 0,
        turns: int = 30,
        store: Store | None = None,
    ) -> None:
        self.agent, self.goal, self.company = agent, goal, company
        self.behaviour, self.times, self.seed, self.turns = behaviour, times, seed, turns
        self._store = store

    async def answer(self, action: Action, context: ToolContext) -> Observation | None:
        """See `Environment.answer`."""
        if not isinstance(action, AssistantMessage) or context.session is None:
            return None
        heard = Listening.to(context.session)
        turn = sum(who == "User" for who, _ in heard.said)
        if heard.state.ended is not None or turn >= self.turns:
            return None
        behaviour = self._behave(heard, turn)
        if behaviour is None:
            return None
        store = self._store or MemoryStore()
        seed = int.from_bytes(hashlib.sha256(f"{self.seed}/{turn}".encode()).digest()[:4], "big")
        text = brief(behaviour, self.goal, heard.state, heard.said, company=self.company, seed=seed)
        said = await speak(self.agent, text, store=store)
        return UserMessage(parts=text_parts(said))

    def _behave(self, heard: Listening, turn: int) -> str | None:
        rng = random.Random(f"{self.seed}/{turn}")
        if self.behaviour is None:
            return choose(heard.state, self.goal, rng)
        wanted = BEHAVIOURS[self.behaviour]
        shown = sum(wanted.applies(state, self.goal) for state in heard.before)
        if shown < self.times and wanted.applies(heard.state, self.goal):
            return self.behaviour
        found = applicable(heard.state, self.goal)
        return next((name for name in PLAIN if name in found), None)

    async def snapshot(self) -> Json:
        """Nothing is kept here: all follows from the session."""
        return {}

    async def restore(self, state: Json) -> None:
        """Nothing is kept here."""

    def describe(self) -> Json:
        """See `Environment.describe`."""
        return {
            "name": "SimulatedUser",
            "state": "snapshot",
            "goal": self.goal.as_json(),
            "behaviour": self.behaviour,
            "seed": self.seed,
        }


def opening(behaviour: str | None) -> str:
    """The behaviour with which a conversation begins that is to show a behaviour.

    Raises:
        FormError: There is no such behaviour.
    """
    if behaviour is not None and behaviour_named(behaviour).group == "opening":
        return behaviour
    return "init_short"
