"""Reading days and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from playhead.office import sample_office
from playhead.office._dates import read_date

DAY = datetime(2023, 11, 30)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-11-30", DAY),
        ("  2023-11-30 ", DAY),
        ("2023/11/30", DAY),
        ("20231130", DAY),
        ("2023-11", datetime(2023, 11, 1)),
        ("2023", datetime(2023, 1, 1)),
        ("Nov 30 2023", DAY),
        ("november 30, 2023", DAY),
        ("30 November 2023", DAY),
        ("11/30/2023", DAY),
        ("30/11/2023", DAY),
        ("12/05/2023", datetime(2023, 12, 5)),
        ("09/10/2023", datetime(2023, 9, 10)),
        ("2023-11-30 9:30", datetime(2023, 11, 30, 9, 30)),
        ("2023-11-30 09:30", datetime(2023, 11, 30, 9, 30)),
        ("2023-11-30T09:30:15", datetime(2023, 11, 30, 9, 30, 15)),
        ("2023-11-30 09:30 PM", datetime(2023, 11, 30, 21, 30)),
        ("2023-11-30 12:05am", datetime(2023, 11, 30, 0, 5)),
        ("Nov 30 2023 12:05 PM", datetime(2023, 11, 30, 12, 5)),
        ("2023-11-30T10:00:00Z", datetime(2023, 11, 30, 10, tzinfo=UTC)),
        (
            "2023-11-30 10:00:00 -05:30",
            datetime(2023, 11, 30, 10, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
        ),
    ],
)
def test_readable(text: str, moment: datetime):
    assert read_date(text) == moment
    assert (read_date(text).tzinfo is None) == (moment.tzinfo is None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "yesterday",
        "last week",
        "2023-11-31",
        "2023-13-01",
        "13/13/2023",
        "2023-11-30 24:00:00",
        "2023-11-30 25:00:00",
        "2023-11-30 13:00 PM",
        "2023-11-30 10",
        "30 Brumaire 2023",
        20231130,
        None,
    ],
)
def test_unreadable(text: object):
    with pytest.raises(ValueError, match=r"cannot read|must be in|out of range|does not go"):
        read_date(text)


def test_a_zone_is_refused_by_the_calendar_and_ignored_by_the_mailbox():
    office = sample_office().fresh()
    zoned = "2024-05-15T23:00:00-08:00"
    with pytest.raises(TypeError):
        office.call("calendar.search_events", {"time_min": zoned})
    found = office.call("email.search_emails", {"date_min": zoned})
    assert isinstance(found, list)
    assert all(mail["sent_datetime"].startswith("2024-05-15") for mail in found)


def test_an_unreadable_bound_goes_unnoticed_when_nothing_is_left():
    office = sample_office().fresh()
    nothing = {"query": "zzz nothing"}
    assert office.call("calendar.search_events", {**nothing, "time_min": "soon"}) == (
        "No events found."
    )
    assert office.call("email.search_emails", {**nothing, "date_max": "soon"}) == (
        "No emails found."
    )
