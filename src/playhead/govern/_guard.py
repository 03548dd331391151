"""A guard: which values are kept off the tape, where they are kept, and who is given them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from playhead.errors import PlayheadError, PrivacyError, RunError
from playhead.govern._forms import Replaces, replaced, resolved, tokenised
from playhead.govern._known import Known
from playhead.govern._raw import cleaned_raw
from playhead.govern._rules import Rule
from playhead.govern._scanner import Scanner, default_rules
from playhead.govern._tokeniser import Resolver, Tokeniser
from playhead.govern._vault import Secret, Vault
from playhead.tape import Body, Draft, Json, Message


class Guard:
    """Keeps secrets and personal data off the tape: `run(…, privacy=Guard(vault))`.

    Args:
        vault: Keeps the values. Tapes hold placeholders, equal ones for equal values.
        rules: What a value is; `default_rules()` if not given. Put rules of your own first.
        fields: Kind by name of members of JSON objects that are values whatever they say, such as
            `{"dob": "birth_date", "last_name": "name"}`. Members whose name says that they are
            secrets (`password`, `api_key`, `token`, …) need not be named.
        trusted: Models that are given the values, by name (`gpt-4o`) or with the provider
            (`openai:gpt-4o`). All others see placeholders.
        tools: Tools and kinds of actions that are given the values; all if not given.

    Raises:
        MissingExtraError: The extra `govern` is not installed, and no rules were given.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        rules: Iterable[Rule] | None = None,
        fields: Mapping[str, str] | None = None,
        trusted: Collection[str] = (),
        tools: Collection[str] | None = None,
    ) -> None:
        if isinstance(trusted, str) or isinstance(tools, str):
            raise PrivacyError("`trusted` and `tools` are collections of names: write `(name,)`")
        self.vault = vault
        self.scanner = Scanner(default_rules() if rules is None else rules, fields)
        self.trusted = frozenset(trusted)
        self.tools = None if tools is None else frozenset(tools)
        self._plain = Tokeniser(self.scanner, vault)
        self._values: tuple[tuple[str, Secret], ...] = ()

    def tokenise(self, value: Json) -> Json:
        """A text or JSON value with placeholders, for what you write to a store yourself."""
        return self._plain.json(value)

    def resolve(self, value: Json) -> Json:
        """A text or JSON value with its values, for whoever may see them.

        Raises:
            UnresolvedError: A placeholder stands for nothing, or for what was removed.
        """
        return Resolver(self.vault).json(value)

    def trusts(self, provider: str, name: str) -> bool:
        """Whether a model is given the values. One that answers from recordings never is."""
        if provider == "recorded":
            return False
        return name in self.trusted or f"{provider}:{name}" in self.trusted

    def gives(self, name: str) -> bool:
        """Whether a tool, or whoever answers a kind of action, is given the values."""
        return self.tools is None or name in self.tools

    def knowing(self, values: Iterable[tuple[str, Secret]]) -> Guard:
        """A guard that keeps these values off the tape as well, wherever they stand.

        Args:
            values: Each with its kind; those below three characters are not looked for.
        """
        made = copy.copy(self)
        made._values = (*self._values, *values)
        return made

    def shield(self) -> Shield:
        """What replaces values for one session."""
        shield = Shield(self)
        assert shield.known is not None
        for kind, value in self._values:
            shield.known.add(kind, value)
        return shield


class Shield(Tokeniser):
    """A guard at work in one session: it also finds again what it met there."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.scanner, guard.vault, known=Known())
        self.guard = guard

    def message(self, message: Message) -> Message:
        """A message with placeholders; the very same if none is needed."""
        with self.vault.batch():
            return replaced(message, self)

    def body(self, body: Body) -> Body:
        """A body as it may be sealed; the very same if no value is in it.

        Raises:
            PrivacyError: It does not take a placeholder where a value stands.
        """
        with self.vault.batch():
            return tokenised(body, self)

    def draft(self, draft: Draft) -> Draft:
        """A draft as it may be sealed; a person's name in its header is content as well."""
        body, by = self.body(draft.body), draft.by
        if by.type == "person" and by.name is not None and (name := self.text(by.name)) != by.name:
            by = by._replace(name=name)
        if body is draft.body and by is draft.by:
            return draft
        return replace(draft, body=body, by=by)

    def resolved(self, body: Body, by: Replaces) -> Body:
        """A body of any kind with its values."""
        return resolved(body, by)

    def raw(self, raw: str, *, changed: bool) -> str:
        """A provider's answer as it may be kept; `changed`: values stood in its message."""
        return cleaned_raw(raw, self, changed=changed)

    def met(self, token: str, value: Secret) -> None:
        """A value was given to somebody: it is looked for in whatever comes back."""
        if self.known is not None:
            self.known.add(token[1:].partition(":")[0], value)

    def error(self, error: Exception) -> Exception:
        """The error to raise in place of another: the same if no value is in it or its causes.

        A new one has its class, message and facts, with placeholders, and no cause and traceback.
        """
        if not any(self.find(text) for link in _chain(error) for text in _said(link)):
            return error
        if not isinstance(error, PlayheadError):
            return RunError(f"{type(error).__name__}: {self.text(_text(error))}")
        data = {name: self._fact(fact) for name, fact in error.data.items()}
        return type(error)(self.text(error.message), **data)

    def _fact(self, fact: object) -> object:
        """A fact of an error, as far as it can be told; what cannot be looked into is left out."""
        if isinstance(fact, Message):
            return self.message(fact)
        if fact is None or isinstance(fact, bool | int | float):
            return fact
        if isinstance(fact, str):
            return self.text(fact)
        return None


def _chain(error: BaseException) -> list[BaseException]:
    """The error with its causes and contexts, and those of a group."""
    chain: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo and len(chain) < 100:
        link = todo.pop()
        if link is None or any(link is known for known in chain):
            continue
        chain.append(link)
        todo += [link.__cause__, link.__context__]
        todo += getattr(link, "exceptions", ())
    return chain


def _said(error: BaseException) -> list[str]:
    facts = error.data if isinstance(error, PlayheadError) else {}
    notes = getattr(error, "__notes__", ())
    return [_text(error), _text(error, repr), *notes, *map(repr, facts.values())]


def _text(error: BaseException, say: Callable[[object], str] = str) -> str:
    try:
        return say(error)
    except Exception:  # its own words cannot be had
        return ""
