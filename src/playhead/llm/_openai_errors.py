"""What can go wrong with a Chat Completions request, in words and without the key."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from playhead.errors import ModelRequestError
from playhead.llm._attempts import AttemptError
from playhead.tape import Json, text_part

if TYPE_CHECKING:
    from openai import APIStatusError

_RETRIED = frozenset({408, 409, 429})
_LONGEST = 500
_TRANSPORT = frozenset({"anyio", "h11", "h2", "httpcore", "httpcore2", "httpx", "httpx2"})
_CHANGE = "Change the request: its settings, tools or messages"
_SHORTEN = "Shorten the prompt: send a window of the messages, or fewer tools"
_ADVICE = {
    400: _CHANGE,
    401: "Check the API key: `api_key`, or the variable OPENAI_API_KEY",
    402: "Add credit at the provider",
    403: "Ask the provider for access to this model, or choose another one",
    404: "Check the name of the model and `base_url`",
    405: "Check `base_url`: it ends before /chat/completions",
    413: _SHORTEN,
    422: _CHANGE,
}


class Secret:
    """An API key that is not shown by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def checked(cls, key: str) -> Secret:
        """A key that fits into an HTTP header.

        Raises:
            ModelRequestError: It does not. Checked here, because HTTP libraries quote the header.
        """
        key = key.strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ModelRequestError(
                "the API key holds characters that no key has, such as a blank or a line break: "
                "check `api_key`, or the variable OPENAI_API_KEY"
            )
        return cls(key)

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def hide(self, text: str, *, least: int = 16) -> str:
        """The text without the key. Shorter keys than `least` are placeholders and words."""
        if len(self._value) < least:
            return text
        for form in {self._value, self._value.replace("/", "\\/"), json.dumps(self._value)[1:-1]}:
            text = text.replace(form, "[API key]")
        return text

    def __repr__(self) -> str:
        return "<secret>"


def explain(error: Exception, secret: Secret) -> AttemptError:
    """An exception of the SDK, or of what it stands on, as a failed attempt."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return _refused(error, secret)
    if isinstance(error, openai.APIConnectionError) and error.__cause__ is not None:
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    name = type(error).__name__
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return AttemptError(f"no answer in time ({name})", retry=True)
    text = said(f"{name}: {error}", secret)
    if isinstance(error, OSError | EOFError | openai.APIConnectionError) or (
        type(error).__module__.partition(".")[0] in _TRANSPORT
    ):
        return AttemptError(f"the connection failed ({text})", retry=True)
    return AttemptError(f"the request could not be sent ({text})", advice=_CHANGE)


def unreadable(reason: str, raw: str, *, status: int = 200) -> AttemptError:
    """An answer that is no chat completion. It may have been paid for, so it is not asked again."""
    return AttemptError(
        f"the answer is no chat completion: {reason}; it begins {raw[:80]!r}",
        advice="Check `base_url`: it is that of an OpenAI-compatible API, and often ends in /v1",
        status=status,
        raw=raw,
    )


def error_in_answer(error: Json, raw: str, secret: Secret) -> AttemptError:
    """An error that stands in an answer with status 200, as gateways and streams send them."""
    facts = error if isinstance(error, dict) else {}
    message = facts.get("message") if isinstance(error, dict) else error
    text = said(message if isinstance(message, str) else json.dumps(error), secret)
    code = facts.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    final = facts.get("type") == "invalid_request_error" or code == "insufficient_quota"
    retry = not final and (status is None or status in _RETRIED or status >= 500)
    return AttemptError(
        f"the provider answered with an error: {text}",
        advice=_ADVICE.get(status or 400, _CHANGE),
        retry=retry,
        status=status,
        raw=raw,
    )


def said(text: str, secret: Secret) -> str:
    """A text from outside, short, without the key and fit to be stored."""
    text = text_part(secret.hide(text, least=4).strip()).content
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _refused(error: APIStatusError, secret: Secret) -> AttemptError:
    status = error.status_code
    raw = _raw(error, secret)
    body: object = error.body
    message = body.get("message") if isinstance(body, Mapping) else None
    text = said(message if isinstance(message, str) and message else raw, secret)
    retry = status in _RETRIED or status >= 500
    advice = _ADVICE.get(status, "Check `base_url` and the request")
    if error.code == "insufficient_quota":  # 429 too, but waiting does not bring credit
        retry, advice = False, "Add credit at the provider, or use another key"
    elif error.code == "context_length_exceeded":
        advice = _SHORTEN
    if error.response.headers.get("x-should-retry") == "false":
        retry = False
    return AttemptError(
        f"HTTP {status}: {text}" if text else f"HTTP {status}",
        advice=advice,
        retry=retry,
        wait=retry_after(error.response.headers),
        status=status,
        raw=raw,
    )


def _raw(error: APIStatusError, secret: Secret) -> str:
    try:
        return text_part(secret.hide(error.response.text)).content
    except Exception:  # the body was not read: the connection broke, or a hook closed it
        return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as `retry-after-ms` or `Retry-After` (seconds or a date) tell."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
