"""`run`, `resume` and `fork`: start, finish, or go another way."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from playhead.agent import Agent, find_agent
from playhead.environment import Environment, Environments
from playhead.errors import AgentError, DecisionNeededError, RunError, StoreError
from playhead.orchestrator._actions import answer_open, call_key, record_verdict
from playhead.orchestrator._approval import Approval, Verdict
from playhead.orchestrator._budget import Budget
from playhead.orchestrator._events import OnEvent
from playhead.orchestrator._inbox import Inbox
from playhead.orchestrator._recovery import (
    begin_environment,
    not_started,
    rebuild_environment,
    save_snapshot,
    settle_unknown,
)
from playhead.orchestrator._session import Options, Session
from playhead.orchestrator._turns import take_turn
from playhead.store import SqliteStore, Store
from playhead.tape import By, Draft, Json, Part, Step, Tape, View, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Effects,
    PastEffect,
    Run,
    ToolCall,
    UserMessage,
)

EffectsPolicy: TypeAlias = Literal["ask", "reuse", "redo", "simulate"]
EnvironmentsArgument: TypeAlias = Environment | Iterable[Environment] | None

DEFAULT_PATH = ".playhead/tapes.db"
_default: dict[str, SqliteStore] = {}


def default_store() -> SqliteStore:
    """The store at `PLAYHEAD_STORE`, or at `.playhead/tapes.db` in the working folder."""
    path = str(Path(os.environ.get("PLAYHEAD_STORE", DEFAULT_PATH)).absolute())
    if path not in _default:
        store = _default[path] = SqliteStore(path)
        atexit.register(store.close_now)
    return _default[path]


async def run(
    agent: Agent,
    task: str | Iterable[Part] | None = None,
    *,
    tape: Tape | str | None = None,
    environment: EnvironmentsArgument = None,
    store: Store | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
) -> Tape:
    """Run an agent on a task until it answers, stops, pauses or waits.

    Every step is in the store before the next one begins. Look at `tape.status` and `tape.answer`.

    Args:
        agent: The agent.
        task: What the person says.
        tape: Go on with this tape instead of a new one; `task` is the person's next message.
        environment: One or more environments beside the agent's own tools.
        store: Where the tape lives; `default_store()` if not given.
        budget: Limits of this run.
        approval: Which actions wait for somebody's word.
        deps: Objects for nodes and tools, never recorded.
        on_event: Shown every step, delta and action as it happens.

    Raises:
        ModelError: The model gave no completion; the tape can be resumed.
        NodeError: A node's code raised; the tape can be resumed.
        TapeOwnedError: Another session owns the tape.
        StoreError: The store failed; what was acknowledged is safe.
    """
    store = store or default_store()
    options = Options(budget or Budget(), approval, deps, on_event)
    if tape is not None:
        tape_id = tape if isinstance(tape, str) else tape.id
        return await _go_on(
            tape_id, agent, task, environment=environment, store=store, options=options
        )
    if task is None:
        raise RunError("a new tape begins with a task: pass one")
    fresh = Tape.new()
    async with _owned(store, fresh.id, agent, environment, options, fresh=fresh) as session:
        await begin_environment(session, task if isinstance(task, str) else None)
        await _opened(session, "run", task)
        return await _drive(session)


async def resume(
    tape: Tape | str,
    *,
    agent: Agent | None = None,
    decisions: Mapping[str, Verdict | Literal["approve", "deny", "redo", "skip"]] | None = None,
    environment: EnvironmentsArgument = None,
    store: Store | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
) -> Tape:
    """Finish an unfinished tape: after a crash, a pause, a decision, a week.

    What is on the tape is never asked or done again. An action that may or may not have happened
    runs again if its tool is `read` or `idempotent` or its environment was rebuilt without it;
    any other waits for a decision (`redo`, `skip`, or `Verdict("result", result=…)`).

    Args:
        tape: The tape, or its id.
        agent: The agent; found by name and config digest among those of this process if not given.
        decisions: By the id of the waiting action.
        environment: As for `run`, and so are the others.
        store: Where the tape lives.
        budget: Limits of this run.
        approval: Which actions wait.
        deps: Objects for nodes and tools.
        on_event: Shown what happens.

    Raises:
        RunError: A decision fits no waiting action, or the environment cannot be rebuilt.
        TapeOwnedError: A live session owns the tape.
    """
    store = store or default_store()
    verdicts = {
        action: Verdict(said) if isinstance(said, str) else said
        for action, said in (decisions or {}).items()
    }
    options = Options(budget or Budget(), approval, deps, on_event, verdicts)
    tape_id = tape if isinstance(tape, str) else tape.id
    return await _go_on(tape_id, agent, None, environment=environment, store=store, options=options)


async def _go_on(
    tape_id: str,
    agent: Agent | None,
    task: str | Iterable[Part] | None,
    *,
    environment: EnvironmentsArgument,
    store: Store,
    options: Options,
) -> Tape:
    async with _owned(store, tape_id, agent, environment, options) as session:
        done = session.tape.status in ("answered", "stopped")
        if done and task is None and not await store.inbox(tape_id):
            return session.tape
        certain = not_started(session.tape)
        await rebuild_environment(session, session.tape, _task_of(session.tape))
        await _opened(session, "resume" if task is None else "run", task)
        await settle_unknown(session, certain)
        for action, verdict in options.decisions.items():
            await record_verdict(session, action, verdict)
        return await _drive(session)


async def fork(
    tape: Tape | str,
    *,
    at: int | None = None,
    agent: Agent | None = None,
    task: str | None = None,
    effects: EffectsPolicy = "ask",
    simulate: Callable[[ToolCall], Json] | None = None,
    go_on: bool = True,
    environment: EnvironmentsArgument = None,
    store: Store | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
) -> Tape:
    """A child tape that shares the first `at` steps and goes on live from there.

    Args:
        tape: The tape, or its id.
        at: How many steps to share: step `at` is the first that can differ; all if not given.
        agent: Another agent, or the same.
        task: The person's next message on the child.
        effects: What to do about effects outside that the parent had after the point: `ask` (stop
            and list them), `reuse` (an equal call gets the recorded result), `redo`, `simulate`.
        simulate: For `simulate`: gives the result of a call that would have an effect.
        go_on: Make the child only, without running it.
        environment: As for `run`, and so are the others.
        store: Where both tapes live.
        budget: Limits of this run.
        approval: Which actions wait.
        deps: Objects for nodes and tools.
        on_event: Shown what happens.

    Raises:
        DecisionNeededError: Effects happened after the point and `effects` is `ask`; `effects`
            of the error lists them.
    """
    if (effects == "simulate") != (simulate is not None):
        raise RunError("`effects='simulate'` and a function `simulate` go together")
    store = store or default_store()
    parent = await store.open(tape if isinstance(tape, str) else tape.id)
    child = parent.fork(at)
    options = Options(budget or Budget(), approval, deps, on_event, simulate=simulate)
    async with _owned(store, child.id, agent, environment, options, fresh=child) as session:
        past = _effects_after(session, parent, len(child) - 1)
        if past and effects == "ask":
            raise DecisionNeededError(_listed(past, len(child) - 1), effects=past)
        await session.commit_header()
        if not go_on:
            return session.tape
        await rebuild_environment(session, child.at(len(child) - 1), _task_of(child))
        await _opened(session, "fork", task)
        if past and effects != "ask":
            note = Effects(
                after=len(child) - 1,
                policy=effects,
                effects=tuple(
                    PastEffect(id=step.id, name=call.name, arguments=call.arguments)
                    for step, call, _ in past
                ),
            )
            await session.commit([Draft(note)])
        if effects == "reuse":
            for _, call, answer in past:
                session.reuse.setdefault(call_key(call), []).append(answer)
        return await _drive(session)


Past: TypeAlias = tuple[Step, ToolCall, Step]


def _effects_after(session: Session, parent: Tape, at: int) -> list[Past]:
    """Effects on the world outside that the parent had from position `at` on."""
    calls: dict[str, tuple[Step, ToolCall]] = {}
    past: list[Past] = []
    for step in parent:
        body = step.body
        if isinstance(body, ToolCall) and body.effect not in ("read", None):
            part = session.environment.part_of(body)
            if part is None or part.state_contract == "external":
                calls[step.id] = (step, body)
        elif step.seq >= at and step.kind == "playhead.tool_result" and step.re:
            found = calls.pop(step.re[0], None)
            if found is not None:
                past.append((*found, step))
    return past


def _listed(past: list[Past], at: int) -> str:
    lines = "\n".join(f"  step {step.seq}: {call.name} {call.arguments}" for step, call, _ in past)
    return (
        f"after step {at} the parent did this to the world outside:\n{lines}\n"
        "say what an equal call of the child shall do: effects='reuse', 'redo' or 'simulate'"
    )


def _task_of(tape: Tape) -> str | None:
    return View(tape, tape.fold(), tape.fold().frames[0]).task or None


@contextlib.asynccontextmanager
async def _owned(
    store: Store,
    tape_id: str,
    agent: Agent | None,
    environment: EnvironmentsArgument,
    options: Options,
    *,
    fresh: Tape | None = None,
) -> AsyncIterator[Session]:
    """A session that holds the tape's lease; on the way out, the lease is given back."""
    lease = await store.acquire(tape_id)
    try:
        tape = fresh or await store.open(tape_id)
        owner = agent or _agent_of(tape)
        session = Session(
            owner, _combined(owner, environment), store, tape, lease=lease, options=options
        )
        try:
            yield session
        except asyncio.CancelledError:
            await _cancelled(session)
            raise
    finally:
        with contextlib.suppress(StoreError):
            await asyncio.shield(store.release(lease))


async def _cancelled(session: Session) -> None:
    with contextlib.suppress(StoreError):
        await asyncio.shield(session.pause("cancelled", "the run was cancelled"))


def _agent_of(tape: Tape) -> Agent:
    fold = tape.fold()
    if fold.config is None:
        raise AgentError("this tape was never run: pass `agent=`")
    return find_agent(fold.frames[0].agent, fold.config)


def _combined(agent: Agent, environment: EnvironmentsArgument) -> Environments:
    own = [member.toolbox for member in agent.family() if member.toolbox.tools()]
    given = [environment] if isinstance(environment, Environment) else list(environment or ())
    return Environments([*own, *given])


async def _opened(
    session: Session,
    mode: Literal["run", "resume", "fork"],
    task: str | Iterable[Part] | None,
) -> None:
    """Record that a run begins, and what the person says."""
    note = Run(
        mode=mode,
        agent=session.agent.name,
        config=session.config,
        environment={
            "parts": session.environment.describe(),
            "tools": session.environment_tools,
        },
    )
    drafts = [Draft(note)]
    if task is not None:
        waiting = tuple(
            action.id
            for action in session.fold.open.values()
            if action.kind == AssistantMessage.kind
        )
        message = UserMessage(parts=text_parts(task))
        drafts.append(Draft(message, by=By("person"), re=waiting))
    if len(session.tape) == 1 and session.tape.parent is None:
        await session.commit_header()
    await session.commit(drafts, documents=session.documents)


async def _drive(session: Session) -> Tape:
    """Alternate agent and environment until there is nothing to do."""
    inbox = Inbox(session)
    while session.fold.stopped is None:
        await inbox.take()
        limit = session.meter.exceeded(session.fold)
        if limit is not None:
            await session.pause("budget", f"the budget of {limit} is used up: resume with more")
            break
        if not session.fold.open:
            await take_turn(session)
        elif not await answer_open(session) and not await inbox.take(now=True):
            if session.fold.status == "waiting":
                await session.pause("decision", "an action waits for a decision")
            break
    await save_snapshot(session)
    return session.tape
