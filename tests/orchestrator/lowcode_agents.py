"""An agent of each prototype, whose models answer by what they are asked."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel
from team_kit import TEAMS, asked, says

import playhead as ph
from playhead.agent import FunctionSpec
from playhead.llm import ModelRequest


class Trip(BaseModel):
    city: str
    days: int


def _traveller(request: ModelRequest) -> str:
    """Malformed output at first, then repaired."""
    for word, answer in (("Talk", "task"), ("Plan", "- go"), ("Is ", "It is."), ("Done", "yes")):
        if asked(request).startswith(word):
            return answer
    if asked(request).startswith("Do "):
        again = any("does not fit" in message.text for message in request.prompt)
        return '{"city": "Oslo", "days": 2}' if again else "{}"
    return "Oslo!"


def monolithic() -> ph.Agent:
    """Route, plan, act, reflect, judge, answer."""
    nodes = [
        ph.PromptNode("route", prompt="Talk or task?", choose={"talk": "answer", "task": "plan"}),
        ph.PromptNode("plan", prompt="Plan.", becomes="plan", budget=500),
        ph.PromptNode("act", prompt="Do {{ plan|join(', ') }} at {{ now }}.", output=Trip),
        ph.PromptNode("reflect", prompt="Is {{ outputs.act.city }} right?", becomes="reflection"),
        ph.PromptNode("judge", prompt="Done?", choose={"yes": "answer", "no": "plan"}),
        ph.PromptNode("answer", prompt="Answer: {{ reflection }}"),
    ]
    return ph.Agent("traveller", model=ph.ScriptedModel(_traveller), nodes=nodes)


def function() -> ph.Agent:
    """Gives too little at first."""
    spec = FunctionSpec.of("text -> city", name="find", reasoning=True)
    model = says("{}", '{"reasoning": "so", "city": "Oslo"}')
    return ph.Agent("find", model=model, nodes=[ph.FunctionNode(spec, becomes="answer")])


AGENTS: dict[str, tuple[Callable[[], ph.Agent], str, str]] = {
    "monolithic": (monolithic, "Somewhere in Norway", "Oslo!"),
    "function": (function, "Somewhere in Norway", "Oslo"),
    **{name: (make, "Go.", answer) for name, (make, answer) in TEAMS.items()},
}
