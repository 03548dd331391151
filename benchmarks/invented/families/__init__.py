"""The families by what they are about; the order is that of the table."""

from benchmarks.invented.families import (  # noqa: F401
    analytics,
    calendar,
    customers,
    email,
    mixed,
    projects,
)
from benchmarks.invented.registry import FAMILIES

__all__ = ["FAMILIES"]
