"""A session from its lease to its end: open it, alternate agent and environment, give it back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from playhead.agent import Agent, find_agent
from playhead.environment import Environment
from playhead.errors import AgentError, RunError, StoreError
from playhead.orchestrator._actions import answer_open
from playhead.orchestrator._inbox import Inbox
from playhead.orchestrator._recovery import save_snapshot
from playhead.orchestrator._session import Options, Session, in_any_case, only_said
from playhead.orchestrator._turns import take_turn
from playhead.store import Lease, Store
from playhead.tape import BlobPart, Part, Tape, TextPart, text_parts
from playhead.tape.kinds import UserMessage

_logger = logging.getLogger("playhead.orchestrator")

EnvironmentsArgument: TypeAlias = Environment | Iterable[Environment] | None
Task: TypeAlias = str | Iterable[Part]


@contextlib.asynccontextmanager
async def owned(
    store: Store,
    tape_id: str,
    agent: Agent | None,
    environment: EnvironmentsArgument,
    options: Options,
    *,
    fresh: Tape | None = None,
    check: Callable[[Tape], None] | None = None,
) -> AsyncIterator[Session]:
    """A session that holds the tape's lease; on the way out, the lease is given back.

    `check` may refuse the tape before anything else is made of it.
    """
    began = time.time_ns()
    given = [environment] if isinstance(environment, Environment) else list(environment or ())
    for part in given:
        await part.open()
    lease = await _acquired(store, tape_id)
    try:
        tape = fresh or await store.open(tape_id)
        if check is not None:
            check(tape)
        owner = agent or agent_of(tape)
        session = Session(owner, given, store, tape, lease=lease, options=options)
        _logger.debug("tape %s: owned by agent `%s`, %d steps", tape_id, owner.name, len(tape))
        with session.telemetry.run(began):
            try:
                yield session
            except asyncio.CancelledError:
                with _warned(tape_id, "it is not recorded that the run was cancelled"):
                    await asyncio.shield(session.pause("cancelled", "the run was cancelled"))
                raise
        _logger.debug("tape %s: %s at %d steps", tape_id, session.fold.status, len(session.tape))
    finally:
        with _warned(tape_id, "the lease was not given back, and has to run out"):
            await asyncio.shield(store.release(lease))


@contextlib.contextmanager
def _warned(tape: str, what: str) -> Iterator[None]:
    """Let a fault of the store pass that the caller cannot help, but for a warning."""
    try:
        yield
    except StoreError as error:
        _logger.warning("tape %s: %s (%s)", tape, what, error.code)


async def _acquired(store: Store, tape: str) -> Lease:
    """The lease; if this is cancelled meanwhile, it is not left behind."""
    acquiring = asyncio.ensure_future(store.acquire(tape))
    try:
        return await asyncio.shield(acquiring)
    except asyncio.CancelledError:
        with contextlib.suppress(StoreError):
            await in_any_case(_given_back(store, acquiring))
        raise


async def _given_back(store: Store, acquiring: asyncio.Future[Lease]) -> None:
    await store.release(await acquiring)


def agent_of(tape: Tape) -> Agent:
    """The agent of this process that the tape was run with last.

    Raises:
        AgentError: There is none.
    """
    fold = tape.fold()
    if fold.config is None:
        raise AgentError("this tape was never run: pass `agent=`")
    return find_agent(fold.frames[0].agent, fold.config)


async def drive(session: Session, *, fresh: bool = False) -> Tape:
    """Alternate agent and environment until there is nothing to do.

    Args:
        session: The session.
        fresh: Nobody can have posted anything yet: the tape was not there before.
    """
    inbox = Inbox(session)
    if not fresh:
        await inbox.take(now=True)
    while not finished(session) and session.fold.paused is None:  # a node may hand over
        if inbox.due:
            await inbox.take()
        if session.outgrown:
            await session.lean_on_store()
        fold = session.fold
        said = only_said(fold)
        silent = bool(fold.open) and said and len(fold.frames) == 1
        if not silent and (limit := session.meter.exceeded(fold)) is not None:
            await session.pause("budget", f"the budget of {limit} is used up: resume with more")
            break
        if said and not silent:  # also where nothing is open
            await take_turn(session)
        elif not await answer_open(session, inbox) and not await inbox.take(now=True):
            if fold.status == "waiting":
                await session.pause("decision", _waiting(session))
            break
    await save_snapshot(session)
    return session.tape


def _waiting(session: Session) -> str:
    why = "; ".join(session.doubts[a] for a in session.fold.open if a in session.doubts)
    return "an action waits for a decision" + (f": {why}" if why else "")


def finished(session: Session) -> bool:
    """Whether the agent stopped, and nothing that it asked for before is left to do."""
    return session.fold.stopped is not None and only_said(session.fold)


def parts_of(task: Task) -> tuple[Part, ...]:
    """What the person says.

    Raises:
        RunError: It is neither a text nor parts.
    """
    try:
        parts = text_parts(task)
        UserMessage(parts=parts)
    except (TypeError, ValueError) as error:
        raise RunError(f"a task is a text or message parts: {error}") from None
    return parts


async def task_text(session: Session, parts: Sequence[Part]) -> str | None:
    """A task as an environment is told of it."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, TextPart):
            texts.append(part.content)
        elif isinstance(part, BlobPart):
            content = await session.read_blob(part)
            texts.append(part.preview if content is None else content.decode("utf-8", "replace"))
    return "".join(texts) or None


async def first_task(session: Session) -> str | None:
    """What the person asked first on the session's tape."""
    for step in session.tape:
        if step.kind == UserMessage.kind and step.frame == 0:
            body = step.body
            return await task_text(session, body.parts) if isinstance(body, UserMessage) else None
    return None


def was_asked(tape: Tape) -> bool:
    """Whether a person has said anything on the tape."""
    return any(step.kind == UserMessage.kind for step in tape)
