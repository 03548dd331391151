"""Replay: run the agent's code again on a recorded tape, without model, network or effect."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playhead.agent import Agent, Node, NodeContext
from playhead.errors import AgentError, KindError, RunError, TapeError, told
from playhead.llm import Completion, Prompt, ToolSchema, read_prompt
from playhead.orchestrator._blobs import BlobFitter
from playhead.orchestrator._bodies import arranged, same
from playhead.orchestrator._calls import completion_of
from playhead.orchestrator._captured import refuse_captured
from playhead.orchestrator._default_store import default_store
from playhead.orchestrator._divergence import DifferenceKind, Divergence
from playhead.orchestrator._drive import agent_of
from playhead.orchestrator._guarding import guarded
from playhead.orchestrator._turn import begins_turn, context_of, next_node, turn_steps
from playhead.store import Store
from playhead.tape import (
    Body,
    Difference,
    Fold,
    Json,
    Message,
    Step,
    Tape,
    View,
    first_difference,
)
from playhead.tape.kinds import Context, ModelCall, NodeRun, Return, Run, Stop

if TYPE_CHECKING:
    from playhead.govern import Guard

ReplayMode: TypeAlias = Literal["strict", "steps", "observe"]
_MODES = ("strict", "steps", "observe")
_COUNTED = ("turns", "steps", "erased")


@dataclass(slots=True)
class ReplayReport:
    """What a replay found.

    Args:
        tape: The tape's id.
        mode: The mode.
        turns: Turns of nodes that were run again.
        steps: Steps of these turns that were compared.
        erased: Prompts and steps that could not be compared, because they were erased.
        divergences: Those found, in order: the first one, or every one where that was asked for.
    """

    tape: str
    mode: ReplayMode
    turns: int = 0
    steps: int = 0
    erased: int = 0
    divergences: list[Divergence] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.divergences

    def as_json(self) -> dict[str, Json]:
        """All of it, as plain JSON."""
        found: list[Json] = [each.as_json() for each in self.divergences]
        counts: dict[str, Json] = {name: getattr(self, name) for name in _COUNTED}
        return {"ok": self.ok, "tape": self.tape, "mode": self.mode, **counts, "divergences": found}


@guarded
async def replay(
    tape: Tape | str,
    *,
    agent: Agent | None = None,
    mode: ReplayMode = "strict",
    every: bool = False,
    store: Store | None = None,
    deps: Any = None,  # noqa: ANN401
    privacy: Guard | None = None,
) -> ReplayReport:
    """Run an agent's code against what a tape recorded, and report where it differs.

    Prompts are built again and compared, completions and observations come from the tape, and so
    do clock, chance and ids. No model is asked and nothing is done.

    Args:
        tape: The tape, or its id.
        agent: The same agent or a changed one; found in this process if not given.
        mode: `strict` stops at the first difference of any kind; `steps` lets prompts differ and
            stops at the first difference of steps; `observe` goes on and reports all.
        every: Go on after a difference in the other modes, too, and report every one.
        store: Where the tape lives.
        deps: Objects for the nodes.
        privacy: The guard that the tape was run with; needed only where the agent's own code or
            instructions hold values. Nothing is resolved.

    Raises:
        KindError: The tape holds an action of a kind that this process does not know.
        AgentError: No agent was given and none of this process fits.
        RunError: The tape is no session that an agent's code made here: it is one of annotations,
            or was captured or imported.
    """
    if mode not in _MODES:
        raise RunError(f"a replay is {', '.join(_MODES)}, not `{mode}`")
    store = store or default_store()
    opened = await store.open(tape) if isinstance(tape, str) else tape
    _check_lived(opened)
    agent = agent or agent_of(opened)
    again = _Replay(opened, agent, deps, await _offered(opened, store), privacy=privacy)
    again.asked(mode, every=every)
    return again.report()


def _check_lived(tape: Tape) -> None:
    """Make sure that an agent's code made the tape.

    Raises:
        RunError: It did not.
    """
    if tape.is_annotation:
        raise RunError("this tape says something about other tapes: there is no code to run again")
    refuse_captured(tape, "no agent can be compared with it")
    for step in tape:
        if step.origin != "native":
            raise RunError(
                f"step {step.seq} was {step.origin}: what prompts an agent's code made and what "
                "its tools did is not known, so there is nothing to compare"
            )


async def _offered(tape: Tape, store: Store) -> dict[str, list[ToolSchema]]:
    """By digest, the tools that the environments offered when the tape was recorded.

    Raises:
        KindError: The tape holds an action of a kind that this process does not know.
    """
    found: dict[str, list[ToolSchema]] = {}
    for step in tape:
        if step.role == "action" and not step.known:
            raise KindError(
                f"step {step.seq} is an action of the unknown kind `{step.kind}`: import the "
                "package that defines it, then replay",
                kind=step.kind,
            )
        name = _environment_of(step)
        if name is not None and name not in found:
            content = await store.document(name)
            tools = json.loads(content) if content is not None else []
            found[name] = [ToolSchema(**tool) for tool in tools]
    return found


def _environment_of(step: Step) -> str | None:
    body = step.body if step.kind == Run.kind else None
    if not isinstance(body, Run) or not isinstance(body.environment, dict):
        return None
    return str(body.environment.get("tools"))


class _Replay:
    """Goes through a tape turn by turn; every turn is run again on what was recorded before it."""

    def __init__(
        self,
        tape: Tape,
        agent: Agent,
        deps: object,
        offered: Mapping[str, list[ToolSchema]],
        *,
        privacy: Guard | None,
    ) -> None:
        self._tape = tape
        self._root = agent.bound()
        self._deps = deps
        self._offered = offered
        self._fold = Fold()
        self._shield = privacy.shield() if privacy is not None else None
        self._fitter = BlobFitter(tape.header.blob_key)
        self._report = ReplayReport(tape.id, "strict")
        self._every = False

    def asked(self, mode: ReplayMode, *, every: bool) -> None:
        """Say what is compared, and whether to go on after a difference."""
        self._report.mode = mode
        self._every = every or mode == "observe"

    def report(self) -> ReplayReport:
        for step in self._tape:
            name = _environment_of(step)
            if name is not None:
                self._root.bind(self._offered[name])
            if begins_turn(step):
                if not self._turn(step):
                    break
            elif self._ends_nodes(step) and not self._no_node_left(step):
                break
            self._fold.advance(step)
        return self._report

    def _turn(self, step: Step) -> bool:
        """Run one turn again; False to stop here."""
        self._report.turns += 1
        try:
            view = View(self._tape.at(step.seq), self._fold, self._fold.frames[step.frame])
            try:
                agent = self._root.agent_named(view.agent)
                node = next_node(agent, view)
            except AgentError as error:
                return self._differs(step, "node", step.by.node, str(error))
            if node is None or node.name != step.by.node:
                return self._differs(step, "node", step.by.node, node.name if node else None)
            return self._run_again(step, agent, node, view)
        except Exception as error:
            said = told(error)
            said = self._shield.text(said) if self._shield else said
            return self._differs(step, "error", None, said)

    def _ends_nodes(self, step: Step) -> bool:
        """Whether the runtime recorded that an agent had no further node."""
        if step.by.type != "system" or self._fold.stopped is not None:
            return False
        return step.kind in (Stop.kind, Return.kind)

    def _no_node_left(self, step: Step) -> bool:
        """Whether the list of nodes ends where it did; False to stop here."""
        view = View(self._tape.at(step.seq), self._fold)
        try:
            node = next_node(self._root.agent_named(view.agent), view)
        except AgentError as error:
            return self._differs(step, "node", None, str(error))
        return node is None or self._differs(step, "node", None, node.name)

    def _run_again(self, step: Step, agent: Agent, node: Node, view: View) -> bool:
        ctx = NodeContext(deps=self._deps, recorded=context_of(self._tape, step))
        prompt = node.make_prompt(view, ctx)
        completion: Completion | None = None
        if isinstance(step.body, ModelCall):
            if prompt is None:
                return self._differs(step, "prompt", "a prompt", None)
            if not self._compare_prompts(step, prompt):
                return False
            completion = completion_of(step.body)
        elif prompt is not None:
            return self._differs(step, "prompt", None, "a prompt")
        agents = [member.name for member in self._root.family()]
        bodies = node.generate_steps(view, completion, ctx)
        return self._compare_steps(step, arranged(agent, view.frame, bodies, agents=agents))

    def _compare_prompts(self, step: Step, prompt: Prompt) -> bool:
        shield = self._shield
        now = [self._fitter.message(shield.message(m) if shield else m) for m in prompt]
        try:
            was = read_prompt(self._tape, step)
        except TapeError:  # a message of it was erased
            self._report.erased += 1
            return True
        if now == was:
            return True
        return self._differs(step, "prompt", _parted(was, now))

    def _compare_steps(self, step: Step, now: list[Body]) -> bool:
        turn = list(turn_steps(self._tape, step))
        was = [made for made in turn if made.kind not in (Context.kind, NodeRun.kind)]
        if step.kind == ModelCall.kind and all(made.kind == Context.kind for made in turn):
            return True  # the session ended before anything was made of the completion
        self._report.steps += len(was)
        self._report.erased += sum(made.erased for made in was)
        now = [self._shield.body(body) for body in now] if self._shield else now
        now = [self._fitter.fit(body) for body in now]
        pairs = zip(was, now, strict=False)
        if len(was) == len(now) and all(a.erased or same(a.body, b) for a, b in pairs):
            return True
        made = [
            now[at] if at < len(now) and (step.erased or same(step.body, now[at])) else step.body
            for at, step in enumerate(was)
        ]
        return self._differs(
            step, "steps", _parted(made, now), fork_at=step.seq + 1 if turn else None
        )

    def _differs(
        self,
        step: Step,
        what: DifferenceKind,
        recorded: Json | Difference,
        now: Json = None,
        *,
        fork_at: int | None = None,
    ) -> bool:
        """Note a difference; True if the replay goes on all the same."""
        if what == "prompt" and self._report.mode == "steps":
            return True
        found = recorded if isinstance(recorded, Difference) else Difference("", recorded, now)
        self._report.divergences.append(
            Divergence(
                step.seq,
                step.by.name or "",
                step.by.node or "",
                what,
                found.recorded,
                found.now,
                path=found.path,
                fork_at=fork_at or step.seq,
            )
        )
        return self._every


def _parted(was: Sequence[Body | Message], now: Sequence[Body | Message]) -> Difference:
    """Where two lists that are not equal differ first."""
    for brief in (True, False):  # a null may be all that differs
        found = first_difference(
            [_plain(item, brief=brief) for item in was], [_plain(item, brief=brief) for item in now]
        )
        if found is not None:
            return found
    return Difference("", f"{len(was)} of them", f"{len(now)} of them, not equal to themselves")


def _plain(item: Body | Message, *, brief: bool) -> Json:
    """As JSON; an effect is the environment's, and no difference."""
    members: dict[str, Json] = item.model_dump(mode="json", exclude_none=brief)
    if isinstance(item, Message):
        return members
    members.pop("effect", None)
    return {"kind": item.kind, **members}
