"""Conditions over series: how much a value changed, and which of two changed more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from playhead.experience.learn import ToolSpec, Trace, learn_traces
from playhead.experience.routine import Calls, Finish, Inputs, PastCall, Refuse, decide
from playhead.experience.values import FUNCTIONS, Absent, find_mentions

NOW = "2031-04-10 08:00:00"
MEASURES = {
    "rain": {
        "2031-04-01": 10,
        "2031-04-03": 40,
        "2031-04-05": 8,
        "2031-04-07": 25,
        "2031-04-09": 20,
    },
    "heat": {
        "2031-04-01": 20,
        "2031-04-03": 16,
        "2031-04-05": 18,
        "2031-04-07": 10,
        "2031-04-09": 19,
    },
}
TOOLS = {
    "weather_rain": ToolSpec("weather_rain", "read", {"since": {}}),
    "weather_heat": ToolSpec("weather_heat", "read", {"since": {}}),
    "notes_send": ToolSpec("notes_send", "irreversible", {"title": {}}),
}


def read(tool: str, arguments: Mapping[str, Any]) -> Any:
    if tool not in TOOLS or tool == "notes_send":
        raise LookupError(tool)
    values = MEASURES[tool.removeprefix("weather_")]
    return {day: value for day, value in values.items() if day >= str(arguments["since"])}


def call(tool: str, **arguments: Any) -> PastCall:
    return PastCall(tool, arguments, "done" if tool == "notes_send" else read(tool, arguments))


def learnt(*traces: Trace) -> Any:
    found = learn_traces(traces, TOOLS, probe=read, name="series")
    return found.experiences[0] if found.experiences else found.quarantined[0].reasons


def outcome(experience: Any, task: str) -> str:
    """What a play would do: `write`, `nothing`, or `refused`."""
    past: list[PastCall] = []
    for _ in range(20):
        decision = decide(experience, Inputs(task, NOW), past)
        if isinstance(decision, Refuse):
            return "refused"
        if isinstance(decision, Finish):
            return "nothing"
        assert isinstance(decision, Calls)
        if decision.plan:
            return "write"
        past += [call(each.tool, **each.arguments) for each in decision.calls]
    raise AssertionError("it does not end")


CHANGE = "If {what} is more than {share}% {way} than on {day}, send a note titled 'Look at it'"


def change(what: str, share: int, way: str, day: str, *, due: bool) -> Trace:
    task = CHANGE.format(what=what, share=share, way=way, day=day)
    calls = [call(f"weather_{what}", since=day)]
    calls += [call("notes_send", title="Look at it")] if due else []
    return Trace(task, task, NOW, tuple(calls))


@pytest.fixture(scope="module")
def changes() -> Any:
    return learnt(
        change("rain", 20, "lower", "2031-04-03", due=True),
        change("rain", 50, "higher", "2031-04-01", due=True),
        change("heat", 10, "lower", "2031-04-01", due=False),
    )


@pytest.mark.parametrize(
    ("what", "share", "way", "day", "due"),
    [
        ("rain", 49, "lower", "2031-04-03", True),
        ("rain", 51, "lower", "2031-04-03", False),
        ("rain", 10, "higher", "2031-04-03", False),
        ("heat", 80, "higher", "2031-04-07", True),
        ("heat", 95, "higher", "2031-04-07", False),
        ("heat", 10, "lower", "2031-04-07", False),
    ],
)
def test_a_change_in_percent_since_a_day_decides(
    changes: Any, what: str, share: int, way: str, day: str, due: bool
) -> None:
    task = CHANGE.format(what=what, share=share, way=way, day=day)
    assert outcome(changes, task) == ("write" if due else "nothing")


def test_a_change_from_nothing_is_refused(changes: Any) -> None:
    """Of a day without a value nobody knows by how much it changed."""
    task = CHANGE.format(what="rain", share=5, way="higher", day="2031-04-10")
    assert outcome(changes, task) == "refused"


def test_traces_that_contradict_what_the_text_says_teach_nothing() -> None:
    reasons = learnt(
        change("rain", 20, "lower", "2031-04-03", due=False),
        change("rain", 50, "higher", "2031-04-01", due=False),
        change("heat", 10, "lower", "2031-04-01", due=True),
    )
    assert any("no condition tells" in reason for reason in reasons)


TWO = "If {one} {verb} by more than {other} since {day}, send a note titled 'Look at it'"


def two(
    one: str, other: str, day: str, *, due: bool, verb: str = "grew", swap: bool = False
) -> Trace:
    task = TWO.format(one=one, other=other, day=day, verb=verb)
    reads = [call(f"weather_{each}", since=day) for each in (one, other)]
    calls = [*(reversed(reads) if swap else reads)]
    calls += [call("notes_send", title="Look at it")] if due else []
    return Trace(task, task, NOW, tuple(calls))


def test_of_two_series_the_one_named_first_has_to_change_more() -> None:
    """Sessions that wrote nothing do not tell which of the two is meant; the text does."""
    experience = learnt(
        two("heat", "rain", "2031-04-01", due=False),
        two("rain", "heat", "2031-04-03", due=False),
        two("rain", "heat", "2031-04-07", due=False),
    )
    assert (
        outcome(experience, TWO.format(one="rain", other="heat", day="2031-04-07", verb="grew"))
        == "nothing"
    )
    assert (
        outcome(experience, TWO.format(one="heat", other="rain", day="2031-04-07", verb="grew"))
        == "refused"
    )


def test_falling_is_not_growing() -> None:
    experience = learnt(
        two("rain", "heat", "2031-04-01", due=True),
        two("heat", "rain", "2031-04-03", due=True),
        two("rain", "heat", "2031-04-07", due=False),
    )
    grew = TWO.format(one="heat", other="rain", day="2031-04-07", verb="grew")
    assert outcome(experience, grew) == "write"
    assert outcome(experience, grew.replace("grew", "fell")) == "nothing"


def test_a_session_that_read_only_half_is_explained_by_what_the_others_read() -> None:
    half = two("rain", "heat", "2031-04-07", due=False)
    experience = learnt(
        two("heat", "rain", "2031-04-01", due=False),
        two("rain", "heat", "2031-04-03", due=False),
        Trace(half.id, half.task, NOW, half.calls[:1]),
    )
    assert (
        outcome(experience, TWO.format(one="heat", other="rain", day="2031-04-01", verb="grew"))
        == "nothing"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("more than 5% lower", [("comparison", "more"), ("percent", 5)]),
        (
            "it fell by at least 2.5 percent",
            [("direction", "less"), ("comparison", "at_least"), ("percent", 2.5)],
        ),
        (
            "the percentage growth, and if it grew by over 3%",
            [("direction", "more"), ("comparison", "more"), ("percent", 3)],
        ),
        ("Rose has 3 plants", [("number", 3)]),
    ],
)
def test_directions_and_shares_are_mentions(text: str, found: list[tuple[str, Any]]) -> None:
    kinds = ("comparison", "percent", "direction", "number")
    seen = [(each.kind, each.value) for each in find_mentions(text, now=NOW) if each.kind in kinds]
    assert seen == found


def test_functions_of_change() -> None:
    assert FUNCTIONS["percent_change"].call("less", 8, 6) == 25
    assert FUNCTIONS["change"].call("more", 8, 6) == -2
    for arguments in (("more", 0, 6), ("equal", 8, 6), ("more", "x", 6)):
        with pytest.raises(Absent):
            FUNCTIONS["percent_change"].call(*arguments)
