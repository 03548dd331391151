"""The built-in office agent. Its completions are written by hand: no model is asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

from playhead.agent import Agent, ReActNode
from playhead.cli._guard import UsageFault
from playhead.llm import Completion, Delta, ModelRequest, OnDelta, ScriptedModel
from playhead.office import OfficeEnvironment, sample_office, sample_runs, sample_tasks
from playhead.tape import compact

NAME = "office-assistant"
_INSTRUCTIONS = """You help Robin with mail, calendar, tasks, customers and web analytics. \
It is Thursday, May 16, 2024."""
_OBSERVED = "Observation: "


class HandWrittenModel(ScriptedModel):
    """Says what was written down for the tasks of the sample office.

    Args:
        script: Completions by task.
        name: The name recorded on tapes.
        pace: Seconds between two words, where somebody watches.
    """

    def __init__(self, script: Mapping[str, Sequence[str]], *, name: str, pace: float = 0) -> None:
        super().__init__(lambda request: _next(request, script), name=name)
        self._pace = pace

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """The completion that was written for this point of the conversation."""
        completion = await super().complete(request)
        for word in re.findall(r"\s*\S+", completion.text) if on_delta and self._pace else ():
            assert on_delta is not None
            on_delta(Delta(text=word))
            await asyncio.sleep(self._pace)
        return completion


def _next(request: ModelRequest, script: Mapping[str, Sequence[str]]) -> str:
    """What comes next, as the prompt alone tells it: so any process can go on."""
    task, said, last = "", 0, ""
    for message in request.prompt:
        last = message.text
        if message.role == "assistant":
            said += 1
        elif message.role == "user" and not last.startswith(_OBSERVED):
            task, said = last, 0
    if last.startswith(f"{_OBSERVED}Error: "):
        return _final(f"I stop here: {last.removeprefix(_OBSERVED)}")
    completions = script.get(task, ())
    if said < len(completions):
        return completions[said]
    known = "\n".join(f"- {query}" for query in script)
    return _final(f"My answers are written by hand, for these tasks only:\n{known}")


def _final(text: str) -> str:
    block = compact({"action": "Final Answer", "action_input": text})
    return f"Action:\n```\n{block}\n```"


def office_agent(variant: str = "", *, pace: float = 0) -> Agent:
    """The office agent; the variant `alternative` goes another way in one of the tasks.

    Raises:
        UsageFault: There is no such variant.
    """
    if variant not in ("", "alternative"):
        raise UsageFault(f"`demo:{variant}`: there is `demo` and `demo:alternative`")
    script: dict[str, Sequence[str]] = {}
    for task, run in zip(sample_tasks(), sample_runs(), strict=True):
        script[task.query] = run.completions
        if variant and run.alternative_from is not None:
            script[task.query] = (*run.completions[: run.alternative_from], *run.alternative)
    name = f"hand-written:{variant}" if variant else "hand-written"
    model = HandWrittenModel(script, name=name, pace=pace)
    return Agent(NAME, model=model, nodes=[ReActNode()], instructions=_INSTRUCTIONS)


def office_environment() -> OfficeEnvironment:
    """A clean sample office."""
    return OfficeEnvironment(sample_office())
