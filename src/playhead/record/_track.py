"""A captured conversation while it goes on, and the tape that it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from playhead.llm import Prompt, PromptWriter, read_prompt
from playhead.orchestrator import BlobFitter
from playhead.record._captured import CapturedCall, conversation_key
from playhead.store import Batch
from playhead.tape import (
    BlobPart,
    Body,
    By,
    Draft,
    HistoryRange,
    Message,
    OtherPart,
    Part,
    Step,
    Tape,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    digest_of,
    message_of,
    parts_text,
    result_text,
    text_part,
)
from playhead.tape.kinds import (
    AssistantMessage,
    ModelCall,
    PromptRecord,
    TapeHeader,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

AGENT = "captured"  # nobody told us its name


@dataclass(frozen=True, slots=True)
class _Said:
    """A message that a step says: at which position, and how it is found."""

    seq: int
    key: bytes
    message: Message


@dataclass(slots=True)
class _Call:
    """A tool call that is waiting for its result: its step, and the tool."""

    step: str
    name: str


@dataclass(slots=True)
class Track:
    """A conversation: the messages so far, and how far the tape went with each.

    Args:
        tape: The tape, whose newest steps may not be stored yet.
        path: The keys of its messages.
        ends: For each of them, the tape's length when it had been said.
    """

    tape: Tape
    path: list[bytes] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    _said: list[_Said] = field(default_factory=list)
    _calls: dict[str, _Call] = field(default_factory=dict)
    _failed: list[str] = field(default_factory=list)
    _blobs: BlobFitter = field(init=False)

    def __post_init__(self) -> None:
        self._blobs = BlobFitter(self.tape.header.blob_key)

    @classmethod
    def of(cls, tape: Tape) -> Track:
        """The conversation of a stored tape."""
        track = cls(tape)
        calls = [step for step in tape if step.kind == ModelCall.kind and not step.erased]
        for step in tape:
            track._note(step)
            if isinstance(step.body, ModelCall):
                track._called(step.id, step.body)
            elif step.by.call is None:
                track._failed = []
        if calls:
            last = calls[-1].body
            assert isinstance(last, ModelCall)
            prompt = read_prompt(tape, calls[-1])
            track.path = [conversation_key(message) for message in prompt]
            track.ends = track._ends(track._places(prompt), len(prompt))
            track._end(last)
        return track

    def meet(self, messages: Sequence[Message]) -> None:
        """Know messages again that the stored tape has with blobs, as a prompt has them whole."""
        whole: dict[bytes, bytes] = {}
        for header in (step.body for step in self.tape if step.kind == TapeHeader.kind):
            assert isinstance(header, TapeHeader)
            for message in messages:
                fitted = fitted_message(message, BlobFitter(header.blob_key))
                if fitted is not message:
                    whole[conversation_key(fitted)] = conversation_key(message)
        self.path = [whole.get(key, key) for key in self.path]

    def fork(self, keys: Sequence[bytes], *, at: int) -> Track:
        """Another conversation that shares the messages with these keys.

        Args:
            keys: The keys.
            at: The length of the tape when the last of them had been said.
        """
        track = Track(self.tape.fork(at), list(keys), [at] * len(keys))
        track._said = [said for said in self._said if said.seq < at]
        track._calls = dict(self._calls)
        return track

    def goes_on_with(self, keys: Sequence[bytes]) -> bool:
        """Whether a prompt of these messages begins with the whole conversation so far."""
        return list(keys[: len(self.path)]) == self.path

    def take(self, call: CapturedCall, messages: Sequence[Message]) -> Batch:
        """Go on with a model call; gives the batch that brings the store along.

        Args:
            call: The call.
            messages: Its whole prompt.
        """
        start = self.tape.start if len(self.tape) == self.tape.start + 1 else len(self.tape)
        keys = [conversation_key(message) for message in messages]
        fitted = [fitted_message(message, self._blobs) for message in messages]
        goes_on = self.goes_on_with(keys)
        places = self._places(fitted)
        known = len(self.path) if goes_on else max(places, default=-1) + 1
        if not goes_on:
            self.path, self.ends = keys[:known], self._ends(places, known)
        for message, key in zip(messages[known:], keys[known:], strict=True):
            self._hear(message, call.protocol)
            self.path.append(key)
            self.ends.append(len(self.tape))
        tools = digest_of(call.tools) if call.tools is not None else None
        record = self._record(fitted, call, tools)
        self._answer(call, record)
        return Batch(
            self.tape.id,
            start,
            self.tape[start:],
            blobs=self._blobs.take(),
            documents={tools: call.tools} if tools is not None and call.tools is not None else {},
            literals=record.keep,
        )

    def _ends(self, places: Mapping[int, int], count: int) -> list[int]:
        """How long the tape was when each of the first messages of a prompt had been said."""
        ends: list[int] = []
        for number in range(count):
            if number in places:
                ends.append(self._after(self._said[places[number]].seq))
            else:  # instructions, or the same in other words
                ends.append(ends[-1] if ends else 1)
        return ends

    def _after(self, seq: int) -> int:
        """The tape's length when a step was there, with all that was made of it."""
        call, end = self.tape[seq].id, seq + 1
        while end < len(self.tape) and self.tape[end].by.call == call:
            end += 1
        return end

    def _places(self, messages: Sequence[Message]) -> dict[int, int]:
        """Where the tape says messages of a prompt: by their number in it, that in what is said.

        Both are in order.
        """
        found: dict[int, int] = {}
        at = 0
        by_key: dict[bytes, list[int]] = {}
        for number, said in enumerate(self._said):
            by_key.setdefault(said.key, []).append(number)
        for number, message in enumerate(messages):
            numbers = by_key.get(conversation_key(message), ())
            place = next((other for other in numbers if other >= at), None)
            if place is not None:
                found[number], at = place, place + 1
        return found

    def _append(self, *drafts: Draft) -> None:
        start = len(self.tape)
        self.tape = self.tape.append(*drafts)
        for step in self.tape.range(start, len(self.tape)):
            self._note(step)

    def _note(self, step: Step) -> None:
        """Remember what a step says."""
        body = step.body
        if isinstance(body, ToolCall):
            self._calls[body.call_id or step.id] = _Call(step.id, body.name)
        if step.kind == ModelCall.kind or step.by.call is None:
            message = message_of(step, 0)
            if message is not None:
                self._said.append(_Said(step.seq, conversation_key(message), message))

    def _hear(self, message: Message, protocol: str) -> None:
        """Record a message that the program brought."""
        self._failed = []
        if message.role == "system":
            return  # it stands in the prompts
        if message.role == "assistant":
            by, bodies = By("importer", protocol), actions(message, aloud=True)
            self._append(*(_captured(self._blobs.fit(body), by) for body in bodies))
        elif message.role == "tool":
            self._append(self._result(message))
        else:
            body = self._blobs.fit(UserMessage(parts=message.parts))
            self._append(_captured(body, By("person")))

    def _result(self, message: Message) -> Draft:
        response = next((p for p in message.parts if isinstance(p, ToolResponsePart)), None)
        call_id = response.id if response is not None else None
        call = self._calls.get(call_id or "")
        name = call.name if call is not None else "unknown"
        body: Body
        if any(isinstance(p, OtherPart) and p.type == "tool_failed" for p in message.parts):
            told = result_text(response.response) if response is not None else ""
            body = ToolError(call_id=call_id, name=name, code="raised", message=told)
        else:
            result = response.response if response is not None else parts_text(message.parts)
            body = self._blobs.fit(ToolResult(call_id=call_id, name=name, result=result))
        return _captured(body, By("tool", name), re=(call.step,) if call is not None else ())

    def _record(
        self, messages: Sequence[Message], call: CapturedCall, tools: str | None
    ) -> PromptRecord:
        """The prompt, as far as possible as ranges over what the tape says."""
        writer = PromptWriter(self.tape.fold(), tape=self.tape.id)
        return writer.record(
            Prompt(tuple(self._segments(messages))),
            seq=len(self.tape),
            tools=tools,
            settings=call.settings,
        )

    def _segments(self, messages: Sequence[Message]) -> Iterator[Message | HistoryRange]:
        places = self._places(messages)
        begin = stop = -1  # of the range that grows, in what is said
        for number, message in enumerate(messages):
            at = places.get(number, -1)
            if at >= 0 and self._said[at].message != message:
                at = -1  # it says the same in other words
            if at >= 0 and at == stop:
                stop += 1
                continue
            if begin >= 0:
                yield self._range(begin, stop)
            begin, stop = (at, at + 1) if at >= 0 else (-1, -1)
            if at < 0:
                yield message
        if begin >= 0:
            yield self._range(begin, stop)

    def _range(self, begin: int, stop: int) -> HistoryRange:
        return HistoryRange(self.tape, 0, self._said[begin].seq, self._said[stop - 1].seq + 1)

    def _answer(self, call: CapturedCall, record: PromptRecord) -> None:
        """Record the call, and what came of it."""
        completion = call.completion
        body = ModelCall(
            model=call.model,
            provider=call.provider,
            prompt=record,
            status=call.status,
            message=completion.message if completion else None,
            finish_reason=completion.finish_reason if completion else None,
            usage=completion.usage if completion else None,
            attempts=(call.attempt,),
            seconds=call.attempt.seconds,
            price=call.price,
            raw=text_part(completion.raw) if completion and completion.raw is not None else None,
            error=call.attempt.error,
            token_ids=completion.token_ids if completion else None,
            logprobs=completion.logprobs if completion else None,
        )
        note = _captured(self._blobs.fit(body), By("importer", call.protocol), re=self._failed)
        drafts = [note]
        if call.status == "complete" and completion is not None:
            by = By("agent", AGENT, call.protocol, call=note.id)
            drafts += [_captured(self._blobs.fit(made), by) for made in actions(completion.message)]
        self._append(*drafts)
        self._called(note.id, body)
        self._end(body)

    def _called(self, step: str, call: ModelCall) -> None:
        """Remember which calls failed since something was said."""
        self._failed = [] if call.status == "complete" else [*self._failed, step]

    def _end(self, call: ModelCall) -> None:
        if call.status == "complete" and call.message is not None:
            self.path.append(conversation_key(call.message))
            self.ends.append(len(self.tape))


def fitted_message(message: Message, blobs: BlobFitter) -> Message:
    """The message with its large texts, and large results, as blobs; usually the very same."""
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResponsePart) and part.response is not None:
            (large,) = blobs.parts((text_part(result_text(part.response)),))
            if isinstance(large, BlobPart):
                parts += (ToolResponsePart(id=part.id), large)
                continue
        parts.append(part)
    if len(parts) != len(message.parts):
        message = message.model_copy(update={"parts": tuple(parts)})
    return blobs.message(message)


def _captured(body: Body, by: By, *, re: Iterable[str] = ()) -> Draft:
    return Draft(body, by=by, re=tuple(re), origin="captured")


def actions(message: Message, *, aloud: bool = False) -> list[Body]:
    """What a message of a model does: its calls, else what it says; with `aloud`, both."""
    said = tuple(part for part in message.parts if not isinstance(part, ToolCallPart))
    speaks = any(isinstance(part, TextPart) for part in said)
    calls: list[Body] = [
        ToolCall(call_id=call.id, name=call.name, arguments=call.arguments)
        for call in message.tool_calls
    ]
    return calls if calls and not (aloud and speaks) else [AssistantMessage(parts=said), *calls]
