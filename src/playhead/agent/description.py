"""What an agent file may say (docs/schema/agent-v1.schema.json is made of this)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, JsonValue, Tag

from playhead.agent.description_nodes import (
    AnyNode,
    NodePart,
    Pattern,
    Reference,
    TeamPart,
    Text,
)
from playhead.tape.kinds import Effect
from playhead.yaml import FilePart, file_schema, shape_of

_SHAPE = shape_of("route", "mcp")
_MODEL_SHAPE = shape_of("route", "use")
FromEnvironment: TypeAlias = Annotated[
    str, Field(description="A text; `${NAME}` in it is the environment variable NAME.")
]


class ModelPart(FilePart):
    """A model and where it is."""

    name: str = Field(
        description="`openai:NAME`, `anthropic:NAME` or `litellm:PROVIDER/NAME`.",
        examples=["openai:gpt-5-mini"],
    )
    base_url: FromEnvironment | None = Field(None, description="Where the API is.")
    api_key: str | None = Field(
        None,
        pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
        description="The key as `${NAME}` of an environment variable: never the key itself.",
    )
    attempts: int | None = Field(None, ge=1, description="How many attempts a call is given.")
    timeout: float | None = Field(None, gt=0, description="Seconds for an attempt.")


class RoutePart(FilePart):
    """Several models, the first choice first; the next one is asked if an answer will not do."""

    shape = "(route)"

    route: list[
        Annotated[
            Annotated[str, Tag("(text)")] | Annotated[ModelPart, Tag("(members)")],
            Discriminator(_SHAPE),
        ]
    ] = Field(min_length=1)
    usd: float | None = Field(
        None, gt=0, description="Once a call has cost this much, the answer at hand is taken."
    )


class ModelObject(FilePart):
    """A model written in Python."""

    shape = "(use)"

    use: Reference


AnyModel: TypeAlias = Annotated[
    Annotated[str, Tag("(text)")]
    | Annotated[ModelPart, Tag("(members)")]
    | Annotated[RoutePart, Tag("(route)")]
    | Annotated[ModelObject, Tag("(use)")],
    Discriminator(_MODEL_SHAPE),
]


class ToolPart(FilePart):
    """A tool, with another effect or time than its code says."""

    use: Reference
    effect: Effect | None = None
    timeout: float | None = Field(None, gt=0, description="Seconds.")


class McpPart(FilePart):
    """An MCP server: its tools are the agent's."""

    shape = "(mcp)"

    mcp: list[FromEnvironment] | FromEnvironment = Field(
        description="A command line as a list, or a URL."
    )
    name: str | None = None
    prefix: str = Field("", description="Put before the name of each tool.")
    only: list[str] | None = Field(None, description="Tools to offer; `*` and `?` allowed.")
    effects: dict[str, Effect] = Field(default_factory=dict, description="By tool name.")
    trust_hints: bool = Field(True, description="Whether the server's hints make a tool milder.")
    env: dict[str, FromEnvironment] = Field(default_factory=dict)
    headers: dict[str, FromEnvironment] = Field(default_factory=dict)
    timeout: float = Field(120.0, gt=0, description="Seconds for a call.")


class PythonPart(FilePart):
    """An environment written in Python."""

    use: Reference


class AgentPart(FilePart):
    """An agent."""

    name: str = Field(min_length=1, max_length=200, description="Unique among all of the file.")
    description: str = Field("", description="For a subagent: when to delegate to it.")
    model: AnyModel | None = Field(
        None,
        description="A name, a name with where it is, a route, or a model in Python; a subagent "
        "without one uses that of the file's agent.",
    )
    instructions: Text = Field("", description="The system prompt.")
    templates: dict[str, Text] = Field(
        default_factory=dict, description="Texts that templates of nodes use as `templates.NAME`."
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="Sampling settings, such as `temperature`."
    )
    node: Annotated[
        Annotated[Literal["tool_calling", "react"], Tag("(text)")]
        | Annotated[NodePart, Tag("(type)")],
        Discriminator(shape_of("type")),
    ] = "tool_calling"
    nodes: list[AnyNode] | None = Field(
        None,
        description="Prompts, functions, ready-made nodes, or nodes in Python, instead of `node`.",
    )
    team: (
        Annotated[
            Annotated[Pattern, Tag("(text)")] | Annotated[TeamPart, Tag("(members)")],
            Discriminator(shape_of()),
        ]
        | None
    ) = Field(None, description="How it leads its subagents, instead of `node`.")
    tools: list[
        Annotated[
            Annotated[Reference, Tag("(text)")] | Annotated[ToolPart, Tag("(members)")],
            Discriminator(_SHAPE),
        ]
    ] = Field(default_factory=list, description="Functions that are marked with `@playhead.tool`.")
    subagents: list[AgentPart] = Field(default_factory=list)


AnyEnvironment: TypeAlias = Annotated[
    Annotated[McpPart, Tag("(mcp)")] | Annotated[PythonPart, Tag("(members)")],
    Discriminator(_SHAPE),
]


class AgentFile(AgentPart):
    """An agent, and what is around it."""

    version: Literal[1] = Field(1, description="Of this way of writing.")
    approval: dict[str, JsonValue] | None = Field(
        None,
        description="Which tool calls wait for a decision: `rules`, `effects`, `tools`, `wait`, "
        "`on_timeout`.",
    )
    environments: list[AnyEnvironment] = Field(default_factory=list)


AgentPart.model_rebuild()
AgentFile.model_rebuild()


def agent_schema() -> dict[str, Any]:
    """The JSON Schema of agent files, for editors."""
    schema = AgentFile.model_json_schema()
    return file_schema(schema, included=("AgentPart",), closed=("TextFile",))
