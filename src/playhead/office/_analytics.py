"""Visits of the web site, and plots of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar

from playhead.office._rows import within
from playhead.office._tables import Cell, JsonValue, Record, Table
from playhead.office._tools import Effect

VISIT_COLUMNS = (
    "date_of_visit",
    "visitor_id",
    "page_views",
    "session_duration_seconds",
    "traffic_source",
    "user_engaged",
)
PLOT_COLUMNS = ("file_path",)
METRICS = (
    "total_visits",
    "session_duration_seconds",
    "user_engaged",
    "visits_direct",
    "visits_referral",
    "visits_search_engine",
    "visits_social_media",
)
PLOT_TYPES = ("bar", "line", "scatter", "histogram")


class Analytics:
    """The tools on the table of visits, which never changes, and on the table of plots."""

    name: ClassVar[str] = "analytics"
    effects: ClassVar[Mapping[str, Effect]] = {
        "create_plot": "write",
        "engaged_users_count": "read",
        "get_visitor_information_by_id": "read",
        "traffic_source_count": "read",
        "total_visits_count": "read",
        "get_average_session_duration": "read",
    }

    def __init__(self, visits: Table, plots: Table) -> None:
        self.visits = visits
        self.plots = plots
        self.durations_as_numbers = False
        """Whether visits show their duration as a number, as after an average over all days."""

    def get_visitor_information_by_id(
        self, *, visitor_id: str | None = None
    ) -> list[JsonValue] | str:
        """List all visits of one visitor.

        Args:
            visitor_id: Id of the visitor: 4 digits.
        """
        if not visitor_id:
            return "Visitor ID not provided."
        found = self.visits.find("visitor_id", visitor_id)
        return [self._visit(at) for at in found] or "Visitor not found."

    def create_plot(
        self,
        *,
        time_min: str | None = None,
        time_max: str | None = None,
        value_to_plot: str | None = None,
        plot_type: str | None = None,
    ) -> str:
        """Draw a plot of one metric over a period; returns the path of the image.

        Args:
            time_min: First day: YYYY-MM-DD.
            time_max: Last day: YYYY-MM-DD.
            value_to_plot: The metric, one of total_visits, session_duration_seconds, user_engaged,
                visits_direct, visits_referral, visits_search_engine, visits_social_media.
            plot_type: The kind of plot, one of bar, line, scatter, histogram.
        """
        if not time_min:
            return "Start date not provided."
        if not time_max:
            return "End date not provided."
        if value_to_plot not in METRICS:
            return (
                "Value to plot must be one of 'total_visits', 'session_duration_seconds', "
                "'user_engaged', 'direct', 'referral', 'search engine', 'social media'"
            )
        if plot_type not in PLOT_TYPES:
            return "Plot type must be one of 'bar', 'line', 'scatter', or 'histogram'"
        path = f"plots/{time_min}_{time_max}_{value_to_plot}_{plot_type}.png"
        self.plots.append({"file_path": path}, label=len(self.plots))
        return path

    def total_visits_count(
        self, *, time_min: str | None = None, time_max: str | None = None
    ) -> Record:
        """Count the visits of each day; days without a visit are left out.

        Args:
            time_min: First day, inclusive: YYYY-MM-DD.
            time_max: Last day, inclusive: YYYY-MM-DD.
        """
        return {day: len(found) for day, found in self._days(time_min, time_max).items()}

    def engaged_users_count(
        self, *, time_min: str | None = None, time_max: str | None = None
    ) -> Record:
        """Count the visits of each day whose visitor was engaged.

        Args:
            time_min: First day, inclusive: YYYY-MM-DD.
            time_max: Last day, inclusive: YYYY-MM-DD.
        """
        return self._count(self._days(time_min, time_max), column="user_engaged", value=True)

    def traffic_source_count(
        self,
        *,
        time_min: str | None = None,
        time_max: str | None = None,
        traffic_source: str | None = None,
    ) -> Record:
        """Count the visits of each day that came from one source.

        Args:
            time_min: First day, inclusive: YYYY-MM-DD.
            time_max: Last day, inclusive: YYYY-MM-DD.
            traffic_source: The source, one of direct, referral, search engine, social media. Leave
                it out to count all visits.
        """
        if not traffic_source:
            return self.total_visits_count(time_min=time_min, time_max=time_max)
        return self._count(
            self._days(time_min, time_max), column="traffic_source", value=traffic_source
        )

    def get_average_session_duration(
        self, *, time_min: str | None = None, time_max: str | None = None
    ) -> Record:
        """Give the mean length of the sessions of each day in seconds.

        Args:
            time_min: First day, inclusive: YYYY-MM-DD.
            time_max: Last day, inclusive: YYYY-MM-DD.
        """
        if not time_min and not time_max:
            self.durations_as_numbers = True
        means: Record = {}
        for day, found in self._days(time_min, time_max).items():
            lengths = [_number(self.visits.cell(at, "session_duration_seconds")) for at in found]
            means[day] = sum(lengths) / len(lengths)
        return means

    def _days(self, time_min: str | None, time_max: str | None) -> dict[str, list[int]]:
        """Give the visits of each day in the period, in the order of the days."""
        days: defaultdict[str, list[int]] = defaultdict(list)
        every = range(len(self.visits))
        column = "date_of_visit"
        for at in within(self.visits, every, column=column, low=time_min, high=time_max):
            days[str(self.visits.cell(at, column))].append(at)
        return dict(sorted(days.items()))

    def _count(self, days: dict[str, list[int]], *, column: str, value: Cell) -> Record:
        return {
            day: sum(self.visits.cell(at, column) == value for at in found)
            for day, found in days.items()
        }

    def _visit(self, at: int) -> Record:
        record = self.visits.record(at)
        if self.durations_as_numbers:
            record["session_duration_seconds"] = _number(record["session_duration_seconds"])
        return record


def _number(cell: Cell) -> float:
    return float(cell)  # type: ignore[arg-type]
