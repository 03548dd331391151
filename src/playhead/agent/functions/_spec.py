"""A typed function that a model carries out, as data that can be changed and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model
from pydantic import Field as ModelField

from playhead.agent.functions._types import Field, read_signature
from playhead.agent.prompting import OutputShape, Reading
from playhead.errors import AgentError
from playhead.tape import Json

FieldsArgument: TypeAlias = Mapping[str, str | Mapping[str, Json] | Field]
REASONING = "reasoning"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """An example of what a function does.

    Args:
        inputs: What it was given.
        outputs: What it gives.
        reasoning: Why, where the function is to reason.
    """

    inputs: Mapping[str, Json]
    outputs: Mapping[str, Json]
    reasoning: str = ""

    def describe(self) -> dict[str, Json]:
        """All of it, as plain JSON."""
        reasoning: dict[str, Json] = {"reasoning": self.reasoning} if self.reasoning else {}
        return {"inputs": dict(self.inputs), "outputs": dict(self.outputs), **reasoning}


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """What a model is asked to be: inputs, outputs, an instruction, demonstrations.

    Args:
        name: Its name.
        inputs: What it is given.
        outputs: What it gives.
        instruction: What to do.
        demonstrations: Examples that the model is shown.
        reasoning: Whether the model writes down its thoughts before the outputs.
        repairs: How often missing or malformed outputs are asked for again.
        model: A pydantic model that the outputs are the fields of.

    Raises:
        AgentError: Fields or demonstrations contradict each other.
        MissingExtraError: A field has a JSON Schema, and the extra `checks` is not installed.
    """

    name: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    instruction: str = ""
    demonstrations: tuple[Demonstration, ...] = ()
    reasoning: bool = False
    repairs: int = 1
    model: type[BaseModel] | None = field(default=None, repr=False)
    _shapes: tuple[OutputShape, OutputShape] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for fields, what in ((self.inputs, "input"), (self.outputs, "output")):
            names = [each.name for each in fields]
            if not names:
                raise AgentError(f"function `{self.name}` has no {what}: give it one")
            for name in names:
                if names.count(name) > 1:
                    raise AgentError(f"function `{self.name}` has two {what}s `{name}`")
        if self.reasoning and any(each.name == REASONING for each in self.outputs):
            raise AgentError(f"function `{self.name}` has an output `{REASONING}` and reasons, too")
        if self.repairs < 0:
            raise AgentError(f"function `{self.name}` cannot be repaired {self.repairs} times")
        outputs = OutputShape.of(self.model) if self.model else _shape("outputs", self.outputs)
        object.__setattr__(self, "_shapes", (_shape("inputs", self.inputs), outputs))
        for number, each in enumerate(self.demonstrations):
            self._check(number, each)

    def _check(self, number: int, demonstration: Demonstration) -> None:
        given = self.given(dict(demonstration.inputs))
        made = self._shapes[1].check(dict(demonstration.outputs))
        for reading, what in ((given, "inputs"), (made, "outputs")):
            if reading.faults:
                raise AgentError(
                    f"demonstration {number} of function `{self.name}`: {what}: {reading.told}"
                )

    @classmethod
    def of(
        cls,
        signature: str | None = None,
        *,
        name: str = "function",
        inputs: FieldsArgument | None = None,
        outputs: FieldsArgument | type[BaseModel] | None = None,
        demonstrations: Iterable[Demonstration | Mapping[str, Any]] = (),
        **more: Any,  # noqa: ANN401
    ) -> Self:
        """A function from its signature, or from what `describe` gives.

        Args:
            signature: `inputs -> outputs`, as `"question, passages: list[str] -> answer"`.
            name: Its name.
            inputs: By name, a type, a `Field`, or its members; over those of the signature.
            outputs: The same, or a pydantic model.
            demonstrations: Examples, or their members.
            more: The other arguments of the class.

        Raises:
            AgentError: Something cannot be read, or does not fit together.
        """
        given, made = read_signature(signature) if signature is not None else ((), ())
        model = outputs if isinstance(outputs, type) else None
        of_model = _fields_of(model) if model is not None else None
        shown = tuple(_demonstration(each) for each in demonstrations)
        try:
            return cls(
                name,
                _merged(given, inputs),
                of_model or _merged(made, outputs if isinstance(outputs, Mapping) else None),
                demonstrations=shown,
                model=model,
                **more,
            )
        except TypeError as error:
            raise AgentError(f"this is no function: {error}") from None

    def with_(self, **changes: Any) -> Self:  # noqa: ANN401
        """The function with another instruction, other demonstrations, or another other member.

        Raises:
            AgentError: There is no such member, or it does not fit.
        """
        if "demonstrations" in changes:
            changes["demonstrations"] = tuple(map(_demonstration, changes["demonstrations"]))
        try:
            return replace(self, **changes)
        except (TypeError, ValueError) as error:
            raise AgentError(f"a function cannot be changed so: {error}") from None

    def describe(self) -> dict[str, Json]:
        """All of it, as plain JSON: what decides its behaviour, and what a tuner may change."""
        shown: list[Json] = [each.describe() for each in self.demonstrations]
        return {
            "name": self.name,
            "inputs": {each.name: each.describe() for each in self.inputs},
            "outputs": {each.name: each.describe() for each in self.outputs},
            "instruction": self.instruction,
            "demonstrations": shown,
            "reasoning": self.reasoning,
            "repairs": self.repairs,
        }

    @property
    def parameters(self) -> dict[str, Json]:
        """JSON Schema of the inputs, as for a tool."""
        return _schema(self.inputs)

    def given(self, inputs: Json) -> Reading:
        """The inputs as they are meant, or what is wrong with them."""
        return self._shapes[0].check(inputs)

    def made(self, value: Json) -> Reading:
        """The outputs in what a model answered, or what is wrong with them."""
        if self.reasoning and isinstance(value, dict):
            value = {name: each for name, each in value.items() if name != REASONING}
        return self._shapes[1].check(value)

    @property
    def asked_for(self) -> dict[str, Json]:
        """JSON Schema of what the model has to answer."""
        schema = dict(self._shapes[1].schema)
        if self.reasoning:
            thoughts = {"type": "string", "description": "Your thoughts, step by step, first."}
            members = schema.get("properties")
            assert isinstance(members, dict)
            schema["properties"] = {REASONING: thoughts, **members}
        return schema


def _demonstration(given: Demonstration | Mapping[str, Any]) -> Demonstration:
    if isinstance(given, Demonstration):
        return given
    try:
        return Demonstration(**given)
    except TypeError as error:
        raise AgentError(f"a demonstration has `inputs` and `outputs`: {error}") from None


def _merged(signed: Sequence[Field], given: FieldsArgument | None) -> tuple[Field, ...]:
    found = {each.name: each for each in signed}
    if len(found) < len(signed):
        raise AgentError("a signature names each input, and each output, once")
    for name, said in (given or {}).items():
        if isinstance(said, Field):
            found[name] = replace(said, name=name)
        elif isinstance(said, str):
            found[name] = replace(found.get(name, Field(name)), type=said)
        else:
            try:
                found[name] = replace(found.get(name, Field(name)), **said)  # type: ignore[arg-type]
            except TypeError as error:
                raise AgentError(
                    f"field `{name}` has `type`, `description` and `schema`: {error}"
                ) from None
    return tuple(found.values())


def _fields_of(model: type[BaseModel]) -> tuple[Field, ...]:
    return tuple(
        Field(
            each.alias or name,
            description=each.description or "",
            schema=TypeAdapter[Any](each.annotation or Any).json_schema(),
        )
        for name, each in model.model_fields.items()
    )


def _schema(fields: Sequence[Field]) -> dict[str, Json]:
    """JSON Schema of an object of fields; those that may be `none` may be absent."""
    members: dict[str, Json] = {each.name: each.json_schema() for each in fields}
    required: list[Json] = [each.name for each in fields if not _may_be_none(each)]
    return {
        "type": "object",
        "properties": members,
        "required": required,
        "additionalProperties": False,
    }


def _may_be_none(each: Field) -> bool:
    return each.schema is None and "none" in each.type.split(" | ")


def _shape(name: str, fields: Sequence[Field]) -> OutputShape:
    """What fields look like: a pydantic model, where their types say it."""
    if any(each.schema is not None for each in fields):
        return OutputShape.of(_schema(fields))
    members: dict[str, Any] = {
        f"f{number}": (
            each.python_type,
            ModelField(None if _may_be_none(each) else ..., alias=each.name),
        )
        for number, each in enumerate(fields)
    }
    made: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **members)
    shape = OutputShape.of(made)
    shape.schema = _schema(fields)
    return shape
