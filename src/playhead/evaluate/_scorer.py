"""Scorers judge a trial that was run."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from playhead.errors import EvaluationError
from playhead.evaluate._trial import TrialRun
from playhead.tape import By, Json, digest


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a scorer says of a trial.

    Args:
        value: From 0 (worst) to 1 (best).
        passed: Whether the trial is good enough; None if this score decides nothing. A trial
            passes if no score says no and at least one says yes.
        comment: Why, for people.
        detail: Anything else, as JSON.
        evidence: The id of the tape on which the judge came to it.
    """

    value: float
    passed: bool | None = None
    comment: str | None = None
    detail: Json = None
    evidence: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 1:
            raise EvaluationError(f"a score is from 0 to 1, not {self.value}")

    @classmethod
    def of(cls, given: Judgement | bool | float) -> Judgement:
        """A judgement of what a function gave: a bool decides, a number only measures.

        Raises:
            EvaluationError: It is none of these.
        """
        if isinstance(given, Judgement):
            return given
        if isinstance(given, bool):
            return cls(float(given), passed=given)
        if isinstance(given, int | float):
            return cls(float(given))
        raise EvaluationError(
            f"a scorer gives a bool, a number from 0 to 1 or a `Judgement`, not {given!r}"
        )


class Scorer(ABC):
    """Judges trials. Subclass it and write `score`, or make one of a function with `scorer`.

    `judges_errors` says whether it also looks at trials that ended in an error; for any other
    scorer these are failed with the value 0. `needs_expected` says whether it can judge only what
    has something expected of it: a suite can be checked for that before it is run. `timeout` is
    how many seconds it may wait for others; what computes without waiting cannot be stopped.
    """

    name: str
    timeout: float = 600.0
    judges_errors: bool = False
    needs_expected: bool = False

    @abstractmethod
    async def score(self, run: TrialRun) -> Judgement:
        """Judge a trial."""

    def describe(self) -> Json:
        """What decides its judgements, as JSON: digested, it is the scorer's version."""
        return {"scorer": type(self).__qualname__, "name": self.name}

    @property
    def version(self) -> str:
        """Digest of `describe`."""
        return digest(self.describe())

    @property
    def by(self) -> By:
        """Who its scores are by."""
        return By("tool", name=self.name)


ScoreFunction: TypeAlias = Callable[
    [TrialRun], Judgement | bool | float | Awaitable[Judgement | bool | float]
]


class FunctionScorer(Scorer):
    """A function as a scorer; its version is the digest of its source.

    Args:
        function: Takes a `TrialRun`; gives a bool, a number from 0 to 1, or a `Judgement`.
        name: The function's name if not given.
    """

    def __init__(self, function: ScoreFunction, *, name: str | None = None) -> None:
        self.name = name or function.__name__
        self._function = function

    async def score(self, run: TrialRun) -> Judgement:
        """See `Scorer.score`."""
        given = self._function(run)
        return Judgement.of(await given if inspect.isawaitable(given) else given)

    def describe(self) -> Json:
        """See `Scorer.describe`."""
        return {"scorer": self.name, "source": self._source}

    @cached_property
    def _source(self) -> str:
        return source_of(self._function)


def source_of(function: Callable[..., object]) -> str:
    """Digest of a function's source; of its name, where the source cannot be had."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # made at a prompt, or no plain function
        source = getattr(function, "__qualname__", type(function).__qualname__)
    return hashlib.sha256(source.encode()).hexdigest()


def scorer(function: ScoreFunction) -> FunctionScorer:
    """Make a scorer of a function; a decorator."""
    return FunctionScorer(function)
