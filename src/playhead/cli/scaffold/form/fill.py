"""The rules of the form: typed steps for what fits and what does not, and the next question."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field

import playhead as ph
from playhead.agent import FunctionSpec
from playhead.errors import AgentFileError
from playhead.govern import Shape
from playhead.llm import Completion
from playhead.tape import Body, Json, text_parts
from playhead.tape.kinds import AssistantMessage, Output
from playhead.yaml import Document, FilePart, read_yaml

LIMITS = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))


class FormPart(FilePart):
    """What a form is: JSON Schema of its fields, by their names."""

    title: str = ""
    properties: dict[str, dict[str, Any]] = Field(min_length=1)


def read_form(path: Path) -> dict[str, Any]:
    """A form from its file.

    Raises:
        AgentFileError: It cannot be read, or a field could never be filled in.
    """
    document = read_yaml(path, error=AgentFileError)
    form = document.validated(FormPart).model_dump()
    for name, schema in form["properties"].items():
        check_field(document, name, schema)
    return form


def check_field(document: Document, name: str, schema: dict[str, Any]) -> None:
    """A field has a question, and there is a value that fits it."""
    trail = ("properties", name)
    if not isinstance(schema.get("description"), str):
        raise document.fault(trail, f"`{name}` has no question: write it as its `description`")
    with document.at(trail):
        shape = Shape(schema)
    for low, high in LIMITS:
        if low in schema and high in schema and schema[low] > schema[high]:
            raise document.fault(
                (*trail, low),
                f"nothing can be in `{name}`: `{low}` {schema[low]} is above `{high}` "
                f"{schema[high]}; change one",
            )
    if "enum" in schema and not any(shape.answer(value) for value in schema["enum"]):
        raise document.fault(
            (*trail, "enum"),
            f"nothing can be in `{name}`: no value of `enum` fits the rest; change one",
        )


FORM: dict[str, Any] = read_form(Path(__file__).with_name("form.yaml"))
FIELDS: dict[str, Any] = FORM["properties"]

hear = ph.FunctionNode(
    FunctionSpec.of(
        "message, asked_for: str | none, fields: object -> values: object",
        instruction="Find values of a form in what somebody wrote. Give those that are there by "
        "the names of their fields, in the types that `fields` says; nothing else.",
        inputs={
            "message": {"description": "What they wrote."},
            "asked_for": {"description": "The field that they were asked for, or nothing."},
            "fields": {"description": "JSON Schema of each field, by its name."},
        },
        outputs={"values": {"description": "By the name of a field, its value."}},
        name="hear",
    ),
    inputs={"message": "asked", "asked_for": "outputs.ask.field", "fields": {"value": FIELDS}},
    on_error="ask",
)


class Filled(ph.Thought, kind="form.filled"):
    """A value that fits the form."""

    field: str
    value: Json


class Refused(ph.Thought, kind="form.refused"):
    """A value that does not, and why."""

    field: str
    message: str


class Check(ph.Node):
    """Checks each value against the form."""

    def __init__(self) -> None:
        super().__init__("check", form=FORM)

    def generate_steps(
        self, view: ph.View, completion: Completion | None, ctx: ph.NodeContext
    ) -> Iterable[Body]:
        """A step for each value that was heard."""
        heard = view.last(Output)
        values = heard.value.get("values") if heard and isinstance(heard.value, dict) else None
        for field, value in values.items() if isinstance(values, dict) else ():
            if field not in FIELDS:
                yield Refused(field=field, message=f"the form has no {field}")
            elif fault := Shape(FIELDS[field]).fault(value):
                yield Refused(field=field, message=fault)
            else:
                yield Filled(field=field, value=value)


class Ask(ph.Node):
    """Asks for the next field, or says what was filled in."""

    def __init__(self) -> None:
        super().__init__("ask", next="hear", form=FORM)

    def generate_steps(
        self, view: ph.View, completion: Completion | None, ctx: ph.NodeContext
    ) -> Iterable[Body]:
        """One question at a time."""
        filled: dict[str, Json] = {}
        refused: list[str] = []
        for step in view.steps():
            if step.kind == "playhead.user_message":
                refused = []  # only what was wrong with the last message is told
            if isinstance(step.body, Filled):
                filled[step.body.field] = step.body.value
            elif isinstance(step.body, Refused):
                refused.append(f"{step.body.field}: {step.body.message}.")
        missing = next((field for field in FIELDS if field not in filled), None)
        yield Output(name=self.name, value={"field": missing, "filled": filled})
        done = ", ".join(f"{field}: {value}" for field, value in filled.items())
        question = FIELDS[missing]["description"] if missing else f"Thank you. {done}."
        yield AssistantMessage(parts=text_parts(" ".join([*refused, question])))
