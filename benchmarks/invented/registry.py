"""The list of families."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.invented.drawing import Asked, Drawing

Draw: TypeAlias = Callable[[Drawing], Asked | None]


@dataclass(frozen=True)
class Family:
    """Tasks that ask for the same in other words, or of other things.

    Args:
        name: Its name.
        draw: Draws a task: its text and the right writes; None if what came up makes no task.
        later: Whether it was written after the mechanisms, and mostly only measured.
    """

    name: str
    draw: Draw
    later: bool


FAMILIES: dict[str, Family] = {}


def family(*, later: bool = False) -> Callable[[Draw], Draw]:
    """Put a function into the list, under its name.

    Args:
        later: Whether it was written after the mechanisms, and mostly only measured.

    Raises:
        ValueError: The name is taken.
    """

    def listed(draw: Draw) -> Draw:
        name = draw.__name__
        if name in FAMILIES:
            raise ValueError(f"the family `{name}` is there already: take another name")
        FAMILIES[name] = Family(name, draw, later)
        return draw

    return listed
