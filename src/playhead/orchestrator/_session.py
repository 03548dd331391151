"""A session: the one owner of a tape, which seals, stores and extends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from playhead.agent import Agent
from playhead.environment import Environment, Environments
from playhead.errors import BodyError, ConflictError, RunError, UnknownOutcomeError
from playhead.llm import PromptWriter, ToolSchema
from playhead.orchestrator._approval import Approval, Verdict
from playhead.orchestrator._blobs import BlobFitter
from playhead.orchestrator._budget import Budget, Meter
from playhead.orchestrator._documents import document
from playhead.orchestrator._effects import Past
from playhead.orchestrator._events import Event, OnEvent, StepEvent
from playhead.orchestrator._guarding import privacy_of
from playhead.orchestrator._telemetry import telemetry_of
from playhead.store import Answer, Batch, Lease, Store
from playhead.tape import (
    BlobPart,
    Body,
    Draft,
    Fold,
    Json,
    Note,
    Step,
    Tape,
    text_part,
)
from playhead.tape.kinds import AssistantMessage, Pause, Run, ToolCall

if TYPE_CHECKING:
    from playhead.govern import Guard

T = TypeVar("T")
_logger = logging.getLogger("playhead.orchestrator")
_SAID = AssistantMessage.kind
_CHECKPOINT = 512  # steps between checkpoints of the fold
_TRIES = 3  # of an append whose outcome is unknown


@dataclass(slots=True)
class Options:
    """What a run was asked for, beyond agent, environment and tape."""

    budget: Budget = field(default_factory=Budget)
    approval: Approval | None = None
    deps: Any = None
    on_event: OnEvent | None = None
    decisions: Mapping[str, Verdict] = field(default_factory=dict)
    simulate: Callable[[ToolCall], Json] | None = None
    privacy: Guard | None = None
    notes: Sequence[Note] = ()


class Session:
    """Owns a tape while it lives: seals, stores and then extends it.

    What runs on it stands in `_turns` (the agent's part) and `_actions` (the environment's part).
    """

    def __init__(
        self,
        agent: Agent,
        environments: Sequence[Environment],
        store: Store,
        tape: Tape,
        *,
        lease: Lease | None,
        options: Options,
    ) -> None:
        self.store = store
        self.tape = tape
        self.lease = lease
        self.options = options
        self.watched = options.on_event is not None  # if nobody looks, no events need be made
        self.privacy = privacy_of(options.privacy, tape)
        self.environment = Environments(environments)
        offered = [_as_recorded(tool.schema) for tool in self.environment.tools()]
        self.agent = agent.bound(offered)
        self.agents = {member.name: member for member in self.agent.family()}
        self.around = {
            name: Environments([member.toolbox, *environments])
            for name, member in self.agents.items()
        }
        self.fitter = BlobFitter(tape.header.blob_key)
        self._follow()
        self.meter = Meter(options.budget, self.fold)
        certain = not_started(tape)
        self.begun: set[str] = {action for action in self.fold.open if action not in certain}
        self.acted = False
        self.past = Past()
        self.doubts: dict[str, str] = {}  # by action, why nobody knows whether it happened
        self.deciding = asyncio.Lock()  # held while a decision is checked and stored
        self.deadlines: dict[str, float] = {}  # by the step that asks
        self._committing = asyncio.Lock()
        self._last_checkpoint = self.fold.length
        self._in_memory = False  # as a new tape is, until it is long
        self.outgrown = False
        self.documents: dict[str, bytes] = {}
        self.config = self._document(self.agent.config())
        self.environment_tools = self._document([schema.as_json() for schema in offered])
        self.tool_digests = self._tool_digests()
        self.telemetry = telemetry_of(self)

    def _tool_digests(self) -> dict[tuple[str, str], str | None]:
        """By agent and node, the document of the tools that its model is offered."""
        return {
            (member.name, node.name): self._document([schema.as_json() for schema in node.tools])
            if node.offers_tools and node.tools
            else None
            for member in self.agents.values()
            for node in member.nodes
        }

    def _document(self, value: Json) -> str:
        name, content = document(self.private(value))
        self.documents[name] = content
        return name

    def _follow(self) -> None:
        self.fold: Fold = self.tape.fold()
        self.prompts = PromptWriter(self.fold, tape=self.tape.id)

    def run_notes(self, mode: str) -> list[Draft]:
        """The note that a run begins, and those that the caller adds."""
        return [self._run_note(mode), *(Draft(note) for note in self.options.notes)]

    def _run_note(self, mode: str) -> Draft:
        parts = [m.toolbox.describe() for m in self.agents.values() if m.toolbox.tools()]
        parts += [part.describe() for part in self.environment.parts]
        environment: dict[str, Json] = {"parts": parts, "tools": self.environment_tools}
        environment |= self.telemetry.origin()
        if self.privacy is not None:
            environment["privacy"] = {"vault": self.privacy.guard.vault.id}
        members = {"mode": mode, "agent": self.agent.name, "config": self.config}
        return Draft(Run.model_validate({**members, "environment": environment}))

    def emit(self, event: Event) -> None:
        """Show an event; a watcher that raises does not stop the run."""
        if self.options.on_event is not None:
            try:
                self.options.on_event(event)
            except Exception as error:
                _logger.warning("`on_event` raised %s: the run goes on", type(error).__name__)

    async def begin(self, drafts: Sequence[Draft]) -> None:
        """Store a new tape: its own header entry, which it was made with, and its first steps.

        Raises:
            As `commit`.
        """
        header, steps = self.tape[-1], self._sealed(drafts)
        batch = Batch(
            self.tape.id,
            header.seq,
            [header, *steps],
            lease=self.lease,
            blobs=self.fitter.take(),
            documents=self.documents,
        )
        interrupted = await self._store(batch)
        self.tape = self.tape.extend(steps)
        self.fold = self.tape.fold()
        self._in_memory = True
        self._show([header, *steps], interrupted)

    async def lean_on_store(self) -> None:
        """Let old steps leave memory from now on: they are read again when looked at."""
        stored = await self.store.open(self.tape.id)
        self.tape = stored.knowing(self.tape)
        self._follow()
        self._in_memory = self.outgrown = False

    async def commit(
        self,
        drafts: Sequence[Draft],
        *,
        documents: Mapping[str, bytes] | None = None,
        literals: Sequence[tuple[int, int, int]] = (),
        inbox: Sequence[int] = (),
    ) -> list[Step]:
        """Seal drafts, store them, and only then make them part of the tape.

        Raises:
            TapeError: A draft cannot be written; nothing was.
            ConflictError, LostLeaseError: Somebody else appended; this session is over.
            UnknownOutcomeError: The disk failed again and again.
            StoreError: Nothing was stored.
        """
        async with self._committing:
            steps = self._sealed(drafts)
            batch = Batch(
                tape=self.tape.id,
                expected_length=len(self.tape),
                steps=steps,
                lease=self.lease,
                blobs=self.fitter.take(),
                documents=documents or {},
                literals=literals,
                checkpoint=self._checkpoint(steps),
                inbox=inbox,
            )
            interrupted = await self._store(batch)
            self.tape = self.tape.extend(steps)
            self.fold = self.tape.fold()
        self._show(steps, interrupted)
        return steps

    def _show(self, steps: Sequence[Step], interrupted: asyncio.CancelledError | None) -> None:
        self.telemetry.committed(steps)
        if self.watched:
            for step in steps:
                self.emit(StepEvent(step))
        if interrupted is not None:
            raise interrupted

    def _sealed(self, drafts: Sequence[Draft]) -> list[Step]:
        try:
            return self.tape.seal([self._fitted(draft) for draft in drafts])
        except UnicodeEncodeError as error:
            raise BodyError(f"half of a surrogate pair cannot be written: {error}") from None

    def private(self, value: Json) -> Json:
        """A JSON value as it may be written: with placeholders, if the session has a guard."""
        return value if self.privacy is None else self.privacy.json(value)

    def stored_form(self, body: Body) -> Body:
        """A body as it is stored: with placeholders and blobs."""
        return self.fitter.fit(body if self.privacy is None else self.privacy.body(body))

    def _fitted(self, draft: Draft) -> Draft:
        if self.privacy is not None:
            draft = self.privacy.shield.draft(draft)
        body = self.fitter.fit(draft.body)
        return draft if body is draft.body else replace(draft, body=body)

    async def read_blob(self, part: BlobPart) -> bytes | None:
        """Content of a blob of this tape."""
        blob = await self.store.blob(self.tape.id, part.address)
        return blob.content if blob is not None else None

    async def _store(self, batch: Batch) -> asyncio.CancelledError | None:
        """Append; a cancellation on the way is given back once the outcome is known."""
        interrupted: asyncio.CancelledError | None = None
        for number in range(1, _TRIES + 1):
            try:
                answer = await self.store.append(batch)
            except asyncio.CancelledError as error:
                interrupted = error
                answer = await in_any_case(self.store.append(batch))
            if answer is Answer.STORED:
                return interrupted
            if answer is Answer.CONFLICT:
                raise ConflictError(
                    f"somebody else appended to tape `{batch.tape}`: nothing was written; look at "
                    "the tape again before going on",
                    tape=batch.tape,
                )
            _logger.warning(
                "tape %s: nobody knows whether step %d was stored, try %d of %d",
                batch.tape,
                batch.expected_length,
                number,
                _TRIES,
            )
        raise UnknownOutcomeError(
            f"the disk failed {_TRIES} times while storing step {batch.expected_length} of tape "
            f"`{batch.tape}`: check it, then resume",
            tape=batch.tape,
        )

    def _checkpoint(self, steps: Sequence[Step]) -> bytes | None:
        if self.fold.length - self._last_checkpoint < _CHECKPOINT:
            return None
        self._last_checkpoint = self.fold.length
        self.outgrown = self._in_memory
        for step in steps:  # if they are not stored after all, the session ends and this is lost
            self.fold.advance(step)
        return self.fold.checkpoint()

    async def pause(self, reason: str, message: str) -> None:
        """Record that the run stops here, and which open actions were certainly not begun."""
        not_begun = tuple(action for action in self.fold.open if action not in self.begun)
        _logger.info("tape %s: paused at step %d: %s", self.tape.id, len(self.tape), reason)
        text = text_part(str(self.private(message))[:2000]).content
        members = {"reason": reason, "message": text, "not_started": not_begun}
        await self.commit([Draft(Pause.model_validate(members))])

    def agent_of(self, name: str) -> Agent:
        """The agent of a frame."""
        found = self.agents.get(name)
        if found is None:
            raise RunError(
                f"the tape is in the hands of agent `{name}`, this run has {', '.join(self.agents)}"
            )
        return found

    def around_frame(self, frame: int) -> Environments:
        """What the agent of a frame can act on; for a frame that is closed, what is around all."""
        found = self.fold.frames.get(frame)
        return self.around.get(found.agent if found else "", self.environment)

    def hears(self) -> bool:
        """Whether the person can speak now: never between a call and its answer."""
        fold = self.fold
        if fold.unparsed is not None or not only_said(fold):
            return False
        return len(fold.frames) == 1 or fold.stopped is not None


def only_said(fold: Fold) -> bool:
    """Whether no action is open but what the agent said to the person."""
    for action in fold.open.values():  # noqa: SIM110  (asked several times a turn)
        if action.kind != _SAID:
            return False
    return True


def not_started(tape: Tape) -> frozenset[str]:
    """Open actions that the last session had certainly not begun when it paused."""
    paused = tape.fold().paused
    body = tape[paused].body if paused is not None else None
    return frozenset(body.not_started) if isinstance(body, Pause) else frozenset()


def _as_recorded(schema: ToolSchema) -> ToolSchema:
    """The schema as a replay reads it back: nodes may write it into a prompt, member by member."""
    return ToolSchema(**json.loads(document(schema.as_json())[1]))


async def in_any_case(work: Coroutine[Any, Any, T]) -> T:
    """The outcome, however often this task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    return task.result()
