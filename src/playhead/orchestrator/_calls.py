"""Model calls: whether an answer is sound, what the tape keeps of it, and how it is read back."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from operator import contains
from typing import Literal

from playhead.errors import CutCompletionError, JsonError, ModelError, ModelUnavailableError, told
from playhead.llm import Completion, Model, total_price, total_usage
from playhead.tape import (
    Message,
    Part,
    TextPart,
    ToolCallPart,
    assistant,
    loads_strict,
    new_id,
    text_part,
    unchecked,
)
from playhead.tape.kinds import Attempt, CachedFrom, ModelCall, Price, PromptRecord, Usage

_NO = type(None)
_CERTAIN: dict[str, frozenset[type]] = {  # types whose every value fits the member of the note
    "model": frozenset([str]),
    "provider": frozenset([str]),
    "prompt": frozenset([PromptRecord]),
    "status": frozenset([str]),
    "message": frozenset([Message, _NO]),
    "finish_reason": frozenset([str, _NO]),
    "usage": frozenset([Usage, _NO]),
    "attempts": frozenset([tuple]),
    "seconds": frozenset([float]),
    "price": frozenset([Price, _NO]),
    "raw": frozenset([TextPart, _NO]),
    "error": frozenset([str, _NO]),
    "token_ids": frozenset([_NO]),
    "logprobs": frozenset([_NO]),
    "cached": frozenset([CachedFrom, _NO]),
}
_logger = logging.getLogger("playhead.orchestrator")


def sound(model: Model, answer: object) -> Completion:
    """A model's answer, every tool call in it with an id of its own.

    Raises:
        CutCompletionError: It is marked incomplete.
        ModelUnavailableError: It is no completion.
    """
    if not isinstance(answer, Completion) or not isinstance(answer.message, Message):
        raise ModelUnavailableError(
            f"model `{model.name}` gave a {type(answer).__name__} instead of a completion"
        )
    if answer.message.role != "assistant":
        raise ModelUnavailableError(
            f"model `{model.name}` gave a message of role `{answer.message.role}`"
        )
    if answer.status == "incomplete":
        raise CutCompletionError(
            f"model `{model.name}` gave a completion that was cut", completion=answer
        )
    calls = answer.message.tool_calls
    if not calls:
        return answer
    ids = {call.id for call in calls if call.id}
    if len(ids) < len(calls):
        answer = replace(answer, message=_identified(answer.message))
        calls = answer.message.tool_calls
    faults = bad_arguments(calls)  # in the words in which they will be found again
    return replace(answer, bad_arguments={**answer.bad_arguments, **faults}) if faults else answer


def _identified(message: Message) -> Message:
    """The message with a new id for each tool call that has none, or another one's."""
    seen: set[str] = set()
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolCallPart) and (not part.id or part.id in seen):
            part = part.model_copy(update={"id": f"call_{new_id()}"})
        if isinstance(part, ToolCallPart) and part.id:
            seen.add(part.id)
        parts.append(part)
    return message.model_copy(update={"parts": tuple(parts)})


def bad_arguments(calls: Iterable[ToolCallPart]) -> dict[str, str]:
    """By tool call id, why its arguments, kept as text, cannot be read as JSON."""
    faults: dict[str, str] = {}
    for call in calls:
        if isinstance(call.arguments, str) and call.id:
            try:
                loads_strict(call.arguments)
            except (JsonError, UnicodeError) as error:
                faults[call.id] = str(error)
    return faults


def call_note(
    model: Model,
    record: PromptRecord,
    completion: Completion | None,
    *,
    status: Literal["complete", "incomplete", "failed"] = "complete",
    error: ModelError | None = None,
) -> ModelCall:
    """What the tape keeps of a model call."""
    tried = error.data.get("attempts") if error else ()
    answer = completion or Completion(message=assistant(""), attempts=_attempts(tried))
    attempts = answer.attempts or _attempts(tried)
    if answer.settings is not None:
        record = record.model_copy(update={"settings": dict(answer.settings)})
    members: dict[str, object] = {
        "model": answer.model or model.name,
        "provider": answer.provider or model.provider,
        "prompt": record,
        "status": status,
        "message": answer.message if completion else None,
        "finish_reason": answer.finish_reason,
        "usage": answer.usage if completion else total_usage(attempts),
        "attempts": attempts,
        "seconds": round(answer.seconds, 6),
        "price": _priced(model, answer) if completion else total_price(_paid(attempts)),
        "raw": text_part(answer.raw) if answer.raw is not None else None,
        "error": text_part(str(error)[:2000]).content if error else None,
        "token_ids": answer.token_ids,
        "logprobs": answer.logprobs,
        "cached": answer.cached,
    }
    return _note_of(members, attempts)


def _note_of(members: dict[str, object], attempts: tuple[object, ...]) -> ModelCall:
    """The note; its members, in their order, are validated where their types leave a doubt."""
    certain = all(map(contains, _CERTAIN.values(), map(type, members.values())))
    if certain and set(map(type, attempts)) <= {Attempt}:
        return unchecked(ModelCall, **members)
    return ModelCall.model_validate(members)


def _paid(attempts: tuple[Attempt, ...]) -> list[Price | None]:
    """What attempts of models that were tried in turn cost, where they brought anything."""
    return [attempt.price for attempt in attempts if attempt.usage is not None]


def _attempts(found: object) -> tuple[Attempt, ...]:
    given = found if isinstance(found, tuple | list) else ()
    return tuple(attempt for attempt in given if isinstance(attempt, Attempt))


def _priced(model: Model, answer: Completion) -> Price | None:
    """The price; one that cannot be told costs no completion."""
    if answer.price is not None or answer.usage is None:
        return answer.price
    try:
        return model.price(answer.usage)
    except Exception as error:
        _logger.warning("`price` of model `%s` raised %s", model.name, type(error).__name__)
        return None


def completion_of(call: ModelCall) -> Completion:
    """The completion that a recorded call holds."""
    assert call.message is not None
    return Completion(
        message=call.message,
        finish_reason=call.finish_reason,
        usage=call.usage,
        attempts=call.attempts,
        seconds=call.seconds,
        bad_arguments=bad_arguments(call.message.tool_calls),
        token_ids=call.token_ids,
        logprobs=call.logprobs,
    )


def foreign(model: Model, error: Exception) -> ModelError:
    """Our error for one that a model raised."""
    if isinstance(error, ModelError):
        return error
    return ModelUnavailableError(f"model `{model.name}` raised {told(error)}")
