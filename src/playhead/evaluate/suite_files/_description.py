"""What a suite file may say (docs/schema/suite-v1.schema.json is made of this)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, JsonValue, StrictInt, Tag, model_validator

from playhead.agent.description import AgentFile, AnyEnvironment
from playhead.agent.description_nodes import Reference, TextFile
from playhead.evaluate.suite_files._scorers import scorers_schema
from playhead.tape import Part
from playhead.yaml import FilePart, file_schema, shape_of

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class TaskPart(FilePart):
    """A task."""

    id: Name | StrictInt | None = Field(
        None, description="Unique in the suite; made of its position if not given."
    )
    input: Annotated[
        Annotated[str, Field(min_length=1), Tag("(text)")]
        | Annotated[TextFile, Tag("(file)")]
        | Annotated[list[Part], Field(min_length=1), Tag("(list)")],
        Discriminator(shape_of("file")),
    ] = Field(description="What the person says first: a text, a file of it, or parts.")
    expected: JsonValue = Field(None, description="What scorers compare with.")
    setup: JsonValue = Field(None, description="What the environments need to begin it.")
    metadata: dict[str, JsonValue] = Field(default_factory=dict, description="Anything else.")


class Selection(FilePart):
    """Which of the tasks are taken."""

    only: list[Name] | None = Field(
        None, min_length=1, description="Ids of tasks; `*` and `?` allowed."
    )
    limit: int | None = Field(None, ge=1, description="Take so many, from the beginning.")
    sample: int | None = Field(None, ge=1, description="Take so many, drawn by chance.")
    seed: int = Field(0, description="Which chance: the same seed draws the same tasks.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.limit is not None and self.sample is not None:
            raise ValueError("`limit` takes the first tasks, `sample` any: say one of them")
        if self.sample is None and "seed" in self.model_fields_set:
            raise ValueError("`seed` draws nothing without `sample`: say how many")
        return self


class Fields(FilePart):
    """Which members of a line, or columns, make a task; each its own name if not given."""

    id: str | None = None
    input: str | None = None
    expected: str | None = None
    setup: str | None = None
    metadata: Annotated[
        Annotated[str, Tag("(text)")] | Annotated[list[str], Tag("(list)")],
        Discriminator(shape_of()),
    ] = Field(
        default_factory=list,
        description="One that is a mapping, or several that become one; all others if not given.",
    )


class FileTasks(Selection):
    """Tasks in a file of data: JSON Lines or CSV."""

    shape = "(file)"

    file: Name = Field(description="A `.jsonl` or `.csv` file, named from the file that says so.")
    fields: Fields = Fields()


class PythonTasks(Selection):
    """Tasks made in Python: something that gives each `Task`, or a function that gives it."""

    shape = "(use)"

    use: Reference


AnyTasks: TypeAlias = Annotated[
    Annotated[TaskPart, Tag("(members)")]
    | Annotated[FileTasks, Tag("(file)")]
    | Annotated[PythonTasks, Tag("(use)")],
    Discriminator(shape_of("file", "use")),
]


class BudgetPart(FilePart):
    """Limits of each trial; null is no limit."""

    model_calls: int | None = Field(200, ge=1)
    steps: int | None = Field(None, ge=1)
    tokens: int | None = Field(None, ge=1)
    usd: float | None = Field(None, gt=0)
    seconds: float | None = Field(None, gt=0)


class CandidateAgent(AgentFile):
    """An agent that is described in the suite's file."""

    name: str = Field("", max_length=200, description="The candidate's name if not given.")


class SuiteFile(FilePart):
    """A suite: tasks, what is around them, and who judges."""

    version: Literal[1] = Field(1, description="Of this way of writing.")
    name: Name
    tasks: Annotated[
        Annotated[list[AnyTasks], Field(min_length=1), Tag("(list)")]
        | Annotated[FileTasks, Tag("(file)")]
        | Annotated[PythonTasks, Tag("(use)")],
        Discriminator(shape_of("file", "use")),
    ]
    environments: list[AnyEnvironment] = Field(
        default_factory=list,
        description="Around the agent; made anew for each trial. A `use` names a class or a "
        "function, which takes the trial or nothing.",
    )
    scorers: list[
        Annotated[
            Annotated[str, Tag("(text)")]
            | Annotated[dict[str, JsonValue], Field(min_length=1), Tag("(members)")],
            Discriminator(shape_of()),
        ]
    ] = Field(min_length=1, description="Who judges.")
    passing: (
        Annotated[
            Annotated[list[str], Field(min_length=1), Tag("(list)")]
            | Annotated[
                dict[str, Annotated[float, Field(gt=0, le=1)]],
                Field(min_length=1),
                Tag("(members)"),
            ],
            Discriminator(shape_of()),
        ]
        | None
    ) = Field(
        None,
        alias="pass",
        description="Which scorers decide whether a trial passes, if not all that can: a list, or "
        "a mapping to the least value that passes.",
    )
    budget: BudgetPart | None = None
    candidates: dict[
        Name,
        Annotated[
            Annotated[str, Tag("(text)")] | Annotated[CandidateAgent, Tag("(members)")],
            Discriminator(shape_of()),
        ],
    ] = Field(
        default_factory=dict,
        description="Agents that come with the suite: an agent file, `FILE.py:NAME`, or what an "
        "agent file says.",
    )
    perturb: list[str | dict[str, JsonValue]] = Field(
        default_factory=list, description="What disturbs models and environments."
    )


def suite_schema() -> dict[str, Any]:
    """The JSON Schema of suite files, for editors."""
    schema = SuiteFile.model_json_schema()
    items, definitions = scorers_schema()
    schema["properties"]["scorers"]["items"] = items
    schema["$defs"] = definitions | schema["$defs"]
    included = ("AgentPart", "CandidateAgent", "TaskPart")
    return file_schema(schema, included=included, closed=("TextFile",))
