"""Checks in a process of its own, with limits of memory and time: for checks of strangers."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playhead.errors import ExperienceError
from playhead.tape import Json

_LENGTH = 4  # bytes before a message
_START = 60.0  # seconds in which a worker is ready
_LARGEST = 8_000_000  # bytes of a message
_UNLIMITED = (
    "the checks of this experience cannot be limited here ({why}): look them over, and if you "
    "trust them, say `limited=False`"
)


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What a check of a stranger may use.

    Args:
        memory: Bytes beyond what the engines need.
        seconds: Of a clock, after which the worker is killed.
    """

    memory: int = 128 * 2**20
    seconds: float = 2.0


class LimitedWorker:
    """Evaluates checks in a process that is killed, and started again, when it breaks a limit.

    Args:
        limits: What one check may use.
    """

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self.deaths = 0
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def fault(self, check: Mapping[str, Json], names: Sequence[str], value: Json) -> str | None:
        """Why a value does not fulfil a check; None if it does.

        Raises:
            ExperienceError: No process can be limited here.
        """
        return self._asked({"check": check, "names": list(names), "value": value})

    def refusal(self, check: Mapping[str, Json], names: Sequence[str]) -> str | None:
        """Why a check cannot be compiled; None if it can.

        Raises:
            ExperienceError: No process can be limited here.
        """
        return self._asked({"check": check, "names": list(names)})

    def close(self) -> None:
        """End the process; another one is started when it is needed."""
        with self._lock:
            self._end()

    def _asked(self, said: Mapping[str, object]) -> str | None:
        try:
            data = json.dumps(said, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            return "the value cannot be checked: it is no JSON"
        if len(data) > _LARGEST:
            return f"the value has more than {_LARGEST:,} bytes: too many to be checked"
        with self._lock:
            process = self._ready()
            try:
                answer = self._exchanged(process, data, self.limits.seconds)
            except BaseException:
                self._end()  # what it would say is the answer to something else
                raise
            if isinstance(answer, dict) and "fault" in answer:
                fault = answer["fault"]
                return None if fault is None else str(fault)
            self.deaths += 1
            self._end()
        if answer is _LATE:
            return f"it took longer than {self.limits.seconds:g} s, and was ended"
        return "it needed more memory or time than a check may have, and was ended"

    def _ready(self) -> subprocess.Popen[bytes]:
        """The process, started if there is none."""
        if self._process is not None and self._owner == os.getpid():
            if self._process.poll() is None:
                return self._process
            self._end()
        if os.name != "posix":
            raise ExperienceError(_UNLIMITED.format(why="this system has no limits of processes"))
        self._process, self._owner = _started(), os.getpid()
        # Whole seconds of a processor end it even if this process is gone meanwhile.
        limits = {"memory": self.limits.memory, "seconds": int(self.limits.seconds) + 1}
        said = self._exchanged(self._process, json.dumps(limits).encode(), _START)
        if not isinstance(said, dict) or "ready" not in said:
            why = said.get("refused") if isinstance(said, dict) else "its process does not start"
            self._end()
            raise ExperienceError(_UNLIMITED.format(why=why))
        return self._process

    def _exchanged(self, process: subprocess.Popen[bytes], data: bytes, seconds: float) -> object:
        """What the process answers; `_LATE` if not in time, None if it died."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(len(data).to_bytes(_LENGTH, "big") + data)
            process.stdin.flush()
        except OSError:
            return None
        until = time.monotonic() + seconds
        length = _read(process.stdout.fileno(), _LENGTH, until)
        if not isinstance(length, bytes):
            return length
        answer = _read(process.stdout.fileno(), int.from_bytes(length, "big"), until)
        return json.loads(answer) if isinstance(answer, bytes) else answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


_LATE = object()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "playhead.experience.checks._worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us
    )


def _read(file: int, count: int, until: float) -> object:
    """So many bytes; `_LATE` if they do not come in time, None if the other side is gone."""
    data = b""
    while len(data) < count:
        ready, _, _ = select.select([file], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return _LATE
        more = os.read(file, count - len(data))
        if not more:
            return None
        data += more
    return data


_shared: LimitedWorker | None = None


def shared_worker() -> LimitedWorker:
    """The worker that the experiences of this process share."""
    global _shared
    if _shared is None:
        _shared = LimitedWorker()
        atexit.register(_shared.close)
    return _shared
