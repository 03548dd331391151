"""Sessions that were judged wrong: what would do as they did is not kept."""

from __future__ import annotations

from typing import Any

from garden import PLANTS, TOOLS, call, find, played, probe, trace

from playhead.experience.learn import Trace, learn_traces

TASK = "Discard the plant of bed '{bed}' labelled '{label}'"


def learnt(traces: list[Trace], failed: list[Trace]) -> Any:
    found = learn_traces(traces, TOOLS, probe=probe, name="taught", failed=failed)
    return found.experiences[0] if found.experiences else found.quarantined[0].reasons


WATER = "Tell {who} about the soil, titled 'Dry'"


def telling(number: int, who: str, *, tells: bool = True) -> Trace:
    address = next(row["keeper"] for row in PLANTS if row["keeper"].startswith(who))
    calls = [call("keepers_lookup", nick=who)]
    calls += [call("notes_send", to=address, title="Dry", text="Look")] if tells else []
    return trace(number, WATER.format(who=who), *calls)


def test_what_a_failed_session_wrote_is_not_written_for_its_task() -> None:
    right = [telling(1, "ines"), telling(2, "otto"), telling(3, "zoya")]
    task = WATER.format(who="pavel")
    assert isinstance(played(learnt(right, []), task), list)
    without = learnt(right, [telling(9, "pavel")])
    assert isinstance(without, tuple)
    assert any("failed" in reason or "no condition" in reason for reason in without)


def test_a_failed_session_that_did_otherwise_changes_nothing() -> None:
    right = [telling(1, "ines"), telling(2, "otto"), telling(3, "zoya")]
    task = WATER.format(who="pavel")
    assert isinstance(played(learnt(right, [telling(9, "pavel", tells=False)]), task), list)


LATE = "2031-04-10 08:00:00"
EARLY = "2031-01-05 08:00:00"


def newest(label: str) -> str:
    return max(find(label), key=lambda each: each["planted_on"])["plant_id"]


def discarding(number: int, label: str, now: str = LATE) -> Trace:
    calls = (call("plants_find", text=label), call("plants_discard", plant_id=newest(label)))
    return Trace(f"t{number}", f"Discard the newest plant labelled '{label}'", now, calls)


def test_a_condition_is_found_that_tells_a_failed_session_apart() -> None:
    """What is still to be planted should not have been discarded."""
    right = [discarding(1, "fern"), discarding(2, "maple"), discarding(3, "sage")]
    task = "Discard the newest plant labelled 'iris'"
    due = [("plants_discard", newest("iris"))]
    assert played(learnt(right, []), task, EARLY) == due
    experience = learnt(right, [discarding(9, "sage", EARLY)])
    assert played(experience, task, LATE) == due
    assert str(played(experience, task, EARLY)).startswith("refused")


def test_a_failed_session_is_no_evidence() -> None:
    right = [discarding(1, "fern"), discarding(2, "maple"), discarding(3, "sage")]
    experience = learnt(right, [discarding(9, "sage", EARLY)])
    kept = [each.tape for each in experience.evidence.traces if each.outcome == "kept"]
    assert kept == ["t1", "t2", "t3"]
