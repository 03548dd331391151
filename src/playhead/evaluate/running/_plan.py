"""What an evaluation consists of, and what of it is still to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from playhead.agent import Agent
from playhead.errors import EvaluationError
from playhead.evaluate._results import EvaluationResult, TrialResult
from playhead.evaluate._suite import Suite
from playhead.evaluate._trial import Candidate
from playhead.evaluate.perturb import describe, perturbations_of
from playhead.evaluate.running._one import Assignment
from playhead.tape import Json, Tape, digest, new_id
from playhead.tape import annotations as said
from playhead.tape.annotations import Evaluation, TrialEnd, TrialStart

Key = tuple[str, str, int]


def named(candidates: Sequence[Agent | Candidate]) -> dict[str, Candidate]:
    """Candidates by name.

    Raises:
        EvaluationError: There is none, or two have one name.
    """
    found: dict[str, Candidate] = {}
    for each in map(Candidate.of, candidates):
        if each.name in found:
            raise EvaluationError(f"two candidates are called `{each.name}`: rename one")
        found[each.name] = each
    if not found:
        raise EvaluationError("there is nobody to evaluate: give at least one candidate")
    return found


def configs(candidates: Mapping[str, Candidate]) -> tuple[said.Candidate, ...]:
    """Candidates as the evaluation's tape names them."""
    return tuple(
        said.Candidate(
            name=name,
            config=each.agent.config_digest if isinstance(each.agent, Agent) else None,
        )
        for name, each in candidates.items()
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What `run_suite` was asked to run; None is what is recorded, or the default."""

    suite: Suite
    candidates: Mapping[str, Candidate]
    trials: int | None = None
    seed: int | None = None
    settings: Mapping[str, Json] | None = None

    def about(self) -> Evaluation:
        """What a new evaluation's tape says.

        Raises:
            EvaluationError: There is no trial in it.
        """
        trials = 1 if self.trials is None else self.trials
        if trials < 1:
            raise EvaluationError(f"each task is tried at least once, not {trials} times")
        return Evaluation(
            suite=self.suite.name,
            document=self.suite.digest,
            tasks=len(self.suite.tasks),
            candidates=configs(self.candidates),
            trials=trials,
            seed=self.seed or 0,
            settings={**(self.settings or {}), **self._perturbed()},
        )

    def _perturbed(self) -> dict[str, Json]:
        made = describe(perturbations_of(self.suite.perturb))
        return {"perturb": made} if made else {}

    def going_on(
        self, recorded: EvaluationResult, document: Json, *, score_again: bool
    ) -> Evaluation:
        """What a recorded evaluation goes on with.

        Args:
            recorded: The evaluation.
            document: What its suite consisted of, as far as that is known.
            score_again: Scorers may be others, if they have the same names.

        Raises:
            EvaluationError: It began with something else.
        """
        was = recorded.about
        trials = was.trials if self.trials is None else self.trials
        seed = was.seed if self.seed is None else self.seed
        settings = was.settings if self.settings is None else self.settings
        now = replace(self, trials=trials, seed=seed, settings=settings).about()
        known = document if isinstance(document, dict) else {}
        for what, old, new in _compared(was, now, known, self.suite.describe()):
            if old != new and not (score_again and what.startswith("scorer ")):
                hint = " (`score_again` lets it judge once more)" if "scorer " in what else ""
                raise EvaluationError(
                    f"evaluation `{recorded.id}` cannot go on: its {what} was `{old}`, now it is "
                    f"`{new}`{hint}. Go back to what it began with, or begin a new evaluation"
                )
        return now


def _compared(
    was: Evaluation, now: Evaluation, before: dict[str, Json], document: dict[str, Json]
) -> Iterator[tuple[str, object, object]]:
    yield "suite", was.suite, now.suite
    yield "list of candidates", _names(was), _names(now)
    if was.document != now.document:
        yield "tasks", digest(before.get("tasks")), digest(document["tasks"])
        yield from _scorers(before.get("scorers"), document["scorers"])
    for old, new in zip(was.candidates, now.candidates, strict=True):
        yield f"configuration of candidate `{old.name}`", old.config, new.config
    yield "number of trials", was.trials, now.trials
    yield "seed", was.seed, now.seed
    yield "settings", was.settings, now.settings


def _scorers(was: Json, now: Json) -> Iterator[tuple[str, object, object]]:
    assert isinstance(was, dict)
    assert isinstance(now, dict)
    yield "list of scorers", ", ".join(sorted(was)), ", ".join(sorted(now))
    for name in now:
        yield f"scorer `{name}`", was[name], now[name]


def _names(about: Evaluation) -> str:
    return ", ".join(candidate.name for candidate in about.candidates)


@dataclass(slots=True)
class Plan:
    """The trials of an evaluation that are still to do.

    Args:
        fresh: Those that were never begun, or that are to be run once more.
        begun: Those that were interrupted, or are to be scored again.
        ended: How those ended that are not to be run again.
        before: What is known of trials that are to be scored again, by the id of the start.
    """

    fresh: Iterator[Key]
    begun: list[Assignment] = field(default_factory=list)
    ended: list[TrialResult] = field(default_factory=list)
    before: dict[str, TrialResult] = field(default_factory=dict)

    @classmethod
    def rest(
        cls,
        suite: Suite,
        about: Evaluation,
        tape: Tape,
        *,
        known: Iterable[TrialResult],
        retry_errors: bool = False,
        score_again: bool = False,
    ) -> Plan:
        """What an evaluation's tape leaves to do.

        Args:
            suite: The suite.
            about: What is run.
            tape: The evaluation's.
            known: The results that it holds.
            retry_errors: Run trials again that ended in an error.
            score_again: Let scorers judge again that failed, or were others.
        """
        starts = _starts(tape)
        results = {result.key: result for result in known}
        if retry_errors:
            results = {key: r for key, r in results.items() if r.end.status != "error"}
        tried = results.keys() | {key for key, (_, _, end) in starts.items() if end is None}
        plan = cls(key for key in keys(suite, about) if key not in tried)
        for key, (step, start, end) in starts.items():
            result = results.get(key)
            if end is None:
                plan.begun.append(Assignment(step, start, "go on"))
            elif result is None:
                continue
            elif score_again and (scorers := _judging_again(suite, result)):
                plan.before[step] = result
                plan.begun.append(Assignment(step, start, "score", scorers, end))
            if result is not None and end is not None:
                plan.ended.append(result)
        return plan


def _judging_again(suite: Suite, result: TrialResult) -> tuple[str, ...]:
    """Scorers that failed on a trial, or that judged it in another version."""
    versions = {scorer.name: scorer.version for scorer in suite.scorers}
    return tuple(
        name
        for name, score in result.scores.items()
        if name in versions
        and (score.error is not None or score.version not in (None, versions[name]))
    )


def keys(suite: Suite, about: Evaluation) -> Iterator[Key]:
    """All trials: each task once with each candidate before any is tried once more."""
    for number in range(about.trials):
        for task in suite.tasks:
            for candidate in about.candidates:
                yield candidate.name, task.id, number


def start_of(key: Key) -> TrialStart:
    """A start of a trial, on a tape of its own."""
    candidate, task, number = key
    return TrialStart(candidate=candidate, task=task, number=number, tape=new_id())


def _starts(tape: Tape) -> dict[Key, tuple[str, TrialStart, TrialEnd | None]]:
    """The last start of each trial that was started: its step, what it says, and its end."""
    found: dict[Key, tuple[str, TrialStart, TrialEnd | None]] = {}
    of: dict[str, Key] = {}
    for step in tape:
        body = step.body
        if isinstance(body, TrialStart):
            key = (body.candidate, body.task, body.number)
            found[key], of[step.id] = (step.id, body, None), key
        elif isinstance(body, TrialEnd):
            for start in step.re:
                if start in of and found[of[start]][0] == start:
                    found[of[start]] = (start, found[of[start]][1], body)
    return found
