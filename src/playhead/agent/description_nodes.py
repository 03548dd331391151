"""What an agent file may say about nodes that are data."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, Tag

from playhead.yaml import FilePart, shape_of

_SHAPE = shape_of("function", "type", "file")
Reference: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^.+:[A-Za-z_][A-Za-z0-9_.]*$",
        description="`FILE.py:NAME`, named from the file that says so, or `PACKAGE.MODULE:NAME`.",
    ),
]


class TextFile(FilePart):
    """A text in a file of its own."""

    shape = "(file)"

    file: str = Field(description="Named from the file that says so, and in its folder.")


Text: TypeAlias = Annotated[
    Annotated[str, Tag("(text)")] | Annotated[TextFile, Tag("(file)")], Discriminator(_SHAPE)
]
Pattern: TypeAlias = Literal["manager", "chain", "group_chat", "hand_off"]
Settings: TypeAlias = dict[str, JsonValue]


class BudgetPart(FilePart):
    """How many tokens a prompt may have, and what is left out of it first."""

    tokens: int = Field(ge=1, description="Estimated from characters.")
    drop: tuple[Literal["results", "oldest"], ...] = Field(
        ("results", "oldest"),
        description="In this order: shorten results of tools, leave out the oldest messages.",
    )
    recent: int = Field(2, ge=0, description="How many results stay whole.")
    shorten_to: int = Field(200, ge=1, description="Characters that are left of the others.")
    characters: float = Field(4.0, gt=0, description="Characters a token.")


class SignalsPart(FilePart):
    """What a model can say to its team, as tools."""

    finish: bool = Field(False, description="The team's work is done.")
    broadcast: bool = Field(False, description="Something, to all agents at work.")
    hand_off: tuple[str, ...] = Field((), description="The conversation goes to one of these.")


class NodePart(FilePart):
    """A ready-made node."""

    shape = "(type)"

    type: Literal["tool_calling", "react"] = Field(
        description="`tool_calling`: the model's own tool calls; `react`: actions written as text."
    )
    name: str | None = Field(None, min_length=1)
    window: int | None = Field(
        None, ge=1, description="Send only that many newest messages (`tool_calling`)."
    )
    signals: SignalsPart | None = Field(
        None, description="What the model can say to its team (`tool_calling`)."
    )


class PromptPart(FilePart):
    """A node that is a prompt, and what becomes of the completion."""

    name: str = Field(min_length=1, description="Unique within the agent.")
    prompt: Text = Field("", description="Template of the node's own words, said last.")
    system: Text = Field("{{ instructions }}", description="Template of the system prompt.")
    output: (
        Annotated[
            Annotated[Reference, Tag("(text)")] | Annotated[dict[str, JsonValue], Tag("(members)")],
            Discriminator(shape_of()),
        ]
        | None
    ) = Field(
        None, description="What the completion is: a JSON Schema, or a pydantic model in Python."
    )
    choose: dict[str, str] | list[str] | None = Field(
        None, description="By what the model may answer, the node that goes on."
    )
    becomes: Literal["answer", "output", "plan", "reflection"] | None = Field(
        None, description="What the completion becomes on the tape."
    )
    tools: bool = Field(False, description="Whether the agent's tools are offered.")
    signals: SignalsPart | None = Field(None, description="What the model can say to its team.")
    window: int | None = Field(None, ge=0, description="Send only that many newest messages.")
    budget: (
        Annotated[
            Annotated[int, Tag("(text)")] | Annotated[BudgetPart, Tag("(members)")],
            Discriminator(shape_of()),
        ]
        | None
    ) = Field(None, description="How many tokens the prompt may have.")
    retries: int = Field(1, ge=0, description="How often an unreadable answer is asked for again.")
    on_error: str | None = Field(None, description="The node that goes on when that did not help.")
    next: str | None = Field(None, description="The node that runs next.")
    settings: Settings = Field(default_factory=dict, description="Over those of the agent.")


class FieldPart(FilePart):
    """An input or an output of a function, where its signature does not say enough."""

    type: str | None = None
    description: str = ""
    schema_: dict[str, JsonValue] | None = Field(None, alias="schema", description="JSON Schema.")


class DemonstrationPart(FilePart):
    """An example of what a function does."""

    inputs: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    reasoning: str = ""


def _described(value: Any) -> Any:  # noqa: ANN401  (raw)
    """A field that is written as a text is its description."""
    return {"description": value} if isinstance(value, str) else value


class FunctionPart(FilePart):
    """A node that is a typed function."""

    shape = "(function)"

    function: str = Field(
        description="The signature: `question, passages: list[str] -> answer`.",
        examples=["text, language -> translation"],
    )
    name: str | None = Field(None, min_length=1, description="The agent's name if not given.")
    instruction: Text = Field("", description="What to do.")
    fields: dict[
        str,
        Annotated[FieldPart, BeforeValidator(_described, json_schema_input_type=str | FieldPart)],
    ] = Field(default_factory=dict, description="By field, what it means, or its members.")
    demonstrations: list[DemonstrationPart] = Field(default_factory=list)
    reasoning: bool = Field(False, description="Whether the model writes down its thoughts first.")
    repairs: int = Field(1, ge=0, description="How often malformed outputs are asked for again.")
    inputs: dict[str, str | dict[str, JsonValue]] | None = Field(
        None, description="By input, where it comes from: `asked`, `outputs.NODE.FIELD` …."
    )
    becomes: Literal["output", "answer"] | None = Field(
        None, description="`answer` if not given and it is the last node."
    )
    on_error: str | None = None
    next: str | None = None
    settings: Settings = Field(default_factory=dict)


AnyNode: TypeAlias = Annotated[
    Annotated[Reference, Tag("(text)")]
    | Annotated[NodePart, Tag("(type)")]
    | Annotated[FunctionPart, Tag("(function)")]
    | Annotated[PromptPart, Tag("(members)")],
    Discriminator(_SHAPE),
]


class EndsPart(FilePart):
    """Rules of which any one ends a team's work."""

    step: str | None = Field(
        None, description="A kind of step, made by the team or a member, as `playhead.finish`."
    )
    turns: int | None = Field(None, ge=1, description="So many turns of members.")
    check: dict[str, JsonValue] | None = Field(
        None, description="`cel` or `shape`, of `last`, `speaker`, `turns` and `value`."
    )
    model_calls: int | None = Field(None, ge=1, description="So many models were asked.")
    tokens: int | None = Field(None, ge=1, description="So many tokens were used.")
    usd: float | None = Field(None, gt=0, description="It cost so much.")


class TeamPart(FilePart):
    """How the agent leads its subagents."""

    pattern: Pattern = Field(description="`manager`, `chain`, `group_chat` or `hand_off`.")
    ends: EndsPart | None = Field(None, description="When the work is done.")
    report: Text | None = Field(None, description="Prompt of the answer at the end.")
    words: Text | None = Field(None, description="Template of what a member is told (`chain`).")
    speakers: Literal["in_turn", "chosen", "random"] | None = Field(
        None, description="Who speaks next (`group_chat`)."
    )
    window: int | None = Field(None, ge=1, description="How many messages a member is told of.")
