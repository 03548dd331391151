"""What Playhead is compared with: nothing, verbatim, literal substitution, and the live model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from benchmarks.experience.evidence import Data, Recorded
from benchmarks.experience.playing import Played, outcome
from playhead.experience.learn import Trace, clean
from playhead.experience.library import Lexical
from playhead.experience.routine import PastCall
from playhead.office import OfficeTask

LIVE = ("gpt-4", "domains")


def nothing(data: Data, task: OfficeTask) -> Played:
    """Do nothing."""
    return Played(outcome(data.world, task, []))


def verbatim(data: Data, task: OfficeTask, traces: Sequence[Trace]) -> Played:
    """Write what the most similar trace wrote."""
    if not traces:
        return Played("refused")
    writes = clean(_nearest(task, traces), data.world.tools).writes
    return Played(outcome(data.world, task, writes), list(writes))


def literal(data: Data, task: OfficeTask, traces: Sequence[Trace]) -> Played:
    """Write what it wrote, with the words in which the two tasks differ put in their place."""
    if not traces:
        return Played("refused")
    nearest = _nearest(task, traces)
    words = _changes(nearest.task, task.query)
    writes = [
        PastCall(call.tool, {name: _put(value, words) for name, value in call.arguments.items()})
        for call in clean(nearest, data.world.tools).writes
    ]
    return Played(outcome(data.world, task, writes), writes)


def live(data: Data, task: OfficeTask, runs: Mapping[str, Recorded]) -> tuple[Played, int]:
    """What the recorded model did, and how many calls it needed."""
    run = runs[task.task_id]
    writes = [
        PastCall(step["tool"], step["args"])
        for step in run.steps
        if isinstance(step["args"], dict)
        and step["tool"] in data.world.tools
        and data.world.tools[step["tool"]].effect != "read"
    ]
    calls = len(run.steps) + (run.error is None)
    found = outcome(data.world, task, writes)
    if found.startswith("solved") and not run.solved:
        found = "missed"  # it did not come to its end
    return Played(found, writes), calls


def live_runs(data: Data) -> dict[str, Recorded]:
    """The runs of the live model, by task."""
    return {run.task: run for run in data.runs if (run.model, run.toolset) == LIVE}


def _nearest(task: OfficeTask, traces: Sequence[Trace]) -> Trace:
    fits = Lexical()(task.query, [[trace.task] for trace in traces])
    return max(zip(fits, range(len(traces)), traces, strict=True), key=lambda each: each[0])[2]


def _changes(was: str, now: str) -> dict[str, str]:
    """Runs of words that stand in the place of others."""
    old, new = re.findall(r"\S+", was), re.findall(r"\S+", now)
    found: dict[str, str] = {}
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "replace":
            found[_bare(old[a:b])] = _bare(new[c:d])
            if b - a == d - c:
                found |= {
                    _bare([one]): _bare([other])
                    for one, other in zip(old[a:b], new[c:d], strict=True)
                }
    return {one: other for one, other in found.items() if one}


def _bare(words: Sequence[str]) -> str:
    return " ".join(words).strip("'\"?.,!")


def _put(value: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401
    if not isinstance(value, str):
        return value
    for one in sorted(words, key=len, reverse=True):
        value = re.sub(rf"\b{re.escape(one)}\b", words[one].replace("\\", ""), value, flags=re.I)
    return value
