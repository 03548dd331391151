"""Whether a session has a guard. What a guard does is imported only where there is one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from playhead.errors import RunError
from playhead.tape import Tape
from playhead.tape.kinds import Run

if TYPE_CHECKING:
    from playhead.govern import Guard, Shield
    from playhead.orchestrator._privacy import Privacy

P = ParamSpec("P")
T = TypeVar("T")
SHIELD: ContextVar[Shield | None] = ContextVar("SHIELD", default=None)  # of this call
_FIRST = 6  # entries among which the first run of a tape is noted


def guarded(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let no error leave a function that was given `privacy=` while a value is in its words."""

    @wraps(function)
    async def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        guard = kwargs.get("privacy")
        if guard is None:
            return await function(*args, **kwargs)
        guard = _checked(guard)
        shield = guard.shield()
        before = SHIELD.set(shield)
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            fault = shield.error(error)
            if fault is error:
                raise
        finally:
            SHIELD.reset(before)
        raise fault  # outside the handler, so that no context holds the other one

    return inner


def vault_of(tape: Tape) -> str | None:
    """The id of the vault in which the tape's placeholders stand; None if it was begun without."""
    for step in tape.range(0, min(_FIRST, len(tape))):
        body = step.body if step.kind == Run.kind else None
        if isinstance(body, Run) and isinstance(body.environment, dict):
            privacy = body.environment.get("privacy")
            return str(privacy["vault"]) if isinstance(privacy, dict) else None
    return None


def _checked(guard: object) -> Guard:
    from playhead.govern import Guard

    if not isinstance(guard, Guard):
        raise RunError(f"`privacy` is a Guard, not a {type(guard).__name__}")
    return guard


def privacy_of(guard: Guard | None, tape: Tape) -> Privacy | None:
    """The privacy of a session; None if it has none.

    Raises:
        RunError: The tape holds placeholders, and there is no guard, or one of another vault.
    """
    vault = vault_of(tape)
    if guard is None:
        if vault is not None:
            raise RunError(
                f"tape `{tape.id}` holds placeholders of the vault `{vault}`: pass `privacy=` "
                "with a guard on it, or `--vault`, or values would be written beside them"
            )
        return None
    guard = _checked(guard)
    if vault is not None and vault != guard.vault.id:
        raise RunError(
            f"the placeholders of tape `{tape.id}` stand in the vault `{vault}`, this guard "
            f"has `{guard.vault.id}`: open that one"
        )
    from playhead.orchestrator._privacy import Privacy

    return Privacy(guard, tape)
