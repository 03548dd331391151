"""Threads for tools that are not async.

A tool that hangs keeps its thread, and nothing else: others get threads of their own, and the
process can end (asyncio's own threads are few, and are waited for at the end of the loop).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class _Job:
    function: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


_Jobs: TypeAlias = "SimpleQueue[_Job]"
_idle: list[_Jobs] = []  # of the threads that have nothing to do
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a child inherits no threads


async def in_thread(function: Callable[..., Any], /, **arguments: object) -> Any:  # noqa: ANN401
    """Call a function in a thread of its own, with the context variables of the caller.

    Cancelling gives up waiting; the function itself cannot be stopped.
    """
    loop = asyncio.get_running_loop()
    run = partial(contextvars.copy_context().run, function, **arguments)
    job = _Job(run, loop, loop.create_future())
    try:
        jobs = _idle.pop()
    except IndexError:
        jobs = SimpleQueue()
        threading.Thread(target=_work, args=(jobs,), name="playhead-tool", daemon=True).start()
    jobs.put(job)
    return await job.future


def _work(jobs: _Jobs) -> None:
    while True:
        _do(jobs.get(), jobs)


def _do(job: _Job, jobs: _Jobs) -> None:
    value: object = None
    error: BaseException | None = None
    try:
        value = job.function()
    except StopIteration as stop:  # no future takes one
        error = RuntimeError(f"the function raised StopIteration: {stop}")
    except BaseException as raised:
        error = raised
    _idle.append(jobs)
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        job.loop.call_soon_threadsafe(_settle, job.future, value, error)


def _settle(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():  # cancelled meanwhile
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)
