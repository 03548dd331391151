"""What a span tells: a model call, a tool call, or what an agent was told and answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, get_args

from playhead import conventions as names
from playhead.errors import JsonError
from playhead.record._foreign import content_bytes
from playhead.record._import import prompt_of
from playhead.record._shape import JsonObject
from playhead.record.otlp._fields import Fields
from playhead.record.otlp._messages import read_flat, read_message, read_part
from playhead.record.otlp._span import Span, read_json
from playhead.record.otlp._values import decoded
from playhead.record.wire._read import function
from playhead.tape import Json, Message, canonical, digest_of
from playhead.tape.kinds import Attempt, ModelCall, Price, ToolErrorCode, Usage

Known: TypeAlias = dict[bytes, Message]
UNKNOWN = "unknown"
_LONGEST = 2000  # characters of an error
_SETTINGS = {name: setting for setting, name in names.SETTINGS.items()}
_CODES: dict[str, ToolErrorCode] = {code: code for code in get_args(ToolErrorCode)}
_SAID_AGAIN = (
    "input.value", "input.mime_type", "output.value", "output.mime_type", "llm.token_count.total",
)  # fmt: skip


class Cleaning(Protocol):
    """What is made of contents before they are kept; `Redaction` is one."""

    def text(self, text: str) -> str:
        """A text."""

    def json(self, value: Json) -> Json:
        """A JSON value."""

    def message(self, message: Message) -> Message:
        """A message."""


class AsItIs:
    """Changes nothing."""

    def text(self, text: str) -> str:
        """See `Cleaning.text`."""
        return text

    def json(self, value: Json) -> Json:
        """See `Cleaning.json`."""
        return value

    def message(self, message: Message) -> Message:
        """See `Cleaning.message`."""
        return message


@dataclass(slots=True)
class ToldCall:
    """A model call.

    Args:
        body: The call, its prompt written out.
        messages: The prompt.
        tools: The tools on offer, as a canonical document.
        apart: The prompt's instructions stand apart from its messages.
        left: Names of attributes that have no place in it.
    """

    body: ModelCall
    messages: tuple[Message, ...]
    tools: bytes | None
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


def read_call(span: Span, clean: Cleaning, *, known: Known | None = None) -> ToldCall:
    """The model call that a span tells of.

    Args:
        span: The span.
        clean: What is made of contents.
        known: Messages that were read before, by their JSON text.
    """
    fields = Fields(span)
    listed = fields.objects(names.SYSTEM_INSTRUCTIONS)
    told = [Message(role="system", parts=tuple(map(read_part, listed)))] if listed else []
    prompt = tuple(map(clean.message, [*told, *_messages(fields, names.INPUT_MESSAGES, known)]))
    output = [clean.message(each) for each in _messages(fields, names.OUTPUT_MESSAGES)[:1]]
    tools = _document(clean.json(_tools(fields)))
    settings = clean.json(_settings(fields))
    error = _error(span, fields, clean)
    usage, started = _usage(fields), moment(span.start)
    usd = fields.number(names.COST)
    seconds = round((span.end - span.start) / 1e9, 6)
    _known_again(fields)
    body = ModelCall(
        model=clean.text(fields.text(names.REQUEST_MODEL) or "") or UNKNOWN,
        provider=clean.text(fields.text(names.PROVIDER) or "") or UNKNOWN,
        prompt=prompt_of(*prompt).model_copy(
            update={
                "tools": digest_of(tools) if tools is not None else None,
                "settings": settings if isinstance(settings, dict) else {"dropped": settings},
            }
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
    return ToldCall(body, prompt, tools, bool(listed), fields.left)


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


def read_agent(span: Span, clean: Cleaning) -> ToldAgent:
    """What an agent was told, and what it answered."""
    fields = Fields(span)
    heard = _messages(fields, names.INPUT_MESSAGES)
    said = _messages(fields, names.OUTPUT_MESSAGES)
    return ToldAgent(tuple(map(clean.message, heard)), tuple(map(clean.message, said)))


def conversation_of(span: Span) -> str | None:
    """The conversation that a span says it belongs to."""
    return Fields(span).text(names.CONVERSATION)


def agent_of(span: Span) -> str | None:
    """The agent that a span names."""
    return Fields(span).text(names.AGENT_NAME)


def moment(nanoseconds: int) -> str:
    """A time as attempts have it, UTC."""
    when = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1000 % 1_000_000:06d}Z"


def _messages(fields: Fields, name: names.Name, known: Known | None = None) -> list[Message]:
    listed = fields.objects(name)
    if listed is not None:
        return [_message(each, known) for each in listed]
    return [read_flat(each) for each in fields.flat(name)]


def _message(value: JsonObject, known: Known | None) -> Message:
    """A message; prompts bring the same ones again and again."""
    if known is None:
        return read_message(value)
    text = content_bytes(value)
    if text not in known:
        known[text] = read_message(value)
    return known[text]


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


def _tools(fields: Fields) -> Json:
    listed = fields.objects(names.TOOL_DEFINITIONS)
    if listed is None:
        schemas = [
            read_json(each.get("tool.json_schema")) for each in fields.flat(names.TOOL_DEFINITIONS)
        ]
        listed = [each for each in schemas if isinstance(each, dict)]
    return [_tool(each) for each in listed]


def _tool(tool: JsonObject) -> Json:
    """A function as prompts name it, also where it stands as OpenAI has it."""
    inner = tool.get("function")
    given = inner if isinstance(inner, dict) else tool
    if tool.get("type", "function") == "function" and isinstance(given.get("name"), str):
        schema = given.get("parameters", given.get("input_schema"))
        return function(given["name"], given.get("description"), schema)
    return tool


def _document(tools: Json) -> bytes | None:
    try:
        return canonical(tools) if tools else None
    except JsonError:  # numbers beyond what two parties compute alike
        return None


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
    for name in (names.OPERATION, *names.OPERATION.also, names.CONVERSATION, names.AGENT_NAME):
        fields.drop(name)
    for name in (names.TOOL_TYPE, names.STREAM, *_SAID_AGAIN):
        fields.drop(name)
