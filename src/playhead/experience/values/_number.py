"""Numbers, and what is raised where there is no value."""

from __future__ import annotations

from typing import Any


class Absent(Exception):
    """There is no value."""


class Unclear(Exception):
    """There is more than one value, or none can be told."""


def number(value: Any) -> float | int:  # noqa: ANN401
    """A number, or a text that is one."""
    if isinstance(value, bool):
        raise Absent
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) < 40:
        try:
            return int(value) if value.lstrip("-").isdigit() else float(value)
        except ValueError:
            raise Absent from None
    raise Absent
