"""A small invented world: a garden with plants, keepers and soil readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import playhead as ph
from playhead.experience.learn import LearnSettings, ToolSpec, Trace, learn_traces
from playhead.experience.routine import Calls, Finish, Inputs, PastCall, Refuse, decide

NOW = "2031-04-10 08:00:00"
KEEPERS = ("ines.rocha", "otto.lindt", "pavel.novak", "zoya.orlova", "bruna.reis", "hugo.maas")
PLANTS = [
    {
        "plant_id": f"{7001 + at}",
        "label": ("fern", "maple", "sage", "iris")[at % 4],
        "bed": ("north", "south")[at // 4 % 2],
        "keeper": f"{KEEPERS[at % 6]}@garden.test",
        "planted_on": f"2031-0{1 + at % 3}-{10 + at}",
    }
    for at in range(16)
]
SOIL = {f"2031-03-{day:02}": 10 + day * 7 % 9 for day in range(1, 31)}


def find(text: str = "") -> list[dict[str, str]]:
    return [row for row in PLANTS if text.lower() in " ".join(row.values()).lower()]


def lookup(nick: str) -> list[str]:
    return [f"{name}@garden.test" for name in KEEPERS if nick.lower() in name]


def readings(since: str) -> dict[str, int]:
    return {day: value for day, value in SOIL.items() if day >= since}


READS: Mapping[str, Callable[..., Any]] = {
    "plants_find": find,
    "keepers_lookup": lookup,
    "soil_readings": readings,
}
WRITES = {
    "plants_discard": ("plant_id",),
    "plants_assign": ("plant_id", "keeper"),
    "notes_send": ("to", "title", "text"),
}
TOOLS: dict[str, ToolSpec] = {
    "plants_find": ToolSpec("plants_find", "read", {"text": {}}),
    "keepers_lookup": ToolSpec("keepers_lookup", "read", {"nick": {}}),
    "soil_readings": ToolSpec("soil_readings", "read", {"since": {}}),
    **{
        name: ToolSpec(name, "irreversible", {each: {} for each in arguments})
        for name, arguments in WRITES.items()
    },
}


def probe(tool: str, arguments: Mapping[str, Any]) -> Any:
    try:
        return READS[tool](**arguments)
    except (KeyError, TypeError) as error:
        raise LookupError(tool) from error


def call(tool: str, **arguments: Any) -> PastCall:
    """A call with its result, as a session records it."""
    return PastCall(tool, arguments, probe(tool, arguments) if tool in READS else "done")


def trace(number: int, task: str, *calls: PastCall, finished: bool = True) -> Trace:
    return Trace(f"t{number}", task, NOW, calls, finished=finished)


def taught(traces: Sequence[Trace], *, probing: bool = True, **settings: Any) -> Any:
    """What traces of one kind teach: the experience, or the reasons."""
    rules = LearnSettings(**settings)
    found = learn_traces(
        traces, TOOLS, probe=probe if probing else None, name="taught", settings=rules
    )
    if found.experiences:
        return found.experiences[0]
    return found.quarantined[0].reasons


def played(experience: Any, task: str, now: str = NOW) -> list[tuple[Any, ...]] | str:
    """The writes that a play would make; or `nothing`, or why it refuses."""
    past: list[PastCall] = []
    writes: list[tuple[Any, ...]] = []
    for _ in range(50):
        decision = decide(experience, Inputs(task, now), past)
        if isinstance(decision, Refuse):
            return f"refused: {decision.code}"
        if isinstance(decision, Finish):
            return "nothing" if decision.noop else writes
        assert isinstance(decision, Calls)
        for each in decision.calls:
            past.append(call(each.tool, **each.arguments))
            if each.effect != "read":
                writes.append((each.tool, *each.arguments.values()))
    raise AssertionError("it does not end")


class Garden(ph.Toolbox):
    """The same as an environment."""

    def __init__(self) -> None:
        self.written: list[tuple[Any, ...]] = []
        reads = [ph.tool(effect="read", name=name)(function) for name, function in READS.items()]

        @ph.tool(effect="irreversible")
        def notes_send(to: str, title: str, text: str) -> str:
            self.written.append((to, title, text))
            return "done"

        super().__init__([*reads, notes_send])
