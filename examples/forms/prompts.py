"""Prompts: a task for a node, and what it needs to know, in sections that anybody can read.

Everything that a model is told stands in these texts. Each section is a heading and a JSON value,
so that nothing a person says can pass for a section.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from examples.forms.state import FormState
from examples.forms.steps import STEPS, StepError, as_written
from playhead.llm import Prompt
from playhead.tape import Body, Json, View, system, user
from playhead.tape.kinds import AssistantMessage, UserMessage

LAST_MESSAGES = 6
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)

WHO = """You fill in forms for the customers of a company, in a conversation. You are friendly and \
brief. You say nothing that stands neither in the form, nor in its docs, nor in the conversation. \
You change no value that the customer gave."""

_STEPS = """Answer with a JSON list of steps in a block ```json … ```, and nothing after it. \
You may think in a few words before it. The steps that you can use here:
{steps}"""

GUIDES = {
    "discover": """Find the function that the customer wants. If one of the candidates fits, \
inspect it. If none does, or the customer asks what you can do, refuse the unknown function, and \
request a function: offer up to three that are nearest.""",
    "gather": """Gather what the customer's last message says of the form's parameters, in their \
own words, unchanged. A parameter that they want to skip has the value "<|skip|>". A short answer \
is about what you asked for last. Where nothing is said, gather nothing.""",
    "verify": """Verify each gathered value: read it as the form's type (dates as YYYY-MM-DD, \
numbers as numbers, choices as they stand in the form, yes and no as true and false), and say \
whether it is valid; if it is not, explain why. A skip is valid where the parameter is optional. A \
parameter whose condition does not hold is invalid.""",
    "plan_back": """Decide how to respond to what the customer said. First update the parameters: \
assign the valid values, skip what may be skipped. Then refuse what is invalid, cannot be skipped, \
or is no parameter of the form; answer questions from the docs, or say that these have no answer; \
refuse to engage in what is none of the company's business.""",
    "plan_ahead": """Decide what is next, with one step. If the customer wants to leave, ask \
whether they do; if they confirm it, exit. If they confirm the request, call the function with \
what is filled in. Else request the next parameter, required ones first; when nothing is open, \
request confirmation of the call.""",
    "generate": """Write the message to the customer, as plain text, from the steps of this turn. \
Repeat each value that you noted and each parameter that was skipped. Give the reason of each \
refusal. Answer the questions that have an answer. Then ask what the last step asks: name the \
choices of a parameter, and say so where it may be skipped.""",
    "confirm": """Write the message that asks the customer to confirm the request, as plain text. \
First say what you noted or refused in this turn. Then list every parameter with its value, and \
ask whether this is right.""",
    "student": """Read the customer's last message, and answer with one JSON object in a block \
```json … ```: {"said": {parameter: their own words, or "<|skip|>"}, "take": {parameter: value}, \
"no": {parameter: why it is invalid}, "do": [other steps], "next": step, "say": message}. \
"take" has the valid values in the form's types; a valid skip is "<|skip|>" there. "do" refuses \
and answers, "next" says how the conversation goes on. In "say", repeat what you noted, give \
reasons, answer, and ask what is next: name the choices, and say what may be skipped.""",
}
OFFERED = {
    "discover": ("inspect_function", "refuse_unknown_function", "request_function"),
    "gather": ("gather_values",),
    "verify": ("verify_values",),
    "plan_back": (
        "update_parameters", "refuse_invalid_value", "refuse_invalid_skip",
        "refuse_unknown_parameter", "refuse_to_engage", "answer_from_docs", "no_answer_in_docs",
    ),
    "plan_ahead": (
        "request_parameters", "request_call_confirmation", "request_exit_confirmation",
        "call_function", "exit",
    ),
    "student": (
        "refuse_invalid_value", "refuse_invalid_skip", "refuse_unknown_parameter",
        "refuse_to_engage", "answer_from_docs", "no_answer_in_docs", "request_parameters",
        "request_call_confirmation", "request_exit_confirmation", "call_function", "exit",
    ),
}  # fmt: skip


def instructions(task: str) -> str:
    """What a node's model is told of its task; the same in every prompt."""
    parts = [WHO, GUIDES[task]]
    if task in OFFERED:
        offered = "\n".join(f"- {_shape(name)}" for name in OFFERED[task])
        parts.append(_STEPS.format(steps=offered) if task != "student" else f"Steps:\n{offered}")
    return "\n\n".join(parts)


def _shape(name: str) -> str:
    cls = STEPS[name]
    members = {"kind": f'"{name}"'} | dict.fromkeys(cls.model_fields, "…")
    shown = ", ".join(f'"{key}": {value}' for key, value in members.items())
    return f"{{{shown}}}: {cls.__doc__}"


def written(task: str, sections: Mapping[str, Json]) -> str:
    """The text of a prompt."""
    lines = [f"# Task\n{json.dumps(task)}"]
    lines += [
        f"# {name}\n{json.dumps(value, ensure_ascii=False)}" for name, value in sections.items()
    ]
    return "\n\n".join(lines)


def sections_of(text: str) -> dict[str, Json]:
    """What a prompt says, section by section: what `written` wrote."""
    pieces = _HEADING.split(text)
    return {name: json.loads(value) for name, value in zip(pieces[1::2], pieces[2::2], strict=True)}


def prompt_for(task: str, view: View, state: FormState, *, company: str) -> Prompt:
    """The prompt of a node: its task, the form, how far it is filled, what was said."""
    sections: dict[str, Json] = {"Company": company}
    if state.form is not None:
        sections["Form"] = state.form.told()
        sections["Filled"] = dict(state.filled)
        sections["Skipped"] = [*sorted(state.skipped)]
        sections["Asked"] = {"for": list(state.asked), "waiting": state.awaiting}
    else:
        candidates = state.candidates or {}
        sections["Candidates"] = [
            {"function": name, "short_description": text} for name, text in candidates.items()
        ]
    said, turn = conversation(view)
    sections["Conversation"] = [[who, text] for who, text in said[-LAST_MESSAGES:]]
    sections["Turn"] = [as_written(step) for step in turn if not isinstance(step, StepError)]
    faults: list[Json] = [step.message for step in turn if isinstance(step, StepError)]
    if faults:
        sections["Faults"] = faults
    return Prompt.of(system(instructions(task)), user(written(task, sections)))


def conversation(view: View) -> tuple[list[tuple[str, str]], list[Body]]:
    """What was said, by whom; and the steps since the person spoke last."""
    said: list[tuple[str, str]] = []
    turn: list[Body] = []
    for body in bodies(view):
        if isinstance(body, UserMessage):
            said.append(("User", body.text))
            turn = []
        elif isinstance(body, AssistantMessage):
            said.append(("Agent", body.text))
        elif body.kind.startswith("forms.") and body.kind not in _TOLD_ELSEWHERE:
            turn.append(body)
    return said, turn


_TOLD_ELSEWHERE = ("forms.function_candidates", "forms.function_schema")


def bodies(view: View) -> Iterable[Body]:
    """The bodies of a view's steps."""
    return (step.body for step in view.steps() if not step.erased)
