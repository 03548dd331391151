"""Teams whose models answer by what they are asked: they say the same after any crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from session_kit import calls

import playhead as ph
from playhead.agent import Signals
from playhead.llm import ModelRequest


def asked(request: ModelRequest) -> str:
    """What the model was told last."""
    return request.prompt.messages()[-1].text


def says(*answers: object) -> ph.ScriptedModel:
    """A model that answers by how often it was told something in this conversation."""

    def say(request: ModelRequest) -> Any:
        said = sum(message.role == "assistant" for message in request.prompt)
        answer = answers[min(said, len(answers) - 1)]
        return answer(request) if callable(answer) else answer

    return ph.ScriptedModel(say)


def member(name: str, *answers: object, **more: Any) -> ph.Agent:
    return ph.Agent(name, model=says(*answers), description=f"Is {name}.", **more)


@ph.tool(effect="write", thread=False)
def stamp(text: str) -> str:
    """Put a stamp on a text."""
    return f"[{text}]"


def manager() -> ph.Team:
    """Delegates twice, to a worker with a tool and to one without."""
    first = calls(
        ("delegate_to_clerk", {"task": "stamp x"}), ("delegate_to_poet", {"task": "rhyme"})
    )
    clerk = member("clerk", calls(("stamp", {"text": "x"})), "stamped", tools=[stamp])
    return ph.Team.manager(
        "boss", [clerk, member("poet", "a rhyme")], model=says(first, "both done")
    )


def chain() -> ph.Team:
    """Three, one of them with a tool; each says what it was told, in capitals."""

    def upper(request: ModelRequest) -> str:
        return asked(request).upper()[-30:]

    middle = member("middle", calls(("stamp", {"text": "y"})), "stamped y", tools=[stamp])
    return ph.Team.chain("line", [member("first", upper), middle, member("last", upper)])


def group_chat() -> ph.Team:
    """Two who speak in turn until one calls `finish`; its last turn is the fourth."""

    def ben(request: ModelRequest) -> object:
        return calls(("finish", {"result": "agreed"})) if "ben:" in asked(request) else "I am Ben."

    return ph.Team.group_chat("chat", [member("ana", "I am Ana."), member("ben", ben)])


def hand_off() -> ph.Team:
    """The first one hands over to the second one, who has a tool."""
    triage = member("triage", calls(("hand_off_to_billing", {"reason": "an invoice"})))
    billing = member("billing", calls(("stamp", {"text": "z"})), "It is paid.", tools=[stamp])
    return ph.Team.hand_off("desk", [triage, billing])


def nested() -> ph.Team:
    """A chain whose second member is a manager of a group chat."""
    boss = ph.Team.manager(
        "inner",
        [group_chat()],
        model=says(calls(("delegate_to_chat", {"task": "agree"})), "they agreed"),
        description="Leads a chat.",
    )
    return ph.Team.chain("outer", [member("opener", "let us agree"), boss])


def loud() -> ph.Team:
    """A manager who waits for two, of whom the first one to work says something to all."""
    first = calls(("delegate_to_poet", {"task": "y"}), ("delegate_to_clerk", {"task": "x"}))
    shouts = calls(("broadcast", {"message": "fire!"}))
    node = ph.ToolCallingNode(signals=Signals(broadcast=True))
    clerk = member("clerk", shouts, "put out", nodes=[node])
    return ph.Team.manager(
        "boss", [member("poet", "a rhyme"), clerk], model=says(first, "all is well")
    )


TEAMS: dict[str, tuple[Callable[[], ph.Team], str]] = {
    "manager": (manager, "both done"),
    "chain": (chain, "GO.\n\nMIDDLE: STAMPED Y"),
    "group_chat": (group_chat, "agreed"),
    "hand_off": (hand_off, "It is paid."),
    "nested": (nested, "they agreed"),
    "loud": (loud, "all is well"),
}
