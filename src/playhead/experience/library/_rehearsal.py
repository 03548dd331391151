"""Whether an experience works here: it is played in fresh environments, with all effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playhead.environment import Environment
from playhead.errors import ExperienceError, LibraryError, PlayheadError
from playhead.experience.checks import Moment as CheckMoment
from playhead.experience.checks import SeenCall, case_of_tape, is_due
from playhead.experience.document import Experience
from playhead.experience.library._verify import Trial, Verification
from playhead.experience.play import Limits, Played, play
from playhead.store import MemoryStore
from playhead.tape import Json, Tape, canonical
from playhead.tape.kinds import Checked

Writes = list[dict[str, Json]]
_MOST_TASKS = 50


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A task that was played in a fresh environment.

    Args:
        task: Its text.
        session: The session that did it well; None for an example of the document itself.
        ended: Whether it was right.
        reason: What was wrong, or why nobody can tell.
        writes: What it wrote: `tool` and `arguments`.
    """

    task: str
    session: str | None
    ended: Trial
    reason: str = ""
    writes: tuple[dict[str, Json], ...] = ()


async def rehearse(
    experience: Experience,
    make: Callable[[], Environment],
    *,
    sessions: Sequence[Tape] = (),
    now: str | None = None,
    limits: Limits | None = None,
) -> list[Rehearsal]:
    """Play an experience in fresh environments, and compare what it writes.

    The task of a session has to end with the session's writes, each as often. Without sessions,
    the document's own examples are played: what is written must be what a dry run in another fresh
    environment announced, and a postcondition must hold. An example says only what its author
    thinks, so look at the writes.

    Args:
        experience: The document.
        make: Makes a fresh environment, whose effects harm nobody.
        sessions: Sessions that did such a task well; the document's examples if there are none.
        now: The clock of the tasks; that of each session, or this machine's, if not given.
        limits: What the plays may use.

    Raises:
        LibraryError: There is nothing to play, or the environment is not made anew.
    """
    _check_fresh(make)
    stage = _Stage(experience, make, limits)
    if sessions:
        return [await _as_session(stage, tape, now) for tape in sessions]
    tasks = experience.scope.examples[:_MOST_TASKS]
    if not tasks:
        raise LibraryError(
            "the experience has no example tasks: name sessions of yours that did such a task well"
        )
    return [await _as_announced(stage, task, now) for task in tasks]


def verified(rehearsals: Sequence[Rehearsal]) -> Verification:
    """What rehearsals came to, as trust takes it."""
    counts = Counter(each.ended for each in rehearsals)
    faults = tuple(
        f"{each.task[:80]!r}: {each.reason}" for each in rehearsals if each.ended != "right"
    )
    return Verification(counts["right"], counts["wrong"], counts["refused"], faults[:20])


def _check_fresh(make: Callable[[], Environment]) -> None:
    one, other = make(), make()
    if not isinstance(one, Environment):
        raise LibraryError("`make` makes an environment: give a function or a class")
    if one is other and one.state_contract == "external":
        raise LibraryError(
            "it is the same environment each time, so that effects of a trial would stay: give a "
            "function that makes a fresh one"
        )


@dataclass(frozen=True, slots=True)
class _Stage:
    experience: Experience
    make: Callable[[], Environment]
    limits: Limits | None

    async def played(self, task: str, now: str | None, *, dry: bool = False) -> Played:
        """A play in an environment of its own."""
        environment = self.make()
        await environment.open()
        try:
            await environment.reset(task)
            given: dict[str, Any] = {"environment": environment, "store": MemoryStore()}
            return await play(self.experience, task, now=now, dry=dry, limits=self.limits, **given)
        finally:
            await environment.close()


async def _as_session(stage: _Stage, tape: Tape, now: str | None) -> Rehearsal:
    """Play the task of a session: it has to make the session's writes."""
    try:
        case = case_of_tape(stage.experience, tape)
    except ExperienceError as error:
        raise LibraryError(f"nothing can be played: {error.message}") from None
    wanted: Writes = [
        {"tool": call.tool, "arguments": call.arguments}
        for call in case.calls
        if call.writes and call.error is None
    ]
    try:
        done = await stage.played(case.task, now or case.now)
    except PlayheadError as error:
        return Rehearsal(case.task, tape.id, "wrong", error.message)
    made = _writes(stage.experience, done)
    ended, why = _ended(stage.experience, done)
    if ended == "right" and (fault := _difference(made, wanted)) is not None:
        ended, why = "wrong", fault
    return Rehearsal(case.task, tape.id, ended, why, tuple(made))


async def _as_announced(stage: _Stage, task: str, now: str | None) -> Rehearsal:
    """Play an example: it has to do what a dry run says, and a postcondition has to hold."""
    try:
        would = (await stage.played(task, now, dry=True)).would
        done = await stage.played(task, now)
    except PlayheadError as error:
        return Rehearsal(task, None, "wrong", error.message)
    made = _writes(stage.experience, done)
    ended, why = _ended(stage.experience, done)
    if ended == "right":
        ended, why = _borne_out(stage.experience, done, made, would)
    return Rehearsal(task, None, ended, why, tuple(made))


def _ended(experience: Experience, done: Played) -> tuple[Trial, str]:
    """How a play ended: a refusal before the first write is no fault, one after it is."""
    if done.outcome in ("done", "nothing"):
        return "right", ""
    why = done.why or f"it ended as `{done.outcome}`"
    tried = sum(call.writes for call in case_of_tape(experience, done.tape).calls)
    return ("wrong", f"it stopped after {tried} writes: {why}") if tried else ("refused", why)


def _borne_out(
    experience: Experience, done: Played, made: Writes, would: Json
) -> tuple[Trial, str]:
    known = would if isinstance(would, dict) else {}
    announced = known.get("writes")
    told: Writes = [
        {"tool": each["tool"], "arguments": each["arguments"]}
        for each in (announced if isinstance(announced, list) else [])
        if isinstance(each, dict)
    ]
    certain = not known.get("refused")  # else what follows from a write's result is not announced
    if (fault := _difference(made if certain else made[: len(told)], told)) is not None:
        return "wrong", f"a dry run announced other writes: {fault}"
    if not made:
        return "refused", "it wrote nothing, and no session says that this is right"
    if not _postconditions(experience, done):
        return "refused", "it has no postcondition: nothing but a session says what is right"
    return "right", ""


def _postconditions(experience: Experience, done: Played) -> bool:
    """Whether a postcondition was asked at the end of a play, and held."""
    end = CheckMoment("", {}, None)
    due = {
        check.id
        for check in experience.checks
        if check.kind == "postcondition" and is_due(check, end)
    }
    held = {
        name
        for step in done.tape
        if isinstance(step.body, Checked) and step.body.at == "end"
        for name in step.body.passed
    }
    return bool(due & held)


def _writes(experience: Experience, done: Played) -> Writes:
    calls: Sequence[SeenCall] = case_of_tape(experience, done.tape).calls
    return [
        {"tool": call.tool, "arguments": call.arguments}
        for call in calls
        if call.writes and call.error is None
    ]


def _difference(made: Writes, wanted: Writes) -> str | None:
    """The first write that is missing or too many."""
    did, had = (Counter(map(_key, each)) for each in (made, wanted))
    if more := list((did - had).elements()):
        return f"it made the call {more[0][:200]}"
    if less := list((had - did).elements()):
        return f"it did not make the call {less[0][:200]}"
    return None


def _key(call: dict[str, Json]) -> str:
    return f"{call['tool']} {canonical(call['arguments']).decode()}"
