"""Families of tasks on project tasks."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from benchmarks.invented.drawing import (
    BOARDS,
    TASK_NAMES,
    Asked,
    Drawing,
    Row,
    change_task,
    first_name,
    new_task,
)
from benchmarks.invented.registry import family


@family()
def create_task(drawn: Drawing) -> Asked | None:
    """Create a task of which all is said."""
    worker, day = drawn.pick(drawn.tables.workers), drawn.ahead(2, 20)
    title, board = drawn.pick([*TASK_NAMES, "Improve caching"]), drawn.pick(list(BOARDS))
    text = drawn.pick(
        [
            f"Create a task called '{title}' for {worker} on the {board} board, "
            f"due {drawn.said(day)}",
            f"Add a new backlog task '{title}' to the {board} board for {worker} "
            f"with a deadline of {drawn.said(day)}",
        ]
    )
    return text, [new_task(drawn.address(worker), title, BOARDS[board], day)]


@family()
def reassign_unfinished(drawn: Drawing) -> Asked | None:
    """Give somebody's unfinished tasks of a board to another one."""
    old, new = drawn.two(drawn.tables.workers)
    board = drawn.pick(list(BOARDS))
    old_address, new_address = drawn.address(old), drawn.address(new)
    tasks = drawn.search(
        "project_management.search_tasks", assigned_to_email=old_address, board=BOARDS[board]
    )
    unfinished = _unfinished(tasks)
    if not unfinished:
        return None
    text = drawn.pick(
        [
            f"Reassign all of {old}'s unfinished {board} tasks to {new}",
            f"{old} is ill. Please give all of their unfinished {board} tasks to {new}",
        ]
    )
    return text, [change_task(task, "assigned_to_email", new_address) for task in unfinished]


@family()
def overdue_push(drawn: Drawing) -> Asked | None:
    """Move the deadline of somebody's overdue tasks to tomorrow."""
    worker = drawn.pick(drawn.tables.workers)
    address = drawn.address(worker)
    tasks = drawn.search("project_management.search_tasks", assigned_to_email=address)
    overdue = [task for task in _unfinished(tasks) if task["due_date"] < f"{drawn.today}"]
    if len(overdue) > 5:
        return None
    tomorrow = drawn.today + timedelta(days=1)
    text = drawn.pick(
        [
            f"Move the deadline of all of {worker}'s overdue tasks to tomorrow",
            f"{worker} has some overdue tasks. Can you change their due date to tomorrow?",
        ]
    )
    return text, [change_task(task, "due_date", f"{tomorrow}") for task in overdue]


@family()
def who_fewer(drawn: Drawing) -> Asked | None:
    """Create a task for that one of two who has fewer in the backlog."""
    names = drawn.two(drawn.tables.workers)
    title = drawn.pick(TASK_NAMES)
    one, other = [drawn.address(name) for name in names]
    ours, theirs = [
        drawn.search(
            "project_management.search_tasks", assigned_to_email=address, list_name="Backlog"
        )
        for address in (one, other)
    ]
    if len(ours) == len(theirs):
        return None
    text = (
        f"Create a backlog task '{title}' on the design board, due December 15, for {names[0]} "
        f"or {names[1]}, whoever has fewer tasks in their backlog"
    )
    chosen = one if len(ours) < len(theirs) else other
    return text, [new_task(chosen, title, "Design", date(2023, 12, 15))]


@family(later=True)
def deadline(drawn: Drawing) -> Asked | None:
    """Set the deadline of one of somebody's tasks."""
    found = _one_task(drawn)
    if found is None:
        return None
    worker, task = found
    day, title = drawn.ahead(2, 20), task["task_name"]
    text = drawn.pick(
        [
            f"Change the deadline of {worker}'s task '{title}' to {drawn.said(day)}",
            f"Please move the due date of the task '{title}' that {worker} has "
            f"to {drawn.said(day)}",
        ]
    )
    return text, [change_task(task, "due_date", f"{day}")]


@family(later=True)
def more_time(drawn: Drawing) -> Asked | None:
    """Move the deadline of one of somebody's tasks."""
    words, days = drawn.pick([("a week", 7), ("2 weeks", 14), ("3 days", 3), ("5 days", 5)])
    found = _one_task(drawn)
    if found is None:
        return None
    worker, task = found
    day = date.fromisoformat(task["due_date"]) + timedelta(days=days)
    text = f"Give {worker} {words} more for '{task['task_name']}'"
    return text, [change_task(task, "due_date", f"{day}")]


@family(later=True)
def new_task_for_busiest(drawn: Drawing) -> Asked | None:
    """Create a task for the one who has most in the backlog of a board."""
    title, board = drawn.pick(TASK_NAMES), drawn.pick(list(BOARDS))
    tasks = drawn.search(
        "project_management.search_tasks", board=BOARDS[board], list_name="Backlog"
    )
    counts = Counter(task["assigned_to_email"] for task in tasks)
    most = max(counts.values())
    busiest = [address for address, count in counts.items() if count == most]
    if len(busiest) > 1:
        return None
    text = (
        f"Assign a new backlog task '{title}' on the {board} board, due December 20, "
        f"to the person with the most {board} tasks in the backlog"
    )
    return text, [new_task(busiest[0], title, BOARDS[board], date(2023, 12, 20))]


def _unfinished(tasks: list[Row]) -> list[Row]:
    return [task for task in tasks if task["list_name"] != "Completed"]


def _one_task(drawn: Drawing) -> tuple[str, Row] | None:
    """Somebody and a task of theirs, looked up; names of tasks are not unique without them."""
    task = drawn.pick(drawn.tables.tasks)
    worker = first_name(task["assigned_to_email"])
    tasks = drawn.search(
        "project_management.search_tasks",
        task_name=task["task_name"],
        assigned_to_email=drawn.address(worker),
    )
    return (worker, tasks[0]) if len(tasks) == 1 else None
