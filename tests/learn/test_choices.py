"""Words of a text that choose a row, and those that only look so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from playhead.experience.learn import ToolSpec, Trace, learn_traces
from playhead.experience.routine import Calls, Inputs, PastCall, Refuse, decide

NOW = "2031-04-10 08:00:00"
VISITS = {
    "ines": ["2031-01-04", "2031-02-03"],
    "otto": ["2031-03-04", "2031-03-09", "2031-04-01"],
    "zoya": ["2031-02-01", "2031-02-20"],
    "hugo": ["2031-03-30", "2031-01-17"],
}
TOOLS = {
    "visits_of": ToolSpec("visits_of", "read", {"guest": {}}),
    "visits_praise": ToolSpec("visits_praise", "irreversible", {"visit": {}}),
}


def read(tool: str, arguments: Mapping[str, Any]) -> Any:
    guest = str(arguments["guest"]).lower()
    if tool != "visits_of" or guest not in VISITS:
        raise LookupError(tool)
    return [{"visit": f"{guest}@{day}", "on": day} for day in VISITS[guest]]


def outcome(wording: str) -> str:
    """What would be praised for `hugo`, whose newest visit is not the last of the list."""
    traces = []
    for guest in ("ines", "otto", "zoya"):
        rows = read("visits_of", {"guest": guest})
        task = wording.format(guest=guest)
        calls = (
            PastCall("visits_of", {"guest": guest}, rows),
            PastCall("visits_praise", {"visit": rows[-1]["visit"]}, "done"),
        )
        traces.append(Trace(guest, task, NOW, calls))
    (experience,) = learn_traces(traces, TOOLS, probe=read, name="visits").experiences
    rows = read("visits_of", {"guest": "hugo"})
    past = [PastCall("visits_of", {"guest": "hugo"}, rows)]
    decision = decide(experience, Inputs(wording.format(guest="hugo"), NOW), past)
    if isinstance(decision, Refuse):
        return decision.code
    assert isinstance(decision, Calls)
    return str(decision.plan[0].arguments["visit"])


@pytest.mark.parametrize(
    "wording", ["Praise the latest visit of {guest}", "Praise the last visit by {guest} to us"]
)
def test_a_word_chooses_the_row(wording: str) -> None:
    assert outcome(wording) == "hugo@2031-03-30"


@pytest.mark.parametrize(
    "wording",
    [
        "As we said in the last three days, praise a visit of {guest}",
        "Praise a visit of {guest}, as I asked last friday",
        "Praise a visit of {guest}",
    ],
)
def test_the_last_days_choose_no_row(wording: str) -> None:
    assert outcome(wording) == "unclear"


def test_one_session_alone_shows_no_condition() -> None:
    rows = read("visits_of", {"guest": "otto"})
    calls = (
        PastCall("visits_of", {"guest": "otto"}, rows),
        PastCall("visits_praise", {"visit": rows[-1]["visit"]}, "done"),
    )
    task = "My card ends in 7238. Praise the last visit of otto"
    learnt = learn_traces([Trace("otto", task, NOW, calls)], TOOLS, probe=read)
    assert not learnt.experiences  # that there are fewer visits than 7238 is no reason
    assert "no condition tells" in learnt.quarantined[0].reasons[0]
