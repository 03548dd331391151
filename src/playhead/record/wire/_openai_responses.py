"""The Responses API of OpenAI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from playhead.llm import Completion
from playhead.record._exchange import Answered, Asked
from playhead.record.wire import _read
from playhead.record.wire._responses_output import (
    PROVIDER_ITEM,
    item_events,
    output_of,
    usage_of,
)
from playhead.record.wire._sse import data_lines
from playhead.record.wire._wire import Reply, Wire
from playhead.tape import (
    Json,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    text_part,
)
from playhead.tape.kinds import Usage

_TEXTS = ("input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text")
_FINAL = ("response.completed", "response.incomplete", "response.failed")


class OpenAIResponses(Wire):
    """`POST …/responses`."""

    name = "openai.responses"
    provider = "openai"
    path = "/responses"

    def asked(self, request: Mapping[str, Json]) -> Asked:
        """See `Wire.asked`."""
        messages: list[Message] = []
        if request.get("instructions"):
            told = _read.content(request["instructions"], texts=_TEXTS)
            messages.append(Message(role="system", parts=told))
        given = request.get("input")
        if isinstance(given, str):
            messages.append(Message(role="user", parts=_read.content(given, texts=_TEXTS)))
        elif given is not None:
            messages += _messages(_read.items(given, "input"))
        previous = request.get("previous_response_id")
        tools = _read.items(request.get("tools") or [], "tools")
        return Asked(
            model=_read.text(request.get("model", ""), "model"),
            messages=tuple(messages),
            tools=tuple(map(_tool, tools)),
            settings=_read.settings(
                request, known=("input", "instructions", "tools", "previous_response_id")
            ),
            stream=request.get("stream") is True,
            previous=previous if isinstance(previous, str) else None,
        )

    def answered(self, response: bytes, *, model: str, streamed: bool = False) -> Answered:
        """See `Wire.answered`."""
        try:
            if streamed:
                raw = "\n".join(data_lines(response))
                body, fault = _assembled(raw)
            else:
                body, fault = _read.record(_read.parsed(response), "the answer"), None
                raw = response.decode("utf-8", "replace")
            return _answered(body, fault, raw)
        except (ValueError, RecursionError) as error:
            return Answered(None, f"the answer is no response: {error}")

    def response(self, reply: Reply) -> dict[str, Json]:
        """See `Wire.response`."""
        recorded = _read.whole(reply.raw) or _streamed(reply.raw)
        if recorded.get("object") == "response":
            return recorded
        return {
            "id": f"resp_{reply.id}",
            "object": "response",
            "created_at": 0,
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": reply.model,
            "output": list(output_of(reply)),
            "parallel_tool_calls": True,
            "temperature": None,
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "usage": usage_of(reply.usage) if reply.usage else None,
        }

    def events(self, response: Mapping[str, Json], *, asked: Mapping[str, Json]) -> Iterator[Json]:
        """See `Wire.events`."""
        begun = {**response, "status": "in_progress", "output": [], "usage": None}
        status = response.get("status")
        last = f"response.{status}" if f"response.{status}" in _FINAL else _FINAL[0]
        output: Any = response.get("output") or []
        made: list[dict[str, Json]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            *(event for at, item in enumerate(output) for event in item_events(at, item)),
            {"type": last, "response": dict(response)},
        ]
        yield from ({**event, "sequence_number": number} for number, event in enumerate(made))

    def begins_stream(self, event: Mapping[str, Json]) -> bool:
        """See `Wire.begins_stream`."""
        return event.get("type") == "response.created"

    def error(self, message: str, *, code: str, more: Mapping[str, Json]) -> dict[str, Json]:
        """See `Wire.error`."""
        told: dict[str, Json] = {"message": message, "type": "invalid_request_error"}
        return {"error": {**told, "param": None, "code": code, **more}}


OPENAI_RESPONSES = OpenAIResponses()


def _messages(given: Iterable[dict[str, Json]]) -> Iterator[Message]:
    """The messages that items are; what a model said at once is one message."""
    said: list[dict[str, Json]] = []
    for item in given:
        kind = item.get("type", "message")
        if item.get("role") == "assistant" or (
            kind != "message" and not str(kind).endswith("output")
        ):
            said.append(item)
            continue
        if said:
            yield _said(said)
            said = []
        yield _heard(item)
    if said:
        yield _said(said)


def _is_result(kind: Json) -> bool:
    return isinstance(kind, str) and kind.endswith("_output")


def _heard(item: dict[str, Json]) -> Message:
    if _is_result(item.get("type")):
        call_id = _read.text(item.get("call_id"), "call_id")
        return Message(role="tool", parts=_read.result(call_id, item.get("output"), texts=_TEXTS))
    role = item.get("role")
    if role not in ("system", "developer", "user"):
        raise _read.ShapeError(f"there is no role {role!r}")
    parts = _read.content(item.get("content"), texts=_TEXTS)
    return Message(role="user" if role == "user" else "system", parts=parts)


def _said(output: Iterable[Json]) -> Message:
    """What a model said, out of the items of an answer."""
    parts: list[Part] = []
    for at, item in enumerate(output):
        facts = _read.record(item, "an item of `output`")
        match facts.get("type", "message"):
            case "message":
                parts += _read.content(facts.get("content"), texts=_TEXTS)
            case "function_call":
                given = facts.get("arguments")
                parts.append(_read.call_part(facts.get("name"), facts.get("call_id"), given, at=at))
            case "reasoning":
                parts += _reasoning(facts)
            case _:
                parts.append(_provider_item(facts))
    return Message(role="assistant", parts=tuple(parts))


def _reasoning(item: dict[str, Json]) -> Iterator[Part]:
    for name in ("summary", "content"):
        told = item.get(name)
        thought = _read.content(told, texts=_TEXTS) if told else ()
        text = "".join(part.content for part in thought if isinstance(part, TextPart))
        if text:
            yield ReasoningPart(content=text)
    kept = {name: item[name] for name in ("type", "id", "encrypted_content") if item.get(name)}
    yield _provider_item(kept)


def _provider_item(item: dict[str, Json]) -> OtherPart:
    kept = {name: value for name, value in item.items() if name != "status"}
    return OtherPart(
        root={"type": PROVIDER_ITEM, "provider": "openai", "item": _read.storable(kept)}
    )


def _answered(body: dict[str, Json], fault: str | None, raw: str) -> Answered:
    error = body.get("error")
    if error:
        facts = error if isinstance(error, dict) else {"message": error}
        return Answered(None, f"the provider answered with an error: {facts.get('message')}")
    message = _said(_read.items(body.get("output"), "output"))
    known = body.get("id")
    status = body.get("status")
    completion = Completion(
        message=message,
        finish_reason=status if isinstance(status, str) else None,
        usage=_usage_of(body.get("usage")),
        raw=text_part(raw).content,
        status="incomplete" if fault else "complete",
    )
    return Answered(completion, fault, known if isinstance(known, str) else None)


def _assembled(stream: str) -> tuple[dict[str, Json], str | None]:
    """The answer that the data lines of a stream bring, and why it is not all."""
    body: dict[str, Json] = {}
    output: list[Json] = []
    for line in stream.split("\n"):
        event = _read.parsed(line) if line.strip() not in ("", "[DONE]") else None
        if not isinstance(event, dict):
            continue
        kind, told = event.get("type"), event.get("response")
        if kind == "error":
            raise _read.ShapeError(f"the stream told of an error: {event.get('message')}")
        if isinstance(told, dict):
            body = told
        if kind in _FINAL:  # some servers do not say again what they said
            return body if body.get("output") else {**body, "output": output}, None
        if kind == "response.output_item.done":
            output.append(event.get("item"))
    if not body:
        raise _read.ShapeError("the stream ended before its first event")
    return {**body, "output": output}, "the stream ended before its end"


def _streamed(raw: str | None) -> dict[str, Json]:
    """The answer that a recorded stream of this protocol brings; else an empty one."""
    try:
        return _assembled(raw or "")[0]
    except ValueError:
        return {}


def _usage_of(usage: Json) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    given, made = (usage.get(name) for name in ("input_tokens", "output_tokens"))
    if not isinstance(given, int) or not isinstance(made, int):
        return None
    return Usage(
        input_tokens=given,
        output_tokens=made,
        cached_tokens=_detail(usage.get("input_tokens_details"), "cached_tokens"),
        reasoning_tokens=_detail(usage.get("output_tokens_details"), "reasoning_tokens"),
    )


def _detail(details: Json, name: str) -> int:
    found = details.get(name) if isinstance(details, dict) else None
    return found if isinstance(found, int) else 0


def _tool(tool: dict[str, Json]) -> Json:
    if tool.get("type") != "function":
        return _read.storable(tool)
    return _read.storable(
        _read.function(tool.get("name"), tool.get("description"), tool.get("parameters"))
    )
