"""Around every command: what becomes of errors, interrupts and broken pipes."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

from playhead.cli._output import Output
from playhead.cli._text import clean, one_line
from playhead.errors import (
    AgentError,
    DecisionNeededError,
    MissingExtraError,
    ModelError,
    NodeError,
    PlayheadError,
    StoreError,
    TapeNotFoundError,
)

P = ParamSpec("P")
_LONGEST = 2000  # characters of an error

DONE, NEGATIVE, USAGE, WAITS, STORE, MODEL = range(6)
UNEXPECTED, INTERRUPTED, NOBODY_READS = 70, 130, 141

_CODES: tuple[tuple[type[PlayheadError], int], ...] = (
    (NodeError, NEGATIVE),
    (AgentError, USAGE),
    (MissingExtraError, USAGE),
    (DecisionNeededError, WAITS),
    (TapeNotFoundError, USAGE),
    (StoreError, STORE),
    (ModelError, MODEL),
)


class UsageFault(PlayheadError):
    """What was typed cannot be done."""

    code = "usage"


class InterruptFault(PlayheadError):
    """Somebody pressed Ctrl-C, or asked the process to end."""

    code = "interrupted"


class UnexpectedFault(PlayheadError):
    """A fault of Playhead itself, or of code that it ran."""

    code = "unexpected"


def exit_code_of(error: PlayheadError) -> int:
    """The exit code that an error leads to."""
    own = {UsageFault: USAGE, InterruptFault: INTERRUPTED, UnexpectedFault: UNEXPECTED}
    if type(error) in own:
        return own[type(error)]
    return next((code for kind, code in _CODES if isinstance(error, kind)), NEGATIVE)


def told(error: PlayheadError) -> str:
    """An error on one line."""
    return f"error: {error.code}: {one_line(error.message, _LONGEST)}"


def guarded(function: Callable[P, int]) -> Callable[P, None]:
    """A command that ends with the exit code that the function gives, whatever happens."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = _caught(function, *args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            code = NOBODY_READS
            _write_nowhere()
        raise typer.Exit(code)

    return command


def _caught(function: Callable[P, int], *args: P.args, **kwargs: P.kwargs) -> int:
    output = Output(as_json=kwargs.get("as_json") is True)
    try:
        return function(*args, **kwargs)
    except (BrokenPipeError, typer.Exit):
        raise
    except (Exception, KeyboardInterrupt) as error:
        fault = _fault(error)
        if kwargs.get("debug") is True:
            trace(output, error)
        output.message(told(fault), "bold red")
        if output.as_json:
            output.document({"error": {"code": fault.code, "message": fault.message}})
        return exit_code_of(fault)


def _fault(error: BaseException) -> PlayheadError:
    if isinstance(error, PlayheadError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return InterruptFault("stopped")
    return UnexpectedFault(f"{type(error).__name__}: {error} (--debug shows where)")


def trace(output: Output, error: BaseException) -> None:
    """Show where an error arose."""
    output.err.print(clean("".join(traceback.format_exception(error))), soft_wrap=True)


def _write_nowhere() -> None:
    """Keep the end of the process from complaining about the pipe once more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
