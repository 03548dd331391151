"""Tools: typed Python functions with a schema and a declared effect."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, get_type_hints, overload

import docstring_parser
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticSerializationError, to_json

from playhead.errors import AgentError, JsonError
from playhead.llm import ToolSchema
from playhead.tape import Json, loads_strict
from playhead.tape.kinds import Effect, ToolErrorCode

Function = TypeVar("Function", bound=Callable[..., Any])

EFFECTS = ("read", "idempotent", "write", "irreversible")


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may ask for: declare a parameter of this type.

    Args:
        key: The same for every try of one call: give it to services as the idempotency key.
        tape: The tape's id.
        deps: The objects given to `run(deps=…)`.
    """

    key: str
    tape: str
    deps: Any = None


class ToolFailure(Exception):
    """A call that failed in a way the agent can react to.

    Args:
        code: One of the codes of `playhead.tool_error`.
        message: What the agent is told.
    """

    def __init__(self, code: ToolErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ToolErrorCode = code
        self.message = message


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
    """

    schema: ToolSchema
    effect: Effect
    call: Callable[[Json, ToolContext], Awaitable[object]]
    timeout: float = 120.0
    max_result: int = 1_000_000
    function: Callable[..., Any] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name a model calls it by."""
        return self.schema.name

    async def run(self, arguments: Json, context: ToolContext) -> Json:
        """Carry out a call; the result is JSON.

        Raises:
            ToolFailure: It failed; the failure says how.
        """
        try:
            async with asyncio.timeout(self.timeout) as deadline:
                result = await self.call(arguments, context)
        except ToolFailure:
            raise
        except TimeoutError as error:
            if not deadline.expired():
                raise ToolFailure("raised", _told(error)) from error
            raise ToolFailure(
                "timeout", f"{self.name} gave no answer within {self.timeout:g} s"
            ) from None
        except Exception as error:
            raise ToolFailure("raised", _told(error)) from error
        return self._as_json(result)

    def _as_json(self, result: object) -> Json:
        if isinstance(result, str) and len(result) * 4 <= self.max_result:
            return result
        try:
            data = to_json(result, inf_nan_mode="constants")
        except (PydanticSerializationError, UnicodeEncodeError, ValueError) as error:
            if isinstance(result, str):
                return result  # lone surrogates are escaped where the step is made
            raise ToolFailure(
                "bad_result", f"{self.name} returned what is no JSON: {error}"
            ) from None
        if len(data) > self.max_result:
            raise ToolFailure(
                "too_large",
                f"{self.name} returned {len(data):,} bytes, more than {self.max_result:,}. It "
                f"begins: {data[:500].decode('utf-8', 'replace')}",
            )
        try:
            return loads_strict(data)
        except JsonError as error:
            raise ToolFailure("bad_result", f"{self.name} returned {error}") from None


def _told(error: BaseException) -> str:
    """What the agent is told of an exception: no traceback, no more than it says."""
    text = str(error)[:2000]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


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
        timeout: Seconds until the agent is told that the tool hangs.
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
        AgentError: The effect is not one of the four, or a parameter has no type.
    """
    if isinstance(function, Tool):
        return function
    marked = getattr(function, "__playhead_tool__", None)
    if marked is not None:
        return cast(Tool, marked)
    if effect not in EFFECTS:
        raise AgentError(f"an effect is one of {', '.join(EFFECTS)}, not `{effect}`")
    label = name or function.__name__
    arguments, context = _arguments_model(function, label)
    docs = docstring_parser.parse(inspect.getdoc(function) or "")
    words = description or "\n\n".join(
        text for text in (docs.short_description, docs.long_description) if text
    )
    return Tool(
        schema=ToolSchema(label, words, _parameters(arguments)),
        effect=effect,
        call=_caller(function, arguments, context, thread=thread),
        timeout=timeout,
        max_result=max_result,
        function=function,
    )


def _arguments_model(
    function: Callable[..., Any], label: str
) -> tuple[type[BaseModel], str | None]:
    """A model of the parameters, and the name of the one that takes the context."""
    hints = get_type_hints(function, include_extras=True)
    docs = {
        p.arg_name: p.description for p in docstring_parser.parse(function.__doc__ or "").params
    }
    fields: dict[str, Any] = {}
    context: str | None = None
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise AgentError(f"tool `{label}`: name every parameter instead of `{parameter}`")
        hint = hints.get(parameter.name)
        if hint is None:
            raise AgentError(f"tool `{label}`: give the parameter `{parameter.name}` a type")
        if hint is ToolContext:
            context = parameter.name
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hint, Field(default, description=docs.get(parameter.name)))
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    return create_model(label, __config__=config, **fields), context


def _parameters(arguments: type[BaseModel]) -> dict[str, Json]:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    for member in schema.get("properties", {}).values():
        member.pop("title", None)
    return schema


def _caller(
    function: Callable[..., Any], arguments: type[BaseModel], context: str | None, *, thread: bool
) -> Callable[[Json, ToolContext], Awaitable[object]]:
    names = tuple(arguments.model_fields)
    is_async = inspect.iscoroutinefunction(function)

    async def call(raw: Json, tool_context: ToolContext) -> object:
        try:
            checked = arguments.model_validate(raw if raw is not None else {})
        except ValidationError as error:
            raise ToolFailure("bad_arguments", _told_validation(error)) from None
        values: dict[str, Any] = {name: getattr(checked, name) for name in names}
        if context is not None:
            values[context] = tool_context
        if is_async:
            return await function(**values)
        return await asyncio.to_thread(function, **values) if thread else function(**values)

    return call


def _told_validation(error: ValidationError) -> str:
    lines = [
        f"{'.'.join(map(str, fault['loc'])) or 'the arguments'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return "; ".join(lines)
