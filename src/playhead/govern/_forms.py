"""Messages, bodies and completions: what of them is content, and how it is replaced."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from playhead.errors import PrivacyError
from playhead.govern._raw import cleaned_raw
from playhead.govern._tokeniser import Tokeniser
from playhead.tape import BlobPart, Body, Json, TextPart, compact, loads_strict
from playhead.tape.kinds import ModelCall

M = TypeVar("M", bound=BaseModel)

# Members of the built-in kinds and parts that the runtime writes: names of its own, ids, digests,
# times. All others are content, those of kinds to come included.
_STRUCTURE = {
    "Attempt": {"started"},
    "BlobPart": {"type", "media_type", "address"},
    "Broadcast": {"agent"},
    "Checked": {"at"},
    "Context": {"now", "seed"},
    "Decision": {"action", "decision"},
    "DecisionRequest": {"action", "why", "arguments_digest"},
    "Delegate": {"agent"},
    "Effects": {"policy"},
    "Message": {"role"},
    "ModelCall": {"model", "provider", "status", "finish_reason"},
    "NextNode": {"node"},
    "NodeRun": {"node"},
    "Parent": {"tape", "head"},
    "PastEffect": {"id"},
    "Pause": {"reason", "not_started"},
    "Play": {"experience", "digest", "level", "now", "tools"},
    "Price": {"as_of", "source"},
    "PromptRecord": {"tools"},
    "ReasoningPart": {"type"},
    "Return": {"agent"},
    "Reveal": {"to", "name", "tokens", "why"},
    "Run": {"mode", "agent", "config"},
    "TapeHeader": {"blob_key"},
    "TextPart": {"type"},
    "ToolCall": {"effect"},
    "ToolCallPart": {"type"},
    "ToolError": {"code"},
    "ToolResponsePart": {"type"},
}
_JSON = {  # members that hold any JSON, so that a number in them may be content
    "arguments", "environment", "limits", "logprobs", "parameters", "response", "result", "root",
    "settings", "state", "token_ids",
}  # fmt: skip


class Replaces(Protocol):
    """Replaces texts and JSON values: a `Tokeniser`, a `Resolver`."""

    def text(self, text: str) -> str:
        """Another text, or the very same."""

    def json(self, value: Json) -> Json:
        """Another value, or the very same."""


def replaced(value: M, by: Replaces) -> M:
    """A message, part or built-in body with all its content replaced; the very same if none is."""
    structure = _STRUCTURE.get(type(value).__name__, ())
    changes: dict[str, Any] = {}
    for name in type(value).model_fields:
        if name in structure:
            continue
        old = getattr(value, name)
        new = by.json(old) if name in _JSON else _replaced(old, by)
        if new is not old and new != old:
            changes[name] = new
    return value.model_copy(update=changes) if changes else value


def _replaced(value: object, by: Replaces) -> object:
    if isinstance(value, str):
        return by.text(value)
    if isinstance(value, BaseModel):
        return replaced(value, by)
    if isinstance(value, tuple):
        items = tuple(_replaced(item, by) for item in value)
        return items if any(a is not b for a, b in zip(value, items, strict=True)) else value
    return by.json(value) if isinstance(value, list | dict) else value


def tokenised(body: Body, by: Tokeniser) -> Body:
    """A body as it may be sealed.

    Raises:
        PrivacyError: A class of the user's own does not take a placeholder where a value stands.
    """
    if isinstance(body, ModelCall):
        return _tokenised_call(body, by)
    if body.kind.startswith("playhead."):
        return replaced(body, by)
    try:
        return _rebuilt(body, by)
    except ValidationError as error:
        members = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors()}))
        fault = f"`{body.kind}` does not take placeholders where values stand, in: {members}"
    raise PrivacyError(f"{fault}. Let these members be texts; nothing was stored", kind=body.kind)


def resolved(body: Body, by: Replaces) -> Body:
    """A body with its values."""
    return replaced(body, by) if body.kind.startswith("playhead.") else _rebuilt(body, by)


def _rebuilt(body: Body, by: Replaces) -> Body:
    """A body of a class of the user's own, read again from its replaced JSON."""
    data = loads_strict(body.model_dump_json())
    new = by.json(data)
    return body if new == data else type(body).model_validate_json(compact(new))


def _tokenised_call(call: ModelCall, by: Tokeniser) -> ModelCall:
    raw = call.raw
    made = replaced(call.model_copy(update={"raw": None}), by)
    changed = made.message != call.message
    changes: dict[str, Any] = {"raw": raw}
    if changed:
        changes.update(token_ids=None, logprobs=None)  # they spell the values
    if isinstance(raw, TextPart):
        changes["raw"] = raw.model_copy(
            update={"content": cleaned_raw(raw.content, by, changed=changed)}
        )
    elif isinstance(raw, BlobPart):
        changes["raw"] = replaced(raw, by)
    return made.model_copy(update=changes)
