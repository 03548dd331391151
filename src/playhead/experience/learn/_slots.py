"""The explanations of a value in one trace that hold in the others too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from playhead.experience.learn._atoms import World, constant, exactly, explain, templates
from playhead.experience.learn._computed import (
    afterwards,
    free_times,
    is_movable,
    moved,
    speaks_of_free_time,
)
from playhead.experience.learn._conditions import is_identity, is_time, plainest
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._leading import leading
from playhead.experience.learn._said import as_said, said_by
from playhead.experience.routine import Term, parameters_in, results_in
from playhead.experience.values import NO_ROW, equal
from playhead.tape import Json

_CHOICE_WORDS = said_by(
    (f"latest|newest|most recent|last{NO_ROW}", ["highest"]),
    (f"(?:earliest|oldest|next|soonest|upcoming|first){NO_ROW}", ["lowest"]),
    ("most", ["most_common"]),
    ("least|fewest", ["least_common"]),
)


_TIME_WORDS = re.compile(
    r"\b(next|upcoming|soonest|earliest|oldest|latest|newest|(most )?recent|last|first)\b" + NO_ROW,
    re.IGNORECASE,
)


def slot(
    ground: Ground,
    worlds: Sequence[World],
    values: Mapping[int, Json],
    *,
    of: int,
    loosely: bool = False,
) -> list[Term]:
    """The explanations of a value in one trace that hold in the others too.

    Args:
        ground: The traces.
        worlds: What is known on each trace.
        values: The value of this place in each trace that has it.
        of: The trace that is explained.
        loosely: Case does not count, and other traces may have come at it differently.
    """
    value = values[of]
    kept: list[Term] = []
    for ways in _WAYS:
        found = list(ways(ground, worlds[of], value, loosely=loosely))
        if loosely:
            kept = plainest(_as_written(_most_holding(worlds, found, values)))
        else:
            kept = [term for term in found if _holding(worlds, term, values) == len(values)]
            kept = as_said(_CHOICE_WORDS, plainest(kept), ground.texts.texts)
            kept = _in_time(ground, worlds[of], kept)
        if kept:
            break
    if ways is _free and kept:
        return kept[: ground.settings.explanations]
    kept = _as_mentioned(kept, value)
    if loosely:
        kept = _alike(worlds, kept)
    same = all(_same(value, other, loosely=loosely) for other in values.values())
    if same or (loosely and not kept):
        said = any(parameters_in(term) for term in kept)
        if not said and not is_identity(value):
            kept.append(constant(value))
    return kept[: ground.settings.explanations]


def _free(ground: Ground, world: World, value: Json, *, loosely: bool) -> Iterable[Term]:
    """A time at which nothing else is, where all texts ask for one."""
    if loosely or not speaks_of_free_time([text.text for text in ground.texts.texts]):
        return ()
    return free_times(world, value, ground.candidates, ground.settings)


def _plain(ground: Ground, world: World, value: Json, *, loosely: bool) -> list[Term]:
    return explain(
        world, value, loosely=loosely, candidates=ground.candidates, settings=ground.settings
    )


def _template(ground: Ground, world: World, value: Json, *, loosely: bool) -> Iterable[Term]:
    """A fixed text around what varies; what can be computed is not one."""
    computed = not loosely and is_movable(value)
    return () if computed else templates(world, value, ground.candidates)


def _joined(ground: Ground, world: World, value: Json, *, loosely: bool) -> list[Term]:
    if loosely:
        return []
    return explain(
        world, value, joined=True, candidates=ground.candidates, settings=ground.settings
    )


def _moved(ground: Ground, world: World, value: Json, *, loosely: bool) -> Iterable[Term]:
    return () if loosely else moved(world, value, ground.candidates, ground.settings)


def _afterwards(ground: Ground, world: World, value: Json, *, loosely: bool) -> Iterable[Term]:
    return () if loosely else afterwards(world, value, ground.candidates, ground.settings)


def _leading(ground: Ground, world: World, value: Json, *, loosely: bool) -> Iterable[Term]:
    return () if loosely else leading(world, value, [text.text for text in ground.texts.texts])


def _text(ground: Ground, world: World, value: Json, *, loosely: bool) -> Iterable[Term]:
    return templates(world, value, ground.candidates)


_WAYS = (_free, _plain, _template, _joined, _moved, _afterwards, _leading, _text)
"""The ways to get at a value, in the order in which they are tried."""


def _in_time(ground: Ground, world: World, terms: list[Term]) -> list[Term]:
    """Of rows chosen by a member, those chosen by a time, where all texts have a word for that."""
    if not all(_TIME_WORDS.search(text.text) for text in ground.texts.texts):
        return terms
    return [term for term in terms if _is_timely(world, term)] or terms


def _is_timely(world: World, term: Term) -> bool:
    if term[0] != "result" or not isinstance(term[3], tuple):
        return False
    rows = world.scope.results.get(term[1])
    return is_time([row.get(term[3][1]) for row in rows or () if isinstance(row, dict)])


def _as_mentioned(terms: Sequence[Term], value: Json) -> list[Term]:
    """What the task says is not a coincidence of some row, unless it names one thing."""
    said = [term for term in terms if parameters_in(term) and not results_in(term)]
    return said if said and not is_identity(value) else list(terms)


def _alike(worlds: Sequence[World], terms: Sequence[Term]) -> list[Term]:
    """The explanation that has a value in most traces, and those that never differ from it."""
    values = {term: [world.value(term) for world in worlds] for term in terms}
    ranked = sorted(terms, key=lambda term: sum(v is None for v in values[term]))
    return [
        term
        for term in ranked
        if all(
            one is None or other is None or _same(one, other, loosely=True)
            for one, other in zip(values[ranked[0]], values[term], strict=True)
        )
    ]


def _as_written(terms: Sequence[Term]) -> list[Term]:
    """Without other spellings of what is there as it was written."""
    spelt = ("lower", "title", "capital")
    return [
        term for term in terms if not (term[0] == "fn" and term[1] in spelt and term[2][0] in terms)
    ]


def _most_holding(
    worlds: Sequence[World], terms: Sequence[Term], values: Mapping[int, Json]
) -> list[Term]:
    """The terms that hold in most traces."""
    counts = {term: _holding(worlds, term, values, loosely=True) for term in terms}
    most = max(counts.values(), default=0)
    return [term for term, count in counts.items() if count == most]


def _holding(
    worlds: Sequence[World], term: Term, values: Mapping[int, Json], *, loosely: bool = False
) -> int:
    """In how many traces a term gives the value."""
    return sum(
        (got := worlds[at].value(term)) is not None and _same(got, value, loosely=loosely)
        for at, value in values.items()
    )


def _same(one: Any, other: Any, *, loosely: bool) -> bool:  # noqa: ANN401
    return equal(one, other) if loosely else exactly(one, other)


def agree(terms: Sequence[Term]) -> Term:
    """Terms that have to agree, as one."""
    return terms[0] if len(terms) == 1 else ("agree", tuple(terms))
