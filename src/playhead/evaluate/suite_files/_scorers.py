"""Scorers as suite files name them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from playhead.agent import find_object
from playhead.agent.description_nodes import Reference
from playhead.errors import EvaluationError
from playhead.evaluate._scorer import FunctionScorer, Scorer
from playhead.evaluate.scorers._answer_parts import ContainsPart, EqualsPart, JsonPart, MatchesPart
from playhead.evaluate.scorers._checks import CheckPart
from playhead.evaluate.scorers._judge import JudgePart
from playhead.evaluate.scorers._rubric import RubricPart
from playhead.evaluate.scorers._states import StatePart
from playhead.evaluate.scorers._steps import StepsPart
from playhead.evaluate.suite_files._per_trial import asks_for_one, named
from playhead.evaluate.suite_files._ruled import RuledScorer
from playhead.tape import Json
from playhead.yaml import Document, FilePart, Trail


class ScorerPart(Protocol):
    """A scorer as a suite file describes it: a pydantic model that puts it together."""

    def build(self, *, folder: Path | None = None) -> Scorer:
        """The scorer; files that it names are looked for in the folder."""
        ...


class PythonScorerPart(FilePart):
    """A scorer written in Python."""

    name: str | None = Field(None, min_length=1, max_length=200, description="Of its scores.")
    use: Reference = Field(
        description="A `Scorer`, what makes one without arguments, or a function of a `TrialRun`."
    )

    def build(self, *, folder: Path | None = None) -> Scorer:
        """See `ScorerPart.build`."""
        scorer = self._found(find_object(self.use, folder=folder))
        return scorer if self.name is None else RuledScorer(scorer, name=self.name)

    def _found(self, found: object) -> Scorer:
        if callable(found) and not isinstance(found, Scorer):
            if not isinstance(found, type) and asks_for_one(found, self.use):
                return FunctionScorer(found, name=self.use.rpartition(":")[2].rpartition(".")[2])
            found = named(found, self.use)
        if isinstance(found, Scorer):
            return found
        raise EvaluationError(
            f"`{self.use}` is of the type {type(found).__name__}: name a `Scorer`, what makes one "
            "without arguments, or a function of a `TrialRun`"
        )


@dataclass(frozen=True, slots=True)
class ScorerForm:
    """How a scorer is written in suite files: `- NAME`, or `- {NAME: …}`.

    Args:
        part: What it may say: a pydantic model that is a `ScorerPart`.
        plain: The member that is meant by a value that is no mapping, as in `{use: x.py:good}`.
    """

    part: type[BaseModel]
    plain: str | None = None


SCORERS: dict[str, ScorerForm] = {
    "check": ScorerForm(CheckPart),
    "contains": ScorerForm(ContainsPart, plain="texts"),
    "equals": ScorerForm(EqualsPart, plain="expected"),
    "json": ScorerForm(JsonPart),
    "judge": ScorerForm(JudgePart),
    "matches": ScorerForm(MatchesPart, plain="pattern"),
    "rubric": ScorerForm(RubricPart, plain="criteria"),
    "state": ScorerForm(StatePart, plain="state"),
    "steps": ScorerForm(StepsPart, plain="predicates"),
    "use": ScorerForm(PythonScorerPart, plain="use"),
}


def build_scorer(value: str | dict[str, Json], document: Document, trail: Trail) -> Scorer:
    """The scorer that an entry of `scorers` describes; beside its form may stand its `name`."""
    members: dict[str, Json] = {value: {}} if isinstance(value, str) else dict(value)
    name = {"name": members.pop("name")} if "name" in members else {}
    if len(members) != 1:
        raise document.fault(trail, "say one scorer here, and at most its `name` beside it")
    ((kind, given),) = members.items()
    form = SCORERS.get(kind)
    if form is None:
        near = difflib.get_close_matches(kind, SCORERS, n=1)
        hint = f"do you mean `{near[0]}`?" if near else f"there are {', '.join(sorted(SCORERS))}"
        raise document.fault((*trail, kind), f"there is no scorer `{kind}`: {hint}")
    if not isinstance(given, dict) and form.plain is not None:
        given = {form.plain: given}
    if isinstance(given, dict):
        if name and "name" in given:
            raise document.fault((*trail, "name"), "`name` stands here twice: leave one")
        given = {**given, **name}
    part = cast("ScorerPart", document.validated(form.part, trail=(*trail, kind), value=given))
    with document.at(trail):
        return part.build(folder=document.folder(trail))


def scorers_schema() -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of an entry of `scorers`, and the definitions that it refers to."""
    refs, made = models_json_schema([(form.part, "validation") for form in SCORERS.values()])
    definitions: dict[str, Any] = made.get("$defs", {})
    bare: list[str] = []
    ways: list[dict[str, Any]] = []
    for kind, form in SCORERS.items():
        described = definitions[form.part.__name__]
        value = refs[form.part, "validation"]
        if form.plain is not None:
            value = {"anyOf": [described["properties"][form.plain], value]}
        if not described.get("required"):
            bare.append(kind)
        ways.append(
            {
                "type": "object",
                "properties": {kind: value, "name": {"type": "string", "minLength": 1}},
                "required": [kind],
                "additionalProperties": False,
            }
        )
    return {"anyOf": [*([{"enum": bare}] if bare else []), *ways]}, definitions
