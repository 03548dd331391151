"""Twins of `run`, `resume`, `replay` and `fork` for code that is not async."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from playhead.orchestrator._replay import replay
from playhead.orchestrator._run import fork, resume, run

P = ParamSpec("P")
T = TypeVar("T")


def _twin(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    @wraps(function)
    def twin(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(function(*args, **kwargs))

    twin.__name__ = twin.__qualname__ = f"{function.__name__}_sync"
    return twin


run_sync = _twin(run)
resume_sync = _twin(resume)
replay_sync = _twin(replay)
fork_sync = _twin(fork)
