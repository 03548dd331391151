"""What a tape amounts to so far: frames, open actions, literal table, totals."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

import orjson
from pydantic_core import PydanticSerializationError

from playhead.errors import BodyError
from playhead.tape._body import Body, is_known
from playhead.tape._parts import Message
from playhead.tape._step import Step
from playhead.tape.kinds import (
    AssistantMessage,
    Broadcast,
    Context,
    Decision,
    DecisionRequest,
    Delegate,
    Literally,
    ModelCall,
    NextNode,
    Pause,
    PromptRecord,
    RangeOfHistory,
    RangeOfLiterals,
    Return,
    Run,
    Stop,
    ToolCall,
    UserMessage,
)

Status: TypeAlias = Literal["new", "unfinished", "paused", "waiting", "answered", "stopped"]
_VERSION = 1
_MAX_LITERALS = 1024  # messages whose place is remembered, before the oldest are forgotten


@dataclass(slots=True)
class Frame:
    """One activation of an agent on the call stack; `id` is 0 or the position of its `Delegate`."""

    id: int
    agent: str = ""
    caller: int | None = None
    delegate: str | None = None
    call_id: str | None = None
    last_node: str | None = None
    next_node: str | None = None
    ordinals: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class OpenAction:
    """An action that nothing has answered yet."""

    id: str
    seq: int
    frame: int
    kind: str
    name: str = ""
    effect: str | None = None
    known: bool = True
    request: str | None = None
    decision: int | None = None


@dataclass(slots=True)
class Totals:
    """Sums over the tape."""

    model_calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0


class HistoryIndex:
    """Positions of a frame's messages; what is before `start` has not been looked for yet.

    `heard` are those that other frames said to all. `said` holds messages that were made already:
    a prompt asks for the same ones again and again.
    """

    __slots__ = ("heard", "said", "seqs", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.seqs: list[int] = []
        self.heard: list[int] = []
        self.said: dict[int, Message] = {}


class Fold:
    """The state of a tape after `length` steps. `advance` takes the next step, in O(1)."""

    def __init__(self) -> None:
        self.length = 0
        self.frames: dict[int, Frame] = {0: Frame(0)}
        self.open: dict[str, OpenAction] = {}
        self.totals = Totals()
        self.config: str | None = None
        self.stopped: int | None = None
        self.paused: int | None = None
        self.unparsed: int | None = None
        self.ran = False
        self.literals = 0
        self.literal_table: dict[int, tuple[int, int]] = {}  # a store may know more of it
        self.literal_index: dict[bytes, int | tuple[int, int]] = {}
        self.histories: dict[int, HistoryIndex] = {0: HistoryIndex(0)}

    @property
    def frame(self) -> Frame:
        """The frame on top of the call stack."""
        return next(reversed(self.frames.values()))

    @property
    def status(self) -> Status:
        """What the tape waits for, if anything."""
        if self.stopped is not None:
            return "stopped"
        if any(action.request and action.decision is None for action in self.open.values()):
            return "waiting"
        if self.paused is not None:
            return "paused"
        if self.open and all(a.kind == AssistantMessage.kind for a in self.open.values()):
            return "answered"
        return "unfinished" if self.ran else "new"

    def advance(self, step: Step) -> None:
        """Take the next step; one whose body cannot be read changes nothing.

        Raises:
            BodyError: The stored bytes do not fit the kind.
        """
        kind, role = step.kind, step.role
        known = is_known(kind, step.kind_version)
        handler = _HANDLERS.get(kind) if known else None
        needed = handler is not None or (known and kind == _TOOL_CALL)
        body = step.body if needed and step.data is not None else None
        self.length = step.seq + 1
        if role == "observation":
            for answered in step.re:
                self.open.pop(answered, None)
        by = step.by
        frame = self.frames.get(step.frame)
        if frame is not None:
            if by.node is not None and _ran(kind, body):
                frame.last_node, frame.next_node = by.node, None
                self.paused = None
            if _says(step, body, known=known):
                self.histories[step.frame].seqs.append(step.seq)
        if self.unparsed is not None and by.call is not None and kind != _CONTEXT:
            self.unparsed = None
        if role == "action" and (kind != _STOP or not known):
            self._open_action(step, body, known=known)
        if handler is not None:
            handler(self, step, body)

    def _open_action(self, step: Step, body: Body | None, *, known: bool) -> None:
        action = OpenAction(step.id, step.seq, step.frame, step.kind, known=known)
        if step.kind == _TOOL_CALL:
            self.totals.tool_calls += 1
            if isinstance(body, ToolCall):
                action.name, action.effect = body.name, body.effect
        self.open[step.id] = action

    def _user_message(self, step: Step, body: UserMessage | None) -> None:
        self.stopped = self.paused = None
        for action in [a for a in self.open.values() if a.kind == AssistantMessage.kind]:
            del self.open[action.id]

    def _model_call(self, step: Step, body: ModelCall | None) -> None:
        self.totals.model_calls += 1
        frame = self.frames.get(step.frame)
        if frame is not None and step.by.node is not None:
            frame.ordinals[step.by.node] = frame.ordinals.get(step.by.node, 0) + 1
        if body is None:
            return
        if body.usage:
            self.totals.input_tokens += body.usage.input_tokens
            self.totals.output_tokens += body.usage.output_tokens
        if body.price:
            self.totals.usd += body.price.usd
        self._learn_literals(step.seq, body.prompt)
        if body.status == "complete":
            self.unparsed = step.seq

    def _learn_literals(self, seq: int, prompt: PromptRecord) -> None:
        """Remember where each message written out stands: first by its call, then in the table."""
        for place, *kept in prompt.keep:
            where = (kept[0], kept[1])
            key = next((k for k, at in self.literal_index.items() if at == where), None)
            if key is not None:
                self.literal_index[key] = place
            self.literal_table[place] = where
            self.literals = max(self.literals, place + 1)
        for number, item in enumerate(prompt.items):
            if type(item) is RangeOfHistory:
                continue
            if isinstance(item, RangeOfLiterals):  # also where what kept them was erased
                self.literals = max(self.literals, item.l[1])
            elif isinstance(item, Literally):
                self.literal_index.setdefault(literal_key(item.m), (seq, number))
        if len(self.literal_index) > _MAX_LITERALS:
            once = [key for key, at in self.literal_index.items() if not isinstance(at, int)]
            for key in once[: len(once) // 2]:  # the oldest; sent again, they are written again
                del self.literal_index[key]

    def _next_node(self, step: Step, body: NextNode | None) -> None:
        if body is not None and (frame := self.frames.get(step.frame)):
            frame.next_node = body.node

    def _delegate(self, step: Step, body: Delegate | None) -> None:
        frame = Frame(step.seq, caller=step.frame, delegate=step.id)
        index = HistoryIndex(step.seq)
        if body is not None:
            frame.agent, frame.call_id = body.agent, body.call_id
            index.seqs.append(step.seq)
        self.frames[step.seq], self.histories[step.seq] = frame, index

    def _return(self, step: Step, body: Return | None) -> None:
        for frame in [f for f in self.frames.values() if f.id != 0 and f.delegate in step.re]:
            inner = [f for f in self.frames if f >= frame.id]
            for number in inner:
                del self.frames[number], self.histories[number]

    def _broadcast(self, step: Step, body: Broadcast | None) -> None:
        for frame, index in self.histories.items():
            if body is not None and frame != step.frame:
                index.seqs.append(step.seq)
                index.heard.append(step.seq)

    def _stop(self, step: Step, body: Stop | None) -> None:
        self.stopped = step.seq
        self.paused = None

    def _pause(self, step: Step, body: Pause | None) -> None:
        self.paused = step.seq
        if body is not None and body.reason == "handed_over":
            self.frames[0].last_node = self.frames[0].next_node = None

    def _run(self, step: Step, body: Run | None) -> None:
        self.ran, self.paused = True, None
        if body is not None:
            self.config, self.frames[0].agent = body.config, body.agent

    def _request(self, step: Step, body: DecisionRequest | None) -> None:
        if body is not None and (action := self.open.get(body.action)):
            action.request, action.decision = body.why, None

    def _decision(self, step: Step, body: Decision | None) -> None:
        if body is not None and (action := self.open.get(body.action)):
            action.decision = step.seq

    def checkpoint(self) -> bytes:
        """The state without history positions, which are found again in the tape when needed."""
        return orjson.dumps(
            {
                "version": _VERSION,
                "length": self.length,
                "frames": [asdict(frame) for frame in self.frames.values()],
                "open": [asdict(action) for action in self.open.values()],
                "totals": asdict(self.totals),
                "scalars": [self.config, self.stopped, self.paused, self.unparsed, self.ran],
                "literals": self.literals,
                "literal_index": [[key.hex(), at] for key, at in self.literal_index.items()],
            }
        )

    @classmethod
    def restore(cls, data: bytes) -> Fold | None:
        """The state of a checkpoint; None if another version of the fold wrote it, or nobody."""
        try:
            saved: dict[str, Any] = orjson.loads(data)
            return cls._of(saved) if saved["version"] == _VERSION else None
        except (ValueError, TypeError, LookupError):
            return None

    @classmethod
    def _of(cls, saved: dict[str, Any]) -> Fold:
        fold = cls()
        fold.length = saved["length"]
        fold.frames = {frame["id"]: Frame(**frame) for frame in saved["frames"]}
        fold.open = {action["id"]: OpenAction(**action) for action in saved["open"]}
        fold.totals = Totals(**saved["totals"])
        fold.config, fold.stopped, fold.paused, fold.unparsed, fold.ran = saved["scalars"]
        fold.literals = saved["literals"]
        fold.literal_index = {
            bytes.fromhex(key): at if isinstance(at, int) else (at[0], at[1])
            for key, at in saved["literal_index"]
        }
        fold.histories = {number: HistoryIndex(fold.length) for number in fold.frames}
        return fold


def _ran(kind: str, body: Body | None) -> bool:
    """Whether a step by a node says that the node ran in the step's own frame."""
    if kind == _MODEL_CALL and isinstance(body, ModelCall):
        return body.status == "complete"
    return kind != _RETURN


def literal_key(message: Message) -> bytes:
    """Equal for equal messages.

    Raises:
        BodyError: The message cannot be written as JSON.
    """
    try:
        return hashlib.sha256(message.model_dump_json().encode()).digest()[:16]
    except PydanticSerializationError as error:
        raise BodyError(f"a message of the prompt cannot be written: {error}") from None


def says_message(step: Step) -> bool:
    """Whether the step says something to the model of its frame (docs/format.md, section 6)."""
    known = is_known(step.kind, step.kind_version)
    body = step.body if known and step.kind == _MODEL_CALL and step.data is not None else None
    return _says(step, body, known=known)


def _says(step: Step, body: Body | None, *, known: bool) -> bool:
    """`says_message`, where it is known what the kind is, and what a model call's body says."""
    if step.data is None:
        return False
    if step.role == "observation":
        return True
    kind = step.kind
    if kind not in _SAYING or not known:
        return False
    if kind == _MODEL_CALL:
        assert isinstance(body, ModelCall)
        return body.status == "complete" and body.message is not None
    return kind == _RETURN or step.by.call is None


# Looked up in a class, a kind costs more than all else that is done with it here.
_MODEL_CALL, _TOOL_CALL = ModelCall.kind, ToolCall.kind
_RETURN, _STOP, _CONTEXT = Return.kind, Stop.kind, Context.kind
_SAYING = frozenset([_MODEL_CALL, AssistantMessage.kind, _TOOL_CALL, _RETURN])
_HANDLERS: dict[str, Any] = {
    UserMessage.kind: Fold._user_message,
    ModelCall.kind: Fold._model_call,
    NextNode.kind: Fold._next_node,
    Delegate.kind: Fold._delegate,
    Return.kind: Fold._return,
    Broadcast.kind: Fold._broadcast,
    Stop.kind: Fold._stop,
    Pause.kind: Fold._pause,
    Run.kind: Fold._run,
    DecisionRequest.kind: Fold._request,
    Decision.kind: Fold._decision,
}
