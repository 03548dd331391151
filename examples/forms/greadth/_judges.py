"""Model judges, for what no program can decide about two letters."""

from __future__ import annotations

from examples.forms.greadth._finding import Letter
from playhead.evaluate import Grade, ModelJudge
from playhead.llm import Model

CRITERIA: dict[Letter, str] = {
    "grounded": """In every message of the agent, each statement about the company, the form, its \
rules or the customer stands in the form and its docs, in what the customer said, or in what the \
function returned. A statement that is merely plausible breaks this.""",
    "responsive": """Whatever the customer says or asks has a consequence in the agent's next \
message: values are taken or refused, questions are answered or declined, wishes to skip, correct \
or leave are followed or refused. Passing over part of a message breaks this.""",
}
_SCALE = (
    Grade("yes", 1.0, "this holds in every turn"),
    Grade("no", 0.0, "it is broken in at least one turn"),
)


def judge_for(letter: Letter, model: Model | str) -> ModelJudge:
    """The judge of a letter that a program cannot wholly decide: `grounded` or `responsive`."""
    return ModelJudge(
        model, CRITERIA[letter], shows=("steps",), scale=_SCALE, threshold=None,
        name=f"{letter}_judge",
    )  # fmt: skip


def judges(model: Model | str) -> list[ModelJudge]:
    """The judges of all letters that have one."""
    return [judge_for(letter, model) for letter in CRITERIA]
