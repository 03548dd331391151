"""Steps as the attributes of spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from playhead import conventions as names
from playhead.record._shape import JsonObject
from playhead.record.otlp._messages import write_message
from playhead.record.otlp._values import attributes
from playhead.tape import Json, Message, Part, compact
from playhead.tape.kinds import ModelCall, ToolCall, ToolError, ToolResult

TextOf: TypeAlias = Callable[[Iterable[Part]], str]
Attributes: TypeAlias = dict[str, Json]
"""Attributes by name; what becomes JSON text is not text yet: see `told`."""


def call_attributes(
    call: ModelCall,
    prompt: Sequence[Message],
    tools: list[Json],
    *,
    write: Callable[[Sequence[Message]], list[Json]],
    apart: bool = False,
) -> Attributes:
    """The attributes of a model call.

    Args:
        call: The call.
        prompt: The messages of its prompt.
        tools: The tools on offer, as `tool_definition` has them.
        write: Writes messages as the conventions have them.
        apart: The prompt's first message stands apart from the others.
    """
    made: Attributes = {
        names.OPERATION: names.CHAT,
        names.PROVIDER: call.provider,
        names.REQUEST_MODEL: call.model,
        **_settings(call),
    }
    if apart and prompt:
        (first,) = write(prompt[:1])
        made[names.SYSTEM_INSTRUCTIONS] = first["parts"] if isinstance(first, dict) else None
        prompt = prompt[1:]
    if prompt:
        made[names.INPUT_MESSAGES] = write(prompt)
    if tools:
        made[names.TOOL_DEFINITIONS] = tools
    if call.message is not None:
        (said,) = write((call.message,))
        ended: JsonObject = {"finish_reason": call.finish_reason or "stop"}
        made[names.OUTPUT_MESSAGES] = [{**said, **ended} if isinstance(said, dict) else ended]
    if call.finish_reason:
        made[names.FINISH_REASONS] = [call.finish_reason]
    if call.price is not None:
        made[names.COST] = call.price.usd
    return {**made, **_usage(call)}


def tool_attributes(
    call: ToolCall | None, answer: ToolResult | ToolError | None, *, result: Json
) -> Attributes:
    """The attributes of a tool call and its answer, one of which there is.

    Args:
        call: The call.
        answer: What came back.
        result: What the tool gave back, also where it is a blob.
    """
    known = call or answer
    made: Attributes = {names.OPERATION: names.EXECUTE_TOOL, names.TOOL_TYPE: "function"}
    if known is not None:
        made[names.TOOL_NAME] = known.name
        if known.call_id:
            made[names.TOOL_CALL_ID] = known.call_id
    if call is not None:
        made[names.TOOL_ARGUMENTS] = call.arguments
        if call.effect is not None:
            made[names.EFFECT] = call.effect
    if isinstance(answer, ToolResult):
        made[names.TOOL_RESULT] = result
    elif answer is not None:
        made[names.ERROR_TYPE] = answer.code
    if answer is not None and answer.arguments is not None:  # changed by a person
        made[names.TOOL_ARGUMENTS] = answer.arguments
    return made


def written(messages: Sequence[Message], text_of: TextOf) -> list[Json]:
    """Messages as the conventions have them."""
    return [write_message(message, text_of) for message in messages]


def told(made: Mapping[str, Json]) -> list[Json]:
    """Attributes as OTLP writes them, with JSON text where the table says so."""
    return attributes(
        {name: compact(value) if name in names.IN_JSON else value for name, value in made.items()}
    )


def _settings(call: ModelCall) -> Attributes:
    found: Attributes = {}
    for setting, value in call.prompt.settings.items():
        name = names.SETTINGS.get(setting)
        if name is not None and isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value) if name.form == "double" else value
    return found


def _usage(call: ModelCall) -> Attributes:
    if call.usage is None:
        return {}
    found: Attributes = {
        names.INPUT_TOKENS: call.usage.input_tokens,
        names.OUTPUT_TOKENS: call.usage.output_tokens,
    }
    more = {
        names.CACHED_TOKENS: call.usage.cached_tokens,
        names.REASONING_TOKENS: call.usage.reasoning_tokens,
        names.CACHE_CREATION_TOKENS: call.usage.cache_creation_tokens,
    }
    return {**found, **{name: count for name, count in more.items() if count}}


def tool_definition(tool: JsonObject) -> Json:
    """A tool as the conventions list it."""
    return tool if "type" in tool else {"type": "function", **tool}
