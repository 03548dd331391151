"""What all rule models have in common."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from examples.forms.prompts import sections_of
from examples.forms.rules._errors import Chance, ErrorRates
from playhead.errors import ModelRequestError
from playhead.llm import Completion, Delta, Model, ModelRequest, OnDelta
from playhead.tape import Json, assistant
from playhead.tape.kinds import Usage

CHARACTERS_A_TOKEN = 4  # an estimate: a rule model has no tokens


class RuleModel(Model):
    """A program that answers prompts by rules.

    It is given the text of the prompt and nothing else, and is a pure function of it. Tokens in
    its usage are estimated from characters.

    Args:
        errors: How often it is wrong.
        name: The name recorded on tapes.
    """

    provider = "rules"
    default_name: ClassVar[str]

    def __init__(self, errors: ErrorRates | None = None, *, name: str | None = None) -> None:
        self.errors = errors or ErrorRates()
        self.name = name or self.default_name

    def describe(self) -> dict[str, Json]:
        """See `Model.describe`."""
        rates = self.errors.describe()
        return {"errors": rates} if rates else {}

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """See `Model.complete`."""
        messages = await request.messages()
        text = messages[-1].text
        said = self._answered(text)
        if on_delta is not None:
            on_delta(Delta(text=said))
        read = sum(len(message.text) for message in messages)
        usage = Usage(input_tokens=_tokens(read), output_tokens=_tokens(len(said)))
        return Completion(message=assistant(said), finish_reason="stop", usage=usage)

    def _answered(self, text: str) -> str:
        try:
            sections: dict[str, Any] = sections_of(text)
            task = sections["Task"]
        except (ValueError, KeyError):
            raise ModelRequestError(
                f"`{self.name}` is a program that reads prompts of `examples.forms` alone: take a "
                "language model for others"
            ) from None
        chance = self.errors.chance(text)
        if chance.errs("garble"):
            return "I am not sure what to write here."
        return self.answer(task, sections, chance)

    @abstractmethod
    def answer(self, task: str, sections: dict[str, Any], chance: Chance) -> str:
        """The completion for a task."""


def _tokens(characters: int) -> int:
    return max(1, characters // CHARACTERS_A_TOKEN)


def listed(steps: Sequence[dict[str, Json]]) -> str:
    """Steps as the text of a completion."""
    return f"```json\n{json.dumps(list(steps), ensure_ascii=False)}\n```"
