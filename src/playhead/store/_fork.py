"""What SQLite demands of a process that forks: no connection may be open meanwhile.

A connection carried into a child, or even a new one made there beside an inherited one, relies on
file locks that the child does not have; commits could be lost. So stores close their connections
before a fork, and open new ones afterwards, in the parent and in the child.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something that takes part in a fork."""

    def before_fork(self) -> None:
        """Come to rest: no transaction, no connection."""

    def after_fork(self, *, child: bool) -> None:
        """Go on, in the parent or in the child."""


_live: weakref.WeakSet[Forkable] = weakref.WeakSet()
_resting: list[Forkable] = []


def take_part(item: Forkable) -> None:
    """Call an object's hooks at every fork from now on."""
    _live.add(item)


def _before() -> None:
    for item in list(_live):
        with contextlib.suppress(Exception):  # the child then refuses to use it
            item.before_fork()
            _resting.append(item)


def _after(*, child: bool) -> None:
    items = list(_resting)
    _resting.clear()
    for item in items:
        item.after_fork(child=child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(child=False),
        after_in_child=lambda: _after(child=True),
    )
