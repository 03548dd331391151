"""The main rows: learn from K traces of each family, play its other tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.experience import modes
from benchmarks.experience.evidence import Data, draw, traces_of
from benchmarks.experience.playing import OUTCOMES, Played, play
from playhead.experience.document import Experience
from playhead.experience.learn import LearnSettings, Trace, clean, induce
from playhead.office import OfficeTask

MODES = ("nothing", "verbatim", "literal", "live", "play", "play+live")


@dataclass(frozen=True)
class Protocol:
    """What is measured.

    Args:
        k: Training traces of a family.
        draws: Random draws.
        settings: What the learner may use.
        environment: Whether reads are made again in a fresh one; or only what was recorded counts.
    """

    k: int = 3
    draws: int = 20
    settings: LearnSettings = field(default_factory=LearnSettings)
    environment: bool = True


@dataclass
class Tally:
    """Outcomes of one mode, summed over draws."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reachable: int = 0
    calls: int = 0
    seconds: float = 0.0
    draws: int = 0

    def add(self, played: Played, *, reachable: bool, calls: int = 0) -> None:
        """Count a task."""
        self.outcomes[played.outcome] += 1
        self.reachable += reachable
        self.calls += calls
        self.seconds += played.seconds

    def row(self, evidence: str, choice: str, mode: str) -> dict[str, Any]:
        """The row as it is printed: means over draws."""
        draws = max(self.draws, 1)
        count = sum(self.outcomes.values())
        return {
            "evidence": evidence,
            "choice": choice,
            "mode": mode,
            "instances": round(count / draws, 2),
            "reachable": round(self.reachable / draws, 2),
            **{name: round(self.outcomes[name] / draws, 2) for name in OUTCOMES},
            "model_calls": round(self.calls / draws, 2),
            "ms_per_task": round(1000 * self.seconds / max(count, 1), 2),
        }


@dataclass
class Learnt:
    """What a family taught in one draw."""

    family: str
    tasks: list[str]
    traces: list[Trace]
    experience: Experience | None


def learn_family(
    data: Data, traces: Mapping[str, Trace], family: str, tasks: Sequence[str], rules: Protocol
) -> Learnt:
    """Learn from some tasks of a family; learning never sees which family it is."""
    chosen = [traces[task] for task in tasks]
    tools = data.world.tools
    examples = [clean(trace, tools) for trace in chosen]
    probe = data.world.read if rules.environment else None
    found = (
        induce(examples, tools, name="learnt", settings=rules.settings, probe=probe)
        if examples
        else None
    )
    return Learnt(family, list(tasks), chosen, found.experience if found else None)


def main_rows(
    data: Data,
    rules: Protocol,
    *,
    kinds: Iterable[str] = "ABC",
    tell: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """All rows of all kinds of evidence."""
    rows: list[dict[str, Any]] = []
    live = modes.live_runs(data)
    for kind in kinds:
        traces = traces_of(data, kind)
        for choice, seeds in (("first", [None]), ("random", list(range(rules.draws)))):
            tallies = {mode: Tally(draws=len(seeds)) for mode in MODES}
            for seed in seeds:
                for family in data.families:
                    tasks = draw(data, traces, family, kind=kind, k=rules.k, seed=seed)
                    learnt = learn_family(data, traces, family, tasks, rules)
                    for task in others(data, learnt):
                        _count(data, task, learnt, live, tallies)
                    tell()
            rows += [tally.row(kind, choice, mode) for mode, tally in tallies.items()]
    return rows


def others(data: Data, learnt: Learnt) -> list[OfficeTask]:
    """The tasks of the family that were not learnt from."""
    return [data.tasks[t] for t in data.families[learnt.family] if t not in learnt.tasks]


def _count(
    data: Data, task: OfficeTask, learnt: Learnt, live: Mapping[str, Any], tallies: dict[str, Tally]
) -> None:
    played = play(data.world, task, learnt.experience)
    reach = reachable(data, task, learnt.traces, played)
    model, calls = modes.live(data, task, live)
    fallen_back = played.outcome == "refused"
    both = replace(model, seconds=played.seconds) if fallen_back else played
    tallies["nothing"].add(modes.nothing(data, task), reachable=reach)
    tallies["verbatim"].add(modes.verbatim(data, task, learnt.traces), reachable=reach)
    tallies["literal"].add(modes.literal(data, task, learnt.traces), reachable=reach)
    tallies["live"].add(model, reachable=reach, calls=calls)
    tallies["play"].add(played, reachable=reach)
    tallies["play+live"].add(both, reachable=reach, calls=calls if fallen_back else 0)


def reachable(data: Data, task: OfficeTask, traces: Sequence[Trace], played: Played) -> bool:
    """Whether a trace shows the tools that the task writes with, or nothing was rightly done."""
    wanted = {call.tool for call in task.expected_calls}
    if not wanted:
        return played.outcome == "solved_noop"
    shown = [{call.tool for call in clean(trace, data.world.tools).writes} for trace in traces]
    return wanted in shown
