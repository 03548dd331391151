"""The whole document."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, JsonValue, Tag

from playhead.experience.document._expression import Name
from playhead.experience.document._routine import Routine
from playhead.tape.kinds import Effect
from playhead.yaml import FilePart, shape_of

Text: TypeAlias = Annotated[str, Field(max_length=10_000)]
Words: TypeAlias = Annotated[tuple[Text, ...], Field(max_length=500)]
MentionKind: TypeAlias = Literal[
    "quoted",
    "date",
    "weekday",
    "time",
    "duration",
    "period",
    "number",
    "percent",
    "comparison",
    "direction",
    "address",
    "name",
    "option",
    "words",
]


class Option(FilePart):
    """A value that a task may name, and the words for it."""

    value: JsonValue
    words: Annotated[tuple[Text, ...], Field(min_length=1, max_length=50)]


class Mention(FilePart):
    """A part of the task's text that a recogniser finds, and which of those of its kind."""

    kind: MentionKind
    nth: int | None = Field(None, ge=-100, le=100, description="Counted from 0, or from the end.")
    of: Annotated[tuple[int, ...], Field(max_length=20)] = Field(
        (), description="How many different ones of that kind the text may have; any if not said."
    )
    after: Text | None = Field(None, description="The words that stand right before it.")
    before: Text | None = Field(None, description="The words that stand right after it.")
    rest: bool = Field(
        False, description="The one that is left when words before them have told the others."
    )
    options: Annotated[tuple[Option, ...], Field(max_length=200)] = ()

    @property
    def leads(self) -> bool:
        """Whether it is told by the words before it, which say more than those that follow."""
        return self.after is not None


class MentionSource(FilePart):
    """The task's text says it."""

    shape = "(mention)"

    mention: Mention


class GivenSource(FilePart):
    """Whoever plays gives it by name."""

    shape = "(given)"

    given: Literal[True]


Source: TypeAlias = Annotated[
    Annotated[MentionSource, Tag("(mention)")] | Annotated[GivenSource, Tag("(given)")],
    Discriminator(shape_of("mention", "given")),
]


class Parameter(FilePart):
    """A value that differs from task to task.

    What is given by name counts before all sources. Of those, the words around a mention count
    first, then what is left when they have told the others of its kind, then its place among them;
    sources of one sort that find something have to agree.
    """

    schema_: dict[str, JsonValue] = Field(default_factory=dict, alias="schema")
    sources: Annotated[tuple[Source, ...], Field(max_length=50)] = ()
    default: JsonValue = Field(None, description="Where no source finds one; null for none.")
    description: Text = ""
    sensitive: bool = Field(False, description="Untrusted models see a placeholder.")


class ToolRequirement(FilePart):
    """A tool that the routine calls."""

    digest: str | None = Field(None, description="Of the tool's schema, as the tapes had it.")
    effect: Effect


class Procedure(FilePart):
    """The high level: what is done, in words."""

    steps: Words = ()
    notes: Words = ()
    failures: Words = ()


class CelCheck(FilePart):
    """A condition in CEL."""

    shape = "(cel)"

    cel: Annotated[str, Field(max_length=4000)]


class ShapeCheck(FilePart):
    """A JSON Schema."""

    shape = "(shape)"

    shape_: dict[str, JsonValue] = Field(alias="shape")


class WordsCheck(FilePart):
    """A condition in words, judged by a model."""

    shape = "(words)"

    words: Text


class Check(FilePart):
    """A condition that has to hold."""

    id: Name
    kind: Literal["flow", "precondition", "data", "invariant", "postcondition"]
    at: Name = Field("write", description="`write`, `end`, `always`, or the name of a state.")
    check: Annotated[
        Annotated[CelCheck, Tag("(cel)")]
        | Annotated[ShapeCheck, Tag("(shape)")]
        | Annotated[WordsCheck, Tag("(words)")],
        Discriminator(shape_of("cel", "shape", "words")),
    ]
    message: Text = ""
    supports: Words = ()
    contradicts: Words = ()


class Scope(FilePart):
    """Which task texts the experience knows how to read.

    A text that mentions more or fewer things of a kind than any trace did is refused.
    """

    examples: Words = Field((), description="Task texts that it was learnt from.")
    mentions: dict[MentionKind, tuple[int, ...]] = Field(default_factory=dict)
    words: Words = Field((), description="Words that are no names here.")


class TraceReference(FilePart):
    """A tape that it was learnt from."""

    tape: str
    head: str | None = None
    outcome: Literal["kept", "failed", "unknown"] = "unknown"


class Validation(FilePart):
    """What leave-one-out gave: each trace was played with what the others taught."""

    played: int = 0
    right: int = 0
    wrong: int = 0
    refused: int = 0


class Evidence(FilePart):
    """Why it should be believed."""

    traces: Annotated[tuple[TraceReference, ...], Field(max_length=10_000)] = ()
    validation: Validation = Validation()
    learnt_by: dict[str, JsonValue] = Field(default_factory=dict)


class Experience(FilePart):
    """What tapes of similar tasks have taught: how to do the next one."""

    experience: Literal[1] = Field(description="Version of this way of writing.")
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
    version: int = Field(1, ge=1)
    parents: Annotated[tuple[str, ...], Field(max_length=100)] = Field(
        (), description="Digests of the documents that it replaces."
    )
    title: Annotated[str, Field(max_length=200)] = ""
    description: Text = ""
    parameters: dict[Name, Parameter] = Field(default_factory=dict, max_length=200)
    tools: dict[Name, ToolRequirement] = Field(default_factory=dict, max_length=200)
    scope: Scope = Scope()
    procedure: Procedure = Procedure()
    routine: Routine
    others: Annotated[tuple[Routine, ...], Field(max_length=20)] = Field(
        (), description="Routines that explain the traces as well: their writes have to be equal."
    )
    checks: Annotated[tuple[Check, ...], Field(max_length=500)] = ()
    evidence: Evidence = Evidence()


def experience_schema() -> dict[str, Any]:
    """The JSON Schema of experience documents."""
    schema = Experience.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
