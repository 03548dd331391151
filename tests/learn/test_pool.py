"""Sessions of several kinds in one pool: what is taken together, and what is not."""

from __future__ import annotations

from garden import PLANTS, TOOLS, call, probe, trace

from playhead.experience.learn import Learned, Trace, learn_traces
from playhead.experience.values import asks_otherwise


def learnt_of(*traces: Trace) -> Learned:
    return learn_traces(traces, TOOLS, probe=probe)


def groups_of(learnt: Learned) -> list[set[str]]:
    """The tapes of each experience."""
    return [{each.tape for each in one.evidence.traces} for one in learnt.experiences]


def hello(number: int, nick: str, address: str) -> Trace:
    return trace(
        number,
        f"Tell {nick} 'hello' with the title 'News'",
        call("keepers_lookup", nick=nick),
        call("notes_send", to=f"{address}@garden.test", title="News", text="hello"),
    )


def test_a_single_session_that_wrote_nothing_teaches_nothing_of_itself() -> None:
    idle = trace(9, "Discard all ferns that ines planted in the pond", call("plants_find", text=""))
    learnt = learnt_of(hello(1, "ines", "ines.rocha"), hello(2, "otto", "otto.lindt"), idle)
    assert groups_of(learnt) == [{"t1", "t2"}]
    (aside,) = learnt.quarantined
    assert aside.traces == ("t9",)
    assert learnt.skipped == {}


def by_day(number: int, label: str, day: str) -> Trace:
    (row,) = [r for r in PLANTS if r["label"] == label and r["planted_on"] == day]
    return trace(
        number,
        f"Discard the {label} that was planted on {day}",
        call("plants_find", text=label),
        call("plants_discard", plant_id=row["plant_id"]),
    )


def by_keeper(number: int, label: str, keeper: str) -> Trace:
    row = next(r for r in PLANTS if r["label"] == label and r["keeper"].startswith(keeper))
    return trace(
        number,
        f"Discard the {label} that was planted by {row['keeper']}",
        call("plants_find", text=label),
        call("plants_discard", plant_id=row["plant_id"]),
    )


def test_texts_that_mention_other_sorts_of_things_are_other_kinds() -> None:
    days = [r for r in PLANTS if r["label"] in ("fern", "maple", "sage")][:3]
    traces = [by_day(at, row["label"], row["planted_on"]) for at, row in enumerate(days)]
    traces += [
        by_keeper(10 + at, row["label"], row["keeper"]) for at, row in enumerate(PLANTS[4:7])
    ]
    groups = groups_of(learnt_of(*traces))
    assert groups
    assert not any({"t0", "t1", "t2"} & each and {"t10", "t11", "t12"} & each for each in groups)


def test_a_choice_or_a_condition_is_left_out_by_nobody_who_means_it() -> None:
    plain = ["Make a task for ana", "Make a task for luis"]
    choice = ["Make a task for ana or luis, whoever has fewer", "Make a task for ana or kofi"]
    assert asks_otherwise(plain, choice)
    assert asks_otherwise(choice, plain)
    assert not asks_otherwise(plain, [*choice, plain[0]])
    assert not asks_otherwise(plain, ["Make a task 'now or never' for ana"])
    assert not asks_otherwise([], choice)
