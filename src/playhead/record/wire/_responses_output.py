"""Answers of the Responses API: their items, and the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playhead.record.wire import _read
from playhead.record.wire._wire import Reply
from playhead.tape import Json, OtherPart, ReasoningPart, TextPart, ToolCallPart
from playhead.tape.kinds import Usage

PROVIDER_ITEM = "provider_item"
"""The type of parts that only the provider understands."""
_EMPTY: dict[str, dict[str, Any]] = {  # items that grow, as they begin
    "message": {"content": []},
    "function_call": {"arguments": ""},
    "reasoning": {"summary": []},
}


def usage_of(usage: Usage) -> Json:
    """Tokens, as an answer tells them."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def output_of(reply: Reply) -> Iterator[Json]:
    """The items of a message; what only another provider understands is left out."""
    texts: list[Json] = []
    thoughts: list[Json] = []
    for at, part in enumerate(reply.message.parts):
        if isinstance(part, TextPart):
            if part.content:
                texts.append({"type": "output_text", "text": part.content, "annotations": []})
            continue
        if isinstance(part, ReasoningPart):
            thoughts.append({"type": "summary_text", "text": part.content})
            continue
        if texts:
            yield _message(reply, at, texts)
            texts = []
        if isinstance(part, ToolCallPart):
            yield _call(reply, at, part)
        elif isinstance(part, OtherPart):
            item = part.root.get("item")
            if part.root.get("provider") == "openai" and isinstance(item, dict):
                thinks = item.get("type") == "reasoning"
                yield {**item, "summary": thoughts} if thinks else item
        thoughts = []
    if texts:
        yield _message(reply, len(reply.message.parts), texts)


def _message(reply: Reply, at: int, content: list[Json]) -> Json:
    return {
        "id": f"msg_{reply.id}_{at}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def _call(reply: Reply, at: int, call: ToolCallPart) -> Json:
    return {
        "id": f"fc_{reply.id}_{at}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": _read.arguments_text(call.arguments),
    }


def item_events(at: int, item: dict[str, Any]) -> Iterator[dict[str, Json]]:
    """The events of one item of an answer.

    Args:
        at: Which item it is.
        item: The item.
    """
    where: dict[str, Json] = {"output_index": at, "item_id": item.get("id")}
    kind = str(item.get("type"))
    begun = item | _EMPTY.get(kind, {})
    if "status" in begun:
        begun["status"] = "in_progress"
    yield {"type": "response.output_item.added", "output_index": at, "item": begun}
    if kind == "function_call":
        name, said = "response.function_call_arguments", item.get("arguments")
        yield {"type": f"{name}.delta", **where, "delta": said}
        yield {"type": f"{name}.done", **where, "arguments": said, "name": item.get("name")}
    if kind in ("message", "reasoning"):
        for number, part in enumerate(item.get("content") or []):
            yield from _content_events({**where, "content_index": number}, part)
    if kind == "reasoning":
        for number, part in enumerate(item.get("summary") or []):
            there = {**where, "summary_index": number}
            yield from _part_events("reasoning_summary_part", "reasoning_summary_text", there, part)
    yield {"type": "response.output_item.done", "output_index": at, "item": item}


def _content_events(where: dict[str, Json], part: dict[str, Any]) -> Iterator[dict[str, Json]]:
    kind = str(part.get("type"))
    told: dict[str, Json] = {"logprobs": []} if kind == "output_text" else {}
    yield from _part_events("content_part", kind, where, part, told)


def _part_events(
    whole: str,
    piece: str,
    where: dict[str, Json],
    part: dict[str, Any],
    told: dict[str, Json] | None = None,
) -> Iterator[dict[str, Json]]:
    """The events of a part: it begins, it grows by all that it says, and it ends.

    Args:
        whole: What events of the part are called.
        piece: What events of its text are called.
        where: Where it stands.
        part: The part.
        told: What else events of its text tell.
    """
    field = "refusal" if part.get("type") == "refusal" else "text"
    said, more = part.get(field) or "", told or {}
    yield {"type": f"response.{whole}.added", **where, "part": {**part, field: ""}}
    yield {"type": f"response.{piece}.delta", **where, "delta": said, **more}
    yield {"type": f"response.{piece}.done", **where, field: said, **more}
    yield {"type": f"response.{whole}.done", **where, "part": part}
