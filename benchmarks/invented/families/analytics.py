"""Families of tasks on the visits of the web site."""

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.invented.drawing import Asked, Drawing, mail_to, write
from benchmarks.invented.registry import family
from playhead.office import OfficeCall

_MEASURES = (
    ("total visits", "analytics.total_visits_count", "total_visits"),
    ("engaged users", "analytics.engaged_users_count", "user_engaged"),
)


@family()
def growth_email(drawn: Drawing) -> Asked | None:
    """Write a mail if a measure grew by more than so many percent."""
    name, day = drawn.person(), drawn.ago(3, 40)
    measure, tool, _ = drawn.pick(_MEASURES)
    percent = drawn.pick([5, 10, 20, 50])
    values = list(drawn.read(tool, time_min=f"{day}", time_max=f"{_yesterday(drawn)}").values())
    address = drawn.address(name)
    if not values or values[0] == 0:
        return None
    growth = 100 * (values[-1] - values[0]) / values[0]
    said = drawn.said(day)
    text = drawn.pick(
        [
            f"If {measure} grew by more than {percent}% since {said}, send {name} an email "
            f"titled '{measure}' saying 'Well done!'",
            f"Did {measure} grow by more than {percent}% since {said}? If so, email {name} "
            f"with the subject '{measure}' saying 'Well done!'",
        ]
    )
    return text, [mail_to(address, measure, "Well done!")] if growth > percent else []


@family()
def plot_if_average(drawn: Drawing) -> Asked | None:
    """Draw a plot if a measure was more than so much on average."""
    day, (measure, tool, value) = drawn.ago(3, 40), drawn.pick(_MEASURES)
    least = drawn.pick([3, 5, 10, 12])
    values = drawn.read(tool, time_min=f"{day}", time_max=f"{_yesterday(drawn)}").values()
    average = sum(values) / len(values)
    text = (
        f"If {measure} were more than {least} on average since {drawn.said(day)}, "
        "make a bar chart of it"
    )
    return text, [_plot(drawn, day, value, "bar")] if average > least else []


@family(later=True)
def plot_weeks(drawn: Drawing) -> Asked | None:
    """Draw a plot of the last weeks."""
    weeks, kind = drawn.pick([2, 3, 4, 5, 6]), drawn.pick(["line", "bar", "scatter"])
    measure, value = drawn.pick(
        [
            ("total visits", "total_visits"),
            ("engaged users", "user_engaged"),
            ("average session duration", "session_duration_seconds"),
        ]
    )
    text = drawn.pick(
        [
            f"Make a {kind} plot of {measure} over the last {weeks} weeks",
            f"Can you show me {measure} for the past {weeks} weeks as a {kind} chart?",
        ]
    )
    return text, [_plot(drawn, drawn.today - timedelta(weeks=weeks), value, kind)]


def _yesterday(drawn: Drawing) -> date:
    return drawn.today - timedelta(days=1)


def _plot(drawn: Drawing, since: date, value: str, kind: str) -> OfficeCall:
    return write(
        "analytics.create_plot",
        time_min=f"{since}",
        time_max=f"{_yesterday(drawn)}",
        value_to_plot=value,
        plot_type=kind,
    )
