"""An office: tables for one run, and the 27 tools on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypedDict, cast

from playhead.office._analytics import PLOT_COLUMNS, VISIT_COLUMNS, Analytics
from playhead.office._calendar import EVENT_COLUMNS, Calendar
from playhead.office._customers import CUSTOMER_COLUMNS, CustomerRelationshipManager
from playhead.office._directory import CompanyDirectory
from playhead.office._email import MAIL_COLUMNS, Email
from playhead.office._project_management import TASK_COLUMNS, ProjectManagement
from playhead.office._tables import Folder, JsonValue, Table, TableState, read_column, read_table
from playhead.office._tools import OfficeTool, tools_of

WORKBENCH_NOW = datetime(2023, 11, 30)
"""The moment at which the clock of the WorkBench data stands."""


class _State(TypedDict):
    """All that a run can change."""

    tables: dict[str, TableState]
    durations_as_numbers: bool


@dataclass(frozen=True, slots=True)
class OfficeData:
    """The clean state of an office, read once and shared by any number of runs.

    Args:
        now: The moment at which the office's clock stands.
        events: The calendar.
        mails: The mailbox.
        visits: The visits of the web site.
        tasks: The project tasks.
        customers: The customers.
        addresses: The addresses of the colleagues.
    """

    now: datetime
    events: Table
    mails: Table
    visits: Table
    tasks: Table
    customers: Table
    addresses: tuple[str, ...]

    @classmethod
    def load(cls, folder: Folder, *, now: datetime = WORKBENCH_NOW) -> OfficeData:
        """Read the six CSV files of a folder.

        Args:
            folder: The folder.
            now: The moment at which the office's clock stands.

        Raises:
            OSError: A file is missing.
            ValueError: A file has other columns.
        """
        visits = read_table(folder, "analytics_data.csv", columns=VISIT_COLUMNS)
        engaged = visits.columns.index("user_engaged")
        visits.rows = [(*row[:engaged], row[engaged] == "True") for row in visits.rows]
        customers = "customer_relationship_manager_data.csv"
        return cls(
            now=now,
            events=read_table(folder, "calendar_events.csv", columns=EVENT_COLUMNS),
            mails=read_table(folder, "emails.csv", columns=MAIL_COLUMNS),
            visits=visits,
            tasks=read_table(folder, "project_tasks.csv", columns=TASK_COLUMNS),
            customers=read_table(folder, customers, columns=CUSTOMER_COLUMNS),
            addresses=read_column(folder, "email_addresses.csv"),
        )

    def fresh(self) -> Office:
        """Give a clean office for one run."""
        return Office(self)


class Office:
    """One run's tables and the tools on them.

    Args:
        data: The clean state to start from; it is never changed.
    """

    def __init__(self, data: OfficeData) -> None:
        self._calendar = Calendar(data.events.copy())
        self._email = Email(data.mails.copy(), now=data.now)
        self._analytics = Analytics(data.visits, Table(PLOT_COLUMNS))
        self._project_management = ProjectManagement(data.tasks.copy())
        self._customers = CustomerRelationshipManager(data.customers.copy())
        self._directory = CompanyDirectory(data.addresses)

    @cached_property
    def tools(self) -> tuple[OfficeTool, ...]:
        """All tools, in the order in which an agent with the tool set `all` gets them."""
        return (
            *tools_of(self._email),
            *tools_of(self._calendar),
            *tools_of(self._analytics),
            *tools_of(self._project_management),
            *tools_of(self._customers),
            *tools_of(self._directory),
        )

    def tools_for(self, domains: Collection[str]) -> tuple[OfficeTool, ...]:
        """Give the tools of some domains, and always the company directory.

        Names are not interpreted: "crm" is no domain, so the recorded runs of tasks that say so
        went without the tools of `customer_relationship_manager`.
        """
        wanted = {*domains, CompanyDirectory.name}
        return tuple(tool for tool in self.tools if tool.name.partition(".")[0] in wanted)

    @cached_property
    def _by_name(self) -> dict[str, OfficeTool]:
        return {tool.name: tool for tool in self.tools}

    def tool(self, name: str) -> OfficeTool:
        """Give one tool.

        Raises:
            LookupError: There is no such tool.
        """
        if name not in self._by_name:
            raise LookupError(f"no tool `{name}`: take one of {', '.join(self._by_name)}")
        return self._by_name[name]

    def call(self, tool: str, args: Mapping[str, JsonValue]) -> JsonValue:
        """Call a tool with arguments exactly as given.

        Args:
            tool: The full name, such as `calendar.search_events`.
            args: The arguments by name.

        Raises:
            LookupError: There is no such tool.
            TypeError: The tool has no argument of that name; `live_args` drops such names first.
            Exception: The few inputs that a tool does not answer with a message; nothing is
                changed then.
        """
        return self.tool(tool).method(**args)

    @property
    def tables(self) -> dict[str, Table]:
        """The five tables that a run can change, the judged ones, by name."""
        return {
            "calendar_events": self._calendar.events,
            "emails": self._email.mails,
            "plots": self._analytics.plots,
            "project_tasks": self._project_management.tasks,
            "customer_relationship_manager_data": self._customers.customers,
        }

    def state(self) -> dict[str, JsonValue]:
        """Give all that a run can change as plain JSON; visits and addresses never change."""
        state: _State = {
            "tables": {name: table.state() for name, table in self.tables.items()},
            "durations_as_numbers": self._analytics.durations_as_numbers,
        }
        return cast("dict[str, JsonValue]", state)

    def restore(self, state: Mapping[str, JsonValue]) -> None:
        """Go back to a state that `state` gave, of this office or of one with the same data.

        Raises:
            ValueError: The value is no such state; the office is unchanged then.
        """
        saved = cast("_State", state)
        try:
            tables = {name: Table.of_state(table) for name, table in saved["tables"].items()}
            numbers = saved["durations_as_numbers"]
            if set(tables) != set(self.tables):
                raise KeyError("tables")
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("restore an office from a value that `Office.state` gave") from error
        self._calendar.events = tables["calendar_events"]
        self._email.mails = tables["emails"]
        self._analytics.plots = tables["plots"]
        self._project_management.tasks = tables["project_tasks"]
        self._customers.customers = tables["customer_relationship_manager_data"]
        self._analytics.durations_as_numbers = numbers
