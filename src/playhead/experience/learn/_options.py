"""Values that texts name by words of their own: those that schemas list, and those of tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from playhead.experience.learn._trace import Example, ToolSpec
from playhead.experience.routine import TaskText
from playhead.experience.values import stem, words_of
from playhead.tape import Json

OptionSet = tuple[tuple[str, tuple[str, ...]], ...]


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
    seen = _seen_values(examples, texts_of(examples))
    lists |= dict.fromkeys(each for each in seen if not any(set(each) <= set(o) for o in lists))
    nouns = {stem(word) for name in tools for word in _tokens(name)}
    return [
        made
        for each in lists
        if (made := _worded(each, set() if set(each) <= set(tools) else nouns)) and len(each) > 1
    ]


def option_words(sets: Iterable[OptionSet]) -> set[str]:
    return {
        word.casefold()
        for options in sets
        for _, wordings in options
        for wording in wordings
        for word, _, _ in words_of(wording)
    }


def texts_of(examples: Sequence[Example]) -> list[TaskText]:
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


def _worded(values: Sequence[str], nouns: Set[str]) -> OptionSet:
    """Each value with the words for it, as far as they mean no other value as well.

    A single word of a longer value that names what the tools are about says nothing: `tasks`.
    """
    tokens = {value: _tokens(value) for value in values}
    shared = Counter(word for words in tokens.values() for word in set(words))
    wordings = {
        value: [
            said for said in _wordings(words, shared) if len(words) == 1 or stem(said) not in nouns
        ]
        for value, words in tokens.items()
    }
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
