"""`fork`: a child tape that shares a prefix and goes another way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playhead.agent import Agent, NodeContext
from playhead.errors import DecisionNeededError, NodeError, RunError, told
from playhead.orchestrator._actions import check_known
from playhead.orchestrator._approval import Approval
from playhead.orchestrator._bodies import same
from playhead.orchestrator._budget import Budget
from playhead.orchestrator._default_store import default_store
from playhead.orchestrator._definitions import check_definitions
from playhead.orchestrator._drive import (
    EnvironmentsArgument,
    Task,
    agent_of,
    drive,
    first_task,
    owned,
    parts_of,
    was_asked,
)
from playhead.orchestrator._effects import Past, PastCall, past_effects
from playhead.orchestrator._events import OnEvent
from playhead.orchestrator._guarding import guarded
from playhead.orchestrator._inbox import hearing, posted
from playhead.orchestrator._recovery import rebuild_environment
from playhead.orchestrator._session import Options, Session
from playhead.orchestrator._turn import begun_turn, context_of, turn_steps
from playhead.store import Store
from playhead.tape import Draft, Json, Step, Tape
from playhead.tape.kinds import Context, Effects, ModelCall, NodeRun, PastEffect, ToolCall

if TYPE_CHECKING:
    from playhead.govern import Guard

EffectsPolicy: TypeAlias = Literal["ask", "reuse", "redo", "simulate"]


@guarded
async def fork(
    tape: Tape | str,
    *,
    at: int | None = None,
    tape_id: str | None = None,
    agent: Agent | None = None,
    task: Task | None = None,
    effects: EffectsPolicy = "ask",
    simulate: Callable[[ToolCall], Json] | None = None,
    go_on: bool = True,
    environment: EnvironmentsArgument = None,
    store: Store | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
    privacy: Guard | None = None,
) -> Tape:
    """A child tape that shares the first `at` steps and goes on live from there.

    Args:
        tape: The tape, or its id.
        at: How many steps to share: step `at` is the first that can differ; all if not given. In
            the middle of what one completion led to, the rest of it is made again first.
        tape_id: The child's id; minted if not given. Whoever knows it beforehand finds the child
            again after a crash.
        agent: Another agent, or the same.
        task: The person's next message on the child.
        effects: What to do about effects outside that the parent had after the point, or may have
            had: `ask` (stop and list them), `reuse` (an equal call gets the recorded result),
            `redo`, `simulate`. It holds for the child as long as it lives.
        simulate: For `simulate`: gives the result of a call that would have an effect outside.
        go_on: Make the child only, without running it.
        environment: As for `run`, and so are the others.
        store: Where both tapes live.
        budget: Limits of this run.
        approval: Which actions wait.
        deps: Objects for nodes and tools.
        on_event: Shown what happens.
        privacy: The guard that the tape was run with, or one from here on.

    Raises:
        DecisionNeededError: Effects happened after the point and `effects` is `ask`; `effects`
            of the error lists them.
        RunError: The agent makes something else of a completion in whose middle `at` is.
        TapeError: There is no step `at`, or `tape_id` is no id.
        StoreError: The store failed, or has a tape of this id.
    """
    if (effects == "simulate") != (simulate is not None):
        raise RunError("`effects='simulate'` and a function `simulate` go together")
    if effects not in ("ask", "reuse", "redo", "simulate"):
        raise RunError(f"effects are asked about, or `reuse`, `redo`, `simulate`: not `{effects}`")
    parts = parts_of(task) if task is not None else None
    store = store or default_store()
    parent = await store.open(tape if isinstance(tape, str) else tape.id)
    child = parent.fork(at, tape_id=tape_id)
    agent = agent or agent_of(parent)
    options = Options(
        budget or Budget(), approval, deps, on_event, simulate=simulate, privacy=privacy
    )
    async with owned(store, child.id, agent, environment, options, fresh=child) as session:
        session.begun.clear()
        past = await past_effects(store, session.environment, parent, len(child) - 1)
        if past and effects == "ask":
            raise DecisionNeededError(_listed(past, len(child) - 1), effects=past)
        if effects == "reuse":
            session.past = Past.of(past)
        drafts = [_effects_note(child, past, effects)] if past or effects == "simulate" else []
        rest = _rest_of_turn(session, parent, len(child) - 1)
        if not go_on:
            await session.begin([*drafts, *rest])
            return session.tape
        if parts is None and not was_asked(child):
            raise RunError(f"nobody has said anything before step {len(child) - 1}: pass `task=`")
        check_known(session)
        await check_definitions(session, parent)
        await rebuild_environment(session, child.at(len(child) - 1), await first_task(session))
        given = session.privacy.notes() if session.privacy is not None else ()
        drafts += [*session.run_notes("fork"), *given, *rest]
        if parts is not None and not rest and session.hears():
            drafts += hearing(session, parts)
            parts = None
        await session.begin(drafts)
        if parts is not None:
            await store.post(child.id, session.private(posted(parts)))
        return await drive(session)


def _effects_note(child: Tape, past: list[PastCall], policy: EffectsPolicy) -> Draft:
    effects = tuple(
        PastEffect(id=call.step.id, name=call.call.name, arguments=call.call.arguments)
        for call in past
    )
    members = {"after": len(child) - 1, "policy": policy, "effects": effects}
    return Draft(Effects.model_validate(members))


def _listed(past: list[PastCall], at: int) -> str:
    lines = "\n".join(
        f"  step {call.step.seq}: {call.call.name} {call.call.arguments}"
        + ("" if call.answer is not None else " (it is not known what came of it)")
        for call in past
    )
    return (
        f"after step {at} the parent did this to the world outside:\n{lines}\n"
        "say what an equal call of the child shall do: effects='reuse', 'redo' or 'simulate'"
    )


def _rest_of_turn(session: Session, parent: Tape, at: int) -> list[Draft]:
    """If the fork is within a turn: what the agent makes of it beyond what is shared.

    Raises:
        RunError: The agent makes something else of it than what is shared.
        NodeError: The node's code raised.
    """
    first = _begun_by(parent, at)
    if first is None:
        return []
    turn, completion, _ = begun_turn(session, first)
    context = context_of(parent, first)
    turn.ctx = NodeContext(deps=session.options.deps, recorded=context)
    try:
        turn.node.make_prompt(turn.view, turn.ctx)
        made = turn.drafts(turn.node.generate_steps(turn.view, completion, turn.ctx))
    except Exception as error:
        message = f"node `{turn.node.name}` of agent `{turn.agent.name}` raised {told(error)}"
        raise NodeError(message, node=turn.node.name, agent=turn.agent.name) from error
    turn_so_far = [step for step in turn_steps(parent, first) if step.seq < at]
    known = [step.body for step in turn_so_far if step.kind == Context.kind][-1:]
    shared = [step.body for step in turn_so_far if step.kind != Context.kind]
    now = [session.stored_form(draft.body) for draft in made]
    if len(now) < len(shared) or not all(map(same, shared, now)):
        raise RunError(
            f"step {at} is in the middle of what node `{turn.node.name}` made at step {first.seq}, "
            f"and this agent makes something else of it: fork at {first.seq}"
        )
    rest = made[len(shared) :]
    if context is not None and known != [context]:  # what it read is not shared
        rest.insert(0, turn.draft(context))
    return rest


def _begun_by(parent: Tape, at: int) -> Step | None:
    """What began the turn that goes on at a position; None if none does."""
    if at >= len(parent):
        return None
    step = parent[at]
    if step.by.type != "agent" or step.kind == ModelCall.kind:
        return None
    if step.kind == NodeRun.kind and step.by.call is None:
        return None
    for seq in range(at - 1, -1, -1):
        first = parent[seq]
        if step.by.call is not None:
            if first.id == step.by.call:
                return first
        elif first.kind == NodeRun.kind and first.by == step.by:
            return first
    return None
