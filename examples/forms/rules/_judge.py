"""The rule model of the judges: it reads what a judge is shown, and goes by its surface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from examples.forms.rules._errors import Chance
from examples.forms.rules._model import RuleModel
from playhead.errors import ModelRequestError
from playhead.llm import Completion, ModelRequest, OnDelta
from playhead.tape import assistant
from playhead.tape.kinds import Usage

_SHOWN = re.compile(r"BEGIN (\w+)\n(.*)\nEND \1", re.DOTALL)
_STOCK = frozenset(
    """about accepted answer because belong cannot choose could does example form found from
    goodbye have help here like more noted nothing number only ours please places place request
    requests required right send sending sent skip skipped stop tell that there these this value
    want what whole with without would written year your docs fits month less date such asks
    asking know further""".split()  # noqa: SIM905  (a list of so many words is harder to read)
)


class RuleJudgeModel(RuleModel):
    """Grades dialogues by what the texts of person and agent look like.

    It knows nothing of the metric, nor of the state of the form: words that turn up from nowhere
    break `grounded`, and messages that take nothing up break `responsive`.
    """

    default_name: ClassVar[str] = "rule-judge"

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """See `Model.complete`."""
        messages = await request.messages()
        found = _SHOWN.search(messages[-1].text)
        if found is None:
            raise ModelRequestError(f"`{self.name}` reads the questions of judges alone")
        about = "responsive" if "has a consequence" in messages[0].text else "grounded"
        steps: list[dict[str, Any]] = json.loads(found[2])["steps"]
        faults = list(_strange(steps) if about == "grounded" else _passed_over(steps))
        grade, reason = ("no", faults[0]) if faults else ("yes", "I saw nothing amiss.")
        said = json.dumps({"code": found[1], "reason": reason, "grade": grade})
        read = sum(len(message.text) for message in messages)
        usage = Usage(input_tokens=read // 4, output_tokens=len(said) // 4)
        return Completion(message=assistant(said), finish_reason="stop", usage=usage)

    def answer(self, task: str, sections: dict[str, Any], chance: Chance) -> str:
        """See `RuleModel.answer`: a judge's prompts are of another form."""
        raise ModelRequestError(f"`{self.name}` reads the questions of judges alone")


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]{4,}", text.lower()) if word not in _STOCK}


def _strange(steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Sentences most of whose words stand nowhere else."""
    known = " ".join(json.dumps(step) for step in steps if "agent" not in step)
    seen = _words(known) | {word.rstrip("s") for word in _words(known)}
    for step in steps:
        for sentence in re.split(r"(?<=[.!?])\s+", step.get("agent", "")):
            words = _words(sentence)
            strange = {word for word in words if word not in seen and word.rstrip("s") not in seen}
            numbers = set(re.findall(r"\b\d+\b", sentence)) - set(re.findall(r"\d+", known))
            if not sentence.endswith("?") and (
                numbers or (len(words) > 2 and len(strange) > len(words) / 2)
            ):
                yield f"Nothing supports: {sentence}"


def _passed_over(steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Messages of the agent that neither repeat nor decline anything, after more than a yes."""
    person = ""
    for number, step in enumerate(steps):
        if "person" in step:
            person = step["person"]
        elif "agent" in step and person and number > 4:
            before, person = person, ""
            if not _takes_up(before, step["agent"]):
                yield f"The agent passes over: {before[:200]}"


def _takes_up(said: str, answered: str) -> bool:
    lowered = answered.lower()
    if re.search(
        r"\b(noted|cannot|skipped|only help|no place|about the|found no|accepted|stop)\b", lowered
    ):
        return True
    if re.search(r"\bis: |form asks|sent nothing\b", lowered):
        return True
    return bool(re.match(r"\W*(?:yes|no|correct|right|hi|hello|i would like)\b", said.lower()))
