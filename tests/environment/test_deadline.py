"""Work that has so much time: what waits is stopped, what does not is not even timed."""

from __future__ import annotations

import asyncio

import pytest

from playhead.environment._deadline import LateError, in_time


class Thing(Exception):
    pass


async def now(value: object) -> object:
    if isinstance(value, Exception):
        raise value
    return value


async def later(value: object) -> object:
    for _ in range(3):
        await asyncio.sleep(0)
    return await now(value)


@pytest.mark.parametrize("work", [now, later])
async def test_the_outcome_is_that_of_the_work(work) -> None:
    assert await in_time(work(5), 10) == 5
    with pytest.raises(Thing):
        await in_time(work(Thing()), 10)
    with pytest.raises(TimeoutError):  # its own, and no sign that the time was up
        await in_time(work(TimeoutError()), 10)


async def test_something_else_than_a_coroutine_is_awaited_too() -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 7)
    assert await in_time(future, 10) == 7
    with pytest.raises(LateError):
        await in_time(asyncio.Event().wait(), 0.01)
    with pytest.raises(LateError):
        await in_time(asyncio.ensure_future(asyncio.Event().wait()), 0.01)


async def test_what_does_not_wait_sets_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    timers: list[float] = []
    call_at = loop.call_at

    def watched(when, *rest, **options):
        timers.append(when)
        return call_at(when, *rest, **options)

    monkeypatch.setattr(loop, "call_at", watched)
    assert await in_time(now(1), 10) == 1
    assert timers == []
    assert await in_time(later(1), 10) == 1
    assert len(timers) == 1


async def test_the_time_counts_from_the_beginning() -> None:
    loop = asyncio.get_running_loop()

    async def busy() -> None:
        until = loop.time() + 0.02
        while loop.time() < until:
            pass
        await asyncio.sleep(0)  # the time is up by now
        await asyncio.Event().wait()

    with pytest.raises(LateError):
        await in_time(busy(), 0.01)


async def test_what_waits_is_told_and_may_have_the_last_word() -> None:
    seen: list[str] = []

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        finally:
            seen.append("done")
        return "never"

    with pytest.raises(LateError):
        await in_time(stubborn(), 0.01)
    assert seen == ["cancelled", "done"]


async def test_cancelling_from_outside_is_passed_on() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(in_time(work(), 10))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_limits_within_limits() -> None:
    async def inner() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "the inner one"
        return "none"

    assert await in_time(inner(), 10) == "the inner one"

    async def group() -> int:
        async with asyncio.TaskGroup() as tasks:
            first, second = tasks.create_task(later(1)), tasks.create_task(later(2))
        return first.result() + second.result()

    assert await in_time(group(), 10) == 3

    async def endless() -> None:
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.Event().wait())

    with pytest.raises(LateError):
        await in_time(endless(), 0.01)


async def test_a_task_that_is_dropped_closes_the_work() -> None:
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    running = in_time(work(), 10)
    running.send(None)
    running.close()
    assert ended == [True]
