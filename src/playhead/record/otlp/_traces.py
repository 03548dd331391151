"""Spans as they come, kept until their trace is quiet, and then written as tapes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from playhead.errors import ConflictError, TapeNotFoundError, UnknownOutcomeError
from playhead.govern import Redactor
from playhead.llm import Prompt, PromptWriter
from playhead.orchestrator import BlobFitter
from playhead.record._conversations import keep
from playhead.record._foreign import tape_id
from playhead.record._redaction import Redaction
from playhead.record._track import fitted_message
from playhead.record.otlp._span import Span
from playhead.record.otlp._tell import FORMAT, Teller
from playhead.record.otlp._tree import conversations, key_of
from playhead.store import Answer, Batch, Store
from playhead.tape import Body, Draft, Tape
from playhead.tape.kinds import Literally, ModelCall

_TRIES = 3
_MOST = 1000  # conversations that are remembered
_MOST_TRACES = 20_000
_MUCH = 256 * 1024 * 1024  # bytes of requests whose spans wait
_PATIENCE = 10  # times that quiet, where something is missing: a model may take long to answer
_LONGEST = 100  # times that quiet: no trace waits longer
AGENT = "captured"  # nobody told us its name


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one request brings, or none: then it is time to look which traces are quiet.

    Args:
        spans: The spans.
        credentials: Values in the request's headers that open doors.
        size: Bytes of the request.
        all: Write all that waits, quiet or not.
    """

    spans: tuple[Span, ...] = ()
    credentials: tuple[str, ...] = field(default=(), repr=False)
    size: int = 0
    all: bool = False


@dataclass(slots=True)
class _Waiting:
    """The spans of a trace that are not written yet."""

    first: float
    last: float
    spans: list[Span] = field(default_factory=list)

    def is_whole(self) -> bool:
        """Whether what each span is part of is there: it ends, and comes, after its parts."""
        known = {span.id for span in self.spans} | {""}
        return all(span.parent in known for span in self.spans)


class Traces:
    """Makes tapes of spans: of each conversation one, of a trace that names none one as well.

    Parts of a trace come in any order, and children before parents. So they wait until nothing of
    their trace has come for a while, ten times as long if a parent is missing, and are then told in
    the order of what happened. What comes later still stands at the end of the tape. A span that
    comes twice is told once.

    Args:
        store: Where the tapes go.
        redactor: What is taken out before anything is written; `Redactor()` if not given.
        settle: Seconds of quiet.
        clock: Tells the time.
    """

    def __init__(
        self,
        store: Store,
        redactor: Redactor | None = None,
        *,
        settle: float = 6.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._redaction = Redaction(redactor)
        self._settle = settle
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._size = 0
        self._groups: OrderedDict[str, str] = OrderedDict()  # where each trace went first
        self._open: OrderedDict[str, _Tape] = OrderedDict()
        self.written = 0
        self.others = 0

    async def take(self, parcel: Parcel) -> None:
        """Take the spans of a request, and write what has waited long enough.

        Raises:
            PlayheadError: A conversation could not be written; all others were.
        """
        self._redaction.know(parcel.credentials)
        now = self._clock()
        for span in parcel.spans:
            waiting = self._waiting.setdefault(span.trace, _Waiting(now, now))
            waiting.spans.append(span)
            waiting.last = now
        self._size += parcel.size
        every = parcel.all or self._size > _MUCH
        due = [trace for trace, each in self._waiting.items() if every or self._is_due(each, now)]
        if due:
            await self._write([span for trace in due for span in self._waiting.pop(trace).spans])
        if not self._waiting:
            self._size = 0

    def _is_due(self, waiting: _Waiting, now: float) -> bool:
        quiet = now - waiting.last
        if quiet < self._settle:
            return now - waiting.first >= self._settle * _LONGEST
        return quiet >= self._settle * _PATIENCE or waiting.is_whole()

    async def _write(self, spans: Sequence[Span]) -> None:
        fault: Exception | None = None
        for name, group in self._grouped(spans).items():
            if all(span.kind is None for span in group):
                self.others += len(group)
                continue
            try:
                self.written += await self._told(name, group)
            except Exception as error:  # never more than this conversation
                self._open.pop(name, None)  # it knows of steps that the store has not
                fault = fault or error
            else:
                self.others += sum(span.kind is None for span in group)
        if fault is not None:
            raise fault

    def _grouped(self, spans: Iterable[Span]) -> dict[str, list[Span]]:
        """The spans by what they belong to.

        A trace that was written before it named a conversation stays by itself. What names none
        goes where its trace went.
        """
        listed = sorted(spans, key=lambda span: span.order)
        names = conversations(listed)
        groups: dict[str, list[Span]] = {}
        for span in listed:
            name, alone = names[key_of(span)], f"trace\0{span.trace}"
            known = self._groups.get(span.trace, alone if name is None else None)
            group = known if known == alone or name is None else f"conversation\0{name}"
            assert group is not None
            keep(self._groups, span.trace, known or group, most=_MOST_TRACES)
            groups.setdefault(group, []).append(span)
        return groups

    async def _told(self, name: str, spans: Sequence[Span]) -> int:
        """Go on with a tape, also after a restart; how many spans it did not have."""
        for _ in range(2):
            tape = self._open.pop(name, None) or await self._reopened(name)
            new = tape.new(spans)
            batch = tape.take(new)
            if batch is None or await self._appended(batch) is Answer.STORED:
                keep(self._open, name, tape, most=_MOST)
                return sum(span.kind is not None for span in new)
            # another recorder went on with it
        raise ConflictError(
            "somebody else appended to a tape meanwhile: the spans are on no tape",
            tape=traced_id(name),
        )

    async def _appended(self, batch: Batch) -> Answer:
        for _ in range(_TRIES):
            answer = await self._store.append(batch)
            if answer in (Answer.STORED, Answer.CONFLICT):
                return answer
        raise UnknownOutcomeError(f"the disk failed while tape `{batch.tape}` was written")

    async def _reopened(self, name: str) -> _Tape:
        id = traced_id(name)
        try:
            return _Tape(await self._store.open(id), self._redaction)
        except TapeNotFoundError:
            return _Tape(Tape.new(id), self._redaction)


class _Tape:
    """A tape that spans are told on."""

    def __init__(self, tape: Tape, redaction: Redaction) -> None:
        self._tape = tape
        self._fitter = BlobFitter(tape.header.blob_key)
        self._teller = Teller(clean=redaction, agent=AGENT)
        for step in tape:
            self._teller.remember(step)

    def new(self, spans: Iterable[Span]) -> list[Span]:
        """The spans that it does not have."""
        found = {key_of(span): span for span in spans if key_of(span) not in self._teller.seen}
        return list(found.values())

    def take(self, spans: Iterable[Span]) -> Batch | None:
        """What brings the store along; None if there is nothing new."""
        tape = self._tape
        start = tape.start if len(tape) == tape.start + 1 else len(tape)
        literals: list[tuple[int, int, int]] = []
        told = 0
        for draft in self._teller.tell(spans):
            draft.origin = "captured"
            draft.body = self._fitted(draft, literals)
            self._tape = self._tape.append(draft)
            told += 1
        if not told:
            return None
        documents = dict(self._teller.documents)
        self._teller.documents.clear()
        return Batch(
            self._tape.id,
            start,
            self._tape[start:],
            blobs=self._fitter.take(),
            documents=documents,
            literals=literals,
        )

    def _fitted(self, draft: Draft, literals: list[tuple[int, int, int]]) -> Body:
        body = draft.body
        if isinstance(body, ModelCall):
            said = [item.m for item in body.prompt.items if type(item) is Literally]
            writer = PromptWriter(self._tape.fold(), tape=self._tape.id)
            record = writer.record(
                Prompt(tuple(said)),
                seq=len(self._tape),
                tools=body.prompt.tools,
                settings=body.prompt.settings,
                fit=lambda message: fitted_message(message, self._fitter),
            )
            literals += record.keep
            body = body.model_copy(update={"prompt": record})
        return self._fitter.fit(body)


def traced_id(name: str) -> str:
    """The id of the tape of a conversation, or of a trace, with this name."""
    return tape_id(f"captured {FORMAT}", name)
