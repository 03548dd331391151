"""The calendar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from playhead.office._dates import read_date
from playhead.office._rows import look_up, remove
from playhead.office._tables import Cell, JsonValue, Record, Table
from playhead.office._tools import Effect

EVENT_COLUMNS = ("event_id", "event_name", "participant_email", "event_start", "duration")
_SHOWN = 5


class Calendar:
    """The tools on the table of events."""

    name: ClassVar[str] = "calendar"
    effects: ClassVar[Mapping[str, Effect]] = {
        "create_event": "write",
        "delete_event": "irreversible",
        "update_event": "idempotent",
        "get_event_information_by_id": "read",
        "search_events": "read",
    }

    def __init__(self, events: Table) -> None:
        self.events = events

    def get_event_information_by_id(
        self, *, event_id: str | None = None, field: str | None = None
    ) -> Record | str:
        """Read one field of one calendar event.

        Args:
            event_id: Id of the event: 8 digits, as found by a search.
            field: The field to read, one of event_id, event_name, participant_email, event_start,
                duration.
        """
        return look_up(self.events, key="event_id", kind="Event", row_id=event_id, field=field)

    def search_events(
        self, *, query: str = "", time_min: str | None = None, time_max: str | None = None
    ) -> list[JsonValue] | str:
        """Search the calendar by text and start time; returns the first five events found.

        Args:
            query: Text to look for in the event name and the participant's address, case ignored.
                It is a regular expression. Leave it empty to match every event.
            time_min: Earliest start, inclusive: YYYY-MM-DD HH:MM:SS.
            time_max: Latest start, inclusive: YYYY-MM-DD HH:MM:SS. A day alone means its midnight,
                which leaves out the events of that day.
        """
        found = self._with_text(query)
        # A bound is read only where a row is compared with it, so that an unreadable one goes
        # unnoticed when nothing is left to filter.
        if time_min:
            found = [at for at in found if (t := self._start(at)) and t >= read_date(time_min)]
        if time_max:
            found = [at for at in found if (t := self._start(at)) and t <= read_date(time_max)]
        return self.events.records(found[:_SHOWN]) or "No events found."

    def create_event(
        self,
        *,
        event_name: str | None = None,
        participant_email: str | None = None,
        event_start: str | None = None,
        duration: str | None = None,
    ) -> str:
        """Put a new event into the calendar; returns its id.

        The participant gets no mail. Overlaps are not checked: search first.

        Args:
            event_name: Title of the event.
            participant_email: Address of the other participant.
            event_start: Start: YYYY-MM-DD HH:MM:SS.
            duration: Length in minutes, such as 30.
        """
        if not event_name:
            return "Event name not provided."
        if not participant_email:
            return "Participant email not provided."
        if not event_start:
            return "Event start not provided."
        if not duration:
            return "Event duration not provided."
        event_id = f"{self.events.next_number('event_id'):08d}"
        values: dict[str, Cell] = {
            "event_id": event_id,
            "event_name": event_name,
            "participant_email": participant_email.lower(),
            "event_start": event_start,
            "duration": duration,
        }
        self.events.append(values, label=0)
        return event_id

    def delete_event(self, *, event_id: str | None = None) -> str:
        """Delete an event from the calendar for good.

        Args:
            event_id: Id of the event: 8 digits, as found by a search.
        """
        return remove(self.events, key="event_id", kind="Event", row_id=event_id)

    def update_event(
        self, *, event_id: str | None = None, field: str | None = None, new_value: str | None = None
    ) -> str:
        """Change one field of a calendar event.

        Args:
            event_id: Id of the event: 8 digits, as found by a search.
            field: The field to change, one of event_name, participant_email, event_start, duration.
            new_value: What the field holds from now on, in the format of that field.
        """
        if not event_id or not field or not new_value:
            return "Event ID, field, or new value not provided."
        found = self.events.find("event_id", event_id)
        if not found:
            return "Event not found."
        value = new_value.lower() if field == "participant_email" else new_value
        self.events.set(found, column=field, value=value)
        return "Event updated successfully."

    def _with_text(self, query: str) -> list[int]:
        expression = re.compile(query, re.IGNORECASE)
        cells = (self._texts(at) for at in range(len(self.events)))
        return [at for at, texts in enumerate(cells) if any(map(expression.search, texts))]

    def _texts(self, at: int) -> list[str]:
        cells = (self.events.cell(at, name) for name in ("event_name", "participant_email"))
        return [cell for cell in cells if isinstance(cell, str)]

    def _start(self, at: int) -> datetime | None:
        start = self.events.cell(at, "event_start")
        return None if start is None else read_date(start)
