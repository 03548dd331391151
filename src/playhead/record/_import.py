"""Foreign files into a store: all of a file, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from playhead.errors import (
    BodyError,
    ConflictError,
    JsonError,
    TapeError,
    TapeNotFoundError,
    UnknownOutcomeError,
)
from playhead.llm import Prompt, PromptWriter
from playhead.orchestrator import BlobFitter
from playhead.record._file import ForeignFile, Progress
from playhead.record._foreign import ForeignTape
from playhead.record._format import Format
from playhead.record._losses import Losses
from playhead.store import Answer, Batch, Store
from playhead.tape import Body, Draft, Fold, Step, changed, unchecked
from playhead.tape.kinds import Literally, ModelCall, PromptRecord

_MANY, _MUCH = 2048, 4_000_000  # steps and bytes that are stored at a time
_TRIES = 3


@dataclass(slots=True)
class ImportReport:
    """What an import came to.

    Args:
        format: The name of the format.
        tapes: Ids of the tapes of the file, in its order, those included that were there already.
        within: Ids of tapes that stand within others, as a context; an export of the file has them
            there.
        skipped: How many were there already.
        sessions: How many sessions the file holds.
        foreign_steps: How many steps they have there.
        steps: How many steps were stored on the new tapes.
        losses: What of the new ones has no place on a tape.
    """

    format: str
    tapes: list[str] = field(default_factory=list)
    within: list[str] = field(default_factory=list)
    skipped: int = 0
    sessions: int = 0
    foreign_steps: int = 0
    steps: int = 0
    losses: Losses = field(default_factory=Losses)


async def import_foreign(
    store: Store,
    path: Path,
    file: BinaryIO,
    *,
    format: Format,
    progress: Progress | None = None,
) -> ImportReport:
    """Store the sessions of a file that is not one of Playhead's own.

    The tapes are written where nobody sees them, and come into the store in one transaction when
    all of the file is read: a fault in it, or the end of the process, leaves nothing behind.

    Args:
        store: Where they go.
        path: The file's name.
        file: The file, opened in binary, able to seek.
        format: How to read it.
        progress: Told how many bytes are read, and of how many.

    Raises:
        ForeignFileError: The file cannot be read; nothing was stored.
    """
    source = ForeignFile(path, file, progress=progress)
    source.refuse_packed()
    report = ImportReport(format.name)
    is_empty = not await store.tapes(limit=1)
    seen: set[str] = set()
    async with store.staged() as staged:
        intake = _Intake(staged)
        for tape in format.read(source):
            if tape.tape.id in seen:
                raise source.fault(tape.place, "this session stands in the file twice")
            seen.add(tape.tape.id)
            report.sessions += 1
            report.foreign_steps += tape.steps
            (report.tapes if tape.is_whole else report.within).append(tape.tape.id)
            if not is_empty and await _is_there(store, tape.tape.id):
                report.skipped += 1
                continue
            try:
                report.steps += await intake.take(tape)
            except (BodyError, JsonError) as error:
                raise source.fault(tape.place, error.message) from None
            report.losses.add(tape.losses)
        await intake.flush()
    return report


async def _is_there(store: Store, tape: str) -> bool:
    try:
        await store.open(tape)
    except TapeNotFoundError:
        return False
    return True


class _Intake:
    """Seals drafts and stores them, many tapes at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Batch] = []
        self._steps = self._bytes = 0

    async def take(self, tape: ForeignTape) -> int:
        """Store a tape, sooner or later; how many steps it has beside its header."""
        sealing = _Sealing(tape)
        length = 0
        for step in sealing.steps():
            length += 1
            self._steps += 1
            self._bytes += len(step.data or b"") + len(step.header)
            if self._steps >= _MANY or self._bytes >= _MUCH:
                self._waiting.append(sealing.batch())
                await self.flush()
        if sealing.waiting:
            self._waiting.append(sealing.batch())
        return length - 1

    async def flush(self) -> None:
        """Store all that waits.

        Raises:
            UnknownOutcomeError: The disk fails.
        """
        batches, self._waiting = self._waiting, []
        self._steps = self._bytes = 0
        for _ in range(_TRIES if batches else 0):
            answers = set(await self._store.append_all(batches))
            if Answer.CONFLICT in answers:
                raise ConflictError("a tape that is being imported was changed meanwhile")
            if answers == {Answer.STORED}:
                return
        if batches:
            raise UnknownOutcomeError("the disk failed during an import: import the file again")


class _Sealing:
    """One tape on its way: drafts become steps of its chain."""

    def __init__(self, tape: ForeignTape) -> None:
        self._tape = tape
        self._prompts: PromptWriter | None = None
        if tape.has_calls:
            self._fold = Fold()
            self._prompts = PromptWriter(self._fold, tape=tape.tape.id)
        self._fitter = BlobFitter(tape.tape.header.blob_key)
        self._literals: list[tuple[int, int, int]] = []
        self._start = 0
        self.waiting: list[Step] = []

    def steps(self) -> Iterator[Step]:
        """The tape's steps, its header first.

        Raises:
            BodyError: One cannot be written.
        """
        first = self._tape.tape[0]
        self._take(first)
        yield first
        seq, prev = 1, first.link
        for draft in self._tape.drafts:
            draft.origin = "imported"
            draft.body = self._fitted(draft, seq)
            try:
                step = Step.seal(draft, tape=self._tape.tape.id, seq=seq, prev=prev)
            except TapeError as error:
                if isinstance(error, BodyError):
                    raise
                raise BodyError(error.message) from None
            self._take(step)
            yield step
            seq, prev = seq + 1, step.link

    def _take(self, step: Step) -> None:
        if self._prompts is not None:
            self._fold.advance(step)
        self.waiting.append(step)

    def _fitted(self, draft: Draft, seq: int) -> Body:
        body = draft.body
        if isinstance(body, ModelCall) and self._prompts is not None:
            said = [item.m for item in body.prompt.items if type(item) is Literally]
            record = self._prompts.record(
                Prompt(tuple(said)),
                seq=seq,
                tools=body.prompt.tools,
                settings=body.prompt.settings,
                fit=self._fitter.message,
            )
            self._literals += record.keep
            body = changed(body, prompt=record)
        return self._fitter.fit(body)

    def batch(self) -> Batch:
        """What is sealed since the last time, to be stored."""
        tape = self._tape
        blobs = self._fitter.take() | tape.blobs
        batch = Batch(
            tape.tape.id,
            self._start,
            self.waiting,
            blobs=blobs,
            documents=dict(tape.documents),
            literals=self._literals,
        )
        self._start += len(self.waiting)
        self.waiting, self._literals = [], []
        tape.blobs.clear()
        tape.documents.clear()
        return batch


def prompt_of(*messages: object) -> PromptRecord:
    """A prompt with messages written out, as drafts of foreign model calls have it."""
    items = tuple(unchecked(Literally, m=message) for message in messages)
    return unchecked(PromptRecord, items=items)
