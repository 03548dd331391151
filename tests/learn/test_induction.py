"""What each mechanism of learning makes of traces of an invented world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from garden import NOW, PLANTS, TOOLS, call, find, played, probe, taught, trace

from playhead.experience.learn import ToolSpec, Trace, learn_traces
from playhead.experience.routine import Calls, Inputs, PastCall, Refuse, decide

SEND = "Send a note to {who} titled '{title}' saying '{text}'"


def sending(number: int, who: str, title: str, text: str, *, looked_up: bool = True) -> Trace:
    address = next(row["keeper"] for row in PLANTS if row["keeper"].startswith(who))
    calls = [call("keepers_lookup", nick=who)] if looked_up else []
    write = call("notes_send", to=address, title=title, text=text)
    return trace(number, SEND.format(who=who, title=title, text=text), *calls, write)


def three_notes(**how: Any) -> list[Trace]:
    return [
        sending(1, "ines", "Ferns", "They need water", **how),
        sending(2, "otto", "Maples", "Please look at them", **how),
        sending(3, "zoya", "Keys", "I have them", **how),
    ]


def test_values_come_from_the_text_and_from_what_was_looked_up() -> None:
    learnt = taught(three_notes())
    assert played(learnt, SEND.format(who="pavel", title="Pots", text="Two are broken")) == [
        ("notes_send", "pavel.novak@garden.test", "Pots", "Two are broken")
    ]


def test_without_an_environment_the_recorded_reads_are_enough() -> None:
    learnt = taught(three_notes(), probing=False)
    assert played(learnt, SEND.format(who="hugo", title="Pots", text="Two")) == [
        ("notes_send", "hugo.maas@garden.test", "Pots", "Two")
    ]


def test_an_address_that_was_known_by_heart_is_looked_up() -> None:
    learnt = taught(three_notes(looked_up=False))
    assert played(learnt, SEND.format(who="bruna", title="Pots", text="Two")) == [
        ("notes_send", "bruna.reis@garden.test", "Pots", "Two")
    ]
    assert isinstance(taught(three_notes(looked_up=False), probing=False), tuple)


def test_a_task_that_mentions_other_things_is_refused() -> None:
    learnt = taught(three_notes())
    twice = SEND.format(who="pavel", title="Pots", text="Two") + " and 'now'"
    assert played(learnt, twice) == "refused: scope"
    both = played(learnt, "Send a note to pavel and zoya titled 'A' saying 'B'")
    assert str(both).startswith("refused")


def test_a_call_that_failed_is_no_part_of_what_is_learnt() -> None:
    traces = three_notes()
    failed = call("notes_send", to="nobody", title="x", text="y")
    spoilt = [
        Trace(t.id, t.task, t.now, (type(failed)(*_fields(failed, "no such keeper")), *t.calls))
        for t in traces
    ]
    assert played(taught(spoilt), SEND.format(who="pavel", title="A", text="B")) == [
        ("notes_send", "pavel.novak@garden.test", "A", "B")
    ]


def _fields(failed: Any, error: str) -> tuple[Any, ...]:
    return failed.tool, failed.arguments, None, error


def newest(label: str) -> dict[str, str]:
    return max(find(label), key=lambda row: row["planted_on"])


def discarding(number: int, label: str) -> Trace:
    row = newest(label)["plant_id"]
    calls = [call("plants_find", text=label), call("plants_discard", plant_id=row)]
    return trace(number, f"Discard the newest plant labelled '{label}'", *calls)


def test_the_row_is_chosen_by_the_field_that_explains_all_traces() -> None:
    learnt = taught([discarding(1, "fern"), discarding(2, "maple"), discarding(3, "sage")])
    assert played(learnt, "Discard the newest plant labelled 'iris'") == [
        ("plants_discard", newest("iris")["plant_id"])
    ]
    assert played(learnt, "Discard the newest plant labelled 'oak'") == "nothing"


def test_without_row_selection_nothing_explains_the_row() -> None:
    traces = [discarding(1, "fern"), discarding(2, "maple"), discarding(3, "sage")]
    assert isinstance(taught(traces, row_selection=False), tuple)


def clearing(number: int, label: str, bed: str) -> Trace:
    rows = [row for row in find(label) if row["bed"] == bed]
    writes = [call("plants_discard", plant_id=row["plant_id"]) for row in rows]
    task = f"Discard every plant labelled '{label}' in the bed '{bed}'"
    return trace(number, task, call("plants_find", text=label), *writes)


CLEARINGS = [("fern", "north"), ("maple", "south"), ("sage", "north")]


def test_many_writes_are_a_loop_over_the_rows_that_fulfil_a_condition() -> None:
    traces = [clearing(at, *each) for at, each in enumerate(CLEARINGS)]
    traces.append(clearing(9, "iris", "north"))
    assert all(len(each.calls) == 3 for each in traces)
    learnt = taught(traces)
    expected = [row["plant_id"] for row in find("fern") if row["bed"] == "south"]
    found = played(learnt, "Discard every plant labelled 'fern' in the bed 'south'")
    assert found == [("plants_discard", each) for each in expected]


def thinning(number: int, keeper: str) -> Trace:
    rows = find(keeper)
    writes = [call("plants_discard", plant_id=row["plant_id"]) for row in rows]
    read = call("plants_find", text=keeper)
    return trace(number, f"Discard all plants of {keeper}", read, *writes)


def test_the_number_of_rows_may_differ() -> None:
    traces = [thinning(at, who) for at, who in enumerate(("ines", "bruna", "otto"))]
    assert {len(each.calls) for each in traces} == {3, 4}
    expected = [("plants_discard", row["plant_id"]) for row in find("zoya")]
    assert played(taught(traces), "Discard all plants of zoya") == expected
    assert isinstance(taught(traces, loops=False), tuple)
    assert played(taught(traces), "Discard all plants of nadja") == "nothing"


def warning(number: int, limit: int, since: int, *, how: str = "more") -> Trace:
    day = f"2031-03-{since:02}"
    read = call("soil_readings", since=day)
    task = (
        f"Was the soil {how} than {limit} at any time since March {since}? "
        "If so, send a note to ines titled 'Soil' saying 'Look at it'"
    )
    due = any(value > limit if how == "more" else value < limit for value in read.result.values())
    write = call("notes_send", to="ines.rocha@garden.test", title="Soil", text="Look at it")
    return trace(number, task, read, call("keepers_lookup", nick="ines"), *([write] if due else []))


@pytest.mark.parametrize(
    ("limit", "since", "how", "due"),
    [(16, 20, "more", True), (18, 2, "more", False), (11, 4, "less", True), (10, 9, "less", False)],
)
def test_a_condition_on_what_was_read_decides(limit: int, since: int, how: str, due: bool) -> None:
    traces = [warning(1, 12, 1), warning(2, 18, 5), warning(3, 13, 9, how="less")]
    assert [len(each.calls) for each in traces] == [3, 2, 3]
    learnt = taught(traces)
    wanted = warning(4, limit, since, how=how)
    assert (len(wanted.calls) == 3) is due
    found = played(learnt, wanted.task)
    note = ("notes_send", "ines.rocha@garden.test", "Soil", "Look at it")
    assert found == ([note] if due else "nothing")


def test_where_only_idle_traces_were_seen_a_due_write_is_refused() -> None:
    traces = [warning(1, 18, 1), warning(2, 19, 5), warning(3, 20, 9)]
    learnt = taught(traces)
    assert played(learnt, warning(4, 18, 3).task) == "nothing"
    assert played(learnt, warning(4, 11, 3).task).startswith("refused")


def test_what_is_done_otherwise_is_not_taken_for_nothing() -> None:
    traces = [warning(1, 12, 1), warning(2, 11, 5), warning(3, 13, 9)]
    changed = [
        Trace(t.id, t.task + ", otherwise tell zoya 'all is well'", t.now, t.calls) for t in traces
    ]
    learnt = taught(changed)
    task = warning(4, 18, 3).task + ", otherwise tell zoya 'all is well'"
    assert isinstance(learnt, tuple) or str(played(learnt, task)).startswith("refused")


def test_leave_one_out_keeps_nothing_that_errs() -> None:
    """The first two say that the first plant is meant, the third that the last one is."""

    def chosen(number: int, label: str, at: int) -> Trace:
        row = find(label)[at]["plant_id"]
        read = call("plants_find", text=label)
        return trace(
            number, f"Discard a plant '{label}'", read, call("plants_discard", plant_id=row)
        )

    traces = [chosen(1, "fern", 0), chosen(2, "maple", 0), chosen(3, "sage", -1)]
    assert isinstance(taught(traces), tuple)


def test_two_explanations_that_differ_are_refused_before_a_write() -> None:
    """One trace: the row is the first and the oldest; where these differ, nobody knows."""
    rows = find("north")
    oldest = min(rows, key=lambda row: row["planted_on"])
    assert rows[0] == oldest
    read = call("plants_find", text="north")
    write = call("plants_discard", plant_id=rows[0]["plant_id"])
    learnt = taught([trace(1, "Discard a plant of 'north'", read, write)])
    south = find("south")
    assert south[0] != min(south, key=lambda row: row["planted_on"])
    assert played(learnt, "Discard a plant of 'south'") == "refused: unclear"


def test_a_name_or_number_of_one_thing_is_never_remembered() -> None:
    traces = [
        trace(
            at,
            f"Discard the old plant please, number {word}",
            call("plants_discard", plant_id="7003"),
        )
        for at, word in enumerate(("one", "two", "three"))
    ]
    assert isinstance(taught(traces), tuple)


def test_traces_that_are_not_finished_teach_nothing() -> None:
    half = [Trace(t.id, t.task, t.now, t.calls, finished=False) for t in three_notes()]
    found = learn_traces(half, TOOLS, probe=probe)
    assert found.experiences == ()
    assert set(found.skipped) == {"t1", "t2", "t3"}


def test_kinds_of_tasks_are_told_apart_without_being_named() -> None:
    pool: Sequence[Trace] = [
        *three_notes(),
        *(discarding(at, label) for at, label in enumerate(("fern", "maple", "sage"), 10)),
    ]
    found = learn_traces(pool, TOOLS, probe=probe)
    groups = [{each.tape for each in e.evidence.traces} for e in found.experiences]
    assert sorted(map(sorted, groups)) == [["t1", "t2", "t3"], ["t10", "t11", "t12"]]
    assert len({each.name for each in found.experiences}) == 2


WATERINGS = [
    {
        "job_id": f"{5001 + 10 * number + at}",
        "keeper": f"{keeper}@garden.test",
        "state": "Done" if at < done else "Waiting",
        "due_on": f"2031-04-{8 + at:02}",
    }
    for number, (keeper, done) in enumerate(
        [("ines.rocha", 2), ("otto.lindt", 1), ("zoya.orlova", 2), ("hugo.maas", 0)]
    )
    for at in range(4)
]


def jobs(keeper: str = "", due_on: str = "") -> list[dict[str, str]]:
    return [row for row in WATERINGS if keeper in row["keeper"] and due_on in row["due_on"]]


def reminding(number: int, who: str, address: str, *, late: bool) -> Trace:
    """A session that looked at one day alone."""
    read = PastCall("jobs_find", {"keeper": who, "due_on": "2031-04-09"}, jobs(who, "2031-04-09"))
    said = ("Late", "Please hurry") if late else ("Fine", "Thank you")
    task = (
        f"If {who} has any overdue jobs, send them a note titled 'Late' saying 'Please hurry'. "
        "Otherwise send them 'Thank you' titled 'Fine'"
    )
    write = call("notes_send", to=address, title=said[0], text=said[1])
    return trace(number, task, call("keepers_lookup", nick=who), read, write)


def test_overdue_is_every_day_before_and_nothing_that_is_done() -> None:
    tools = TOOLS | {"jobs_find": ToolSpec("jobs_find", "read", {"keeper": {}, "due_on": {}})}

    def reads(tool: str, arguments: Any) -> Any:
        return jobs(**arguments) if tool == "jobs_find" else probe(tool, arguments)

    traces = [
        reminding(1, "ines", "ines.rocha@garden.test", late=False),
        reminding(2, "otto", "otto.lindt@garden.test", late=True),
        reminding(3, "zoya", "zoya.orlova@garden.test", late=False),
    ]
    found = learn_traces(traces, tools, probe=reads, name="taught")
    assert found.quarantined == ()
    (learnt,) = found.experiences
    shown = str(learnt.routine)
    assert "Done" in shown
    assert "due_on='2031" not in shown
    past = [
        PastCall("keepers_lookup", {"nick": "otto"}, ["otto.lindt@garden.test"]),
        *(
            PastCall("jobs_find", {"keeper": k}, jobs("otto"))
            for k in ("otto", "otto.lindt@garden.test")
        ),
    ]
    due = decide(learnt, Inputs(traces[1].task, NOW), past)
    assert isinstance(due, Calls)
    assert due.plan[0].arguments["title"] == "Late"
    thanks = learn_traces(traces[::2], tools, probe=reads, name="taught").experiences
    assert all(isinstance(decide(one, Inputs(traces[1].task, NOW), past), Refuse) for one in thanks)
