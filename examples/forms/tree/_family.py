"""Carrying out the turns of a family: the user speaks, and the agent answers."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from examples.forms.behaviours import applicable
from examples.forms.environment import FormEnvironment
from examples.forms.errors import TreeError
from examples.forms.form import Company
from examples.forms.goal import Goal
from examples.forms.models import agent_for, model_for
from examples.forms.state import FormState
from examples.forms.steps import StepError
from examples.forms.tree._ledger import NodeRecord
from examples.forms.tree._settings import TreeSettings
from examples.forms.user import Listening, brief, speak, user_agent
from examples.forms.values import plain
from playhead import fork, resume, run
from playhead.agent import Agent
from playhead.errors import (
    MissingExtraError,
    ModelRequestError,
    ModelUnavailableError,
    PlayheadError,
    StoreError,
    TapeNotFoundError,
)
from playhead.store import Store
from playhead.tape import Step, Tape
from playhead.tape.kinds import ModelCall, Stop

_logger = logging.getLogger("playhead.examples.forms")
_NOT_TO_BE_HAD = (401, 402, 403, 404)  # HTTP: no key, nothing paid, no right to it, no such model
_TRIES = 3  # to say something that no sibling said
OnEnd = Callable[[NodeRecord], None]


@dataclass(frozen=True, slots=True)
class Family:
    """The children of one parent, or a root, that are still to be grown.

    Args:
        parent: The node that they branch off; None of a root.
        nodes: They, in order.
        said: What their siblings said who are known already.
    """

    parent: NodeRecord | None
    nodes: Sequence[NodeRecord]
    said: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain members, as a worker process is told."""
        return asdict(self)

    @classmethod
    def of(cls, members: dict[str, Any]) -> Self:
        """From plain members."""
        parent = members["parent"]
        return cls(
            NodeRecord(**parent) if parent is not None else None,
            [NodeRecord(**node) for node in members["nodes"]],
            members["said"],
        )


class Families:
    """Grows families on tapes.

    The ids of tapes follow from settings and node. So a turn that was under way when a process
    died is found again and resumed, whoever carries it out.

    Args:
        settings: Of the tree.
        store: Where the tapes are.
    """

    def __init__(self, settings: TreeSettings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._digest = settings.digest
        self._companies = settings.chosen()
        errors = settings.errors.rates()
        self._agents: dict[str, Agent] = {
            name: agent_for(settings.agent, company, model=settings.model, errors=errors)
            for name, company in self._companies.items()
        }
        self._user = user_agent(model=model_for("user", settings.user_model))

    async def grow(self, family: Family, ended: OnEnd) -> None:
        """Grow a family; each node is shown when it ended. Siblings say different things.

        Raises:
            StoreError: The store failed, or another process grows the same tree.
            MissingExtraError: The SDK of a model is not installed.
            ModelError: A model cannot be had: there is no key for it, or nobody answers.
        """
        said = set(map(plain, family.said))
        for node in family.nodes:
            await self._node(node, family.parent, said)
            ended(node)
            said.add(plain(node.text))

    async def _node(self, node: NodeRecord, parent: NodeRecord | None, said: set[str]) -> None:
        """One node; a failure of user or agent is set apart."""
        try:
            tape = await self._turn(node, parent, said)
        except (StoreError, MissingExtraError):
            raise
        except PlayheadError as error:
            if _concerns_all(error):
                raise
            _logger.warning("node %s failed: %s", node.key, error)
            node.outcome, node.why = "failed", f"{error.code}: {error.message}"[:500]
            return
        if tape is not None:
            self._judge(node, tape)

    async def _turn(
        self, node: NodeRecord, parent: NodeRecord | None, said: set[str]
    ) -> Tape | None:
        """The turn of a node on its tape; None if the user only repeats a sibling.

        Raises:
            PlayheadError: User or agent failed.
        """
        company = self._companies[node.company]
        before = await self._store.open(parent.tape) if parent is not None else None
        heard = Listening.to(before) if before is not None else Listening([], FormState())
        for attempt in range(_TRIES):
            node.text = await self._says(node, heard, company, attempt)
            if plain(node.text) not in said:
                break
        else:
            node.outcome = "duplicate"
            return None
        node.said = _hash(parent.said if parent is not None else node.company, plain(node.text))
        return await self._answered(node, before, company)

    async def _says(
        self, node: NodeRecord, heard: Listening, company: Company, attempt: int
    ) -> str:
        """What the user says, on a tape of the user's own."""
        seed = int(_hash(str(self._settings.seed), node.key, str(attempt))[:8], 16)
        text = brief(
            node.behaviour, Goal.of(node.goal), heard.state, heard.said, company=company.name,
            seed=seed,
        )  # fmt: skip
        tape = Tape.new(_hash(self._digest, node.key, str(attempt))[:32])
        known = await self._known(tape.id)
        if known is None:
            return await speak(self._user, text, store=self._store, tape=tape)
        done = await resume(known, agent=self._user, store=self._store)
        if done.answer is None:
            raise TreeError(f"the simulated user said nothing: see its tape `{done.id}`")
        return done.answer

    async def _answered(self, node: NodeRecord, before: Tape | None, company: Company) -> Tape:
        """The dialogue's tape, when the agent has answered."""
        node.tape = _hash(self._digest, node.key)[:32]
        agent, store = self._agents[node.company], self._store
        environment = FormEnvironment(company)
        known = await self._known(node.tape)
        if known is not None:  # it was under way when a process died
            return await resume(known, agent=agent, environment=environment, store=store)
        if before is None:
            new = Tape.new(node.tape)
            return await run(agent, node.text, tape=new, environment=environment, store=store)
        return await fork(
            before, tape_id=node.tape, agent=agent, task=node.text, environment=environment,
            store=store,
        )  # fmt: skip

    async def _known(self, tape: str) -> Tape | None:
        try:
            return await self._store.open(tape)
        except TapeNotFoundError:
            return None

    def _judge(self, node: NodeRecord, tape: Tape) -> None:
        """What became of a node, by its tape."""
        node.length = len(tape)
        own = list(tape.range(tape.start, len(tape)))
        usages = [usage for step in own if (usage := _usage(step)) is not None]
        node.steps, node.calls, node.tokens = len(own), len(usages), sum(usages)
        state, goal = Listening.to(tape).state, Goal.of(node.goal)
        if state.ended is not None:
            node.outcome = state.ended
        elif isinstance(tape[-1].body, Stop) or tape.status != "answered":
            node.outcome, node.why = "failed", _why(tape)
        elif node.layer + 1 >= self._settings.turns:
            node.outcome = "cut"
        else:
            node.can = applicable(state, goal, weights=self._settings.behaviours)
            node.outcome = "open" if node.can else "cut"


def _concerns_all(error: PlayheadError) -> bool:
    """Whether a model cannot be had at all: then no dialogue is at fault, and all would fail."""
    if isinstance(error, ModelRequestError):
        return error.data.get("status") in (None, *_NOT_TO_BE_HAD)
    return isinstance(error, ModelUnavailableError)


def _usage(step: Step) -> int | None:
    body = step.body if step.kind == ModelCall.kind else None
    if not isinstance(body, ModelCall):
        return None
    return body.usage.input_tokens + body.usage.output_tokens if body.usage else 0


def _why(tape: Tape) -> str:
    for seq in range(len(tape) - 1, 0, -1):
        body = tape[seq].body
        if isinstance(body, StepError):
            return f"{body.code}: {body.message}"
    return f"the tape is {tape.status}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
