"""The rule model of the student: the same rules, a whole turn at once."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from examples.forms.form import Form
from examples.forms.rules._errors import Chance
from examples.forms.rules._model import RuleModel, listed
from examples.forms.rules._teacher import (
    discovered,
    gathered,
    planned_ahead,
    planned_back,
    verified,
)
from examples.forms.rules._wording import message
from playhead.errors import ModelRequestError
from playhead.tape import Json


class RuleStudentModel(RuleModel):
    """Answers the prompts of the student's nodes, by rules."""

    default_name: ClassVar[str] = "rule-student"

    def answer(self, task: str, sections: dict[str, Any], chance: Chance) -> str:
        """See `RuleModel.answer`."""
        match task:
            case "generate":
                return message(sections, chance)
            case "discover":
                return listed(discovered(sections))
            case "student":
                return _whole_turn(sections, chance)
        raise ModelRequestError(f"`{self.name}` does not know the task `{task}`")


def _whole_turn(sections: dict[str, Any], chance: Chance) -> str:
    """Each decision sees what those before it decided, as in the teacher's prompts."""
    turn: list[dict[str, Any]] = []
    seen = {**sections, "Turn": turn}
    turn.append(gathered(seen, chance))
    turn.append(verified(seen, chance))
    back = planned_back(seen, chance)
    turn += back
    seen["Filled"], seen["Skipped"] = _updated(sections, back[0])
    turn.append(planned_ahead(seen, chance))
    checked = turn[1]["parameters"]
    compact: dict[str, Json] = {
        "said": turn[0]["parameters"],
        "take": {n: each["value"] for n, each in checked.items() if each["status"] == "valid"},
        "no": {n: each["explanation"] for n, each in checked.items() if each["status"] != "valid"},
        "do": [*back[1:]],
        "next": turn[-1],
        "say": message(seen, chance),
    }
    return f"```json\n{json.dumps(compact, ensure_ascii=False)}\n```"


def _updated(sections: dict[str, Any], update: dict[str, Any]) -> tuple[dict[str, Json], list[str]]:
    """What is filled and skipped after an update."""
    filled = {**sections["Filled"], **update["assign"]}
    for name in update["skip"]:
        filled.pop(name, None)
    form = Form.of(sections["Form"])
    while gone := [name for name in filled if not form.slots[name].applies(filled)]:
        filled = {name: value for name, value in filled.items() if name not in gone}
    skipped = (set(sections["Skipped"]) | set(update["skip"])) - set(update["assign"])
    return filled, sorted(skipped)
