"""What all task texts say and a program makes nothing of: a sign that it fits by coincidence."""

from __future__ import annotations

import re
from collections.abc import Collection

from playhead.experience.learn._compose import Plan
from playhead.experience.learn._ground import Ground
from playhead.experience.routine import parameters_in
from playhead.experience.values import contrary
from playhead.tape import Json

_NAMES = ("name", "address", "quoted")
_AMOUNTS = ("duration", "time", "date", "weekday", "number", "percent", "period")
_QUANTITY = re.compile(
    r"\b(fewer|fewest|(?<!at )least|most(?! recent)|busiest|(high|low|larg|small|bigg)est)\b",
    re.IGNORECASE,
)


def unheeded(ground: Ground, plan: Plan) -> str | None:
    """What a program makes nothing of, though it tells the tasks that were written apart."""
    members = sorted({at for branch in plan.branches for at in branch.members})
    if not members:
        return None
    terms = plan.terms
    used = {name for term in terms for name in parameters_in(term)}
    for kind in _AMOUNTS:
        left = [_left(ground, kind, at, used) for at in members]
        if all(left) and any(each != left[0] for each in left):
            return f"nothing is made of the {kind} that the texts mention"
    texts = [ground.texts.texts[at].text for at in members]
    compared = any(each.name in used for each in ground.candidates if each.kind == "comparison")
    word = contrary(texts)
    if word is not None and not compared:
        return f"nothing is made of it that one text says `{word}`"
    for kind in _NAMES if all(map(_QUANTITY.search, texts)) else ():
        if any(each.name in used for each in ground.candidates if each.kind == kind) and all(
            _left(ground, kind, at, used) for at in members
        ):
            return f"nothing is made of one {kind} of those that the texts compare"
    return None


def _left(ground: Ground, kind: str, at: int, used: Collection[str]) -> list[Json]:
    """The mentions of a kind in one text that no parameter of the program is."""
    heeded = [each.values[at] for each in ground.candidates if each.name in used]
    found = [each.value for each in ground.texts.texts[at].mentions() if each.kind == kind]
    return [value for value in found if value not in heeded]
