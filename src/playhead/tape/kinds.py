"""The built-in kinds of steps (docs/format.md, section 6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, SerializeAsAny

from playhead.tape._body import Action, Note, Observation, Thought
from playhead.tape._parts import Message, Part, Value, parts_text

Effect = Literal["read", "idempotent", "write", "irreversible"]


class UserMessage(Observation, kind="playhead.user_message"):
    """What a person, or the task, says to the agent."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text of the parts."""
        return parts_text(self.parts)


class AssistantMessage(Action, kind="playhead.assistant_message"):
    """What the agent says to the person; the person may answer."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text of the parts."""
        return parts_text(self.parts)


class ToolCall(Action, kind="playhead.tool_call"):
    """A tool is asked for. `call_id` is the model's own id of the call, if it gave one."""

    call_id: str | None = None
    name: str
    arguments: JsonValue = None
    effect: Effect | None = None


class ToolResult(Observation, kind="playhead.tool_result"):
    """A tool answered. Large or binary content stands in `parts` as blobs.

    `arguments` are what it was given, where a person changed them.
    """

    call_id: str | None = None
    name: str
    result: JsonValue = None
    parts: tuple[Part, ...] = ()
    arguments: JsonValue = None


ToolErrorCode = Literal[
    "unknown_tool",
    "bad_arguments",
    "raised",
    "timeout",
    "too_large",
    "bad_result",
    "denied",
    "skipped",
]


class ToolError(Observation, kind="playhead.tool_error"):
    """A tool failed, in a way that the agent can react to. `arguments` as for a result."""

    call_id: str | None = None
    name: str
    code: ToolErrorCode
    message: str
    arguments: JsonValue = None


class ParseError(Observation, kind="playhead.parse_error"):
    """A completion, or one tool call in it, could not be understood."""

    message: str
    call_id: str | None = None


class Fault(Value):
    """What is wrong with one field of a structured output; `field` is empty for the whole."""

    field: str
    message: str


class OutputError(Observation, kind="playhead.output_error"):
    """A node got nothing usable out of its completions, also when it asked again."""

    name: str
    message: str
    faults: tuple[Fault, ...] = ()


class Output(Thought, kind="playhead.output"):
    """A value that a node made of a completion: structured output, a choice, a rule that held."""

    name: str
    value: JsonValue = None


class Plan(Thought, kind="playhead.plan"):
    """What the agent means to do."""

    items: tuple[str, ...]


class Reflection(Thought, kind="playhead.reflection"):
    """What the agent thinks of what happened."""

    text: str


class NextNode(Thought, kind="playhead.next_node"):
    """Names the node that runs next."""

    node: str


class Delegate(Thought, kind="playhead.delegate"):
    """Control goes to a subagent, in a new frame."""

    agent: str
    parts: tuple[Part, ...]
    call_id: str | None = None

    @property
    def text(self) -> str:
        """The text of the parts."""
        return parts_text(self.parts)


class Return(Thought, kind="playhead.return"):
    """Control comes back from a subagent, with its answer."""

    agent: str
    parts: tuple[Part, ...]
    call_id: str | None = None

    @property
    def text(self) -> str:
        """The text of the parts."""
        return parts_text(self.parts)


class Broadcast(Thought, kind="playhead.broadcast"):
    """Something said to all other agents of the tape."""

    agent: str
    parts: tuple[Part, ...]


class HandOff(Thought, kind="playhead.hand_off"):
    """The agent gives the conversation to another one of its team."""

    agent: str
    parts: tuple[Part, ...]
    call_id: str | None = None


class Finish(Thought, kind="playhead.finish"):
    """The agent says that the work of its team is done."""

    agent: str
    parts: tuple[Part, ...]
    call_id: str | None = None


class Stop(Action, kind="playhead.stop"):
    """The run ends."""

    reason: str
    result: JsonValue = None


class Parent(Value):
    """Where a fork comes from."""

    tape: str
    at: int
    head: str


class TapeHeader(Note, kind="playhead.tape"):
    """The first entry of every tape."""

    format: Literal[1]
    blob_key: str
    parent: Parent | None = None


class Run(Note, kind="playhead.run"):
    """A run, or a resumption, begins."""

    mode: Literal["run", "resume", "fork"]
    agent: str
    config: str
    environment: JsonValue = None


class PromptRecord(Value):
    """A prompt as ranges over what the tape already holds (docs/format.md, section 7)."""

    items: tuple[PromptItem, ...]
    keep: tuple[tuple[int, int, int], ...] = ()
    tools: str | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)


class RangeOfHistory(Value):
    """Messages of the frame's history between two positions of the tape."""

    h: tuple[int, int]


class RangeOfLiterals(Value):
    """Messages of the tape's literal table."""

    l: tuple[int, int]  # noqa: E741  (the name is the format's)


class Literally(Value):
    """A message written out."""

    m: Message


PromptItem = Annotated[  # written by its own class, without trying which one it is
    RangeOfHistory | RangeOfLiterals | Literally, SerializeAsAny()
]


class Usage(Value):
    """Tokens of a model call; input includes cached and newly cached, output includes reasoning."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_creation_tokens: int | None = None


class Price(Value):
    """What a model call cost, and where the rates come from."""

    usd: float
    as_of: str
    source: str


class Attempt(Value):
    """One try of a model call; `model`, `usage` and `price` where more than one model was tried."""

    started: str
    seconds: float
    error: str | None = None
    model: str | None = None
    usage: Usage | None = None
    price: Price | None = None


class CachedFrom(Value):
    """The call that an answer was first given to, as far as that is known."""

    key: str
    tape: str | None = None
    call: str | None = None
    time: str | None = None


class ModelCall(Note, kind="playhead.model_call"):
    """A model was asked (docs/format.md, section 7)."""

    model: str
    provider: str
    prompt: PromptRecord
    status: Literal["complete", "incomplete", "failed"]
    message: Message | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    attempts: tuple[Attempt, ...] = ()
    seconds: float = 0.0
    price: Price | None = None
    raw: Part | None = None
    error: str | None = None
    token_ids: JsonValue = None
    logprobs: JsonValue = None
    cached: CachedFrom | None = None


class LeftOut(Note, kind="playhead.left_out"):
    """What the prompt of a node left out of its history, to stay within a budget of tokens.

    `tokens` is what was sent, estimated; `dropped` are ranges of positions, `shortened` positions.
    """

    budget: int
    tokens: int
    policy: tuple[str, ...]
    dropped: tuple[tuple[int, int], ...] = ()
    shortened: tuple[int, ...] = ()


class NodeRun(Note, kind="playhead.node_run"):
    """A node ran without a model call, or made nothing of its completion."""

    node: str


class Context(Note, kind="playhead.context"):
    """What a node read from its context: the clock, and the seed of its randomness and ids."""

    now: tuple[str, ...]
    seed: str | None = None


class Pause(Note, kind="playhead.pause"):
    """The run stopped before its end and can be resumed; some open actions were not begun.

    Where it was `handed_over`, whoever goes on begins at its first node.
    """

    reason: Literal["budget", "cancelled", "decision", "error", "handed_over"]
    message: str
    not_started: tuple[str, ...] = ()


class DecisionRequest(Note, kind="playhead.decision_request"):
    """An action waits for somebody's decision; the message tells them more."""

    action: str
    why: Literal["approval", "unknown_outcome"]
    arguments_digest: str
    message: str | None = None


DecisionName = Literal["approve", "deny", "edit", "redo", "result", "skip"]


class Decision(Note, kind="playhead.decision"):
    """Somebody decided about an action."""

    action: str
    decision: DecisionName
    message: str | None = None
    arguments: JsonValue = None
    result: JsonValue = None


class PastEffect(Value):
    """An effect that happened on the parent after the point of a fork."""

    id: str
    name: str
    arguments: JsonValue = None


class Effects(Note, kind="playhead.effects"):
    """What a fork does about effects that already happened after its point."""

    after: int
    effects: tuple[PastEffect, ...]
    policy: Literal["reuse", "redo", "simulate"]


class Snapshot(Note, kind="playhead.snapshot"):
    """A saved environment state."""

    state: JsonValue = None


class Erasure(Note, kind="playhead.erasure"):
    """Bodies and salts of these positions were removed."""

    seqs: tuple[int, ...]
    reason: str


class Reveal(Note, kind="playhead.reveal"):
    """From here on, somebody is given the values of placeholders."""

    to: Literal["model", "tool", "environment", "person"]
    name: str
    tokens: tuple[str, ...]
    why: str


class Source(Note, kind="playhead.source"):
    """What a foreign document says that has no other place here; `re` names the step it is about.

    With it, the document can be written again. Where `members` would be large, they are the JSON
    text of `parts`.
    """

    format: str
    members: JsonValue = None
    parts: tuple[Part, ...] = ()


class Connection(Note, kind="playhead.connection"):
    """A captured connection of a client to a server: it began, told its tools, or ended.

    `environment` describes the server; once its tools were listed, `tools` in it is the digest of
    the document of the listing, and `schemas` holds the digest of each tool by name.
    """

    event: Literal["begun", "listed", "ended"]
    environment: JsonValue = None
    message: str | None = None


class McpMessage(Note, kind="playhead.mcp_message"):
    """A message of the Model Context Protocol as it went by; `re` names the one it is about.

    Content that is binary or large stands in `parts`, and null in its place, which `at` names by
    JSON pointers, one for each part; `base64` holds those places where it stood in base64. Where
    there is no message, `fault` says why, and `parts` may hold what came instead.
    """

    sender: Literal["client", "server"]
    message: JsonValue = None
    at: tuple[str, ...] = ()
    base64: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    fault: str | None = None


class Play(Note, kind="playhead.play"):
    """An experience is played from here on, or guides whoever plays.

    `tools` holds by name the schema's digest and the effect of each tool that it needs, as they
    were when this was written, and `limits` what it may use at most.
    """

    experience: str
    version: int
    digest: str
    level: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    now: str | None = None
    tools: dict[str, JsonValue] = Field(default_factory=dict)
    limits: JsonValue = None
    dry: bool = False


class FailedCheck(Value):
    """A check that does not hold, and why."""

    id: str
    why: str


class Checked(Note, kind="playhead.check"):
    """What checks of an experience said at a moment of its play.

    Those in `judged` were judged by a model; `tool` is the tool that was about to be called.
    """

    at: Literal["call", "write", "end"]
    state: str | None = None
    tool: str | None = None
    passed: tuple[str, ...] = ()
    failed: tuple[FailedCheck, ...] = ()
    judged: tuple[str, ...] = ()


PromptRecord.model_rebuild()
