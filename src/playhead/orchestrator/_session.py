"""A session: the one owner of a tape, which seals, stores and extends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playhead.agent import Agent
from playhead.environment import Environments
from playhead.errors import ConflictError, RunError, UnknownOutcomeError
from playhead.llm import PromptWriter
from playhead.orchestrator._approval import Approval, Verdict
from playhead.orchestrator._blobs import BlobFitter
from playhead.orchestrator._budget import Budget, Meter
from playhead.orchestrator._events import Event, OnEvent, StepEvent
from playhead.store import Answer, Batch, Lease, Store
from playhead.tape import BlobPart, Draft, Fold, Json, Step, Tape, canonical, digest
from playhead.tape.kinds import Pause, ToolCall

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


class Session:
    """Owns a tape while it lives: seals, stores and then extends it.

    What runs on it stands in `_turns` (the agent's part) and `_actions` (the environment's part).
    """

    def __init__(
        self,
        agent: Agent,
        environment: Environments,
        store: Store,
        tape: Tape,
        *,
        lease: Lease | None,
        options: Options,
    ) -> None:
        self.agent = agent
        self.environment = environment
        self.store = store
        self.tape = tape
        self.fold: Fold = tape.fold()
        self.lease = lease
        self.options = options
        self.agents = {member.name: member for member in agent.family()}
        self.config = agent.config_digest
        self.fitter = BlobFitter(tape.header.blob_key)
        self.prompts = PromptWriter(self.fold)
        self.meter = Meter(options.budget, self.fold)
        self.started: set[str] = set()
        self.reuse: dict[str, list[Step]] = {}
        self._committing = asyncio.Lock()
        self._last_checkpoint = self.fold.length
        self.tool_digests: dict[tuple[str, str], str | None] = {}
        self.documents: dict[str, bytes] = {}
        self._bind()

    def _bind(self) -> None:
        """Tell the nodes their tools, and name the documents that prompts refer to."""
        own = {tool.name for member in self.agents.values() for tool in member.toolbox.tools()}
        offered = [t.schema for t in self.environment.tools() if t.name not in own]
        self.agent.bind(offered)
        self.documents[self.config] = canonical(self.agent.config())
        self.environment_tools = self._document([schema.as_json() for schema in offered])
        for member in self.agents.values():
            for node in member.nodes:
                name: str | None = None
                if node.offers_tools and node.tools:
                    name = self._document([schema.as_json() for schema in node.tools])
                self.tool_digests[member.name, node.name] = name

    def _document(self, value: Json) -> str:
        name = digest(value)
        self.documents[name] = canonical(value)
        return name

    def emit(self, event: Event) -> None:
        """Show an event; a watcher that raises does not stop the run."""
        if self.options.on_event is not None:
            with contextlib.suppress(Exception):
                self.options.on_event(event)

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
            ConflictError, LostLeaseError: Somebody else appended; this session is over.
            UnknownOutcomeError: The disk failed again and again.
            StoreError: Nothing was stored.
        """
        async with self._committing:
            steps = self.tape.seal([self._fitted(draft) for draft in drafts])
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
        if self.options.on_event is not None:
            for step in steps:
                self.emit(StepEvent(step))
        if interrupted is not None:
            raise interrupted
        return steps

    async def commit_header(self) -> None:
        """Store the tape's own header entry, which it was made with."""
        header = self.tape[-1]
        batch = Batch(self.tape.id, header.seq, [header], lease=self.lease)
        interrupted = await self._store(batch)
        self.tape = await self.store.open(self.tape.id)  # from now on, backed by the store
        self._follow()
        self.emit(StepEvent(header))
        if interrupted is not None:
            raise interrupted

    def _follow(self) -> None:
        self.fold = self.tape.fold()
        self.prompts = PromptWriter(self.fold)

    def _fitted(self, draft: Draft) -> Draft:
        body = self.fitter.fit(draft.body)
        return draft if body is draft.body else replace(draft, body=body)

    async def read_blob(self, part: BlobPart) -> bytes | None:
        """Content of a blob of this tape."""
        blob = await self.store.blob(self.tape.id, part.address)
        return blob.content if blob is not None else None

    async def _store(self, batch: Batch) -> asyncio.CancelledError | None:
        """Append; a cancellation on the way is given back once the outcome is known."""
        interrupted: asyncio.CancelledError | None = None
        for _ in range(_TRIES):
            try:
                answer = await self.store.append(batch)
            except asyncio.CancelledError as error:
                interrupted = error
                answer = await asyncio.shield(asyncio.ensure_future(self.store.append(batch)))
            if answer is Answer.STORED:
                return interrupted
            if answer is Answer.CONFLICT:
                raise ConflictError(
                    f"somebody else appended to tape `{batch.tape}`: nothing was written; look at "
                    "the tape again before going on",
                    tape=batch.tape,
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
        for step in steps:  # if they are not stored after all, the session ends and this is lost
            self.fold.advance(step)
        return self.fold.checkpoint()

    async def pause(self, reason: str, message: str) -> None:
        """Record that the run stops here, and which open actions were certainly not begun."""
        not_started = tuple(i for i in self.fold.open if i not in self.started)
        body = Pause.model_validate(
            {"reason": reason, "message": message[:2000], "not_started": not_started}
        )
        await self.commit([Draft(body)])

    def agent_of(self, name: str) -> Agent:
        """The agent of a frame."""
        found = self.agents.get(name)
        if found is None:
            raise RunError(
                f"the tape is in the hands of agent `{name}`, this run has {', '.join(self.agents)}"
            )
        return found
