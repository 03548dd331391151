"""List prices of models, with date and source. Rates change: pass your own where money matters."""

from __future__ import annotations

from dataclasses import dataclass

from playhead.tape.kinds import Price, Usage


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars for a million tokens; `as_of` is the day they were read at `source`."""

    input: float
    output: float
    cached: float
    as_of: str
    source: str

    def price(self, usage: Usage) -> Price:
        """What this usage costs; cached input tokens at their own rate."""
        fresh = usage.input_tokens - usage.cached_tokens
        total = (
            fresh * self.input
            + usage.cached_tokens * self.cached
            + usage.output_tokens * self.output
        )
        return Price(usd=round(total / 1_000_000, 9), as_of=self.as_of, source=self.source)


_SOURCE = "openai.com/api/pricing"


def _openai(input_: float, cached: float, output: float) -> Rates:
    return Rates(input=input_, output=output, cached=cached, as_of="2025-08-07", source=_SOURCE)


LIST_PRICES: dict[str, Rates] = {
    "gpt-4.1": _openai(2.00, 0.50, 8.00),
    "gpt-4.1-mini": _openai(0.40, 0.10, 1.60),
    "gpt-4.1-nano": _openai(0.10, 0.025, 0.40),
    "gpt-4o": _openai(2.50, 1.25, 10.00),
    "gpt-4o-mini": _openai(0.15, 0.075, 0.60),
    "gpt-5": _openai(1.25, 0.125, 10.00),
    "gpt-5-mini": _openai(0.25, 0.025, 2.00),
    "gpt-5-nano": _openai(0.05, 0.005, 0.40),
    "o3": _openai(2.00, 0.50, 8.00),
    "o4-mini": _openai(1.10, 0.275, 4.40),
}


def list_rates(model: str) -> Rates | None:
    """Rates of a model, also of its dated versions such as `gpt-4o-2024-08-06`; None if unknown."""
    if model in LIST_PRICES:
        return LIST_PRICES[model]
    name, _, dated = model.partition("-20")
    return LIST_PRICES.get(name) if dated[:2].isdigit() else None
