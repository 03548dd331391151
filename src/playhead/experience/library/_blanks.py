"""Where the texts of an experience hold values, as its document tells."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.experience.document import Experience, Mention, Option
from playhead.experience.library._words import Blanks, holds, words


def blanks_of(experience: Experience) -> Blanks:
    """Where the texts of an experience hold values besides what any text mentions.

    What several examples all say alike is no value as far as anybody knows: it may be what makes
    them one kind.
    """
    found = list(_mentions(experience))
    lists = dict.fromkeys(each.options for each in found if each.options)
    several = [words(text) for text in experience.scope.examples]
    options = {
        word: None
        for listed in lists
        if len(several) < 2 or len({_said(text, listed) for text in several}) > 1
        for option in listed
        for word in option.words
    }
    between = {
        (each.after, each.before): None
        for each in found
        if each.kind == "words" and each.after and each.before
    }
    return Blanks(tuple(options), tuple(between))


def _mentions(experience: Experience) -> Iterator[Mention]:
    for parameter in experience.parameters.values():
        for source in parameter.sources:
            mention: Mention | None = getattr(source, "mention", None)
            if mention is not None:
                yield mention


def _said(text: tuple[str, ...], listed: tuple[Option, ...]) -> frozenset[str]:
    """Which of some values a text names."""
    return frozenset(
        str(option.value)
        for option in listed
        if any(holds(text, words(said)) for said in option.words)
    )
