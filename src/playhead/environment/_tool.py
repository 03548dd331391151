"""Tools: typed Python functions with a schema and a declared effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, overload

from pydantic_core import to_json

from playhead.environment._context import OutcomeUnknown, ToolContext, ToolFailure, ToolOutput
from playhead.environment._deadline import LateError, in_time
from playhead.environment._signature import read_signature
from playhead.errors import CUT, AgentError, JsonError, told
from playhead.llm import ToolSchema
from playhead.tape import Json, loads_strict
from playhead.tape.kinds import Effect

Function = TypeVar("Function", bound=Callable[..., Any])

EFFECTS = ("read", "idempotent", "write", "irreversible")


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """Something an agent can ask for.

    Args:
        schema: Name, description and parameters, as a model is told.
        effect: `read` changes nothing; `idempotent` may be repeated with the same key; `write` and
            `irreversible` must not.
        call: Carries out the call; gets the arguments as they came.
        timeout: Seconds until the agent is told that the tool hangs.
        max_result: Bytes of JSON that a result may have.
        origin: Who defines it, if not the code of this process. A tape that goes on is refused if
            they have changed its schema since.
        placeholders: A guard gives it placeholders, never the values that they stand for.
    """

    schema: ToolSchema
    effect: Effect
    call: Callable[[Json, ToolContext], Awaitable[object]]
    timeout: float = 120.0
    max_result: int = 1_000_000
    function: Callable[..., Any] | None = field(default=None, repr=False)
    origin: str | None = None
    placeholders: bool = False

    @property
    def name(self) -> str:
        """The name a model calls it by."""
        return self.schema.name

    async def run(self, arguments: Json, context: ToolContext) -> Json | ToolOutput:
        """Carry out a call; the result is JSON, if the tool gives nothing beside it.

        Raises:
            ToolFailure: It failed; the failure says how.
            OutcomeUnknown: It may or may not have been carried out.
        """
        try:
            result = await in_time(self.call(arguments, context), self.timeout)
        except (OutcomeUnknown, ToolFailure, KeyboardInterrupt, GeneratorExit):
            raise
        except LateError:
            raise ToolFailure("timeout", self._late()) from None
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise ToolFailure("raised", told(error)) from error  # the tool's own, nobody cancelled
        except BaseException as error:  # also `SystemExit`: a tool does not end the session
            raise ToolFailure("raised", told(error)) from error
        if isinstance(result, ToolOutput):
            return ToolOutput(self._as_json(result.result), tuple(result.parts))
        return self._as_json(result)

    def _late(self) -> str:
        late = f"{self.name} gave no answer within {self.timeout:g} s"
        return late if self.effect == "read" else f"{late}; it may have been done all the same"

    def _as_json(self, result: object) -> Json:
        if isinstance(result, str) and len(result) * 4 <= self.max_result:
            return result
        try:
            data = to_json(result, inf_nan_mode="constants")
        except Exception as error:
            if not isinstance(result, str):
                raise ToolFailure(
                    "bad_result", f"{self.name} returned what is no JSON: {told(error)}"
                ) from None
            data = result.encode("utf-8", "backslashreplace")
        if len(data) > self.max_result:
            raise ToolFailure(
                "too_large",
                f"{self.name} returned {len(data):,} bytes, more than {self.max_result:,}. It "
                f"begins: {data[:500].decode('utf-8', 'replace')}{CUT}",
            )
        if isinstance(result, str):
            return result  # a lone surrogate is escaped where the observation is made
        try:
            return loads_strict(data)
        except JsonError as error:
            raise ToolFailure("bad_result", f"{self.name} returned {error}") from None


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(
    *,
    effect: Effect = "write",
    name: str | None = None,
    description: str | None = None,
    timeout: float = 120.0,
    max_result: int = 1_000_000,
    thread: bool = True,
) -> Callable[[Function], Function]: ...
def tool(
    function: Function | None = None,
    /,
    *,
    effect: Effect = "write",
    name: str | None = None,
    description: str | None = None,
    timeout: float = 120.0,
    max_result: int = 1_000_000,
    thread: bool = True,
) -> Function | Callable[[Function], Function]:
    """Make a function a tool; it stays callable as before.

    Args:
        function: A typed function, async or not; its docstring describes it and its parameters.
        effect: What calling it does to the world. Without a word it counts as `write`.
        name: Another name than the function's.
        description: Another description than the docstring's.
        timeout: Seconds until the agent is told that the tool hangs. A function that is not async
            cannot be stopped: its thread goes on.
        max_result: Bytes of JSON that a result may have.
        thread: Run a function that is not async in a thread; switch off for what returns at once.
    """
    if function is not None:
        return tool()(function)

    def mark(marked: Function) -> Function:
        made = as_tool(
            marked,
            effect=effect,
            name=name,
            description=description,
            timeout=timeout,
            max_result=max_result,
            thread=thread,
        )
        marked.__playhead_tool__ = made  # type: ignore[attr-defined]
        return marked

    return mark


def as_tool(
    function: Callable[..., Any] | Tool,
    *,
    effect: Effect = "write",
    name: str | None = None,
    description: str | None = None,
    timeout: float = 120.0,
    max_result: int = 1_000_000,
    thread: bool = True,
) -> Tool:
    """The tool of a function, marked with `tool` or not.

    Raises:
        AgentError: The effect is not one of the four, the function has no name, or a parameter no
            type.
    """
    if isinstance(function, Tool):
        return function
    marked = getattr(function, "__playhead_tool__", None)
    if marked is not None:
        return cast(Tool, marked)
    if effect not in EFFECTS:
        raise AgentError(f"an effect is one of {', '.join(EFFECTS)}, not `{effect}`")
    label = name or getattr(function, "__name__", "")
    if not callable(function) or not label or label == "<lambda>":
        raise AgentError(f"`{function!r}` is no named function: pass one, or `name=` to `as_tool`")
    signature = read_signature(function, label, thread=thread)
    return Tool(
        schema=ToolSchema(label, description or signature.description, signature.parameters),
        effect=effect,
        call=signature.call,
        timeout=timeout,
        max_result=max_result,
        function=function,
    )
