"""The project boards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from playhead.office._rows import look_up, matching, remove
from playhead.office._tables import Cell, JsonValue, Record, Table
from playhead.office._tools import Effect

TASK_COLUMNS = ("task_id", "task_name", "assigned_to_email", "list_name", "due_date", "board")
LISTS = ("Backlog", "In Progress", "In Review", "Completed")
BOARDS = ("Back end", "Front end", "Design")

_BAD_ASSIGNEE = "Assignee email not valid. Please choose from the list of team members."
_BAD_LIST = (
    "List not valid. Please choose from: 'Backlog', 'In Progress', 'In Review', 'Completed'."
)
_BAD_BOARD = "Board not valid. Please choose from: 'Back end', 'Front end', 'Design'."


class ProjectManagement:
    """The tools on the table of project tasks."""

    name: ClassVar[str] = "project_management"
    effects: ClassVar[Mapping[str, Effect]] = {
        "create_task": "write",
        "delete_task": "irreversible",
        "update_task": "idempotent",
        "get_task_information_by_id": "read",
        "search_tasks": "read",
    }

    def __init__(self, tasks: Table) -> None:
        self.tasks = tasks

    def get_task_information_by_id(
        self, *, task_id: str | None = None, field: str | None = None
    ) -> Record | str:
        """Read one field of one project task.

        Args:
            task_id: Id of the task: 8 digits, as found by a search.
            field: The field to read, one of task_id, task_name, assigned_to_email, list_name,
                due_date, board.
        """
        return look_up(self.tasks, key="task_id", kind="Task", row_id=task_id, field=field)

    def search_tasks(
        self,
        *,
        task_name: str | None = None,
        assigned_to_email: str | None = None,
        list_name: str | None = None,
        due_date: str | None = None,
        board: str | None = None,
    ) -> list[JsonValue] | str:
        """Search the project tasks; all given parts must match, case ignored.

        Each part is a regular expression that may match anywhere in its field. Give at least one.

        Args:
            task_name: Part of the name of the task.
            assigned_to_email: Part of the address of the person in charge.
            list_name: Part of the list: Backlog, In Progress, In Review, Completed.
            due_date: Part of the due day YYYY-MM-DD; 2023-12 finds the whole month.
            board: Part of the board: Back end, Front end, Design.
        """
        patterns = (task_name, assigned_to_email, list_name, due_date, board)
        if not any(patterns):
            return "No search parameters provided."
        found = list(range(len(self.tasks)))
        for column, pattern in zip(TASK_COLUMNS[1:], patterns, strict=True):
            if pattern:
                found = matching(self.tasks, found, column=column, pattern=pattern)
        return self.tasks.records(found)

    def create_task(
        self,
        *,
        task_name: str | None = None,
        assigned_to_email: str | None = None,
        list_name: str | None = None,
        due_date: str | None = None,
        board: str | None = None,
    ) -> str:
        """Create a project task; returns its id. Everything must be given.

        Args:
            task_name: Name of the task.
            assigned_to_email: Address of the person in charge, who must already have a task.
            list_name: The list, one of Backlog, In Progress, In Review, Completed.
            due_date: Due day: YYYY-MM-DD.
            board: The board, one of Back end, Front end, Design.
        """
        if not (task_name and assigned_to_email and list_name and due_date and board):
            return "Missing task details."
        assignee = assigned_to_email.lower()
        if assignee not in self._team():
            return _BAD_ASSIGNEE
        if list_name not in LISTS:
            return _BAD_LIST
        if board not in BOARDS:
            return _BAD_BOARD
        task_id = f"{self.tasks.next_number('task_id'):08d}"
        row = (task_id, task_name, assignee, list_name, due_date, board)
        values: dict[str, Cell] = dict(zip(TASK_COLUMNS, row, strict=True))
        self.tasks.append(values, label=len(self.tasks))
        self.tasks.renumber()
        return task_id

    def delete_task(self, *, task_id: str | None = None) -> str:
        """Delete a project task for good.

        Args:
            task_id: Id of the task: 8 digits, as found by a search.
        """
        return remove(self.tasks, key="task_id", kind="Task", row_id=task_id)

    def update_task(
        self, *, task_id: str | None = None, field: str | None = None, new_value: str | None = None
    ) -> str:
        """Change one field of a project task.

        Args:
            task_id: Id of the task: 8 digits, as found by a search.
            field: The field to change, one of task_name, assigned_to_email, list_name, due_date,
                board.
            new_value: What the field holds from now on. Lists are Backlog, In Progress, In Review,
                Completed; boards are Back end, Front end, Design; days are YYYY-MM-DD.
        """
        if not task_id or not field or not new_value:
            return "Task ID, field, or new value not provided."
        value = new_value.lower() if field == "assigned_to_email" else new_value
        if field == "board" and value not in BOARDS:
            return _BAD_BOARD
        if field == "list_name" and value not in LISTS:
            return _BAD_LIST
        if field == "assigned_to_email" and value not in self._team():
            return _BAD_ASSIGNEE
        found = self.tasks.find("task_id", task_id)
        if not found:
            return "Task not found."
        if field not in self.tasks.columns:
            return "Field not valid."
        self.tasks.set(found, column=field, value=value)
        return "Task updated successfully."

    def _team(self) -> set[str]:
        """Give everybody who holds a task now."""
        place = self.tasks.columns.index("assigned_to_email")
        return {cell.lower() for row in self.tasks.rows if isinstance(cell := row[place], str)}
