"""Sessions of many kinds in one pool: which groups of them teach the most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from playhead.experience.learn._group import (
    RELATED,
    Likeness,
    likeness,
    parted,
    related,
    writing_alike,
)
from playhead.experience.learn._induce import Induced
from playhead.experience.learn._trace import Example, Probe
from playhead.experience.learn._validate import replayed
from playhead.experience.values import asks_otherwise

Taught: TypeAlias = tuple[list[int], Induced]
"""A group of examples, by their numbers, and what came of it."""
MadeOf: TypeAlias = Callable[[Sequence[int]], Induced]


def pooled(
    examples: Sequence[Example], found: list[Taught], made_of: MadeOf, probe: Probe | None
) -> list[Taught]:
    """Better groups than likeness alone gives.

    Args:
        examples: The sessions.
        found: Groups of those that are alike, and what came of each.
        made_of: What comes of a group.
        probe: Makes reads.
    """
    joined = _joined(examples, _parted(examples, found, made_of, probe), made_of)
    near = likeness(examples)
    return [(group, _shown(examples, group, made, near, probe)) for group, made in joined]


def _shown(
    examples: Sequence[Example],
    group: Sequence[int],
    made: Induced,
    near: Likeness,
    probe: Probe | None,
) -> Induced:
    """What is made of a group; of a single session only what nothing in the pool speaks against.

    That nothing was to be done is seen beside sessions that did something, or that left it undone
    for the same reason. Where one tool wrote several times, as in others much like it, one of these
    has to bear it out: which of the values vary, a single session cannot show.
    """
    if made.experience is None or len(group) > 1:
        return made
    (alone,) = group
    if not examples[alone].writes:
        return Induced(None, [*made.reasons, "it is alone of its kind, and nothing was done"])
    like = [at for at in range(len(examples)) if at != alone]
    like = [at for at in like if near[max(at, alone), min(at, alone)] >= RELATED]
    verdicts = [replayed(made.experience, examples[at], probe) for at in like]
    if "wrong" in verdicts:
        return Induced(None, [*made.reasons, "sessions that are much alike contradict it"])
    own = examples[alone]
    same = any(examples[at].signature == own.signature for at in like)
    if same and len(own.writes) > len(own.signature) and "right" not in verdicts:
        return Induced(None, [*made.reasons, "no session that is much alike bears it out"])
    return made


def _parted(
    examples: Sequence[Example],
    found: list[Taught],
    made_of: MadeOf,
    probe: Probe | None,
) -> list[Taught]:
    """Groups of which nothing is made are parted, if sessions of a part bear each other out."""
    kept: list[Taught] = []
    for group, made in found:
        parts = [] if made.experience else parted([examples[at] for at in group])
        taught = [(part, made_of(part)) for each in parts if (part := [group[at] for at in each])]
        for part, learnt in taught:
            beside = [other for other, _ in taught if other is not part]
            if _apart(examples, part, group, learnt):  # then several others are a kind as well
                beside = [other for other in beside if len(other) == 1]
            rest = [examples[at] for other in beside for at in other]
            if learnt.experience and not _right(learnt):
                learnt.experience = None
                learnt.reasons.append("no session of its kind bears it out")
            elif any(_contradicts(learnt, each, probe) for each in rest):
                learnt.experience = None
                learnt.reasons.append("sessions that are much alike contradict it")
        good = any(each.experience for _, each in taught)
        kept += _parted(examples, taught, made_of, probe) if good else [(group, made)]
    return kept


def _apart(
    examples: Sequence[Example], part: Sequence[int], group: Sequence[int], learnt: Induced
) -> bool:
    """Whether a part is a kind of its own: all its sessions bear each other out.

    And each is more like every other one of the part than like any session beside it.
    """
    if len(part) < 2 or _right(learnt) < len(part):
        return False
    near = likeness([examples[at] for at in group])
    inside = [at for at, member in enumerate(group) if member in part]
    within = min(value for pair, value in near.items() if set(pair) <= set(inside))
    return all(value < within for pair, value in near.items() if len({*pair} & {*inside}) == 1)


def _contradicts(learnt: Induced, example: Example, probe: Probe | None) -> bool:
    experience = learnt.experience
    return experience is not None and replayed(experience, example, probe) == "wrong"


def _joined(
    examples: Sequence[Example],
    found: list[Taught],
    made_of: MadeOf,
) -> list[Taught]:
    """Groups that are alike are one kind, if one experience explains both no worse than two did.

    Groups that only write alike have to explain each other's sessions. Where one kind puts a
    condition or a choice that the other does not, sessions of both may happen to agree.
    """
    near = likeness(examples)
    tried: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
    while True:
        groups = [group for group, _ in found]
        pairs = [(pair, 0) for pair in related(near, groups)]
        pairs += [(pair, 1) for pair in writing_alike(examples, near, groups)]
        for (one, other), more in pairs:
            left, right = found[one], found[other]
            key = tuple(left[0]), tuple(right[0])
            if key in tried:
                continue
            tried.add(key)
            sides = [[examples[at].trace.task for at in side] for side, _ in (left, right)]
            if asks_otherwise(*sides):
                continue
            both = made_of([*left[0], *right[0]])
            least = _right(left[1]) + _right(right[1]) + more
            if _right(both) >= max(least, 1):
                rest = [each for at, each in enumerate(found) if at not in (one, other)]
                found = [*rest, (sorted([*left[0], *right[0]]), both)]
                break
        else:
            return found


def _right(made: Induced) -> int:
    """How many traces leave-one-out got right."""
    return made.experience.evidence.validation.right if made.experience else 0
