"""What a span tells: a model call, a tool call, or what an agent was told and answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import get_args

from playhead import conventions as names
from playhead.record._shape import JsonObject
from playhead.record.otlp._fields import Fields
from playhead.record.otlp._messages import read_part
from playhead.record.otlp._prompts import Cleaning, Offer, Prompts
from playhead.record.otlp._span import Span, read_json
from playhead.record.otlp._values import decoded
from playhead.tape import Json, Message, unchecked
from playhead.tape.kinds import Attempt, ModelCall, Price, PromptRecord, ToolErrorCode, Usage

UNKNOWN = "unknown"
_LONGEST = 2000  # characters of an error
_SETTINGS = {name: setting for setting, name in names.SETTINGS.items()}
_CODES: dict[str, ToolErrorCode] = {code: code for code in get_args(ToolErrorCode)}
_SAID_AGAIN = (
    "input.value", "input.mime_type", "output.value", "output.mime_type", "llm.token_count.total",
)  # fmt: skip
_KNOWN = (
    *names.OPERATION.spelled,
    *map(str, (names.CONVERSATION, names.AGENT_NAME, names.TOOL_TYPE, names.STREAM)),
    *_SAID_AGAIN,
)


@dataclass(slots=True)
class ToldCall:
    """A model call.

    Args:
        body: The call, its prompt written out.
        messages: The prompt.
        offer: The tools on offer.
        apart: The prompt's instructions stand apart from its messages.
        left: Names of attributes that have no place in it.
    """

    body: ModelCall
    messages: tuple[Message, ...]
    offer: Offer
    apart: bool
    left: list[str]


@dataclass(slots=True)
class ToldTool:
    """A tool call.

    Args:
        name: The tool.
        call_id: The model's own id of the call.
        arguments: What it was given.
        result: What it gave back.
        answered: Whether the span says what it gave back.
        code: The kind of its failure.
        error: Why it failed; None if it did not.
        left: Names of attributes that have no place in it.
    """

    name: str
    call_id: str | None
    arguments: Json
    result: Json
    answered: bool
    code: ToolErrorCode = "raised"
    error: str | None = None
    left: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ToldAgent:
    """What an agent was told and answered."""

    heard: tuple[Message, ...]
    said: tuple[Message, ...]


def read_call(span: Span, clean: Cleaning, prompts: Prompts) -> ToldCall:
    """The model call that a span tells of.

    Args:
        span: The span.
        clean: What is made of contents.
        prompts: What was read of prompts before.
    """
    fields = Fields(span)
    listed = fields.objects(names.SYSTEM_INSTRUCTIONS)
    told = [Message(role="system", parts=tuple(map(read_part, listed)))] if listed else []
    prompt = (*map(clean.message, told), *_messages(fields, names.INPUT_MESSAGES, prompts))
    output = _messages(fields, names.OUTPUT_MESSAGES, prompts, most=1)
    offer = prompts.offer(_tools(fields))
    settings = clean.json(_settings(fields))
    error = _error(span, fields, clean)
    usage, started = _usage(fields), moment(span.start)
    usd = fields.number(names.COST)
    seconds = round((span.end - span.start) / 1e9, 6)
    _known_again(fields)
    body = ModelCall(
        model=clean.text(fields.text(names.REQUEST_MODEL) or "") or UNKNOWN,
        provider=clean.text(fields.text(names.PROVIDER) or "") or UNKNOWN,
        prompt=unchecked(
            PromptRecord,
            items=prompts.items(prompt),
            tools=offer.digest,
            settings=settings if isinstance(settings, dict) else {"dropped": settings},
        ),
        status="complete" if error is None else "incomplete" if output else "failed",
        message=output[0] if output else None,
        finish_reason=fields.first_text(names.FINISH_REASONS),
        usage=usage,
        attempts=(Attempt(started=started, seconds=seconds, error=error),),
        seconds=seconds,
        price=Price(usd=usd, as_of=started[:10], source="otlp") if usd is not None else None,
        error=error,
    )
    return ToldCall(body, prompt, offer, bool(listed), fields.left)


def read_tool(span: Span, clean: Cleaning) -> ToldTool:
    """The tool call that a span tells of."""
    fields = Fields(span)
    name = fields.text(names.TOOL_NAME) or span.name.removeprefix(names.EXECUTE_TOOL).strip()
    _, arguments = fields.json(names.TOOL_ARGUMENTS)
    answered, result = fields.json(names.TOOL_RESULT)
    code = _CODES.get(str(span.attributes.get(names.ERROR_TYPE)), "raised")
    call_id = fields.text(names.TOOL_CALL_ID)
    error = _error(span, fields, clean)
    fields.text(names.EFFECT)
    _known_again(fields)
    return ToldTool(
        name=clean.text(name) or UNKNOWN,
        call_id=clean.text(call_id) if call_id is not None else None,
        arguments=clean.json(arguments),
        result=clean.json(result),
        answered=answered,
        code=code,
        error=error,
        left=fields.left,
    )


def read_agent(span: Span, prompts: Prompts) -> ToldAgent:
    """What an agent was told, and what it answered."""
    fields = Fields(span)
    heard = _messages(fields, names.INPUT_MESSAGES, prompts)
    said = _messages(fields, names.OUTPUT_MESSAGES, prompts)
    return ToldAgent(heard, said)


def conversation_of(span: Span) -> str | None:
    """The conversation that a span says it belongs to."""
    return Fields(span).text(names.CONVERSATION)


def agent_of(span: Span) -> str | None:
    """The agent that a span names."""
    return Fields(span).text(names.AGENT_NAME)


def moment(nanoseconds: int) -> str:
    """A time as attempts have it, UTC."""
    when = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).replace(tzinfo=None)
    return f"{when.isoformat()}.{nanoseconds // 1000 % 1_000_000:06d}Z"


def _messages(
    fields: Fields, name: names.Name, prompts: Prompts, *, most: int | None = None
) -> tuple[Message, ...]:
    listed = fields.objects(name)
    if listed is not None:
        return prompts.messages(listed[:most])
    return prompts.flat(fields.flat(name)[:most])


def _usage(fields: Fields) -> Usage | None:
    given, made = fields.whole(names.INPUT_TOKENS), fields.whole(names.OUTPUT_TOKENS)
    if given is None and made is None:
        return None
    return Usage(
        input_tokens=given or 0,
        output_tokens=made or 0,
        cached_tokens=fields.whole(names.CACHED_TOKENS) or 0,
        reasoning_tokens=fields.whole(names.REASONING_TOKENS) or 0,
        cache_creation_tokens=fields.whole(names.CACHE_CREATION_TOKENS),
    )


def _settings(fields: Fields) -> Json:
    _, given = fields.json(names.INVOCATION)
    found: JsonObject = dict(given) if isinstance(given, dict) else {}
    found = {name: value for name, value in found.items() if name not in ("model", "stream")}
    for name, setting in _SETTINGS.items():
        value = fields.number(name)
        if value is not None:
            found[setting] = value
    return found


def _tools(fields: Fields) -> list[JsonObject]:
    listed = fields.objects(names.TOOL_DEFINITIONS)
    if listed is not None:
        return listed
    schemas = (
        read_json(each.get("tool.json_schema")) for each in fields.flat(names.TOOL_DEFINITIONS)
    )
    return [each for each in schemas if isinstance(each, dict)]


def _error(span: Span, fields: Fields, clean: Cleaning) -> str | None:
    """Why it failed; None if it did not."""
    kind = fields.text(names.ERROR_TYPE)
    if span.failure is None and kind is None:
        return None
    said = span.failure or _raised(span) or kind or "failed"
    return clean.text(said)[:_LONGEST]


def _raised(span: Span) -> str:
    events = span.rest.get("events")
    for event in events if isinstance(events, list) else ():
        listed = event.get("attributes") if isinstance(event, dict) else None
        for pair in listed if isinstance(listed, list) else ():
            if isinstance(pair, dict) and pair.get("key") == "exception.message":
                return str(decoded(pair.get("value") or {}, "value"))
    return ""


def _known_again(fields: Fields) -> None:
    """Leave out what repeats, or what the kind of step says."""
    for name in _KNOWN:
        fields.drop(name)
