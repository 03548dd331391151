"""Reading a task's text: the values of the parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playhead.experience.document import Experience, Mention, Parameter
from playhead.experience.routine._decisions import Inputs, Refuse
from playhead.experience.values import Found, Unclear, find_mentions, opposed, words_of
from playhead.tape import Json

_NAMING = ("quoted", "address", "name", "date", "weekday", "option")  # said again, the same thing
_LONGEST_SPAN = 8  # words
_BREAK = re.compile(r"[.?!;:]\s|[\n\"“”]|(?<!\w)'|'(?!\w)")


class TaskText:
    """A task's text, with what it mentions."""

    def __init__(self, text: str, *, now: str, known: Sequence[str] = ()) -> None:
        self.text, self._now, self._known = text, now, frozenset(known)
        self._found: dict[tuple[Any, ...], list[Found]] = {}
        self.words = [word.casefold() for word, _, _ in words_of(text)]
        self._starts = [start for _, start, _ in words_of(text)]
        self._ends = [end for _, _, end in words_of(text)]

    def mentions(self, options: tuple[tuple[Any, tuple[str, ...]], ...] = ()) -> list[Found]:
        """All mentions, with options of one set among them."""
        if options not in self._found:
            self._found[options] = find_mentions(
                self.text, now=self._now, options=options, known=self._known
            )
        return self._found[options]

    def of_kind(self, mention: Mention) -> list[Found]:
        """The mentions of the kind that a source is about."""
        options = tuple((each.value, each.words) for each in mention.options)
        return [found for found in self.mentions(options) if found.kind == mention.kind]

    def different(self, mention: Mention) -> list[Found]:
        """Those of them that do not name again what an earlier one named."""
        found = self.of_kind(mention)
        if mention.kind not in _NAMING:
            return found
        values = [each.value for each in found]
        return [each for at, each in enumerate(found) if each.value not in values[:at]]

    def found(self, mention: Mention) -> Found | None:
        """What a source finds; nothing where its words stand around several things."""
        if mention.kind == "words":
            return self._between(mention)
        if mention.rest:
            return None  # that depends on the others
        found = self.different(mention)
        if mention.of and len(found) not in mention.of:
            return None
        if (place := mention.nth) is not None:
            return found[place] if -len(found) <= place < len(found) else None
        near = [each for each in self.of_kind(mention) if self.stands(each, mention)]
        return near[0] if near and all(each.value == near[0].value for each in near) else None

    def left(self, mention: Mention, claimed: Sequence[Found]) -> Found | None:
        """The only mention of a kind that is none of those that words tell already."""
        naming = mention.kind in _NAMING
        left = [
            each
            for each in self.different(mention)
            if each not in claimed and not (naming and each.value in [c.value for c in claimed])
        ]
        return left[0] if len(left) == 1 else None

    def _between(self, mention: Mention) -> Found | None:
        """The words from those of a source to the next ones of it, within one sentence."""
        wanted, behind = (mention.after or "").split(), (mention.before or "").split()
        starts = [
            at + len(wanted)
            for at in range(len(self.words) - len(wanted) + 1)
            if self.words[at : at + len(wanted)] == wanted
        ]
        found = [
            self._span(at, behind)
            for at in (starts if wanted else [0])
            if not (wanted and self._stops(at))
        ]
        said = [each for each in found if each is not None]
        return said[0] if said and all(each.value == said[0].value for each in said) else None

    def _span(self, first: int, behind: Sequence[str]) -> Found | None:
        """From a word up to some others, or to the end of the sentence if there are none."""
        size, longest = len(self.words), first + _LONGEST_SPAN
        ends = [
            at
            for at in range(first + 1, min(size, longest) + 1)
            if (self.words[at : at + len(behind)] == behind if behind else self._stops(at))
        ]
        if not ends:
            return None
        if behind and self._stops(ends[0]):
            return None
        start, end = self._starts[first], self._ends[ends[0] - 1]
        said = self.text[start:end]
        return None if _BREAK.search(said) else Found("words", start, end, said)

    def _stops(self, at: int) -> bool:
        """Whether a sentence ends before a word."""
        if at == len(self.words):
            return True
        return bool(_BREAK.search(self.text[self._ends[at - 1] : self._starts[at]]))

    def stands(self, found: Found, mention: Mention) -> bool:
        """Whether the words of a source stand around a mention."""
        left = [at for at, end in enumerate(self._ends) if end <= found.start]
        before = self.words[: left[-1] + 1] if left else []
        after = [
            word for word, start in zip(self.words, self._starts, strict=True) if start >= found.end
        ]
        wanted, behind = (mention.after or "").split(), (mention.before or "").split()
        return before[len(before) - len(wanted) :] == wanted and after[: len(behind)] == behind


def read_parameters(experience: Experience, inputs: Inputs) -> dict[str, Json] | Refuse:
    """The values of all parameters that have one, or why the task cannot be read."""
    text = TaskText(inputs.task, now=inputs.now, known=experience.scope.words)
    values: dict[str, Json] = {}
    for name in experience.parameters:
        if name in inputs.given:
            values[name] = inputs.given[name]
            continue
        try:
            values[name] = _value(name, experience, text)
        except Unclear:
            return Refuse(f"the task can be read in several ways: which `{name}`?", "unclear")
    unknown = sorted(set(inputs.given) - set(experience.parameters))
    if unknown:
        return Refuse(f"there is no parameter `{unknown[0]}`", "missing")
    if inputs.given and not inputs.task:
        return values
    return _out_of_scope(experience, text) or values


def _value(name: str, experience: Experience, text: TaskText) -> Json:
    """What the sources of a parameter agree on; the default if they find nothing.

    The words around a mention say what it is there for. Where they are not found, it is what they
    leave when they tell all others, or else what stands in its place.

    Raises:
        Unclear: They find different values.
    """
    parameter = experience.parameters[name]
    for sort in (_by_words, _by_rest, _by_place):
        mentions = [each for each in _mentions(parameter) if sort(each)]
        found = [
            text.left(each, _claimed(name, experience, text, like=each))
            if each.rest
            else text.found(each)
            for each in mentions
        ]
        values: list[Json] = [each.value for each in found if each is not None]
        if any(value != values[0] for value in values):
            raise Unclear
        if values:
            return values[0]
    return parameter.default


def _claimed(name: str, experience: Experience, text: TaskText, *, like: Mention) -> list[Found]:
    """What the words before the other parameters of a kind find."""
    others = [each for other, each in experience.parameters.items() if other != name]
    found = [
        text.found(mention)
        for each in others
        for mention in _mentions(each)
        if mention.leads and (mention.kind, mention.options) == (like.kind, like.options)
    ]
    return [each for each in found if each is not None]


def _mentions(parameter: Parameter) -> list[Mention]:
    return [m for each in parameter.sources if (m := getattr(each, "mention", None)) is not None]


def _by_words(mention: Mention) -> bool:
    return mention.nth is None and not mention.rest


def _by_rest(mention: Mention) -> bool:
    return mention.rest


def _by_place(mention: Mention) -> bool:
    return mention.nth is not None


def _out_of_scope(experience: Experience, text: TaskText) -> Refuse | None:
    for kind, allowed in experience.scope.mentions.items():
        count = len(text.different(Mention(kind=kind)))
        if count not in allowed:
            return Refuse(
                f"the task mentions {count} of the kind `{kind}`; the traces did "
                f"{' or '.join(map(str, allowed))}",
                "scope",
            )
    word = opposed(text.text, experience.scope.examples)
    if word is not None:
        return Refuse(f"the task says `{word}`; the traces said the opposite", "scope")
    return None
