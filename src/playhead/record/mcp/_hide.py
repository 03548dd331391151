"""What goes on the tape of a captured connection holds no secrets."""

from __future__ import annotations

from collections.abc import Iterable

from playhead.govern import Redactor
from playhead.tape import Json

HIDDEN = "⟦redacted:secret⟧"


class Hider:
    """Redacts, and takes out values that are known to be secret: of variables, headers, URLs.

    Args:
        redactor: What else is a value.
        secrets: Known ones; more may be added when they are met.
    """

    def __init__(self, redactor: Redactor, secrets: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._secrets: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Look for these from now on, too."""
        new = {*self._secrets, *secrets}
        if len(new) > len(self._secrets):
            self._secrets = sorted(new, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without values.

        Raises:
            Exception: A rule failed; nothing of the text may be kept.
        """
        return self._redactor.text(self._known(text))

    def json(self, value: Json) -> Json:
        """The JSON without values.

        Raises:
            Exception: A rule failed; nothing of it may be kept.
        """
        return self._redactor.json(self._walk(value))

    def _walk(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._known(value)
        if isinstance(value, list):
            return [self._walk(item) for item in value]
        if isinstance(value, dict):
            return {self._known(name): self._walk(item) for name, item in value.items()}
        return value

    def _known(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text
