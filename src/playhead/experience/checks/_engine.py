"""Checks made ready to be asked, and what they say at a moment of a play."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from playhead.errors import ExperienceError, RunError
from playhead.experience.checks._facts import NAMES, Moment
from playhead.experience.checks._limited import LimitedWorker, shared_worker
from playhead.experience.document import Check
from playhead.govern import Check as Condition
from playhead.tape import Json

_Asked = Callable[[Json], str | None]  # why a value does not fulfil a condition; None if it does


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that does not hold.

    Args:
        check: The check.
        fault: Why, in the words of its engine.
    """

    check: Check
    fault: str

    @property
    def why(self) -> str:
        """Why, with the check's own message first."""
        return f"{self.check.message} ({self.fault})" if self.check.message else self.fault


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks say at a moment.

    Args:
        passed: Those that hold.
        failed: Those that do not, or of which that cannot be found out.
        words: Those that a model has to judge.
    """

    passed: tuple[Check, ...] = ()
    failed: tuple[FailedCheck, ...] = ()
    words: tuple[Check, ...] = ()


class CheckEngine:
    """The checks of an experience, compiled. Only a clean yes passes.

    Args:
        checks: The checks.
        limited: Evaluate them in a process with limits of memory and time. Switch that off only
            for checks that you wrote or read yourself: CEL has no limit of memory.
        worker: That process; one that all experiences of this process share if not given.

    Raises:
        ExperienceError: A check cannot be compiled, two have one id, or no process can be limited.
        MissingExtraError: The extra `checks` is not installed.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        limited: bool = True,
        worker: LimitedWorker | None = None,
    ) -> None:
        ids = [check.id for check in checks]
        if twice := next((name for name in ids if ids.count(name) > 1), None):
            raise ExperienceError(f"two checks are called `{twice}`: rename one")
        self.checks = tuple(checks)
        self._asked: dict[str, _Asked] = {}
        for check in checks:
            if (condition := condition_of(check)) is not None:
                self._asked[check.id] = _ready(check, condition, limited=limited, worker=worker)

    def judge(self, moment: Moment) -> Verdict:
        """What the checks of a moment say."""
        due = [check for check in self.checks if is_due(check, moment)]
        facts: Json = moment.facts() if due else None
        passed: list[Check] = []
        failed: list[FailedCheck] = []
        for check in due:
            if (asked := self._asked.get(check.id)) is None:
                continue
            if (fault := asked(facts)) is None:
                passed.append(check)
            else:
                failed.append(FailedCheck(check, fault))
        words = tuple(check for check in due if check.id not in self._asked)
        return Verdict(tuple(passed), tuple(failed), words)


def is_due(check: Check, moment: Moment) -> bool:
    """Whether a check is about a moment: `always`, `write`, `end`, or a state that makes a call."""
    if check.at == "always":
        return True
    if check.at in ("write", "end"):
        return moment.at == check.at
    return moment.call is not None and moment.call.state == check.at


def condition_of(check: Check) -> dict[str, Json] | None:
    """The condition as `playhead.govern.Check.of` takes it; None if it is in words."""
    condition: dict[str, Json] = check.check.model_dump(by_alias=True)
    return None if "words" in condition else condition


def _ready(
    check: Check, condition: Mapping[str, Json], *, limited: bool, worker: LimitedWorker | None
) -> _Asked:
    """A function that asks the check.

    Raises:
        ExperienceError: It cannot be compiled.
    """
    if not limited:
        try:
            return Condition.of(condition, NAMES).fault
        except RunError as error:
            raise _refused(check, error.message) from None
    worker = worker or shared_worker()
    if (fault := worker.refusal(condition, NAMES)) is not None:
        raise _refused(check, fault)
    return lambda facts: worker.fault(condition, NAMES, facts)


def _refused(check: Check, fault: str) -> ExperienceError:
    return ExperienceError(f"the check `{check.id}` cannot be used: {fault}", check=check.id)
