"""Scorers at work on a trial that was run; none of them can stop an evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from playhead.evaluate._scorer import Judgement, Scorer
from playhead.evaluate._trial import TrialRun
from playhead.evaluate.running._fault import fault_of
from playhead.tape import By, Draft
from playhead.tape.annotations import Score, Target

Scored = tuple[By, Score]


async def scored(
    run: TrialRun, scorers: Iterable[Scorer], *, target: Target | None, failed: bool
) -> list[Scored]:
    """The scores of a trial, in the order of the scorers.

    Args:
        run: The trial.
        scorers: Who judges.
        target: What they judge; None if there is no tape.
        failed: Whether the session ended in an error: then only scorers that judge errors look.
    """
    found: list[Scored] = []
    for scorer in scorers:
        if failed and not scorer.judges_errors:
            comment = "the session ended in an error"
            score = Score(name=scorer.name, value=0.0, passed=False, comment=comment)
        else:
            score = await _judged(run, scorer)
        found.append((scorer.by, score.model_copy(update={"target": target})))
    return found


def unscorable(scorers: Iterable[Scorer], why: str) -> list[Scored]:
    """Scores that say why there is no judgement."""
    return [(scorer.by, Score(name=scorer.name, error=why)) for scorer in scorers]


async def _judged(run: TrialRun, scorer: Scorer) -> Score:
    try:
        async with asyncio.timeout(scorer.timeout) as deadline:
            said = await scorer.score(run)
        if not isinstance(said, Judgement):
            raise TypeError(f"a scorer gives a `Judgement`, not a {type(said).__name__}")
        score = Score(
            name=scorer.name,
            value=said.value,
            passed=said.passed,
            version=scorer.version,
            comment=said.comment,
            detail=said.detail,
            evidence=said.evidence,
        )
        run.tape.seal([Draft(score, by=scorer.by)])  # or it would be found out too late
    except (Exception, SystemExit) as error:
        late = isinstance(error, TimeoutError) and deadline.expired()
        why = f"it gave no judgement within {scorer.timeout:g} s" if late else fault_of(error)
        return Score(name=scorer.name, version=scorer.version, error=why)
    return score
