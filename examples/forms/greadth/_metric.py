"""The six letters of a dialogue, as far as a program decides them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import get_args

from examples.forms.dialogue import Dialogue, Turn
from examples.forms.greadth._finding import Finding, Letter
from examples.forms.greadth._speaking import disciplined, helpful, transparent
from examples.forms.greadth._understanding import accurate, grounded, responsive

LETTERS: tuple[Letter, ...] = get_args(Letter)
_CONDITIONS: dict[Letter, Callable[[Dialogue, Turn], Iterator[Finding]]] = {
    "grounded": grounded,
    "responsive": responsive,
    "accurate": accurate,
    "disciplined": disciplined,
    "transparent": transparent,
    "helpful": helpful,
}


@dataclass(frozen=True, slots=True)
class Greadth:
    """What GREADTH says of a dialogue.

    Args:
        turns: How many turns were looked at.
        findings: What breaks a letter, in order.
    """

    turns: int
    findings: tuple[Finding, ...]

    def of(self, letter: Letter) -> list[Finding]:
        """What breaks one letter."""
        return [finding for finding in self.findings if finding.letter == letter]

    def value(self, letter: Letter) -> float:
        """The share of turns in which a letter is kept."""
        broken = {finding.turn for finding in self.of(letter)}
        return 1.0 if self.turns == 0 else 1 - len(broken) / self.turns

    @property
    def is_sound(self) -> bool:
        """Whether no letter is broken."""
        return not self.findings


def measure(dialogue: Dialogue) -> Greadth:
    """Go through a dialogue, turn by turn and letter by letter."""
    findings = [
        finding
        for turn in dialogue.turns
        for letter in LETTERS
        for finding in _CONDITIONS[letter](dialogue, turn)
    ]
    return Greadth(len(dialogue.turns), tuple(findings))
