"""A rule model: a program that answers the function's prompt by rules.

No language model is asked, so the project runs offline. For a real one, write another `model` in
agent.yaml, as `openai:gpt-5-mini`.
"""

import json

import playhead as ph
from playhead.llm import ModelRequest

CROSS = ("late", "nobody", "broken", "again", "never")
TOPICS = ("parcel", "lamp", "telephone", "shop")


def answer(request: ModelRequest) -> str:
    """The JSON object that the prompt asks for."""
    message = json.loads(request.prompt.messages()[-1].text)["message"].lower()
    mood = "cross" if any(word in message for word in CROSS) else "content"
    topic = next((word for word in TOPICS if word in message), "other")
    return json.dumps({"mood": mood, "topic": topic})


model = ph.ScriptedModel(answer, name="rules")
