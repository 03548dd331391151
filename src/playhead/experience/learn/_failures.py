"""Sessions that went wrong: which experience each of them speaks against, and what it tells."""

from __future__ import annotations

from collections.abc import Sequence

from playhead.experience.checks import Case, case_of, mine
from playhead.experience.document import Experience, TraceReference
from playhead.experience.learn._group import RELATED, likeness
from playhead.experience.learn._trace import Example, Probe
from playhead.experience.learn._validate import replayed


def failures_of(
    members: Sequence[Example], failed: Sequence[Example], *, everything: bool = False
) -> list[Example]:
    """The failed traces that are of the same kind of task as some others.

    Args:
        members: The traces of a kind.
        failed: Failed traces.
        everything: They are all said to be of this kind.
    """
    if everything:
        return list(failed)
    found = []
    for one in failed:
        near = likeness([*members, one])
        if max(near[len(members), at] for at in range(len(members))) >= RELATED:
            found.append(one)
    return found


def checked(
    experience: Experience, members: Sequence[Example], failed: Sequence[Example]
) -> Experience:
    """The experience with the checks that its traces bear out, and with all traces as evidence."""
    cases = [_case(experience, each, good=True) for each in members]
    cases += [_case(experience, each, good=False) for each in failed]
    kept = {each.trace.id: "kept" for each in members}
    known = {each.tape: each for each in experience.evidence.traces}
    traces = [
        each.model_copy(update={"outcome": kept.get(each.tape, each.outcome)})
        for each in known.values()
    ]
    traces += [
        TraceReference(tape=each.trace.id, head=each.trace.head, outcome="failed")
        for each in failed
        if each.trace.id not in known
    ]
    evidence = experience.evidence.model_copy(update={"traces": tuple(traces)})
    return experience.model_copy(update={"checks": mine(experience, cases), "evidence": evidence})


def stopped(
    experience: Experience,
    members: Sequence[Example],
    failed: Sequence[Example],
    probe: Probe | None,
) -> bool:
    """Whether checks stop all that the experience would do as failed traces did."""
    checks = checked(experience, members, failed).checks
    told = {tape for check in checks for tape in check.contradicts}
    again = [each for each in failed if replayed(experience, each, probe) == "right"]
    return bool(again) and all(each.trace.id in told for each in again)


def _case(experience: Experience, example: Example, *, good: bool) -> Case:
    """A trace as checks see it: of a failed one all calls count, those after its last write too."""
    trace = example.trace
    return case_of(
        experience,
        trace=trace.id,
        task=trace.task,
        now=trace.now,
        calls=[*example.reads, *example.writes] if good else trace.calls,
        ended=trace.finished,
        good=good,
    )
