"""Who holds a lease, and whether that process is certainly gone."""

from __future__ import annotations

import os
import socket
import time
from functools import cache
from pathlib import Path

from playhead.tape import new_id


def new_owner() -> str:
    """An owner's name: `place|pid|start|unique`."""
    return f"{_place()}|{os.getpid()}|{_start(os.getpid()) or ''}|{new_id()[-12:]}"


def is_gone(owner: str) -> bool:
    """Whether the owner's process has certainly ended: same machine, same boot, no such process.

    An owner elsewhere is never called gone; its lease has to run out.
    """
    place, pid, start, _ = owner.split("|")
    if place != _place() or not start:
        return False
    return _start(int(pid)) != start


@cache
def _place() -> str:
    """The machine, its boot and the process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}/{os.getpid()}/{time.time_ns()}"


def _start(pid: int) -> str | None:
    """When the process began, in clock ticks since boot; None if there is none, or it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
