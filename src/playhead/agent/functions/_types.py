"""Signatures as text: `question, passages: list[str] -> answer, tone: 'calm' | 'cross'`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter

from playhead.errors import AgentError
from playhead.tape import Json

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<mark>->|[\[\]|:,]))"
)
_PLAIN: dict[str, Any] = {
    "any": Any,
    "bool": bool,
    "float": float,
    "int": int,
    "none": None,
    "object": dict[str, Any],
    "str": str,
}


@dataclass(frozen=True, slots=True)
class Field:
    """An input or an output of a function.

    Args:
        name: Its name.
        type: As a signature writes it: `str`, `int`, `float`, `bool`, `object`, `any`,
            `list[TYPE]`, `'one' | 'another'`, `TYPE | none`.
        description: What it means.
        schema: A JSON Schema instead of the type.
    """

    name: str
    type: str = "str"
    description: str = ""
    schema: Mapping[str, Json] | None = None

    def describe(self) -> dict[str, Json]:
        """All of it, as plain JSON."""
        kind: dict[str, Json] = (
            {"type": self.type} if self.schema is None else {"schema": dict(self.schema)}
        )
        return {**kind, **({"description": self.description} if self.description else {})}

    @property
    def python_type(self) -> Any:  # noqa: ANN401
        """The type in Python; any, where a schema says more."""
        return Any if self.schema is not None else read_type(self.type)

    def json_schema(self) -> dict[str, Json]:
        """What a model is told about it."""
        schema = (
            dict(self.schema)
            if self.schema is not None
            else TypeAdapter(self.python_type).json_schema()
        )
        return {**schema, **({"description": self.description} if self.description else {})}


def read_signature(text: str) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """The inputs and the outputs of a signature.

    Raises:
        AgentError: It cannot be read; the message says why.
    """
    reader = _Reader(text)
    inputs = tuple(reader.fields())
    reader.expect("->")
    outputs = tuple(reader.fields())
    reader.end()
    return inputs, outputs


def read_type(text: str) -> Any:  # noqa: ANN401
    """The Python type that a text names.

    Raises:
        AgentError: It names none.
    """
    reader = _Reader(text)
    found = reader.type()
    reader.end()
    return found[0]


class _Reader:
    def __init__(self, text: str) -> None:
        self._whole = text
        self._tokens = list(self._read(text))
        self._at = 0

    def _read(self, text: str) -> Iterator[tuple[str, str]]:
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self.fault(f"`{text[at:].strip()[:20]}` cannot be read")
            at = found.end()
            assert found.lastgroup is not None
            yield found.lastgroup, found[found.lastgroup]

    def fault(self, said: str) -> AgentError:
        return AgentError(f"signature `{self._whole[:200]}`: {said}")

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def expect(self, mark: str) -> None:
        if self._peek() != mark:
            raise self.fault(f"`{mark}` is missing before `{self._peek() or 'its end'}`")
        self._at += 1

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise self.fault(f"`{self._peek()}` is too much")

    def fields(self) -> Iterator[Field]:
        while True:
            yield self._field()
            if self._peek() != ",":
                return
            self._at += 1

    def _field(self) -> Field:
        kind, name = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind != "name":
            raise self.fault(f"a field has a name; there is `{name or 'nothing'}`")
        self._at += 1
        if self._peek() != ":":
            return Field(name)
        self._at += 1
        return Field(name, self.type()[1])

    def type(self) -> tuple[Any, str]:
        """A type, and how it is written."""
        made, said = self._one()
        while self._peek() == "|":
            self._at += 1
            other, also = self._one()
            made, said = _either(made, other), f"{said} | {also}"
        return made, said

    def _one(self) -> tuple[Any, str]:
        kind, word = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        self._at += 1
        if kind == "text":
            return Literal[word[1:-1]], word
        if word == "list":
            if self._peek() != "[":
                return list[Any], "list"
            self.expect("[")
            made, said = self.type()
            self.expect("]")
            return list[made], f"list[{said}]"  # type: ignore[valid-type]
        if word in _PLAIN:
            return _PLAIN[word], word
        known = ", ".join([*_PLAIN, "list[…]", "'a' | 'b'"])
        raise self.fault(f"there is no type `{word or 'nothing'}`, only {known}")


def _either(one: Any, other: Any) -> Any:  # noqa: ANN401  (types)
    """A union; words to choose from are one choice, so that a fault of it names them all."""
    if get_origin(one) is Literal and get_origin(other) is Literal:
        return Literal[(*get_args(one), *get_args(other))]
    return one | other
