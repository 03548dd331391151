"""A Chat Completions answer as a completion. What servers send is not always what they should."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from playhead.errors import JsonError
from playhead.llm._attempts import AttemptError
from playhead.llm._model import Completion
from playhead.llm._openai_errors import Secret, error_in_answer, unreadable
from playhead.llm._openai_messages import ToolNames
from playhead.tape import (
    Json,
    Message,
    Part,
    ReasoningPart,
    ToolCallPart,
    loads_strict,
    new_id,
    text_part,
)
from playhead.tape.kinds import Usage

_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_TOKENS = 2**53


class AnswerShapeError(ValueError):
    """A member of an answer has the wrong type."""


def read_answer(body: bytes, names: ToolNames, secret: Secret) -> Completion:
    """The completion that a body holds.

    Raises:
        AttemptError: It holds none.
    """
    text = secret.hide(body.decode("utf-8", "surrogateescape"))
    raw = clean_text(text)
    try:
        answer = parse(text.removeprefix("\ufeff"))
        if isinstance(answer, dict) and answer.get("error") and not answer.get("choices"):
            raise error_in_answer(answer["error"], raw, secret)
        choice = _first_choice(answer)
        usage = usage_of(answer.get("usage")) if isinstance(answer, dict) else None
        return completion_of(choice, usage=usage, raw=raw, names=names)
    except (AnswerShapeError, ValueError, RecursionError) as error:
        failure: AttemptError = unreadable(_reason(error), raw)
    raise failure


def completion_of(
    choice: dict[str, Json], *, usage: Usage | None, raw: str, names: ToolNames
) -> Completion:
    """The completion of one choice.

    Raises:
        AnswerShapeError: A member has the wrong type.
    """
    message = choice.get("message")
    if not isinstance(message, dict):
        raise AnswerShapeError("`message` is no object")
    text, thought = split_content(message.get("content"))
    thought = text_or(message.get("reasoning_content") or message.get("reasoning")) or thought
    parts: list[Part] = []
    if thought:
        parts.append(ReasoningPart(content=clean_text(thought)))
    parts.extend(
        text_part(joined(said)) for said in (text, text_or(message.get("refusal"))) if said
    )
    calls, bad_arguments = _tool_calls(message.get("tool_calls"), names)
    finish_reason = choice.get("finish_reason")
    return Completion(
        message=Message(role="assistant", parts=(*parts, *calls)),
        finish_reason=clean_text(finish_reason) if isinstance(finish_reason, str) else None,
        usage=usage,
        raw=raw,
        bad_arguments=bad_arguments,
        token_ids=clean(choice.get("token_ids")),
        logprobs=clean(choice.get("logprobs")),
    )


def parse(text: str) -> Json:
    """JSON as a provider may write it: what `loads_strict` refuses is kept, as text.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    value: Json = json.loads(text, parse_constant=str, parse_float=_finite)
    return value


def usage_of(usage: Json) -> Usage | None:
    """Tokens, if they are told; `input` includes cached ones, `output` includes reasoning."""
    if not isinstance(usage, dict):
        return None
    prompt, answer = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None and answer is None:
        return None
    cached = _detail(usage.get("prompt_tokens_details"), "cached_tokens")
    reasoning = _detail(usage.get("completion_tokens_details"), "reasoning_tokens")
    input_tokens, output_tokens = prompt or 0, answer or 0
    if reasoning and _count(usage.get("total_tokens")) == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning  # servers that count reasoning apart
    return Usage(
        input_tokens=max(input_tokens, cached),
        output_tokens=max(output_tokens, reasoning),
        cached_tokens=cached,
        reasoning_tokens=reasoning,
    )


def split_content(content: Json) -> tuple[str, str]:
    """Text and reasoning of a `content`, which some servers write as a list of items.

    Raises:
        AnswerShapeError: It is neither a text nor a list.
    """
    if not isinstance(content, list):
        return text_or(content, "content"), ""
    text: list[str] = []
    thought: list[str] = []
    for item in content:
        if isinstance(item, dict) and item.get("type") == "text":
            text.append(text_or(item.get("text"), "content"))
        elif isinstance(item, dict) and item.get("type") == "thinking":
            inner = item.get("thinking")
            thought.append(split_content(inner)[0] if isinstance(inner, list) else text_or(inner))
    return "".join(text), "".join(thought)


def text_or(value: Json, name: str = "message") -> str:
    """A text, or none.

    Raises:
        AnswerShapeError: It is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AnswerShapeError(f"`{name}` holds no text")
    return value


def joined(text: str) -> str:
    """The text with surrogate pairs as characters, where a stream was cut between two halves."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def clean_text(text: str) -> str:
    """A text fit to be stored: lone surrogates are written out."""
    return text_part(joined(text)).content


def clean(value: Json) -> Json:
    """A JSON value fit to be stored."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(name): clean(item) for name, item in value.items()}
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, AnswerShapeError):
        return str(error)
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON ({error.msg} at character {error.pos})"
    return "no JSON that can be read (its nesting or a number is too large)"


def _first_choice(answer: Json) -> dict[str, Json]:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices:
        raise AnswerShapeError("it has no `choices`")
    first = choices[0]
    if not isinstance(first, dict):
        raise AnswerShapeError("the first of its `choices` is no object")
    return first


def _tool_calls(calls: Json, names: ToolNames) -> tuple[list[ToolCallPart], dict[str, str]]:
    parts: list[ToolCallPart] = []
    bad: dict[str, str] = {}
    if calls is None:
        return parts, bad
    if not isinstance(calls, list):
        raise AnswerShapeError("`tool_calls` is no list")
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict):
            raise AnswerShapeError("an item of `tool_calls` has no `function`")
        call_id = _call_id(call.get("id"), parts)
        arguments, fault = _arguments(function.get("arguments"))
        if fault is not None:
            bad[call_id] = fault
        name = names.meant(clean_text(text_or(function.get("name"), "tool_calls")))
        parts.append(ToolCallPart(id=call_id, name=name, arguments=arguments))
    return parts, bad


def _call_id(given: Json, before: Sequence[ToolCallPart]) -> str:
    """The call's id; a new one where the server gave none, or gave it twice."""
    call_id = clean_text(given) if isinstance(given, str) else ""
    if call_id and all(part.id != call_id for part in before):
        return call_id
    return f"call_{new_id()}"


def _arguments(given: Json) -> tuple[Json, str | None]:
    """The arguments, and why they could not be read. None at all means a call without any."""
    text = joined(given) if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    if given is None or not text.strip():
        return {}, None
    try:
        return loads_strict(text), None
    except (JsonError, RecursionError) as error:
        return clean_text(text), str(error)


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _count(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS else None


def _detail(details: Json, name: str) -> int:
    return (_count(details.get(name)) or 0) if isinstance(details, dict) else 0
