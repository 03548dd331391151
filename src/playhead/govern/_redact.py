"""Redaction: what a capture keeps holds no values, and nothing brings them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from playhead.errors import JsonError
from playhead.govern._rules import Rule
from playhead.govern._scanner import Scanner, default_rules
from playhead.govern._secrets import SECRET_NAME
from playhead.tape import Json, compact, loads_strict

_HEADERS = {"x-amz-security-token", "x-goog-api-key", "x-api-key", "api-key", "apikey"}


class Redactor:
    """Replaces values by `⟦redacted:kind⟧`, for ever.

    Args:
        rules: What a value is; `default_rules()` if not given.
        fields: Kind by name of members of JSON objects that are values whatever they say.
        also: Your own function on each text, called after the rules; it may raise.

    Raises:
        MissingExtraError: The extra `govern` is not installed, and no rules were given.
    """

    def __init__(
        self,
        rules: Iterable[Rule] | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        also: Callable[[str], str] | None = None,
    ) -> None:
        self._scanner = Scanner(default_rules() if rules is None else rules, fields)
        self._also = also

    def text(self, text: str) -> str:
        """The text without its values; where it is JSON, as `json` has it.

        Results of tools, arguments of calls and bodies are JSON in a text: there, the name of a
        member may be all that tells a value.
        """
        value = _structure(text)
        if value is None:
            return self._plain(text)
        made = self.json(value)
        return text if made == value else compact(made)

    def _plain(self, text: str) -> str:
        pieces: list[str] = []
        at = 0
        for start, end, kind in self._scanner.find(text):
            pieces += (text[at:start], redacted(kind))
            at = end
        made = "".join([*pieces, text[at:]])
        return made if self._also is None else self._also(made)

    def json(self, value: Json) -> Json:
        """A JSON value without its values; numbers that are values become texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self._member(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.json(item) for item in value]
        kind = self._scanner.number(value) if type(value) is int else None
        return value if kind is None else redacted(kind)

    def _member(self, name: str, value: Json) -> Json:
        kind = self._scanner.field(name, value)
        if kind is None:
            return self.json(value)
        if isinstance(value, list):
            return [self._member(name, item) for item in value]
        return redacted(kind) if isinstance(value, str) and value else self.json(value)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """HTTP headers: what authorises goes whatever it says, the rest is text."""
        return {
            name: redacted("header")
            if name.lower() in _HEADERS or SECRET_NAME.fullmatch(name)
            else self.text(value)
            for name, value in headers.items()
        }

    def body(self, body: bytes | str) -> str:
        """A body as it may be stored; JSON stays JSON. Never raises, and never gives the original.

        What is no text, or what a rule or `also` fails at, is dropped: in its place stands
        `⟦dropped: …⟧`, which says why without repeating any of it.
        """
        try:
            text = body if isinstance(body, str) else body.decode()
        except UnicodeDecodeError:
            return f"⟦dropped: {len(body):,} bytes that are no text⟧"
        try:
            return self.text(text)
        except Exception as error:
            return f"⟦dropped: the redactor failed with {type(error).__name__}⟧"


def _structure(text: str) -> Json:
    """What a text says as a JSON object or array; None if it is neither."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return loads_strict(text)
    except JsonError:
        return None


def redacted(kind: str) -> str:
    """What stands in the place of a value."""
    return f"⟦redacted:{kind}⟧"
