"""Families of tasks on meetings."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from benchmarks.invented.drawing import (
    SHOWN,
    Asked,
    Drawing,
    Row,
    at,
    change_event,
    moment,
    start,
    write,
)
from benchmarks.invented.registry import family
from playhead.office import OfficeCall

_LATER = (("30 minutes", 30), ("an hour", 60), ("half an hour", 30), ("1 hour", 60))


@family()
def rename_next(drawn: Drawing) -> Asked | None:
    """Rename the next meeting with somebody."""
    name = drawn.person()
    title = drawn.pick(
        [
            "Project Kickoff",
            "Weekly Check-in",
            "Roadmap Talk",
            "Team Huddle",
            "Budget Chat",
            "Quick Sync",
        ]
    )
    meeting = drawn.next_meeting(drawn.address(name))
    if meeting is None:
        return None
    text = drawn.pick(
        [
            f"Rename my next meeting with {name} to '{title}'",
            f"Can you change the name of my next meeting with {name} to '{title}'?",
        ]
    )
    return text, [change_event(meeting, "event_name", title)]


@family()
def push_back(drawn: Drawing) -> Asked | None:
    """Let the next meeting with somebody begin later."""
    name = drawn.person()
    words, minutes = drawn.pick([*_LATER, ("2 hours", 120), ("15 minutes", 15)])
    meeting = drawn.next_meeting(drawn.address(name))
    if meeting is None:
        return None
    text = drawn.pick(
        [
            f"Push back my next meeting with {name} by {words}",
            f"Can you push my next meeting with {name} back {words}?",
        ]
    )
    begin = start(meeting) + timedelta(minutes=minutes)
    return text, [change_event(meeting, "event_start", moment(begin))]


@family()
def bring_forward(drawn: Drawing) -> Asked | None:
    """Let the first meeting of a day begin sooner."""
    day = drawn.ahead(1, 12)
    words, minutes = drawn.pick(
        [("30 minutes", 30), ("an hour", 60), ("1 hour", 60), ("15 minutes", 15)]
    )
    meetings = drawn.meetings_on(day)
    if not meetings:
        return None
    meeting = min(meetings, key=start)
    text = drawn.pick(
        [
            f"Bring forward my first meeting on {drawn.said(day)} by {words}",
            f"Can you move my first meeting on {drawn.said(day)} forward by {words}?",
        ]
    )
    begin = start(meeting) - timedelta(minutes=minutes)
    return text, [change_event(meeting, "event_start", moment(begin))]


@family()
def delete_first_on(drawn: Drawing) -> Asked | None:
    """Delete the first or the last meeting of a day."""
    day, which = drawn.ahead(1, 20), drawn.pick(["first", "last"])
    meetings = drawn.meetings_on(day)
    if not 0 < len(meetings) < SHOWN:
        return None
    meeting = (min if which == "first" else max)(meetings, key=start)
    text = drawn.pick(
        [
            f"Delete my {which} meeting on {drawn.said(day)}",
            f"Please cancel the {which} meeting on {drawn.said(day)}",
        ]
    )
    return text, [_deletion(meeting)]


@family()
def cancel_future(drawn: Drawing) -> Asked | None:
    """Delete all meetings with somebody that are still to come."""
    name = drawn.person()
    meetings = drawn.meetings_ahead(drawn.address(name))
    if not 0 < len(meetings) < SHOWN:
        return None
    text = drawn.pick(
        [
            f"Cancel all future meetings with {name}",
            f"{name} is leaving the company. Can you cancel all future meetings with them?",
        ]
    )
    return text, [_deletion(meeting) for meeting in meetings]


@family()
def cancel_day_before(drawn: Drawing) -> Asked | None:
    """Delete the meetings of a day before or after an hour."""
    day, which = drawn.ahead(1, 8), drawn.pick(["before", "after"])
    hour, said = drawn.pick([(11, "11"), (12, "12"), (13, "1pm"), (14, "2pm")])
    meetings = drawn.meetings_on(day)
    border = datetime.combine(day, time(hour))
    if not 0 < len(meetings) < SHOWN or any(start(each) == border for each in meetings):
        return None
    early = which == "before"
    gone = [meeting for meeting in meetings if (start(meeting) < border) == early]
    text = f"Cancel my meetings on {day:%A} {which} {said}"
    return text, [_deletion(meeting) for meeting in gone]


@family()
def create_simple(drawn: Drawing) -> Asked | None:
    """Create a meeting of which all is said."""
    name, day = drawn.person(), drawn.ahead(1, 20)
    said, hour = drawn.pick(
        [("9", 9), ("10:30", 10.5), ("11", 11), ("2", 14), ("3:30", 15.5), ("1", 13)]
    )
    words, minutes = drawn.pick(
        [("30 minute", 30), ("1 hour", 60), ("half-hour", 30), ("1.5 hour", 90)]
    )
    title = drawn.pick(["sync up", "design review", "planning", "retro", "product demo"])
    text = drawn.pick(
        [
            f"Create a {words} event called '{title}' on {drawn.said(day)} at {said} with {name}",
            f"Schedule a {words} meeting called '{title}' with {name} at {said} "
            f"on {drawn.said(day)}",
        ]
    )
    return text, [_creation(title, drawn.address(name), at(day, hour), minutes)]


@family()
def free_slot_day(drawn: Drawing) -> Asked | None:
    """Create a meeting at the first free time of a day."""
    name, day = drawn.person(), drawn.ahead(1, 14)
    title = drawn.pick(["catch-up", "planning", "retro"])
    address = drawn.address(name)
    meetings = drawn.meetings_on(day)
    begin = _free(meetings, day, timedelta(minutes=30))
    if begin is None or not 0 < len(meetings) < SHOWN:
        return None
    text = drawn.pick(
        [
            f"Book a 30 minute meeting called '{title}' with {name} at my first free slot "
            f"on {drawn.said(day)}",
            f"Schedule a half-hour meeting called '{title}' with {name} at the earliest time "
            f"I'm free on {drawn.said(day)}",
        ]
    )
    return text, [_creation(title, address, moment(begin), 30)]


@family()
def debrief_after(drawn: Drawing) -> Asked | None:
    """Create a meeting that begins when another one ends."""
    ahead = [each for each in drawn.tables.meetings if each["event_start"] > drawn.now]
    other, name = drawn.pick(ahead)["event_name"], drawn.person()
    meetings = drawn.search("calendar.search_events", query=other, time_min=drawn.now)
    address = drawn.address(name)
    if len(meetings) != 1:
        return None
    text = (
        f"Schedule a 30 minute meeting called 'Debrief' with {name} right after "
        f"the '{other}' meeting"
    )
    return text, [_creation("Debrief", address, moment(_end(meetings[0])), 30)]


@family()
def lengthen(drawn: Drawing) -> Asked | None:
    """Let the next meeting with somebody last longer."""
    name = drawn.person()
    words, minutes = drawn.pick([("30 minutes", 30), ("an hour", 60), ("15 minutes", 15)])
    meeting = drawn.next_meeting(drawn.address(name))
    if meeting is None:
        return None
    duration = int(meeting["duration"]) + minutes
    text = f"Make my next meeting with {name} {words} longer"
    return text, [change_event(meeting, "duration", f"{duration}")]


@family(later=True)
def move_to_weekday(drawn: Drawing) -> Asked | None:
    """Move the next meeting with somebody to a weekday, at the same time of the day."""
    name = drawn.person()
    weekday = drawn.pick(["Monday", "Tuesday", "Wednesday", "Thursday"])
    meetings = drawn.meetings_ahead(drawn.address(name))
    if not 0 < len(meetings) < SHOWN:
        return None
    meeting = min(meetings, key=start)
    week = [drawn.today + timedelta(days=days) for days in range(1, 8)]
    (day,) = [each for each in week if f"{each:%A}" == weekday]
    text = f"Move my next meeting with {name} to {weekday} at the same time"
    begin = datetime.combine(day, start(meeting).time())
    return text, [change_event(meeting, "event_start", moment(begin))]


@family(later=True)
def cancel_with_both(drawn: Drawing) -> Asked | None:
    """Delete the next meetings with two persons."""
    names = drawn.two(drawn.tables.people)
    gone = []
    for name in names:
        meetings = drawn.meetings_ahead(drawn.address(name))
        if not 0 < len(meetings) < SHOWN:
            return None
        gone.append(min(meetings, key=start))
    text = f"Cancel my next meetings with {names[0]} and {names[1]}"
    return text, [_deletion(meeting) for meeting in gone]


def _deletion(meeting: Row) -> OfficeCall:
    return write("calendar.delete_event", event_id=meeting["event_id"])


def _creation(title: str, address: str, begin: str, minutes: int) -> OfficeCall:
    return write(
        "calendar.create_event",
        event_name=title,
        participant_email=address,
        event_start=begin,
        duration=f"{minutes}",
    )


def _end(meeting: Row) -> datetime:
    return start(meeting) + timedelta(minutes=int(meeting["duration"]))


def _free(meetings: list[Row], day: date, long: timedelta) -> datetime | None:
    """The first time of a working day at which nothing is on for so long."""
    begin = datetime.combine(day, time(9))
    for meeting in sorted(meetings, key=start):
        if start(meeting) - begin >= long:
            return begin
        begin = max(begin, _end(meeting))
    return begin if begin + long <= datetime.combine(day, time(18)) else None
