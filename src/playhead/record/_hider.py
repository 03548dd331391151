"""What goes on the tape of a captured call or connection holds no secrets."""

from __future__ import annotations

from collections.abc import Iterable

from playhead.govern import Redactor
from playhead.tape import Json

HIDDEN = "⟦redacted:secret⟧"
SHORTEST_SECRET = 8  # characters of a value of a header; shorter ones are words
_MOST = 4096  # known secrets; the oldest ones are forgotten


class Hider:
    """Redacts, and takes out values that are known to be secret: of variables, headers, URLs.

    Args:
        redactor: What else is a value; all built-in rules if not given.
        secrets: Known ones; more may be added when they are met.
    """

    def __init__(self, redactor: Redactor | None = None, secrets: Iterable[str] = ()) -> None:
        self._redactor = redactor if redactor is not None else Redactor()
        self._secrets: dict[str, None] = {}
        self._longest_first: list[str] = []  # one may be a part of another
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> bool:
        """Look for these from now on, too; whether one of them is new."""
        new = [secret for secret in secrets if secret and secret not in self._secrets]
        if not new:
            return False
        self._secrets |= dict.fromkeys(new)
        for oldest in list(self._secrets)[:-_MOST]:
            del self._secrets[oldest]
        self._longest_first = sorted(self._secrets, key=len, reverse=True)
        return True

    def text(self, text: str) -> str:
        """The text without values.

        Raises:
            Exception: A rule failed; nothing of the text may be kept.
        """
        return self._redactor.text(self._without(text))

    def json(self, value: Json) -> Json:
        """The JSON without values.

        Raises:
            Exception: A rule failed; nothing of it may be kept.
        """
        return self._redactor.json(self._walk(value) if self._secrets else value)

    def body(self, body: str) -> str:
        """A body without values; what a rule fails at is dropped. JSON stays JSON."""
        return self._without(self._redactor.body(self._without(body)))

    def _walk(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._without(value)
        if isinstance(value, list):
            return [self._walk(item) for item in value]
        if isinstance(value, dict):
            return {self._without(name): self._walk(item) for name, item in value.items()}
        return value

    def _without(self, text: str) -> str:
        for secret in self._longest_first:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text
