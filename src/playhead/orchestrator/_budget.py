"""Limits of one run; at a limit the run pauses and can be resumed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from playhead.tape import Fold


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one `run` or `resume` may use; None is no limit.

    Args:
        model_calls: Model calls. The default stops an agent that runs in circles.
        steps: Steps of the tape.
        tokens: Input and output tokens together.
        usd: Money, where the model's rates are known.
        seconds: Time.
    """

    model_calls: int | None = 200
    steps: int | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    @classmethod
    def unlimited(cls) -> Budget:
        """No limit at all."""
        return cls(model_calls=None)


class Meter:
    """What a run has used of its budget."""

    def __init__(self, budget: Budget, fold: Fold) -> None:
        self._budget = budget
        self._started = time.monotonic()
        self._steps = fold.length
        self._calls = fold.totals.model_calls
        self._tokens = fold.totals.input_tokens + fold.totals.output_tokens
        self._usd = fold.totals.usd

    def exceeded(self, fold: Fold) -> str | None:
        """Which limit is reached, in words; None if none is."""
        budget, totals = self._budget, fold.totals
        if (
            budget.model_calls is not None
            and totals.model_calls - self._calls >= budget.model_calls
        ):
            return f"{budget.model_calls} model calls"
        if budget.steps is not None and fold.length - self._steps >= budget.steps:
            return f"{budget.steps} steps"
        if budget.tokens is not None:
            used = totals.input_tokens + totals.output_tokens - self._tokens
            if used >= budget.tokens:
                return f"{budget.tokens} tokens (used {used})"
        if budget.usd is not None and totals.usd - self._usd >= budget.usd:
            return f"{budget.usd} US dollars (used {totals.usd - self._usd:.6f})"
        if budget.seconds is not None and time.monotonic() - self._started >= budget.seconds:
            return f"{budget.seconds} seconds"
        return None
