"""Values that no result holds: moved, summed up, free; and what a program must not leave unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

import playhead as ph
from playhead.experience.learn import ToolSpec, Trace, clean, learn_traces, tool_spec
from playhead.experience.learn._options import option_sets
from playhead.experience.routine import Calls, Finish, Inputs, PastCall, Refuse, TaskText, decide
from playhead.experience.values import FUNCTIONS, Absent, contrary, find_mentions, opposed

NOW = "2031-04-07 08:00:00"  # a Monday
DAYS = {
    "2031-04-08": [("0901", "ines", "09:00", 60), ("0902", "otto", "10:00", 30)],
    "2031-04-09": [("0903", "zoya", "11:00", 45)],
    "2031-04-10": [("0904", "hugo", "09:00", 90), ("0905", "ines", "14:30", 30)],
    "2031-04-11": [("0906", "otto", "09:30", 20), ("0907", "zoya", "16:00", 60)],
    "2031-04-14": [("0908", "hugo", "09:00", 30), ("0909", "otto", "09:30", 60)],
}
ROWS = [
    {"visit": number, "guest": guest, "starts": f"{day} {time}:00", "minutes": str(minutes)}
    for day, visits in DAYS.items()
    for number, guest, time, minutes in visits
]
TOOLS = {
    "visits_on": ToolSpec("visits_on", "read", {"day": {}}),
    "visits_of": ToolSpec("visits_of", "read", {"guest": {}}),
    "visits_move": ToolSpec("visits_move", "irreversible", {"visit": {}, "starts": {}}),
    "visits_stretch": ToolSpec("visits_stretch", "irreversible", {"visit": {}, "minutes": {}}),
    "visits_book": ToolSpec("visits_book", "irreversible", {"starts": {}, "minutes": {}}),
    "visits_drop": ToolSpec("visits_drop", "irreversible", {"visit": {}}),
}


def read(tool: str, arguments: Mapping[str, Any]) -> Any:
    if tool == "visits_on":
        return [row for row in ROWS if row["starts"].startswith(str(arguments["day"]))]
    if tool == "visits_of":
        return [row for row in ROWS if row["guest"] == str(arguments["guest"]).lower()]
    raise LookupError(tool)


def first_of(guest: str) -> dict[str, str]:
    return min(read("visits_of", {"guest": guest}), key=lambda row: str(row["starts"]))


def session(task: str, looked: tuple[str, str, str], *writes: tuple[Any, ...]) -> Trace:
    tool, name, value = looked
    calls = [PastCall(tool, {name: value}, read(tool, {name: value}))]
    for write, *values in writes:
        calls.append(PastCall(write, dict(zip(TOOLS[write].arguments, values, strict=True)), "ok"))
    return Trace(task, task, NOW, tuple(calls))


def learnt(*traces: Trace) -> Any:
    found = learn_traces(traces, TOOLS, probe=read, name="visits")
    return found.experiences[0] if found.experiences else found.quarantined[0].reasons


def played(experience: Any, task: str) -> Any:
    past: list[PastCall] = []
    writes: list[tuple[Any, ...]] = []
    while True:
        decision = decide(experience, Inputs(task, NOW), past)
        if isinstance(decision, Refuse):
            return decision.code
        if isinstance(decision, Finish):
            return writes
        assert isinstance(decision, Calls)
        for each in decision.calls:
            result = read(each.tool, each.arguments) if each.effect == "read" else "ok"
            past.append(PastCall(each.tool, each.arguments, result))
            if each.effect != "read":
                writes.append((each.tool, *each.arguments.values()))


def later(row: Mapping[str, str], minutes: int) -> str:
    moved = datetime.fromisoformat(row["starts"]) + timedelta(minutes=minutes)
    return f"{moved:%Y-%m-%d %H:%M:%S}"


AMOUNTS = {"30 minutes": 30, "an hour": 60, "half an hour": 30, "2 hours": 120}


@pytest.mark.parametrize(
    ("form", "way"),
    [("Push back {}'s first visit by {}", 1), ("Put {}'s first visit {} ahead", -1)],
)
def test_a_moment_of_a_row_is_moved_by_what_the_text_says(form: str, way: int) -> None:
    def moving(guest: str, by: str) -> Trace:
        row = first_of(guest)
        write = ("visits_move", row["visit"], later(row, way * AMOUNTS[by]))
        return session(form.format(guest, by), ("visits_of", "guest", guest), write)

    experience = learnt(
        moving("ines", "30 minutes"), moving("otto", "an hour"), moving("zoya", "2 hours")
    )
    assert played(experience, form.format("hugo", "half an hour")) == [
        ("visits_move", "0904", later(first_of("hugo"), way * 30))
    ]


def test_a_number_of_a_row_is_changed_by_what_the_text_says() -> None:
    def stretching(guest: str, by: str) -> Trace:
        row = first_of(guest)
        write = ("visits_stretch", row["visit"], str(int(row["minutes"]) + AMOUNTS[by]))
        return session(
            f"Make {guest}'s first visit {by} longer", ("visits_of", "guest", guest), write
        )

    experience = learnt(
        stretching("ines", "30 minutes"),
        stretching("otto", "an hour"),
        stretching("zoya", "2 hours"),
    )
    assert played(experience, "Make hugo's first visit an hour longer") == [
        ("visits_stretch", "0904", "150")
    ]


def test_what_follows_something_begins_where_it_ends() -> None:
    def following(guest: str) -> Trace:
        row = first_of(guest)
        write = ("visits_book", later(row, int(row["minutes"])), "20")
        task = f"Book 20 minutes right after {guest}'s first visit"
        return session(task, ("visits_of", "guest", guest), write)

    experience = learnt(following("ines"), following("otto"), following("zoya"))
    assert played(experience, "Book 20 minutes right after hugo's first visit") == [
        ("visits_book", "2031-04-10 10:30:00", "20")
    ]


def test_a_free_time_is_found_between_the_rows_of_a_day() -> None:
    def booking(day: str, starts: str) -> Trace:
        write = ("visits_book", f"{day} {starts}:00", "30")
        task = f"Book 30 minutes at the first time that is free on {day}"
        return session(task, ("visits_on", "day", day), write)

    experience = learnt(
        booking("2031-04-08", "10:30"),
        booking("2031-04-09", "09:00"),
        booking("2031-04-10", "10:30"),
    )
    form = "Book 30 minutes at the first time that is free on {}"
    assert played(experience, form.format("2031-04-11")) == [
        ("visits_book", "2031-04-11 09:00:00", "30")
    ]
    assert played(experience, form.format("2031-04-14")) == [
        ("visits_book", "2031-04-14 10:30:00", "30")
    ]


def test_a_day_without_room_has_no_free_time() -> None:
    rows = [{"starts": "2031-04-08 09:00:00", "minutes": "450"}]
    free = FUNCTIONS["free_at"].call
    asked = (rows, "starts", "minutes", "2031-04-08")
    assert free(*asked, 30, "09:00:00", "17:00:00") == "2031-04-08 16:30:00"
    assert free(*asked[:3], "2031-04-09", 30, "09:00:00", "17:00:00") == "2031-04-09 09:00:00"
    assert free("nothing found", *asked[1:], 30, "09:00:00", "17:00:00") == "2031-04-08 09:00:00"
    with pytest.raises(Absent):
        free(*asked, 31, "09:00:00", "17:00:00")


def test_a_time_of_the_day_chooses_rows() -> None:
    def dropping(day: str, how: str, time: str, *visits: str) -> Trace:
        task = f"Drop all visits on {day} {how} {time}"
        writes = [("visits_drop", each) for each in visits]
        return session(task, ("visits_on", "day", day), *writes)

    experience = learnt(
        dropping("2031-04-08", "before", "9:45", "0901"),
        dropping("2031-04-10", "after", "12:00", "0905"),
        dropping("2031-04-14", "before", "3pm", "0908", "0909"),
    )
    assert played(experience, "Drop all visits on 2031-04-11 after 1pm") == [
        ("visits_drop", "0907")
    ]
    assert played(experience, "Drop all visits on 2031-04-11 before 1pm") == [
        ("visits_drop", "0906")
    ]


def test_all_means_all_also_where_each_session_saw_one() -> None:
    few = {"anna": "0911", "boris": "0912", "clara": "0913"}

    def probe(tool: str, arguments: Mapping[str, Any]) -> Any:
        guest = str(arguments.get("guest", "")).lower()
        if guest not in few:
            return read(tool, arguments)
        return [{"visit": few[guest], "guest": guest, "starts": NOW, "minutes": "20"}]

    def dropping(guest: str) -> Trace:
        looked = PastCall("visits_of", {"guest": guest}, probe("visits_of", {"guest": guest}))
        dropped = PastCall("visits_drop", {"visit": few[guest]}, "ok")
        return Trace(guest, f"Drop all visits of {guest}", NOW, (looked, dropped))

    found = learn_traces([dropping(each) for each in few], TOOLS, probe=probe, name="visits")
    assert played(found.experiences[0], "Drop all visits of hugo") == [
        ("visits_drop", "0904"),
        ("visits_drop", "0908"),
    ]


def test_an_amount_of_which_nothing_is_made_is_no_coincidence() -> None:
    """Each session came to the same number by another way."""

    def stretching(guest: str, by: str) -> Trace:
        row = first_of(guest)
        write = ("visits_stretch", row["visit"], "90")
        return session(
            f"Make {guest}'s first visit {by} longer", ("visits_of", "guest", guest), write
        )

    reasons = learnt(
        stretching("ines", "30 minutes"),
        stretching("otto", "an hour"),
        stretching("zoya", "2 hours"),
    )
    assert any("nothing is made of the duration" in each for each in reasons)


def test_the_opposite_of_what_was_learnt_is_refused() -> None:
    def dropping(guest: str) -> Trace:
        write = ("visits_drop", first_of(guest)["visit"])
        return session(f"Drop the first visit of {guest}", ("visits_of", "guest", guest), write)

    experience = learnt(dropping("ines"), dropping("otto"), dropping("zoya"))
    assert played(experience, "Drop the earliest visit of hugo") == [("visits_drop", "0904")]
    assert played(experience, "Drop the last visit of hugo") == "scope"


@pytest.mark.parametrize(
    ("text", "examples", "word"),
    [
        ("the last one", ["the first one"], "last"),
        ("the first one of the last 3 days", ["the first one"], None),
        ("in the last 3 days", ["the first one"], None),
        ("who has the fewest", ["who has the most"], "fewest"),
        ("the most recent one", ["who has the least"], None),
        ("at least 3", ["the most"], None),
        ("after noon", ["before noon"], "after"),
        ("after noon", ["before noon", "after one"], None),
        ("after noon", [], None),
    ],
)
def test_words_that_say_the_opposite(text: str, examples: list[str], word: str | None) -> None:
    assert opposed(text, examples) == word


def test_texts_that_say_the_opposite_of_each_other() -> None:
    assert contrary(["the first one", "one of them", "the last one"]) == "last"
    assert contrary(["the first one", "the last 3 days", "the first and the last"]) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in half an hour", [("duration", 30)]),
        ("for an hour and a half", [("duration", 90)]),
        ("after 12", [("comparison", "more"), ("time", "12:00:00")]),
        ("before 1pm", [("comparison", "less"), ("time", "13:00:00")]),
        (
            "before 2 on friday",
            [("comparison", "less"), ("time", "14:00:00"), ("weekday", "friday")],
        ),
        ("after 3 days", [("period", 3)]),
        ("before April 5", [("date", "2031-04-05")]),
    ],
)
def test_times_and_lengths_in_texts(text: str, found: list[tuple[str, Any]]) -> None:
    assert [(each.kind, each.value) for each in find_mentions(text, now=NOW)] == found


@pytest.mark.parametrize(
    ("description", "most"),
    [
        ("Finds visits; returns the first five that match.", 5),
        ("Shows up to 20 rows.", 20),
        ("The ten newest visits.", 10),
        ("Finds visits by guest, the first name is enough.", None),
    ],
)
def test_a_tool_that_says_how_many_rows_it_shows_is_believed(
    description: str, most: int | None
) -> None:
    @ph.tool(effect="read", description=description)
    def visits(guest: str) -> list[str]:
        return [guest]

    assert tool_spec(ph.Toolbox([visits]).tools()[0]).most == most


def test_one_text_that_says_first_and_one_that_says_last_need_a_reason() -> None:
    def dropping(guest: str, which: str) -> Trace:
        rows = read("visits_of", {"guest": guest})
        chosen = (min if which == "first" else max)(rows, key=lambda row: str(row["starts"]))
        write = ("visits_drop", chosen["visit"])
        return session(f"Drop the {which} visit of {guest}", ("visits_of", "guest", guest), write)

    assert isinstance(
        learnt(dropping("ines", "first"), dropping("zoya", "last"), dropping("hugo", "first")),
        tuple,
    )


def test_what_the_tools_are_about_is_no_word_for_one_of_their_values() -> None:
    """`visits` does not mean the value `visit_name`."""
    schema = {"description": "One of visit_name, due_day."}
    tools = TOOLS | {"visits_set": ToolSpec("visits_set", "write", {"visit": {}, "what": schema})}
    call = PastCall("visits_set", {"visit": "0901", "what": "due_day"}, "ok")
    example = clean(Trace("t", "Set the due day of all visits", NOW, (call,)), tools)
    text = TaskText("Set the due day of all visits", now=NOW)
    found = {one.value for each in option_sets([example], tools) for one in text.mentions(each)}
    assert "due_day" in found
    assert "visit_name" not in found
