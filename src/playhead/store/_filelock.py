"""A lock between processes, on a file of its own.

SQLite 3.7.0 to 3.51.2 (but for 3.44.6+ and 3.50.7+ of their lines) can lose commits when two
connections write and checkpoint together. All our writes and checkpoints happen under this lock,
and SQLite's own automatic checkpoints are off, so that the fault cannot occur in any build.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # pragma: no cover  (Windows)
    fcntl = None  # type: ignore[assignment]


class FileLock:
    """An exclusive lock; blocks until it is free. Use as a context manager.

    Raises:
        OSError: The file cannot be opened or locked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = self._opened()

    def _opened(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        self._acquire()
        while not self._is_current():  # somebody removed the file: others lock a new one
            fd = self._opened()
            os.close(self._fd)
            self._fd = fd
            self._acquire()

    def try_acquire(self, *, look: bool = True) -> bool:
        """Take the lock if it is free; `release` gives it back.

        Args:
            look: Make sure that the file is still the one that others lock.
        """
        if fcntl is None:  # pragma: no cover  (Windows)
            return False
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not look or self._is_current():
            return True
        self.release()
        return False

    def _acquire(self) -> None:
        if fcntl is not None:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        else:  # pragma: no cover  (Windows)
            import msvcrt

            msvcrt.locking(self._fd, msvcrt.LK_LOCK, 1)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self._path))
        except FileNotFoundError:
            return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back."""
        if fcntl is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        else:  # pragma: no cover  (Windows)
            import msvcrt

            msvcrt.locking(self._fd, msvcrt.LK_UNLCK, 1)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
