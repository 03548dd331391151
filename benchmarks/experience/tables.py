"""Three more tables: retrieval by text alone, learning without groups, and the renamed world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.experience.evidence import Data, draw, traces_of
from benchmarks.experience.playing import OUTCOMES, play
from benchmarks.experience.renamed import renamed
from benchmarks.experience.rows import Learnt, Protocol, learn_family, others
from playhead.experience.document import Experience
from playhead.experience.learn import learn_traces
from playhead.experience.library import candidate_of, cannot_read, rank
from playhead.office import WORKBENCH_NOW, OfficeTask

SEED = 0
DRAWS = 6  # of the ungrouped table
NOW = f"{WORKBENCH_NOW:%Y-%m-%d %H:%M:%S}"


def learn_all(data: Data, rules: Protocol, kind: str, seed: int | None) -> list[Learnt]:
    """What every family taught."""
    traces = traces_of(data, kind)
    return [
        learn_family(
            data, traces, family, draw(data, traces, family, kind=kind, k=rules.k, seed=seed), rules
        )
        for family in data.families
    ]


def retrieval_table(data: Data, rules: Protocol, kind: str = "A") -> dict[str, Any]:
    """Each task finds its experience among all; tasks of families without one find none."""
    learnt = learn_all(data, rules, kind, SEED)
    library = {each.family: each.experience for each in learnt if each.experience is not None}
    counts: Counter[str] = Counter()
    for each in learnt:
        for task in others(data, each):
            found = chosen(data, task.query, library)
            counts["instances"] += 1
            if found is None:
                counts["right" if each.family not in library else "refused"] += 1
                continue
            counts["right" if found == each.family else "wrong"] += 1
            played = play(data.world, task, library[found])
            counts["errors"] += played.outcome in ("wrong_writes", "missed")
    return {n: counts[n] for n in ("instances", "right", "refused", "wrong", "errors")}


def chosen(data: Data, query: str, library: dict[str, Experience]) -> str | None:
    """The experience that the library would take for a task."""
    candidates = [candidate_of(experience, key=key) for key, experience in library.items()]
    now = f"{data.world.data.now:%Y-%m-%d %H:%M:%S}"
    found = rank(
        query, candidates, refuses=lambda one: cannot_read(library[one.key], query, now=now)
    ).chosen
    return found.candidate.key if found else None


def ungrouped_table(data: Data, rules: Protocol, kind: str = "A") -> dict[str, Any]:
    """All training traces in one pool; beside it, the same with the families known.

    Means over draws, with the shares of each draw.
    """
    draws = [_ungrouped(data, rules, kind, seed) for seed in range(max(1, min(rules.draws, DRAWS)))]
    counts = ("experiences", "quarantined", "instances", *OUTCOMES)
    return {
        **{name: _mean(each[name] for each in draws) for name in counts},
        "grouped": {name: _mean(each["grouped"][name] for each in draws) for name in OUTCOMES},
        "draws": [_shares(each) for each in draws],
    }


def _ungrouped(data: Data, rules: Protocol, kind: str, seed: int) -> dict[str, Any]:
    traces = traces_of(data, kind)
    families = data.families
    drawn = {f: draw(data, traces, f, kind=kind, k=rules.k, seed=seed) for f in families}
    pool = [traces[task] for family in families for task in drawn[family]]
    learnt = learn_traces(
        pool, dict(data.world.tools), probe=data.world.read, settings=rules.settings
    )
    library = {each.name: each for each in learnt.experiences}
    tests = [data.tasks[t] for f in families for t in data.families[f] if t not in drawn[f]]
    pooled = _outcomes(data, tests, library)
    known = learn_all(data, rules, kind, seed)
    alone: Counter[str] = Counter()
    for each in known:
        alone += Counter(play(data.world, t, each.experience).outcome for t in others(data, each))
    return {
        "experiences": len(library),
        "quarantined": len(learnt.quarantined),
        "instances": len(tests),
        **{name: pooled[name] for name in OUTCOMES},
        "grouped": {name: alone[name] for name in OUTCOMES},
    }


def _mean(values: Iterable[int]) -> float:
    mean: float = fmean(values)
    return round(mean, 2)


def _shares(figures: dict[str, Any]) -> dict[str, float]:
    """What was solved and what went wrong in one draw, in percent."""

    def share(counts: dict[str, Any], *names: str) -> float:
        part = sum(counts[name] for name in names)
        shown: float = 100 * part / max(figures["instances"], 1)
        return round(shown, 1)

    return {
        "solved": share(figures, "solved_write", "solved_noop"),
        "errors": share(figures, "wrong_writes", "missed"),
        "grouped": share(figures["grouped"], "solved_write", "solved_noop"),
    }


def _outcomes(
    data: Data, tests: Sequence[OfficeTask], library: dict[str, Experience]
) -> Counter[str]:
    found: Counter[str] = Counter()
    for task in tests:
        key = chosen(data, task.query, library)
        found[play(data.world, task, library[key] if key else None).outcome] += 1
    return found


def renamed_table(data: Data, rules: Protocol, folder: Path, kind: str = "A") -> dict[str, Any]:
    """What was learnt in the world as it is, played in the world under other names."""
    learnt = learn_all(data, rules, kind, SEED)
    other = renamed(data, folder, SEED)
    here: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for each in learnt:
        here += Counter(play(data.world, t, each.experience).outcome for t in others(data, each))
        there += Counter(play(other.world, t, each.experience).outcome for t in others(other, each))
    return {
        "instances": sum(there.values()),
        **{name: there[name] for name in OUTCOMES},
        "original": {name: here[name] for name in OUTCOMES},
    }
