"""Drawing a task: chance, the rows of the office, and the reads that a sensible agent makes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias, TypeVar

from benchmarks.experience.world import World
from playhead.experience.routine import PastCall
from playhead.office import JsonValue, OfficeCall, OfficeData, Table

Row: TypeAlias = dict[str, str]
Asked: TypeAlias = tuple[str, list[OfficeCall]]
T = TypeVar("T")

SHOWN = 5  # the most rows that a search shows; tasks that need more are not drawn
TASK_NAMES = ("Fix login page", "Add dark mode", "Write API docs")
BOARDS = {"front end": "Front end", "back end": "Back end", "design": "Design"}
STATES = ("Qualified", "Won", "Lost", "Lead", "Proposal")


@dataclass(frozen=True)
class Tables:
    """What an office holds, as tasks are drawn from it.

    Args:
        people: The addresses of the colleagues by first name.
        sellers: The first names of those who look after customers.
        workers: The first names of those who have project tasks.
        products: What customers are interested in.
        meetings: The rows of the calendar.
        mails: The rows of the mailbox.
        customers: The rows of the customers.
        tasks: The rows of the project tasks.
    """

    people: dict[str, str]
    sellers: list[str]
    workers: list[str]
    products: list[str]
    meetings: list[Row]
    mails: list[Row]
    customers: list[Row]
    tasks: list[Row]

    @classmethod
    def of(cls, data: OfficeData) -> Tables:
        """Read the rows of an office."""
        customers, tasks = rows_of(data.customers), rows_of(data.tasks)
        return cls(
            people={first_name(each): each for each in data.addresses if "@" in each},
            sellers=_assignees(customers),
            workers=_assignees(tasks),
            products=sorted({row["product_interest"] for row in customers}),
            meetings=rows_of(data.events),
            mails=rows_of(data.mails),
            customers=customers,
            tasks=tasks,
        )

    @property
    def inbox(self) -> list[Row]:
        """The mails that came in."""
        return received(self.mails)


class Drawing:
    """One task that is being drawn.

    Args:
        world: The office, in its clean state.
        tables: Its rows.
        chance: What is drawn with.
    """

    def __init__(self, world: World, tables: Tables, chance: random.Random) -> None:
        self.tables = tables
        self.calls: list[PastCall] = []
        self.now = moment(world.data.now)
        self.today = world.data.now.date()
        self._world = world
        self._chance = chance

    def pick(self, options: Sequence[T]) -> T:
        """One of some options."""
        return self._chance.choice(options)

    def two(self, options: Iterable[T]) -> tuple[T, T]:
        """Two different ones of some options."""
        one, other = self._chance.sample(list(options), 2)
        return one, other

    def person(self) -> str:
        """The first name of a colleague."""
        return self.pick(list(self.tables.people))

    def ahead(self, least: int, bound: int) -> date:
        """A day that is at least so many days away, and fewer than the bound."""
        return self.today + timedelta(days=self._chance.randrange(least, bound))

    def ago(self, least: int, bound: int) -> date:
        """A day that is at least so many days past, and fewer than the bound."""
        return self.today - timedelta(days=self._chance.randrange(least, bound))

    def said(self, day: date) -> str:
        """A day as people say it, in one of two ways."""
        return self.pick([f"{day:%B} {day.day}", f"{day}"])

    def read(self, tool: str, **arguments: JsonValue) -> Any:  # noqa: ANN401
        """What a tool gives; the read is part of the session."""
        result = self._world.read(tool, arguments)
        self.calls.append(PastCall(tool, arguments, result))
        return result

    def search(self, tool: str, **arguments: JsonValue) -> list[Row]:
        """The rows that a search finds; none if it says so in words."""
        found = self.read(tool, **arguments)
        return [_as_row(row) for row in found] if isinstance(found, list) else []

    def address(self, name: str) -> str:
        """The address of a colleague, looked up in the directory."""
        self.read("company_directory.find_email_address", name=name)
        return self.tables.people[name]

    def meetings_on(self, day: date) -> list[Row]:
        """The meetings of a day, looked up in the calendar."""
        begin, end = f"{day} 00:00:00", f"{day} 23:59:59"
        return self.search("calendar.search_events", time_min=begin, time_max=end)

    def meetings_ahead(self, address: str) -> list[Row]:
        """The meetings with somebody that are still to come, looked up in the calendar."""
        return self.search("calendar.search_events", query=address, time_min=self.now)

    def next_meeting(self, address: str) -> Row | None:
        """The next meeting with somebody, looked up in the calendar."""
        return min(self.meetings_ahead(address), key=start, default=None)

    def customer(self, name: str) -> Row | None:
        """The one customer of a name, looked up; none if there are more of it."""
        found = self.search("customer_relationship_manager.search_customers", customer_name=name)
        return found[0] if len(found) == 1 else None


def write(tool: str, **arguments: JsonValue) -> OfficeCall:
    """A write that solves a task, or a part of it."""
    return OfficeCall(tool, arguments)


def mail_to(address: str, subject: str, body: str) -> OfficeCall:
    """The writing of a mail."""
    return write("email.send_email", recipient=address, subject=subject, body=body)


def change_event(meeting: Row, field: str, value: str) -> OfficeCall:
    """The change of one field of a meeting."""
    identity = meeting["event_id"]
    return write("calendar.update_event", event_id=identity, field=field, new_value=value)


def change_customer(customer: Row, field: str, value: str) -> OfficeCall:
    """The change of one field of a customer."""
    return write(
        "customer_relationship_manager.update_customer",
        customer_id=customer["customer_id"],
        field=field,
        new_value=value,
    )


def change_task(task: Row, field: str, value: str) -> OfficeCall:
    """The change of one field of a project task."""
    return write(
        "project_management.update_task", task_id=task["task_id"], field=field, new_value=value
    )


def new_task(address: str, name: str, board: str, due: date) -> OfficeCall:
    """The creation of a project task in the backlog."""
    return write(
        "project_management.create_task",
        task_name=name,
        assigned_to_email=address,
        list_name="Backlog",
        due_date=f"{due}",
        board=board,
    )


def received(mails: Iterable[Row]) -> list[Row]:
    """Those of some mails that came in."""
    return [mail for mail in mails if mail["inbox/outbox"] == "inbox"]


def start(meeting: Row) -> datetime:
    """When a meeting begins."""
    return datetime.fromisoformat(meeting["event_start"])


def moment(when: datetime) -> str:
    """A moment as the tools write it."""
    return f"{when:%Y-%m-%d %H:%M:%S}"


def at(day: date, hour: float) -> str:
    """A moment of a day, its hour with a fraction, as the tools write it."""
    return moment(datetime.combine(day, time()) + timedelta(hours=hour))


def first_name(address: str) -> str:
    """The first name in an address, as texts say it."""
    return address.split("@")[0].split(".")[0]


def rows_of(table: Table) -> list[Row]:
    """The rows of a table, every cell as text."""
    return [_as_row(row) for row in table.records(range(len(table)))]


def _as_row(row: Any) -> Row:  # noqa: ANN401
    return {name: "" if cell is None else str(cell) for name, cell in row.items()}


def _assignees(rows: Iterable[Row]) -> list[str]:
    return sorted({first_name(row["assigned_to_email"]) for row in rows})
