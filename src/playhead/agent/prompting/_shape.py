"""What a structured output looks like: a pydantic model, or a JSON Schema."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from playhead.agent._json_text import json_in
from playhead.errors import AgentError, RunError
from playhead.govern import Shape
from playhead.tape import Body, Json, Note, compact
from playhead.tape.kinds import Fault

OutputType: TypeAlias = type[BaseModel] | Mapping[str, Json]
_MOST_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """A structured output as it was read.

    Args:
        value: The value, if it has the shape.
        body: The same as a step of its own kind, where the shape is one.
        faults: Why it has not.
    """

    value: Json = None
    body: Body | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def told(self) -> str:
        """The faults on a line."""
        return "; ".join(f"`{f.field}` {f.message}" if f.field else f.message for f in self.faults)


class OutputShape(ABC):
    """What a value has to look like."""

    schema: dict[str, Any]

    @abstractmethod
    def check(self, value: Json) -> Reading:
        """The value, as it is meant, or what is wrong with it."""

    def read(self, text: str) -> Reading:
        """The value in a text of a model, or what is wrong with it."""
        try:
            return self.check(json_in(text))
        except ValueError as error:
            return Reading(faults=(Fault(field="", message=str(error)),))

    @property
    def asked_for(self) -> str:
        """What a model is told about it."""
        return (
            "Answer with one JSON value that fits this JSON Schema, and nothing else:\n"
            f"{compact(self.schema)}"
        )

    @staticmethod
    def of(given: OutputType) -> OutputShape:
        """The shape that a model or a schema describes.

        Raises:
            AgentError: It is neither.
            MissingExtraError: A JSON Schema needs the extra `checks`.
        """
        if isinstance(given, type) and issubclass(given, BaseModel):
            return ModelShape(given)
        if isinstance(given, Mapping):
            return SchemaShape(given)
        raise AgentError(f"an output is a pydantic model or a JSON Schema, not {given!r}")


class ModelShape(OutputShape):
    """The shape of a pydantic model. If it is a kind of step, the output is a step of it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        if issubclass(model, Body) and (not model.kind or issubclass(model, Note)):
            raise AgentError(f"`{model.__name__}` is no kind of thought, action or observation")
        self.schema = _plain_schema(model.model_json_schema())

    def check(self, value: Json) -> Reading:
        """See `OutputShape.check`."""
        try:
            made = self.model.model_validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[:_MOST_FAULTS]
            return Reading(
                faults=tuple(
                    Fault(field=".".join(map(str, fault["loc"])), message=_said(fault["msg"]))
                    for fault in found
                )
            )
        plain: Json = made.model_dump(mode="json", by_alias=True)
        return Reading(plain, made if isinstance(made, Body) else None)


class SchemaShape(OutputShape):
    """The shape of a JSON Schema."""

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self.schema = dict(schema)
        try:
            self._shape = Shape(schema, exact=False)
        except RunError as error:
            raise AgentError(error.message.replace("a check", "an output")) from None

    def check(self, value: Json) -> Reading:
        """See `OutputShape.check`."""
        faults = tuple(
            Fault(field=path.strip("/").replace("/", "."), message=message)
            for path, message in self._shape.faults(value)[:_MOST_FAULTS]
        )
        return Reading(faults=faults) if faults else Reading(value)


def _said(message: str) -> str:
    return "is missing" if message == "Field required" else message[:1].lower() + message[1:]


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of pydantic's without the titles that it makes of names, which tell a model nothing.

    What stands under `properties` are names of members, which may be called `title`.
    """

    def plain(value: Any, *, names: bool = False) -> Any:  # noqa: ANN401  (any JSON)
        if isinstance(value, list):
            return [plain(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: plain(item, names=not names and key in ("properties", "$defs"))
            for key, item in value.items()
            if names or key != "title" or not isinstance(item, str)
        }

    made: dict[str, Any] = plain(schema)
    return made
