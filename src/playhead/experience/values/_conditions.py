"""Whether a text puts a condition or a choice: what nobody leaves out who means it."""

from __future__ import annotations

import re
from collections.abc import Collection

_QUOTED = re.compile(r"(?<!\w)'[^'\n]{1,2000}'(?!\w)|\"[^\"\n]{1,2000}\"")
_PUTS = tuple(
    re.compile(rf"\b(?:{said})\b", re.IGNORECASE)
    for said in (
        "if|unless|otherwise|whether",
        "or|whoever|whomever|fewer|fewest|(?<!at )least|most(?! recent)"
        "|(?:high|low|larg|small|bigg|busi)est",
    )
)


def asks_otherwise(some: Collection[str], others: Collection[str]) -> bool:
    """Whether all of some texts put a condition, or a choice, and none of the others does.

    Or the other way round. Then they ask for different things, however alike they are.
    """
    one, other = ([_QUOTED.sub(" ", text) for text in texts] for texts in (some, others))
    if not one or not other:
        return False
    for puts in _PUTS:
        here, there = ([puts.search(text) is not None for text in texts] for texts in (one, other))
        if (all(here) and not any(there)) or (all(there) and not any(here)):
            return True
    return False
