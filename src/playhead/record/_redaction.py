"""Redaction of model calls: nothing that opens doors goes on, and nothing brings it back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from playhead.govern import Redactor
from playhead.llm import Completion
from playhead.record._hider import SHORTEST_SECRET, Hider
from playhead.tape import Json, Message, literal_key, text_part

_REMEMBERED = 4096  # messages


class Redaction:
    """What a redactor makes of messages; what it fails at is dropped.

    Credentials that were seen in headers are taken out of bodies as well, whatever they look like.

    Args:
        redactor: The rules; all built-in ones if not given.
    """

    def __init__(self, redactor: Redactor | None = None) -> None:
        self._hider = Hider(redactor)
        self._messages: dict[bytes, Message] = {}

    def know(self, credentials: Iterable[str]) -> None:
        """Take these values out of all that comes from now on."""
        if self._hider.add(value for value in credentials if len(value) >= SHORTEST_SECRET):
            self._messages.clear()

    def body(self, body: str) -> str:
        """A body as it may be stored; JSON stays JSON."""
        return self._hider.body(body)

    def json(self, value: Json) -> Json:
        """A JSON value as it may be stored; a text that says why, if the redactor fails at it."""
        try:
            return self._hider.json(value)
        except Exception as error:
            return _dropped(error)

    def text(self, text: str) -> str:
        """A text as it may be stored."""
        made = self.json(text)
        return made if isinstance(made, str) else ""

    def message(self, message: Message) -> Message:
        """A message as it may be stored; conversations bring the same ones again and again."""
        key = literal_key(message)
        known = self._messages.get(key)
        if known is None:
            if len(self._messages) >= _REMEMBERED:
                self._messages.clear()
            known = self._messages[key] = self._redacted(message)
        return known

    def _redacted(self, message: Message) -> Message:
        try:
            made = Message.model_validate(self._hider.json(message.model_dump(mode="json")))
        except Exception as error:
            return Message(role=message.role, parts=(text_part(_dropped(error)),))
        return message if made == message else made

    def completion(self, completion: Completion) -> Completion:
        """A completion as it may be stored.

        Where its message changes, what spells it in pieces is left out: the events of a stream, the
        tokens, and their probabilities.
        """
        message = self.message(completion.message)
        if message == completion.message:
            return replace(
                completion,
                raw=self._raw(completion.raw),
                token_ids=self.json(completion.token_ids),
                logprobs=self.json(completion.logprobs),
            )
        pieces = completion.logprobs is not None or not is_json(completion.raw or "")
        raw = None if pieces else self._raw(completion.raw)
        return replace(completion, message=message, raw=raw, token_ids=None, logprobs=None)

    def _raw(self, raw: str | None) -> str | None:
        return None if raw is None else self.body(raw)


def _dropped(error: Exception) -> str:
    return f"⟦dropped: the redactor failed with {type(error).__name__}⟧"


def is_json(text: str) -> bool:
    """Whether it is one JSON value, rather than the data lines of a stream."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
