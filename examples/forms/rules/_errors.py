"""Error rates of a rule model: how often it is wrong, in which way."""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict, dataclass

from playhead.errors import AgentError
from playhead.tape import Json

LETTERS = ("grounded", "responsive", "accurate", "disciplined", "transparent", "helpful")


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """From 0 to 1, for each way of being wrong.

    Args:
        invent: Gathers a value that nobody said, or tells a fact that stands nowhere.
        ignore: Passes over a question, a wish or a value.
        misread: Reads a value as another one, or takes one that is not valid.
        wander: Asks for what is there already, sends a request that nobody confirmed, or chats.
        hide: Does not say what it noted, skipped or refused.
        shrug: Does not say what can be chosen or skipped, or what is next.
        garble: Writes something that cannot be read.
        seed: Other errors at the same rates.
    """

    invent: float = 0.0
    ignore: float = 0.0
    misread: float = 0.0
    wander: float = 0.0
    hide: float = 0.0
    shrug: float = 0.0
    garble: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, rate in asdict(self).items():
            if name != "seed" and not 0 <= rate <= 1:
                raise AgentError(f"the error rate `{name}` is from 0 to 1, not {rate}")

    def describe(self) -> dict[str, Json]:
        """The rates that are not 0, and the seed."""
        return {name: rate for name, rate in asdict(self).items() if rate}

    def chance(self, text: str) -> Chance:
        """Chance for one prompt: the same prompt always meets the same."""
        return Chance(self, text)


class Chance:
    """Decides, for one prompt, whether the model is wrong."""

    def __init__(self, rates: ErrorRates, text: str) -> None:
        self._rates = rates
        self._text = text

    def rng(self, what: str) -> random.Random:
        """Randomness of its own for one matter."""
        key = f"{self._rates.seed}\0{what}\0{self._text}"
        return random.Random(hashlib.sha256(key.encode()).digest())

    def errs(self, what: str, *, about: str = "") -> bool:
        """Whether this kind of error happens here."""
        rate: float = getattr(self._rates, what)
        return rate > 0 and self.rng(f"{what}/{about}").random() < rate
