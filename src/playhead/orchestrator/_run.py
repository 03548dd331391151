"""`run` and `resume`: start a session, or finish one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playhead.agent import Agent
from playhead.errors import RunError, TapeNotFoundError
from playhead.orchestrator._actions import check_known
from playhead.orchestrator._approval import Approval, Verdict
from playhead.orchestrator._budget import Budget
from playhead.orchestrator._captured import refuse_captured
from playhead.orchestrator._decisions import (
    Name,
    check_verdicts,
    record_verdict,
    request,
    unknown_outcomes,
    verdicts_of,
)
from playhead.orchestrator._default_store import default_store
from playhead.orchestrator._definitions import check_definitions
from playhead.orchestrator._drive import (
    EnvironmentsArgument,
    Task,
    drive,
    first_task,
    owned,
    parts_of,
    task_text,
    was_asked,
)
from playhead.orchestrator._effects import Past, policy_of, unused
from playhead.orchestrator._events import OnEvent
from playhead.orchestrator._guarding import guarded
from playhead.orchestrator._inbox import hearing, posted, said_in
from playhead.orchestrator._recovery import begin_environment, rebuild_environment
from playhead.orchestrator._session import Options, Session, only_said
from playhead.store import Store
from playhead.tape import Action, By, Draft, Json, Note, Part, Tape
from playhead.tape.kinds import ToolCall, UserMessage

if TYPE_CHECKING:
    from playhead.govern import Guard

_logger = logging.getLogger("playhead.orchestrator")


@guarded
async def run(
    agent: Agent,
    task: Task | None = None,
    *,
    tape: Tape | str | None = None,
    environment: EnvironmentsArgument = None,
    store: Store | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    simulate: Callable[[ToolCall], Json] | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
    privacy: Guard | None = None,
    notes: Sequence[Note] = (),
) -> Tape:
    """Run an agent on a task until it answers, stops, pauses or waits.

    Every step is in the store before the next one begins. Look at `tape.status` and `tape.answer`.

    Args:
        agent: The agent.
        task: What the person says.
        tape: Go on with this tape instead of a new one; `task` is the person's next message. If it
            comes between a call and its answer, it waits in the tape's inbox until it fits. One
            that is nowhere stored yet (`Tape.new()`) is begun, so that its id is known before.
        environment: One or more environments beside the agent's own tools.
        store: Where the tape lives; `default_store()` if not given.
        budget: Limits of this run.
        approval: Which actions wait for somebody's word.
        simulate: For a `tape` that is a fork with `effects="simulate"`.
        deps: Objects for nodes and tools, never recorded.
        on_event: Shown every step, delta and action as it happens.
        privacy: Keeps secrets and personal data off the tape; whoever goes on with the tape needs
            it as well.
        notes: Recorded with the task, in one batch.

    Raises:
        ModelError: The model gave no completion; the tape can be resumed.
        NodeError: A node's code raised; the tape can be resumed.
        TapeOwnedError: Another session owns the tape.
        StoreError: The store failed; what was acknowledged is safe.
    """
    store = store or default_store()
    options = Options(
        budget or Budget(),
        approval,
        deps,
        on_event,
        simulate=simulate,
        privacy=privacy,
        notes=notes,
    )
    parts = parts_of(task) if task is not None else None
    fresh = Tape.new() if tape is None else await _unstored(store, tape)
    if tape is not None and fresh is None:
        tape_id = tape if isinstance(tape, str) else tape.id
        return await _go_on(
            tape_id, agent, parts, environment=environment, store=store, options=options
        )
    assert fresh is not None
    if parts is None:
        raise RunError("a new tape begins with a task: pass one")
    if simulate is not None:
        raise RunError("only a fork simulates: `fork(…, effects='simulate', simulate=…)`")
    async with owned(store, fresh.id, agent, environment, options, fresh=fresh) as session:
        await begin_environment(session, await task_text(session, parts))
        message = Draft(UserMessage(parts=parts), by=By("person"))
        await session.begin([*session.run_notes("run"), message])
        return await drive(session, fresh=True)


async def _unstored(store: Store, tape: Tape | str) -> Tape | None:
    """The tape, if it is a value that holds nothing but its header and is not stored yet."""
    if isinstance(tape, str) or len(tape) > 1:
        return None
    try:
        await store.open(tape.id)
    except TapeNotFoundError:
        return tape
    return None


@guarded
async def resume(
    tape: Tape | str,
    *,
    agent: Agent | None = None,
    decisions: Mapping[str, Verdict | Name] | None = None,
    environment: EnvironmentsArgument = None,
    store: Store | None = None,
    budget: Budget | None = None,
    approval: Approval | None = None,
    simulate: Callable[[ToolCall], Json] | None = None,
    deps: Any = None,  # noqa: ANN401
    on_event: OnEvent | None = None,
    privacy: Guard | None = None,
    notes: Sequence[Note] = (),
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
        simulate: For a fork with `effects="simulate"`.
        deps: Objects for nodes and tools.
        on_event: Shown what happens.
        privacy: The guard that the tape was run with.
        notes: Recorded where it goes on.

    Raises:
        RunError: A decision fits no waiting action, the environment cannot be rebuilt, or a
            server has changed what its tools say of themselves.
        TapeOwnedError: A live session owns the tape.
    """
    store = store or default_store()
    verdicts = verdicts_of(decisions)
    options = Options(
        budget or Budget(), approval, deps, on_event, verdicts, simulate, privacy, notes
    )
    tape_id = tape if isinstance(tape, str) else tape.id
    return await _go_on(tape_id, agent, None, environment=environment, store=store, options=options)


async def _go_on(
    tape_id: str,
    agent: Agent | None,
    said: tuple[Part, ...] | None,
    *,
    environment: EnvironmentsArgument,
    store: Store,
    options: Options,
) -> Tape:
    def check(tape: Tape) -> None:
        refuse_captured(tape, "it cannot be resumed", talking=said is not None)

    async with owned(store, tape_id, agent, environment, options, check=check) as session:
        await _recall_effects(session)
        asked = unknown_outcomes(session)
        check_verdicts(session.fold, options.decisions, asked=asked)
        done = said is None and await _has_nothing_to_do(session)
        check_known(session)
        if not done:
            await check_definitions(session, session.tape)
        await rebuild_environment(session, session.tape, await first_task(session))
        if done:
            return session.tape
        drafts = session.run_notes("resume" if said is None else "run")
        drafts += session.privacy.notes() if session.privacy is not None else ()
        for step in asked:
            _logger.warning(
                "tape %s: step %d may or may not have been done: it waits for a decision",
                tape_id,
                step.seq,
            )
            assert isinstance(step.body, Action)
            drafts.append(request(step, step.body, "unknown_outcome"))
        if said is not None and session.hears():
            drafts += hearing(session, said)
        elif said is not None:
            await store.post(tape_id, session.private(posted(said)))
        await session.commit(drafts, documents=session.documents)
        for action, verdict in options.decisions.items():
            await record_verdict(session, action, verdict)
        return await drive(session)


async def _has_nothing_to_do(session: Session) -> bool:
    """Whether the tape has come to its end, and nobody says anything more.

    Raises:
        RunError: Nobody ever said anything.
    """
    messages = await session.store.inbox(session.tape.id)
    speaks = any(said_in(message) is not None for message in messages)
    if not speaks and not was_asked(session.tape):
        raise RunError("nobody has said anything on this tape: `run(agent, task, tape=…)`")
    fold = session.fold
    answered = fold.status == "answered" and len(fold.frames) == 1
    return not speaks and only_said(fold) and (answered or fold.stopped is not None)


async def _recall_effects(session: Session) -> None:
    """What a fork was told to do about its parent's effects holds as long as it lives.

    Raises:
        RunError: It simulates, and nothing to do so was given, or the other way round.
    """
    policy = policy_of(session.tape)
    if (policy == "simulate") != (session.options.simulate is not None):
        need = "pass" if policy == "simulate" else "it is no such fork: leave out"
        raise RunError(f"a fork with `effects='simulate'` goes on so: {need} `simulate=`")
    if policy == "reuse":
        try:
            calls = await unused(session.store, session.environment, session.tape)
        except TapeNotFoundError as error:
            raise RunError(f"this fork reuses results of a tape that is gone: {error}") from error
        session.past = Past.of(calls)
