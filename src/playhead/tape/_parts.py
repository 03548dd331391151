"""Messages and their typed parts, named as in the OpenTelemetry GenAI conventions."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    JsonValue,
    RootModel,
    SerializeAsAny,
    Tag,
    model_validator,
)

from playhead.tape._json import compact, escape_surrogates

BLOB_LIMIT = 65_536  # bytes; a text above that is stored as a blob

Role = Literal["system", "user", "assistant", "tool"]


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class TextPart(Value):
    r"""Text; `escaped` says that it held lone surrogates, now written as `\udXXX`."""

    type: Literal["text"] = "text"
    content: str
    escaped: Literal[True] | None = None


class ReasoningPart(Value):
    """What a model thought aloud."""

    type: Literal["reasoning"] = "reasoning"
    content: str


class ToolCallPart(Value):
    """A model's wish to call a tool."""

    type: Literal["tool_call"] = "tool_call"
    id: str | None = None
    name: str
    arguments: JsonValue = None


class ToolResponsePart(Value):
    """The answer to a tool call."""

    type: Literal["tool_call_response"] = "tool_call_response"
    id: str
    response: JsonValue = None


class BlobPart(Value):
    """Content outside the body, under `address` (docs/format.md, section 9); `size` in bytes."""

    type: Literal["blob"] = "blob"
    media_type: str
    size: int
    address: str
    preview: str = ""


_KNOWN = ("text", "reasoning", "tool_call", "tool_call_response", "blob")


class OtherPart(RootModel[dict[str, JsonValue]]):
    """A part of a type that this version does not know, kept as it is: its members are `root`."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    @property
    def type(self) -> str:
        """The type, as it is named in the part."""
        return str(self.root["type"])

    @model_validator(mode="after")
    def _has_another_type(self) -> Self:
        kind = self.root.get("type")
        if not isinstance(kind, str) or kind in _KNOWN:
            raise ValueError(f"a part of another type has a `type` that is a text, not {kind!r}")
        return self


def _tag(part: Any) -> str:  # noqa: ANN401  (raw JSON or a model)
    kind = part.get("type") if isinstance(part, dict) else getattr(part, "type", None)
    return kind if kind in _KNOWN else "other"


Part = Annotated[
    Annotated[TextPart, Tag("text")]
    | Annotated[ReasoningPart, Tag("reasoning")]
    | Annotated[ToolCallPart, Tag("tool_call")]
    | Annotated[ToolResponsePart, Tag("tool_call_response")]
    | Annotated[BlobPart, Tag("blob")]
    | Annotated[OtherPart, Tag("other")],
    Discriminator(_tag),
    SerializeAsAny(),  # a part is written by its own class, without trying whose it is
]


class Message(Value):
    """One message of a prompt or a completion."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return parts_text(self.parts)

    @property
    def tool_calls(self) -> list[ToolCallPart]:
        """The tool calls among the parts."""
        return [part for part in self.parts if type(part) is ToolCallPart]


def text_part(text: str) -> TextPart:
    """A text part; lone surrogates are escaped and marked."""
    content, escaped = escape_surrogates(text)
    return TextPart(content=content, escaped=True if escaped else None)


def text_parts(content: str | Iterable[Part]) -> tuple[Part, ...]:
    """Parts from a text or from parts."""
    return (text_part(content),) if isinstance(content, str) else tuple(content)


def parts_text(parts: Iterable[Part]) -> str:
    """The text of parts, with the previews of blobs."""
    return "".join(
        part.content if isinstance(part, TextPart) else part.preview
        for part in parts
        if isinstance(part, TextPart | BlobPart)
    )


def system(content: str) -> Message:
    """A system message."""
    return Message(role="system", parts=(text_part(content),))


def user(content: str | Iterable[Part], *, name: str | None = None) -> Message:
    """A user message."""
    return Message(role="user", parts=text_parts(content), name=name)


def assistant(content: str | Iterable[Part]) -> Message:
    """An assistant message."""
    return Message(role="assistant", parts=text_parts(content))


def blob_address(blob_key: str, content: bytes) -> str:
    """Where a tape with this key keeps content (docs/format.md, section 9)."""
    return hmac.new(bytes.fromhex(blob_key), content, hashlib.sha256).hexdigest()


def result_text(result: JsonValue) -> str:
    """What a result says as text: a string as it is, else its JSON."""
    return result if isinstance(result, str) else compact(result)
