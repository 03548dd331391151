"""Replay: run the agent's code again on a recorded tape, without model, network or effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from playhead.agent import Agent, Node, NodeContext, find_agent
from playhead.errors import AgentError, KindError, PlayheadError
from playhead.llm import Completion, ToolSchema, read_prompt
from playhead.orchestrator._blobs import BlobFitter
from playhead.orchestrator._run import default_store
from playhead.orchestrator._turns import completion_of
from playhead.store import Store
from playhead.tape import Body, Fold, Message, Step, Tape, View
from playhead.tape.kinds import (
    AssistantMessage,
    Context,
    ModelCall,
    NextNode,
    NodeRun,
    Return,
    Run,
    ToolCall,
)

ReplayMode: TypeAlias = Literal["strict", "steps", "observe"]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the agent's code now does something else than what was recorded.

    Args:
        seq: Position of the recorded step.
        agent: The agent.
        node: The node.
        what: `node` (another node would run), `prompt`, `steps`, or `error` (code raised).
        recorded: What the tape holds, in short.
        now: What the code gives now, in short.
    """

    seq: int
    agent: str
    node: str
    what: Literal["node", "prompt", "steps", "error"]
    recorded: str
    now: str

    def __str__(self) -> str:
        return f"step {self.seq}, node {self.node}: {self.what} was {self.recorded}, now {self.now}"


@dataclass(slots=True)
class ReplayReport:
    """What a replay found.

    Args:
        tape: The tape's id.
        mode: The mode.
        turns: Turns of nodes that were run again.
        steps: Steps of these turns that were compared.
        divergences: All found, in order; in the mode `strict` and `steps` only the first.
    """

    tape: str
    mode: ReplayMode
    turns: int = 0
    steps: int = 0
    divergences: list[Divergence] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.divergences


async def replay(
    tape: Tape | str,
    *,
    agent: Agent | None = None,
    mode: ReplayMode = "strict",
    store: Store | None = None,
    deps: Any = None,  # noqa: ANN401
) -> ReplayReport:
    """Run an agent's code against what a tape recorded, and report where it differs.

    Prompts are built again and compared, completions and observations come from the tape, and so
    do clock, chance and ids. No model is asked and nothing is done.

    Args:
        tape: The tape, or its id.
        agent: The same agent or a changed one; found in this process if not given.
        mode: `strict` stops at the first difference of any kind; `steps` lets prompts differ and
            stops at the first difference of steps; `observe` goes on and reports all.
        store: Where the tape lives.
        deps: Objects for the nodes.

    Raises:
        KindError: The tape holds an action of a kind that this process does not know.
        AgentError: No agent was given and none of this process fits.
    """
    store = store or default_store()
    opened = await store.open(tape) if isinstance(tape, str) else tape
    fold = opened.fold()
    if agent is None:
        if fold.config is None:
            raise AgentError("this tape was never run: there is nothing to replay")
        agent = find_agent(fold.frames[0].agent, fold.config)
    agent.bind(await _offered(opened, agent, store))
    return _Replay(opened, agent, mode, deps).report()


async def _offered(tape: Tape, agent: Agent, store: Store) -> list[ToolSchema]:
    """The tools that the environment offered when the tape was recorded."""
    own = {tool.name for member in agent.family() for tool in member.toolbox.tools()}
    for step in tape:
        body = step.body if step.kind == Run.kind else None
        if isinstance(body, Run) and isinstance(body.environment, dict):
            content = await store.document(str(body.environment.get("tools")))
            tools = json.loads(content) if content is not None else []
            schemas = [ToolSchema(**tool) for tool in tools]
            return [schema for schema in schemas if schema.name not in own]
    return []


class _Replay:
    """Goes through a tape turn by turn; every turn is run again on what was recorded before it."""

    def __init__(self, tape: Tape, agent: Agent, mode: ReplayMode, deps: object) -> None:
        self._tape = tape
        self._root = agent
        self._mode = mode
        self._deps = deps
        self._fold = Fold()
        self._fitter = BlobFitter(tape.header.blob_key)
        self._report = ReplayReport(tape.id, mode)

    def report(self) -> ReplayReport:
        for step in self._tape:
            if step.role == "action" and not step.known:
                raise KindError(
                    f"step {step.seq} is an action of the unknown kind `{step.kind}`: import the "
                    "package that defines it, then replay",
                    kind=step.kind,
                )
            if _begins_turn(step) and not self._turn(step):
                break
            self._fold.advance(step)
        return self._report

    def _turn(self, step: Step) -> bool:
        """Run one turn again; False to stop here."""
        frame = self._fold.frames[step.frame]
        agent = self._root.agent_named(frame.agent)
        self._report.turns += 1
        try:
            node = agent.next_node(frame)
            if node is None or node.name != step.by.node:
                now = node.name if node else "none"
                return self._differs(step, "node", step.by.node or "none", now)
            view = View(self._tape.at(step.seq), self._fold, frame)
            return self._compare(step, node, view)
        except PlayheadError:
            raise
        except Exception as error:
            return self._differs(step, "error", "no error", f"{type(error).__name__}: {error}")

    def _compare(self, step: Step, node: Node, view: View) -> bool:
        turn = list(self._rest_of_turn(step))
        note = next((s.body for s in turn if isinstance(s.body, Context)), None)
        ctx = NodeContext(deps=self._deps, recorded=note if isinstance(note, Context) else None)
        prompt = node.make_prompt(view, ctx)
        completion: Completion | None = None
        if isinstance(step.body, ModelCall):
            if prompt is None:
                return self._differs(step, "prompt", "a prompt", "none")
            now = [self._fitter.message(message) for message in prompt]
            was = read_prompt(self._tape, step)
            if now != was and not self._differs(step, "prompt", *_first_difference(was, now)):
                return False
            completion = completion_of(step.body)
        elif prompt is not None:
            return self._differs(step, "prompt", "none", "a prompt")
        made = list(node.generate_steps(view, completion, ctx))
        return self._compare_steps(step, turn, made)

    def _rest_of_turn(self, first: Step) -> Iterator[Step]:
        """The recorded steps of the turn that a step begins, also if they were made later."""
        is_call = first.kind == ModelCall.kind
        for step in self._tape.range(first.seq + 1, len(self._tape)):
            if step.by.type != "agent":
                if is_call:
                    continue  # a turn that was interrupted goes on after the resumption
                return
            if (
                step.by.call == first.id
                if is_call
                else step.by == first.by and step.by.call is None
            ):
                if _begins_turn(step):
                    return
                yield step
            elif is_call and step.kind == Context.kind and step.by == first.by:
                yield step
            else:
                return

    def _compare_steps(self, step: Step, turn: list[Step], made: list[Body]) -> bool:
        hidden = (Context.kind, NodeRun.kind)
        was = [s.body for s in turn if s.kind not in hidden and not s.erased]
        following = [body for body in made if isinstance(body, NextNode)][-1:]
        now = [body for body in made if not isinstance(body, NextNode)] + following
        self._report.steps += len(was)
        for recorded, body in zip(was, now, strict=False):
            if not _same(recorded, self._fitter.fit(body)):
                return self._differs(step, "steps", _told(recorded), _told(body))
        if len(was) != len(now):
            return self._differs(step, "steps", f"{len(was)} steps", f"{len(now)} steps")
        return True

    def _differs(
        self,
        step: Step,
        what: Literal["node", "prompt", "steps", "error"],
        recorded: str,
        now: str,
    ) -> bool:
        """Note a difference; True if the replay goes on all the same."""
        if what == "prompt" and self._mode == "steps":
            return True
        node, agent = step.by.node or "", step.by.name or ""
        self._report.divergences.append(Divergence(step.seq, agent, node, what, recorded, now))
        return self._mode == "observe"


def _begins_turn(step: Step) -> bool:
    """Whether a turn begins here: a complete model call, or the mark of a run without one."""
    if step.by.type != "agent" or step.erased:
        return False
    if step.kind == ModelCall.kind:
        body = step.body
        return isinstance(body, ModelCall) and body.status == "complete"
    return step.kind == NodeRun.kind and step.by.call is None


def _same(recorded: Body, made: Body) -> bool:
    if isinstance(recorded, ToolCall) and isinstance(made, ToolCall):
        return recorded == made.model_copy(update={"effect": recorded.effect})
    if isinstance(recorded, Return) and isinstance(made, AssistantMessage):
        return recorded.parts == made.parts
    return recorded == made


def _first_difference(was: list[Message], now: list[Message]) -> tuple[str, str]:
    for at, (old, new) in enumerate(zip(was, now, strict=False)):
        if old != new:
            left, right = (
                old.model_dump_json(exclude_none=True),
                new.model_dump_json(exclude_none=True),
            )
            start = next(
                (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
                min(len(left), len(right)),
            )
            cut = max(0, start - 30)
            return f"message {at}: {_short(left[cut:])}", f"message {at}: {_short(right[cut:])}"
    return f"{len(was)} messages", f"{len(now)} messages"


def _told(body: Body) -> str:
    return f"{body.kind} {_short(body.model_dump_json(exclude_none=True))}"


def _short(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
