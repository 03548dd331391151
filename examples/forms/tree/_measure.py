"""Measuring one dialogue of a tree: GREADTH and success, and the annotations that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

from examples.forms.dialogue import Dialogue, read_dialogue
from examples.forms.goal import Goal
from examples.forms.greadth import LETTERS, Greadth, measure, success
from examples.forms.tree._ledger import Ledger, NodeRecord
from playhead.evaluate import Annotation, target_of
from playhead.store import Store
from playhead.tape.annotations import Label, Score, Target


@dataclass(frozen=True, slots=True)
class Asked:
    """A dialogue that is to be measured.

    Args:
        node: Its node.
        leaves: Whether the user changed their mind, and left without the request.
    """

    node: NodeRecord
    leaves: bool

    @classmethod
    def about(cls, node: NodeRecord, ledger: Ledger) -> Self:
        """What the ledger knows of a dialogue."""
        return cls(node, any(n.behaviour == "confirm_leave" for n in ledger.path_to(node)))

    def as_json(self) -> dict[str, Any]:
        """Plain members, as a worker process is told."""
        return asdict(self)

    @classmethod
    def of(cls, members: dict[str, Any]) -> Self:
        """From plain members."""
        return cls(NodeRecord(**members["node"]), members["leaves"])


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found of a dialogue.

    Args:
        key: The key of its node.
        tape: Its tape.
        head: The head of that tape.
        scores: Shares of the letters, how many turns, and success where it came to an end.
        why: By letter that is broken, the first breach in words.
        codes: How often each breach was found, by letter and code.
    """

    key: str
    tape: str
    head: str
    scores: dict[str, float]
    why: dict[str, str]
    codes: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Plain members, as a worker process tells it."""
        return asdict(self)

    @classmethod
    def of(cls, members: dict[str, Any]) -> Self:
        """From plain members."""
        return cls(**members)

    def annotations(self) -> Iterator[Annotation]:
        """A score and a label for each letter."""
        target = Target(tape=self.tape, head=self.head)
        for letter in LETTERS:
            why = self.why.get(letter)
            yield Score(target=target, name=letter, value=self.scores[letter], comment=why)
            kept = "yes" if why is None else "no"
            yield Label(target=target, name=f"keeps {letter}", value=kept)


async def measured(asked: Asked, store: Store) -> Measured:
    """Measure a dialogue."""
    tape = await store.open(asked.node.tape)
    dialogue = read_dialogue(tape)
    greadth = measure(dialogue)
    why: dict[str, str] = {
        letter: f"turn {found[0].turn}: {found[0].why}"[:500]
        for letter in LETTERS
        if (found := greadth.of(letter))
    }
    target = target_of(tape)
    codes = Counter(f"{each.letter}/{each.code}" for each in greadth.findings)
    scores = _scores(asked, dialogue, greadth)
    return Measured(asked.node.key, target.tape, target.head, scores, why, dict(codes))


def _scores(asked: Asked, dialogue: Dialogue, greadth: Greadth) -> dict[str, float]:
    found: dict[str, float] = {letter: greadth.value(letter) for letter in LETTERS}
    found["turns"] = greadth.turns
    if asked.node.outcome != "cut":
        goal = Goal.of(asked.node.goal)
        found["success"] = float(success(dialogue, goal, leaves=asked.leaves))
    return found
