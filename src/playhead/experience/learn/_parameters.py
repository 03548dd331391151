"""What varies in the task texts: mentions that can be found again in the next text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playhead.experience.document import Mention
from playhead.experience.learn._candidates import Candidate, agreeing, around, of_kind
from playhead.experience.learn._options import (
    OptionSet,
    catalogue_lists,
    option_sets,
    option_words,
    texts_of,
)
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._spans import spans
from playhead.experience.learn._trace import Example, ToolSpec
from playhead.experience.routine import TaskText
from playhead.experience.values import Found, words_of
from playhead.tape import Json

_PLAIN = ("quoted", "number", "option")


@dataclass(slots=True)
class Texts:
    """The task texts of all traces, and what was found in them."""

    texts: list[TaskText]
    known: tuple[str, ...]
    candidates: list[Candidate] = field(default_factory=list)
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)


def read_texts(
    examples: Sequence[Example], tools: Mapping[str, ToolSpec], settings: LearnSettings
) -> Texts:
    """The parameters that the task texts of some traces suggest."""
    sets = option_sets(examples, tools)
    said = _open_words(examples, sets, tools) if settings.typed_mentions else []
    plain = texts_of(examples)
    sets = [each for each in sets if not any(_within(o, said) for o in _options(plain, each))]
    parts = [{word for value in each.values for word in _words(value)} for each in said]
    whole = set().union(*(words for words in parts if words.isdisjoint(_alone(examples))))
    known = tuple(sorted({*_no_names(examples), *option_words(sets), *whole}))
    texts = [TaskText(each.trace.task, now=each.trace.now, known=known) for each in examples]
    result = Texts(texts, known)
    taken = [_spans(text, sets) for text in texts]
    # What a session that wrote nothing speaks of besides may be something else to write.
    right = [at for at, each in enumerate(examples) if not each.wrong]
    told = [texts[at] for at in right if examples[at].writes] or [texts[at] for at in right]
    kinds = dict.fromkeys(found.kind for text in texts for found in text.mentions())
    if not settings.typed_mentions:
        kinds = {kind: None for kind in kinds if kind in _PLAIN}
    for kind in kinds:
        result.candidates += of_kind(kind, texts, (), taken)
        result.counts[kind] = tuple(sorted({_count(text, kind) for text in told}))
    for options in sets:
        chosen = list(of_kind("option", texts, options, taken))
        result.candidates += [*chosen, *_with_defaults(chosen, examples, texts)]
    result.candidates += said
    result.candidates = list(_named(result.candidates))
    return result


def _open_words(
    examples: Sequence[Example], sets: Sequence[OptionSet], tools: Mapping[str, ToolSpec]
) -> list[Candidate]:
    """What stands between the same words of all texts, and is no value that a schema lists."""
    fixed = {value for listed in catalogue_lists(tools) for value in listed} | set(tools)
    listed = [options for options in sets if {value for value, _ in options} <= fixed]
    texts = texts_of(examples)
    return list(agreeing("words", texts, spans(examples, texts, listed)))


def _words(value: Any) -> set[str]:  # noqa: ANN401
    return {word.casefold() for word, _, _ in words_of(str(value))}


def _alone(examples: Sequence[Example]) -> set[str]:
    """Words that calls were made with, each by itself."""
    return {
        str(value).casefold()
        for each in examples
        for call in (*each.reads, *each.writes)
        for value in call.arguments.values()
    }


def _options(texts: Sequence[TaskText], options: OptionSet) -> list[Candidate]:
    return list(of_kind("option", texts, options))


def _within(option: Candidate, words: Sequence[Candidate]) -> bool:
    """Whether the values of an option are just what some words said: then any others may come."""
    return bool(words) and all(
        value is None or str(value).casefold() in {str(w.values[at]).casefold() for w in words}
        for at, value in enumerate(option.values)
    )


def _count(text: TaskText, kind: str) -> int:
    return len(text.different(Mention(kind=kind)))


def _spans(text: TaskText, sets: Sequence[OptionSet]) -> list[tuple[int, int]]:
    """Where a text mentions something."""
    found = [each for options in [(), *sets] for each in text.mentions(options)]
    return [(each.start, each.end) for each in found]


def _with_defaults(
    said: Sequence[Candidate], examples: Sequence[Example], texts: Sequence[TaskText]
) -> Iterator[Candidate]:
    """Those that some texts leave out, with what all of their traces then took for granted.

    What a text says elsewhere, in other words than are looked for, it does not leave out.
    """
    places: dict[tuple[str, str], dict[int, set[Json]]] = {}
    for at, example in enumerate(examples):
        for call in (*example.reads, *example.writes):
            for name, value in call.arguments.items():
                if isinstance(value, str):
                    places.setdefault((call.tool, name), {}).setdefault(at, set()).add(value)
    for each in said:
        options = tuple(dict.fromkeys(o for source in each.sources for o in source.options))
        allowed = {option.value for option in options}
        mention = Mention(kind=each.kind, options=options)
        left_out = [text for text, v in zip(texts, each.values, strict=True) if v is None]
        for taken in places.values() if None in each.values else ():
            unsaid = [taken.get(at, set()) for at, v in enumerate(each.values) if v is None]
            spoken = [(v, taken.get(at)) for at, v in enumerate(each.values) if v is not None]
            if len(one := set().union(*unsaid)) == 1 and one <= allowed and all(unsaid):
                (default,) = one
                if any(m.value == default for text in left_out for m in text.different(mention)):
                    continue
                if all(found == {value} for value, found in spoken):
                    values = tuple(default if v is None else v for v in each.values)
                    yield replace(each, values=values, default=default)


def _named(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    counts: Counter[str] = Counter()
    for each in candidates:
        counts[each.kind] += 1
        number = counts[each.kind]
        name = each.kind if number == 1 else f"{each.kind}_{number}"
        yield replace(each, name=name)


def _no_names(examples: Sequence[Example]) -> tuple[str, ...]:
    """Words that look like names and of which nothing was made in any call."""
    used = " ".join(
        str(value).casefold()
        for each in examples
        for call in each.trace.calls
        for value in call.arguments.values()
    )
    texts = texts_of(examples)
    words = {
        word.casefold()
        for text in texts
        for found in text.mentions()
        if found.kind == "name"
        for word, _, _ in words_of(str(found.value))
    }
    seen = Counter(word for text in texts for word in set(text.words))
    places = {
        word: {
            around(text, found) for text in texts for found in text.mentions() if _is(found, word)
        }
        for word in words
    }
    cues = {
        cue
        for word in words
        if word in used
        for left, right in places[word]
        for cue in (("l", left), ("r", right))
    }
    return tuple(
        sorted(
            word
            for word in words
            if word not in used
            and (
                seen[word] == len(texts)
                or (seen[word] > 1 and cues and not _stands_like(places[word], cues))
            )
        )
    )


def _is(found: Found, word: str) -> bool:
    return found.kind == "name" and word in str(found.value).casefold().split()


def _stands_like(
    places: set[tuple[str | None, str | None]], cues: set[tuple[str, str | None]]
) -> bool:
    """Whether a word stands where names stand in other texts."""
    return any(("l", left) in cues or ("r", right) in cues for left, right in places)
