"""A model that says what a script says."""

from __future__ import annotations

import pytest

from playhead.errors import ModelRequestError
from playhead.llm import Completion, Delta, ModelRequest, Prompt, ScriptedModel, list_rates
from playhead.tape import assistant, user

ASK = ModelRequest(Prompt.of(user("hi")))


async def test_answers_in_order() -> None:
    own = Completion(message=assistant("c"), finish_reason="length")
    model = ScriptedModel(["a", assistant("b"), own, ValueError("no")])
    shown: list[Delta] = []
    assert (await model.complete(ASK, shown.append)).text == "a"
    assert (await model.complete(ASK)).finish_reason == "stop"
    assert await model.complete(ASK) is own
    with pytest.raises(ValueError, match="no"):
        await model.complete(ASK)
    with pytest.raises(ModelRequestError, match="no answer for call 5"):
        await model.complete(ASK)
    assert shown == [Delta(text="a")]
    assert model.calls == 5


async def test_answers_of_a_function() -> None:
    def say(request: ModelRequest) -> str:
        return f"{len(request.prompt.messages())} messages"

    async def later(request: ModelRequest) -> str:
        return say(request)

    assert (await ScriptedModel(say).complete(ASK)).text == "1 messages"
    assert (await ScriptedModel(later).complete(ASK)).text == "1 messages"


def test_list_rates() -> None:
    assert list_rates("gpt-4o") is not None
    assert list_rates("gpt-4o-2024-08-06") is list_rates("gpt-4o")
    assert list_rates("gpt-4o-preview") is None
    assert list_rates("gpt-4o-2xl") is None
    assert list_rates("") is None
