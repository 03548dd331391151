"""What a tree is grown from: a page of YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from examples.forms.behaviours import BEHAVIOURS, behaviour_named
from examples.forms.errors import FormError, FormFileError
from examples.forms.form import Company
from examples.forms.loader import companies
from examples.forms.models import RULES
from examples.forms.rules import ErrorRates
from playhead.errors import ModelError
from playhead.llm import named_model
from playhead.tape import digest
from playhead.yaml import FilePart, read_yaml


class ErrorsPart(FilePart):
    """Error rates of the agent's rule model."""

    invent: float = Field(0.0, ge=0, le=1)
    ignore: float = Field(0.0, ge=0, le=1)
    misread: float = Field(0.0, ge=0, le=1)
    wander: float = Field(0.0, ge=0, le=1)
    hide: float = Field(0.0, ge=0, le=1)
    shrug: float = Field(0.0, ge=0, le=1)
    garble: float = Field(0.0, ge=0, le=1)

    def rates(self) -> ErrorRates:
        """As the rule models take them."""
        return ErrorRates(**self.model_dump())


class TreeSettings(FilePart):
    """What a tree is grown from.

    Args:
        companies: `train`, `test`, or names of companies.
        agent: `teacher` or `student`.
        model: The agent's model; `rules`, or a name such as `openai:gpt-5-mini`.
        user_model: The simulated user's.
        dialogues: How many dialogues there shall be in the end.
        roots: How many of them begin apart; the others branch off.
        branching: How many children a dialogue has on average, until there are enough.
        turns: After so many turns, a dialogue is cut.
        behaviours: Weights of behaviours, in place of their own; 0 leaves one out.
        errors: Error rates of the agent's rule model.
        seed: Other chances.
        jobs: How many dialogues are at work at once.
    """

    companies: list[str] | Literal["train", "test"] = "train"
    agent: Literal["teacher", "student"] = "teacher"
    model: str = RULES
    user_model: str = RULES
    dialogues: int = Field(2000, ge=1, le=1_000_000)
    roots: int = Field(250, ge=1)
    branching: float = Field(1.5, ge=1, le=10)
    turns: int = Field(14, ge=2, le=100)
    behaviours: dict[str, float] = Field(default_factory=dict)
    errors: ErrorsPart = Field(default_factory=ErrorsPart)
    seed: int = 0
    jobs: int = Field(16, ge=1, le=256)

    @field_validator("model", "user_model")
    @classmethod
    def _named(cls, name: str) -> str:
        try:
            if name != RULES:
                named_model(name)
        except ModelError as error:
            raise ValueError(f"{error.message}, or `{RULES}`") from None
        return name

    @field_validator("behaviours")
    @classmethod
    def _known(cls, weights: dict[str, float]) -> dict[str, float]:
        for name, weight in weights.items():
            try:
                behaviour_named(name)
            except FormError as error:
                raise ValueError(error.message) from None
            if weight < 0:
                raise ValueError(f"the weight of `{name}` is 0 or more, not {weight}")
        return weights

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.roots > self.dialogues:
            raise ValueError(
                f"{self.roots} `roots` are more than {self.dialogues} `dialogues`: each root is "
                "one at least"
            )
        if self.model != RULES and self.errors.rates().describe():
            raise ValueError(f"`errors` are for the model `{RULES}`, not `{self.model}`")
        for group in ("opening", "turn"):
            if not any(
                self.behaviours.get(each.name, each.weight) > 0
                for each in BEHAVIOURS.values()
                if each.group == group
            ):
                raise ValueError(f"all behaviours of the group `{group}` have the weight 0")
        self.chosen()
        return self

    def chosen(self) -> dict[str, Company]:
        """The companies, by name.

        Raises:
            ValueError: There is none of a name, or none at all.
        """
        if isinstance(self.companies, str):
            return companies(self.companies)
        known = companies()
        for name in self.companies:
            if name not in known:
                raise ValueError(f"there is no company `{name}`: there are {', '.join(known)}")
        if not self.companies:
            raise ValueError("`companies` names none: name one, or `train`")
        return {name: known[name] for name in self.companies}

    @property
    def digest(self) -> str:
        """Of all that decides what the tree is; not of how many jobs there are."""
        return digest(self.model_dump(mode="json", exclude={"jobs"}))


def read_settings(path: Path) -> TreeSettings:
    """Settings from a file.

    Raises:
        FormFileError: It cannot be read, or contradicts itself; the message names file and line.
    """
    document = read_yaml(path, error=FormFileError)
    for at, name in enumerate(_list(document.value, "companies")):
        if name not in companies():
            raise document.fault(
                ("companies", at),
                f"there is no company `{name}`: there are {', '.join(companies())}",
            )
    for name in _names(document.value, "behaviours"):
        with document.at(("behaviours", name)):
            behaviour_named(name)
    return document.validated(TreeSettings)


def _list(value: object, member: str) -> list[object]:
    found = value.get(member) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _names(value: object, member: str) -> list[str]:
    found = value.get(member) if isinstance(value, dict) else None
    return list(found) if isinstance(found, dict) else []
