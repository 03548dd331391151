"""What playing saved, always against not playing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_kit import experience, plot

import playhead as ph
from playhead.errors import LibraryError
from playhead.experience.library import (
    Baseline,
    Cost,
    Library,
    Outcome,
    Play,
    baseline_of,
    cost_of,
    total_of,
)

LIVE = Cost(model_calls=5, tokens=2000, usd=0.02, seconds=12.0, wrong_writes=0.1)


def test_a_solved_play_saves_what_a_session_costs(library: Library) -> None:
    digest = library.add(experience(), origin="learnt").digest
    library.ledger.set_baseline(digest, Baseline(3, LIVE, "three sessions"))
    for number in range(4):
        library.plays.record(Play(digest, f"t{number}", "solved", cost=Cost(seconds=0.5)))
    line = library.ledger.of(digest)
    assert line.baseline is not None
    assert (line.baseline.sessions, line.baseline.source) == (3, "three sessions")
    assert line.saved == Cost(20, 8000, pytest.approx(0.08), 46.0, pytest.approx(0.4))


def test_a_hand_over_saves_only_what_is_left_after_its_own_cost(library: Library) -> None:
    digest = library.add(experience(), origin="learnt").digest
    library.ledger.set_baseline(digest, Baseline(1, LIVE, "one"))
    spent = Cost(model_calls=7, tokens=100, usd=0.05, seconds=20.0, wrong_writes=1)
    library.plays.record(Play(digest, "t", "handed_over", cost=spent))
    saved = library.ledger.of(digest).saved
    assert saved is not None
    assert (saved.model_calls, saved.seconds) == (-2, -8.0)
    assert saved.usd == pytest.approx(-0.03)
    assert saved.wrong_writes == pytest.approx(-0.9)


@pytest.mark.parametrize("outcome", ["refused", "failed"])
def test_what_did_not_do_the_task_saves_nothing(library: Library, outcome: Outcome) -> None:
    digest = library.add(experience(), origin="learnt").digest
    library.ledger.set_baseline(digest, Baseline(1, LIVE, "one"))
    library.plays.record(Play(digest, "t", outcome, cost=Cost(seconds=1.0, model_calls=1)))
    saved = library.ledger.of(digest).saved
    assert saved is not None
    assert (saved.model_calls, saved.seconds, saved.usd) == (-1, -1.0, 0.0)


def test_what_nobody_knows_is_not_counted_as_saved(library: Library) -> None:
    known = library.add(experience(), origin="learnt").digest
    unknown = library.add(plot(), origin="learnt").digest
    library.ledger.set_baseline(known, Baseline(1, Cost(2, 10, None, 1.0, None), "no prices"))
    for digest in (known, unknown):
        library.plays.record(Play(digest, "t", "solved", cost=Cost(seconds=0.25)))
    assert library.ledger.of(unknown).saved is None
    total = total_of([library.ledger.of(known), library.ledger.of(unknown)])
    assert (total.unknown, total.counts.solved, total.spent.seconds) == (1, 2, 0.5)
    assert total.saved == Cost(2, 10, None, 0.75, None)
    assert total_of([]).saved is None


def test_time_limits_what_is_counted(library: Library) -> None:
    digest = library.add(experience(), origin="learnt").digest
    library.plays.record(Play(digest, "t", "solved"))
    assert library.ledger.of(digest, since="2020-01-01").counts.solved == 1
    assert library.ledger.of(digest, until="2020-01-01").counts.solved == 0
    with pytest.raises(LibraryError, match="at least one session"):
        library.ledger.set_baseline(digest, Baseline(0, LIVE, ""))


amounts = st.floats(0, 1e6, allow_nan=False)
costs = st.builds(Cost, amounts, amounts, st.none() | amounts, amounts, st.none() | amounts)


@given(costs, st.lists(costs, max_size=5))
def test_the_ledger_is_the_difference(baseline: Cost, plays: list[Cost]) -> None:
    library = Library(":memory:")
    digest = "sha256:x"
    library.ledger.set_baseline(digest, Baseline(1, baseline, "x"))
    for number, cost in enumerate(plays):
        library.plays.record(Play(digest, str(number), "solved", cost=cost))
    saved = library.ledger.of(digest).saved
    if not plays:
        assert saved is None
        return
    assert saved is not None
    want = baseline.seconds * len(plays) - sum(cost.seconds for cost in plays)
    assert saved.seconds == pytest.approx(want, abs=1e-3)
    assert (saved.usd is None) == (None in [baseline.usd, *(cost.usd for cost in plays)])
    library.close()


async def test_the_baseline_is_the_mean_of_the_sessions() -> None:
    store = ph.MemoryStore()
    tapes = [
        await ph.run(ph.Agent("a", model=ph.ScriptedModel(["yes"])), "Do it", store=store)
        for _ in range(2)
    ]
    cost = cost_of(tapes[0])
    assert cost.model_calls == 1
    assert cost.usd is None  # the model has no price
    assert cost.wrong_writes is None  # nobody judged it
    baseline = baseline_of(tapes)
    assert baseline.cost.model_calls == 1
    assert "2 sessions" in baseline.source
    with pytest.raises(LibraryError, match="needs the sessions"):
        baseline_of([])


PLAYS = """
import sys
from playhead.experience.library import Library, Play
library = Library(sys.argv[1])
print("ready", flush=True)
for number in range(100_000):
    tape = f"{sys.argv[2]}-{number}"
    library.plays.record(Play("sha256:x", tape, "solved", task="a task"))
    print(tape, flush=True)
"""


def test_statistics_survive_kills_and_two_processes(tmp_path: Path) -> None:
    """Two processes count plays and are killed: what they acknowledged is there, once."""
    path = tmp_path / "library.db"
    said: set[str] = set()
    for kill in range(2):
        children = [
            subprocess.Popen(
                [sys.executable, "-c", PLAYS, path, f"{kill}{name}"],
                stdout=subprocess.PIPE, text=True,
            )
            for name in "ab"
        ]  # fmt: skip
        for child in children:
            assert child.stdout is not None
            said |= {line.strip() for line in (child.stdout.readline() for _ in range(5))}
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
            rest, _ = child.communicate()
            said |= set(rest.split("\n")[:-1])
    said.discard("ready")
    with Library(path) as library:
        counted = library.plays.counts("sha256:x").solved
    with sqlite3.connect(path) as db:
        stored = {tape for (tape,) in db.execute("SELECT tape FROM play")}
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert said <= stored
    assert len(stored) == counted
    assert len(stored - said) <= 4  # stored, and killed before it could say so
    assert len(said) >= 16
