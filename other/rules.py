"""A rule model: a program that reads the prompts of agent.yaml and answers by rules.

No language model is asked, so the project runs offline. For a real one, write another `model` in
agent.yaml, as `openai:gpt-5-mini`.
"""

import playhead as ph
from playhead.llm import ModelRequest
from playhead.tape import Message, ToolCallPart, ToolResponsePart, result_text

CITIES = ("Lima", "Oslo")


def answer(request: ModelRequest) -> Message | str:
    """What the model says to a prompt of agent.yaml."""
    messages = request.prompt.messages()
    asked, said = messages[-1].text, _newest(messages)
    city = next((name for name in CITIES if name.lower() in said.lower()), None)
    hours = _found(messages)
    if asked.startswith("Is the last message"):
        return "question" if "shop" in said.lower() else "talk"
    if asked.startswith("Write down"):
        return f"- when the shop in {city or 'that city'} is open"
    if asked.startswith("Find it out"):
        if hours is not None:
            return hours
        call = ToolCallPart(id="call_1", name="opening_hours", arguments={"city": city or "?"})
        return ph.assistant((call,))
    if asked.startswith("You found out"):
        return "yes"
    return f"Our shop in {city} is open from {hours}." if city and hours else "Hello!"


def _newest(messages: list[Message]) -> str:
    """What the person said last: the prompt's own words come after it."""
    return next((m.text for m in reversed(messages[:-1]) if m.role == "user"), "")


def _found(messages: list[Message]) -> str | None:
    """What the tool answered, if it was asked."""
    answers = [p for m in messages for p in m.parts if isinstance(p, ToolResponsePart)]
    return result_text(answers[-1].response) if answers else None


model = ph.ScriptedModel(answer, name="rules")
