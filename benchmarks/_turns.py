"""The work that is measured: one turn is one model call and one tool call, on a scripted model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import playhead as ph
from playhead.llm import Completion, ModelRequest
from playhead.tape import Message, ToolCallPart, assistant
from playhead.tape.kinds import Usage

RESULT = (
    "The forecast for Montreal: light rain until noon, then clearing, wind from the west. " * 12
)
USAGE = Usage(input_tokens=1200, output_tokens=60, cached_tokens=1024)


@ph.tool(effect="read", thread=False)
def forecast(city: str, day: str) -> str:
    """The weather forecast of a city.

    Args:
        city: Name of the city.
        day: Day as YYYY-MM-DD.
    """
    return RESULT


@dataclass
class Clock:
    """CPU seconds of the process at the beginning of every model call."""

    marks: list[float] = field(default_factory=list)

    def per_turn(self, first: int, last: int) -> float:
        """Mean CPU milliseconds a turn between two turns."""
        return (self.marks[last] - self.marks[first]) / (last - first) * 1000


def scripted_agent(turns: int, clock: Clock) -> ph.Agent:
    """An agent that calls a tool `turns` times and then answers."""

    def script(request: ModelRequest) -> Completion | Message:
        clock.marks.append(time.process_time())
        number = len(clock.marks)
        if number > turns:
            return assistant("It rains.")
        arguments = {"city": "Montreal", "day": f"2026-11-{number % 28 + 1:02d}"}
        call = ToolCallPart(id=f"call_{number}", name="forecast", arguments=arguments)
        return Completion(message=assistant((call,)), finish_reason="tool_calls", usage=USAGE)

    return ph.Agent(
        "bench", model=ph.ScriptedModel(script), tools=[forecast], instructions="Be brief."
    )


def own_bytes(tape: ph.Tape) -> int:
    """JSON that the session itself consists of: bodies, completions, new parts of prompts."""
    return sum(len(step.data or b"") for step in tape)


def median(values: Sequence[float]) -> float:
    """The middle value."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
