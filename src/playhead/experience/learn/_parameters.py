"""What varies in the task texts: mentions that can be found again in the next text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playhead.experience.document import Mention, Option
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._spans import spans
from playhead.experience.learn._trace import Example, ToolSpec
from playhead.experience.routine import TaskText
from playhead.experience.values import Found, words_of
from playhead.tape import Json

OptionSet = tuple[tuple[str, tuple[str, ...]], ...]
_PLAIN = ("quoted", "number", "option")
_JOINING = (None, "and", "or", "but", "if", "so", "then", "otherwise")  # they begin something else


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parameter that the texts suggest.

    Args:
        name: Its name.
        kind: Of which kind its mentions are.
        sources: How to find it; all that agree on every trace.
        values: What it is in each trace; None where it is absent.
        default: What is meant where the text does not say it; None for nothing.
    """

    name: str
    kind: str
    sources: tuple[Mention, ...]
    values: tuple[Any, ...]
    default: Any = None


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
    plain = _texts_of(examples)
    sets = [each for each in sets if not any(_within(o, said) for o in _options(plain, each))]
    parts = [{word for value in each.values for word in _words(value)} for each in said]
    whole = set().union(*(words for words in parts if words.isdisjoint(_alone(examples))))
    known = tuple(sorted({*_no_names(examples), *_option_words(sets), *whole}))
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
        result.candidates += _of_kind(kind, texts, (), taken)
        result.counts[kind] = tuple(sorted({_count(text, kind) for text in told}))
    for options in sets:
        chosen = list(_of_kind("option", texts, options, taken))
        result.candidates += [*chosen, *_with_defaults(chosen, examples)]
    result.candidates += said
    result.candidates = list(_named(result.candidates))
    return result


def _open_words(
    examples: Sequence[Example], sets: Sequence[OptionSet], tools: Mapping[str, ToolSpec]
) -> list[Candidate]:
    """What stands between the same words of all texts, and is no value that a schema lists."""
    fixed = {value for listed in catalogue_lists(tools) for value in listed} | set(tools)
    listed = [options for options in sets if {value for value, _ in options} <= fixed]
    texts = _texts_of(examples)
    return list(_chosen("words", texts, spans(examples, texts, listed)))


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
    return list(_of_kind("option", texts, options))


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


def _with_defaults(said: Sequence[Candidate], examples: Sequence[Example]) -> Iterator[Candidate]:
    """Those that some texts leave out, with what all of their traces then took for granted."""
    places: dict[tuple[str, str], dict[int, set[Json]]] = {}
    for at, example in enumerate(examples):
        for call in (*example.reads, *example.writes):
            for name, value in call.arguments.items():
                if isinstance(value, str):
                    places.setdefault((call.tool, name), {}).setdefault(at, set()).add(value)
    for each in said:
        allowed = {option.value for source in each.sources for option in source.options}
        for taken in places.values() if None in each.values else ():
            unsaid = [taken.get(at, set()) for at, v in enumerate(each.values) if v is None]
            spoken = [(v, taken.get(at)) for at, v in enumerate(each.values) if v is not None]
            if len(one := set().union(*unsaid)) == 1 and one <= allowed and all(unsaid):
                (default,) = one
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
    texts = _texts_of(examples)
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
            _around(text, found) for text in texts for found in text.mentions() if _is(found, word)
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


def _of_kind(
    kind: str,
    texts: Sequence[TaskText],
    options: OptionSet,
    taken: Sequence[Sequence[tuple[int, int]]] = (),
) -> Iterator[Candidate]:
    """Candidates of one kind: sources that say the same in all texts are one parameter."""
    parts = tuple(Option(value=value, words=words) for value, words in options)
    yield from _chosen(kind, texts, _sources(kind, texts, parts, taken))


def _chosen(
    kind: str, texts: Sequence[TaskText], mentions: Iterable[Mention]
) -> Iterator[Candidate]:
    """What some sources find, those that agree taken together."""
    sources: dict[Mention, tuple[Any, ...]] = {}
    for mention in mentions:
        sources[mention] = tuple(text.found(mention) for text in texts)
    full = {found for found in sources.values() if None not in found}
    partial = {
        found
        for found in sources.values()
        if None in found and not any(_compatible(found, each) for each in full)
    }
    for chosen in [*_ordered(full, sources), *_ordered(_widest(partial), sources)]:
        fitting = [
            mention
            for mention, theirs in sources.items()
            if _compatible(theirs, chosen) and (theirs == chosen or _often(theirs))
        ]
        values = tuple(None if found is None else found.value for found in chosen)
        if any(value is not None for value in values):
            yield Candidate("", kind, tuple(fitting), values)


def _ordered(
    chosen: Iterable[tuple[Any, ...]], sources: Mapping[Mention, tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    wanted = set(chosen)
    return list(dict.fromkeys(values for values in sources.values() if values in wanted))


def _widest(partial: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Those that are not part of another."""
    return {
        values
        for values in partial
        if not any(values != other and _compatible(values, other) for other in partial)
    }


def _often(found: tuple[Any, ...]) -> bool:
    """Whether a source that says nothing in some texts is borne out by two others.

    Words that stand by one value only may be part of it: `average` tells no duration from others.
    """
    values = [each.value for each in found if each is not None]
    return any(value != values[0] for value in values)


def _compatible(part: tuple[Any, ...], whole: tuple[Any, ...]) -> bool:
    """Whether a source says nothing that the other does not say."""
    said = [(one, other) for one, other in zip(part, whole, strict=True) if one is not None]
    return bool(said) and all(one == other for one, other in said)


def _sources(
    kind: str,
    texts: Sequence[TaskText],
    options: tuple[Option, ...],
    taken: Sequence[Sequence[tuple[int, int]]],
) -> Iterator[Mention]:
    probe = Mention(kind=kind, options=options)
    counts = tuple(sorted({len(text.different(probe)) for text in texts} - {0}))
    for nth in range(max(counts, default=0)):
        yield Mention(kind=kind, nth=nth, of=tuple(c for c in counts if c > nth), options=options)
    cues: dict[tuple[str | None, str | None], None] = {}
    for at, text in enumerate(texts):
        for each in text.of_kind(probe):
            before, after = _around(text, each, taken[at] if taken else ())
            cues |= {(before, None): None, (None, after): None}
    for left, right in cues:
        if (left or right) not in _JOINING:
            seen = counts if options else ()  # of other kinds the scope tells how many
            yield Mention(kind=kind, after=left, before=right, of=seen, options=options)


def _around(
    text: TaskText, found: Found, taken: Sequence[tuple[int, int]] = ()
) -> tuple[str | None, str | None]:
    """The words beside a mention; none that belongs to another mention, because that varies."""
    words = words_of(text.text)
    left = [each for each in words if each[2] <= found.start][-1:]
    right = [each for each in words if each[1] >= found.end][:1]
    near = [
        None
        if not each or any(start <= each[0][1] and each[0][2] <= end for start, end in taken)
        else each[0][0].casefold()
        for each in (left, right)
    ]
    return near[0], near[1]


def option_sets(examples: Sequence[Example], tools: Mapping[str, ToolSpec]) -> list[OptionSet]:
    """Lists of values that arguments of the traces take, with the words for each."""
    lists: dict[tuple[str, ...], None] = {}
    everywhere = catalogue_lists(tools)
    for example in examples:
        for call in (*example.reads, *example.writes):
            if call.tool not in tools:
                continue
            lists[siblings(tools[call.tool], tools)] = None
            for value in call.arguments.values():
                if isinstance(value, str):
                    folded = value.casefold()
                    lists |= {each: None for each, words in everywhere.items() if folded in words}
    seen = _seen_values(examples, _texts_of(examples))
    lists |= dict.fromkeys(each for each in seen if not any(set(each) <= set(o) for o in lists))
    return [made for each in lists if (made := _worded(each)) and len(each) > 1]


def _option_words(sets: Iterable[OptionSet]) -> set[str]:
    return {
        word.casefold()
        for options in sets
        for _, wordings in options
        for wording in wordings
        for word, _, _ in words_of(wording)
    }


def _texts_of(examples: Sequence[Example]) -> list[TaskText]:
    return [TaskText(each.trace.task, now=each.trace.now) for each in examples]


def _seen_values(examples: Sequence[Example], texts: Sequence[TaskText]) -> list[tuple[str, ...]]:
    """Values of an argument that texts name word by word, though no schema lists them."""
    taken = {
        str(found.value).casefold()
        for text in texts
        for found in text.mentions()
        if found.kind in ("name", "quoted")
    }
    values: dict[tuple[str, str], dict[str, None]] = {}
    for example in examples:
        for call in (*example.reads, *example.writes):
            for name, value in call.arguments.items():
                plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z _-]{1,30}", value)
                if plain and str(value).casefold() not in taken:
                    values.setdefault((call.tool, name), {})[str(value)] = None
    return [tuple(each) for each in values.values() if 1 < len(each) < 8]


def catalogue_lists(tools: Mapping[str, ToolSpec]) -> dict[tuple[str, ...], set[str]]:
    """All lists of values that the schemas of tools allow or describe, with their values folded."""
    found: dict[tuple[str, ...], set[str]] = {}
    for spec in tools.values():
        for schema in spec.arguments.values():
            for listed in _listed(schema):
                found[listed] = {value.casefold() for value in listed}
    return found


def listed_values(tool: ToolSpec, name: str) -> tuple[str, ...]:
    """The values that an argument may have, if its schema lists them."""
    return next(iter(_listed(tool.arguments.get(name, {}))), ())


def _listed(schema: Mapping[str, Json]) -> Iterator[tuple[str, ...]]:
    """The values that a schema allows, and those that its description lists."""
    if isinstance(allowed := schema.get("enum"), list):
        yield tuple(str(each) for each in allowed)
    said = " ".join(str(schema.get("description", "")).split())
    for sentence in re.split(r"[.;](?: |$)", said):
        listed = re.split(r"(?i:\b(?:one of|either|is|are)\b ?|: ?)", sentence)[-1]
        values = tuple(part.strip() for part in re.split(r", (?:or |and )?| or ", listed))
        if len(values) > 1 and all(_ITEM.fullmatch(value) for value in values):
            yield values


_ITEM = re.compile(r"[\w/-]+(?: [\w/-]+)?")


def siblings(spec: ToolSpec, tools: Mapping[str, ToolSpec]) -> tuple[str, ...]:
    """The tools that take the same arguments and have the same effect."""
    return tuple(
        sorted(
            each.name
            for each in tools.values()
            if set(each.arguments) == set(spec.arguments) and each.effect == spec.effect
        )
    )


def _worded(values: Sequence[str]) -> OptionSet:
    """Each value with the words for it, as far as they mean no other value as well."""
    tokens = {value: _tokens(value) for value in values}
    shared = Counter(word for words in tokens.values() for word in set(words))
    wordings = {value: _wordings(words, shared) for value, words in tokens.items()}
    counts = Counter(wording for each in wordings.values() for wording in each)
    return tuple(
        (value, clear)
        for value, each in wordings.items()
        if (clear := tuple(wording for wording in each if counts[wording] == 1))
    )


def _tokens(value: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"[^\W_]+", value.rpartition(".")[2])]


def _wordings(words: list[str], shared: Counter[str]) -> list[str]:
    """All of the words, parts of at least two, the other way round, and what is its own."""
    size = len(words)
    made = [" ".join(words)]
    made += [
        " ".join(words[at : at + length])
        for length in range(size - 1, 1, -1)
        for at in range(size - length + 1)
    ]
    if size == 2:
        made.append(" ".join(reversed(words)))
    own = [word for word in words if shared[word] == 1]
    if own and len(own) < size:
        made.append(" ".join(own))
    return list(dict.fromkeys(made))
