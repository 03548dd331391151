"""Growing a tree: layer by layer, the user speaks and the agent answers."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from examples.forms.behaviours import applicable
from examples.forms.environment import FormEnvironment
from examples.forms.errors import TreeError
from examples.forms.form import Company
from examples.forms.goal import Goal
from examples.forms.models import agent_for, model_for
from examples.forms.state import FormState
from examples.forms.steps import StepError
from examples.forms.tree._ledger import Ledger, NodeRecord
from examples.forms.tree._plan import first_layer, next_layer
from examples.forms.tree._settings import TreeSettings
from examples.forms.user import Listening, brief, speak, user_agent
from examples.forms.values import plain
from playhead import fork, resume, run
from playhead.agent import Agent
from playhead.errors import PlayheadError, TapeNotFoundError
from playhead.orchestrator import Event, StepEvent
from playhead.store import Store
from playhead.tape import Step, Tape
from playhead.tape.kinds import ModelCall, Stop

_logger = logging.getLogger("playhead.examples.forms")
_TRIES = 3  # to say something that no sibling said
OnLayer = Callable[[int, int, Ledger], None]


async def grow(
    settings: TreeSettings, ledger: Ledger, store: Store, *, on_layer: OnLayer | None = None
) -> None:
    """Grow a tree to its end, from wherever it is.

    What is in the ledger is not done again; a turn that was under way is resumed on its tape. A
    dialogue that fails is set apart, and the others go on.

    Args:
        settings: What the tree is grown from.
        ledger: What is known of its nodes.
        store: Where the tapes are.
        on_layer: Shown the number of a layer, of its nodes, and the ledger, when one is done.
    """
    grower = _Grower(settings, ledger, store)
    nodes, number = first_layer(settings), 0
    while nodes:
        await grower.layer(nodes)
        if on_layer is not None:
            on_layer(number, len(nodes), ledger)
        done = ledger.layer(number)
        ended = sum(leaf.layer <= number for leaf in ledger.leaves())
        parents = [node for node in done if node.outcome == "open"]
        nodes, number = next_layer(settings, parents, ended=ended), number + 1


class _Grower:
    def __init__(self, settings: TreeSettings, ledger: Ledger, store: Store) -> None:
        self.settings, self.ledger, self.store = settings, ledger, store
        self.companies = settings.chosen()
        errors = settings.errors.rates()
        self.agents: dict[str, Agent] = {
            name: agent_for(settings.agent, company, model=settings.model, errors=errors)
            for name, company in self.companies.items()
        }
        self.user = user_agent(model=model_for("user", settings.user_model))
        self.room = asyncio.Semaphore(settings.jobs)

    async def layer(self, nodes: Sequence[NodeRecord]) -> None:
        """The nodes of a layer; children of one parent one after the other."""
        families = [list(family) for _, family in groupby(nodes, key=lambda n: n.parent or n.key)]
        async with asyncio.TaskGroup() as tasks:
            for family in families:
                tasks.create_task(self.family(family))

    async def family(self, nodes: Iterable[NodeRecord]) -> None:
        """The children of one parent, which say different things."""
        said: set[str] = set()
        async with self.room:
            for node in nodes:
                known = self.ledger.nodes.get(node.key)
                if known is None:
                    await self.node(node, said)
                    self.ledger.ended(node)
                    known = node
                said.add(plain(known.text))

    async def node(self, node: NodeRecord, said: set[str]) -> None:
        """One node: what the user says, and what the agent makes of it."""
        try:
            tape = await self.turn(node, said)
        except PlayheadError as error:
            _logger.warning("node %s failed: %s", node.key, error)
            node.outcome, node.why = "failed", f"{error.code}: {error.message}"[:500]
            return
        if tape is not None:
            self.judge(node, tape)

    async def turn(self, node: NodeRecord, said: set[str]) -> Tape | None:
        """The turn of a node on its tape; None if the user only repeats a sibling.

        Raises:
            PlayheadError: User or agent failed.
        """
        company = self.companies[node.company]
        parent = self.ledger.nodes[node.parent] if node.parent is not None else None
        before = await self.store.open(parent.tape) if parent is not None else None
        heard = Listening.to(before) if before is not None else Listening([], FormState())
        for attempt in range(_TRIES):
            node.text = await self.says(node, heard, company, attempt)
            if plain(node.text) not in said:
                break
        else:
            node.outcome = "duplicate"
            return None
        node.said = _digest(parent.said if parent is not None else node.company, plain(node.text))
        node.tape = self.ledger.begun.get(node.key, "")
        environment = FormEnvironment(company)
        agent = self.agents[node.company]
        if node.tape:  # it was under way when the process died
            return await resume(node.tape, agent=agent, environment=environment, store=self.store)
        watch = self.watcher(node)
        if before is None:
            return await run(
                agent, node.text, environment=environment, store=self.store, on_event=watch
            )
        return await fork(
            before, agent=agent, task=node.text, environment=environment, store=self.store,
            on_event=watch,
        )  # fmt: skip

    def watcher(self, node: NodeRecord) -> Callable[[Event], None]:
        """Notes the tape of a node as soon as it is stored, before any model is asked."""

        def watch(event: Event) -> None:
            if isinstance(event, StepEvent) and not node.tape:
                node.tape = event.step.tape
                self.ledger.began(node.key, node.tape)

        return watch

    async def says(self, node: NodeRecord, heard: Listening, company: Company, attempt: int) -> str:
        """What the user says; from its tape, if it has said it before a crash."""
        seed = int(_digest(str(self.settings.seed), node.key, str(attempt))[:8], 16)
        text = brief(
            node.behaviour, Goal.of(node.goal), heard.state, heard.said, company=company.name,
            seed=seed,
        )  # fmt: skip
        tape = Tape.new(_digest(self.settings.digest, node.key, str(attempt))[:32])
        try:
            known = await self.store.open(tape.id)
        except TapeNotFoundError:
            return await speak(self.user, text, store=self.store, tape=tape)
        done = await resume(known, agent=self.user, store=self.store)
        if done.answer is None:
            raise TreeError(f"the simulated user said nothing: see its tape `{done.id}`")
        return done.answer

    def judge(self, node: NodeRecord, tape: Tape) -> None:
        """What became of a node, by its tape."""
        node.tape, node.length = tape.id, len(tape)
        self._count(node, tape)
        state, goal = Listening.to(tape).state, Goal.of(node.goal)
        last = tape[-1].body
        if state.ended is not None:
            node.outcome = state.ended
        elif isinstance(last, Stop) or tape.status != "answered":
            node.outcome, node.why = "failed", _why(tape)
            return
        elif node.layer + 1 >= self.settings.turns:
            node.outcome = "cut"
        else:
            node.can = applicable(state, goal, weights=self.settings.behaviours)
            node.outcome = "open" if node.can else "cut"

    def _count(self, node: NodeRecord, tape: Tape) -> None:
        own = list(tape.range(tape.start, len(tape)))
        usages = [usage for step in own if (usage := _usage(step)) is not None]
        node.steps, node.calls, node.tokens = len(own), len(usages), sum(usages)


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


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
