"""Reads in a fresh environment, for code that is not async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from playhead.environment import Environment, ToolContext, ToolFailure, ToolOutput
from playhead.errors import ExperienceError
from playhead.experience.checks import result_value
from playhead.experience.learn._trace import ToolSpec, tool_spec
from playhead.experience.routine import call_key
from playhead.tape import Json, new_id

T = TypeVar("T")


class Probing:
    """An environment of its own, of which only reads are asked; each is asked once.

    Args:
        make: Makes a fresh environment.
    """

    def __init__(self, make: Callable[[], Environment]) -> None:
        self._environment = make()
        if not isinstance(self._environment, Environment):
            raise ExperienceError("`environment` makes an environment: give a function or a class")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._known: dict[str, Any] = {}
        self.tools: dict[str, ToolSpec] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._wait(self._environment.open())
            self._wait(self._environment.reset())
            self.tools = {tool.name: tool_spec(tool) for tool in self._environment.tools()}
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._wait(self._environment.close())
        finally:
            self._stop()

    def read(self, name: str, arguments: Mapping[str, Json]) -> Any:  # noqa: ANN401
        """What a read gives.

        Raises:
            LookupError: It fails, or the tool is no read.
        """
        key = call_key(name, arguments)
        if key not in self._known:
            self._known[key] = self._wait(self._made(name, dict(arguments)))
        if isinstance(self._known[key], ToolFailure):
            raise LookupError(name)
        return self._known[key]

    async def _made(self, name: str, arguments: dict[str, Json]) -> Any:  # noqa: ANN401
        tool = next((t for t in self._environment.tools() if t.name == name), None)
        if tool is None or tool.effect != "read":
            return ToolFailure("unknown_tool", name)
        try:
            result = await tool.run(arguments, ToolContext(key=new_id(), tape=""))
        except ToolFailure as failure:
            return failure
        return result_value(result.result if isinstance(result, ToolOutput) else result)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
