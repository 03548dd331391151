"""Whether a text puts a condition or a choice: what nobody leaves out who means it."""

from __future__ import annotations

import re
from collections.abc import Collection

_QUOTED = re.compile(r"(?<!\w)'[^'\n]{1,2000}'(?!\w)|\"[^\"\n]{1,2000}\"")
_CONDITION = re.compile(
    r"\b(if|unless|otherwise|or|whether|who(?:m|so)?ever|fewer|fewest|(?<!at )least|most(?! recent)"
    r"|(?:high|low|larg|small|bigg|busi)est)\b",
    re.IGNORECASE,
)


def asks_otherwise(some: Collection[str], others: Collection[str]) -> bool:
    """Whether all of some texts put a condition or a choice, and none of the others does.

    Or the other way round. Then they ask for different things, however alike they are.
    """
    one, other = list(map(_puts, some)), list(map(_puts, others))
    if not one or not other:
        return False
    return (all(one) and not any(other)) or (all(other) and not any(one))


def _puts(text: str) -> bool:
    return _CONDITION.search(_QUOTED.sub(" ", text)) is not None
