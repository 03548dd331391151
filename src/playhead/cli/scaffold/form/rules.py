"""A rule model: a program that finds values in what somebody wrote, by patterns.

No language model is asked, so the project runs offline. For a real one, write another `model` in
agent.yaml, as `openai:gpt-5-mini`.
"""

import json
import re

import playhead as ph
from playhead.llm import ModelRequest

PATTERNS = {
    "name": re.compile(r"\bname is (\w+)", re.IGNORECASE),
    "nights": re.compile(r"\b(\d+) nights?\b", re.IGNORECASE),
    "arrival": re.compile(r"\b(\d{4}-\d{2}-\d{2})\b"),
    "breakfast": re.compile(r"\b(?:breakfast: )?(yes|no)\b", re.IGNORECASE),
}


def answer(request: ModelRequest) -> str:
    """The JSON object that the prompt asks for."""
    given = json.loads(request.prompt.messages()[-1].text)
    found: dict[str, str | int] = {}
    for field, pattern in PATTERNS.items():
        match = pattern.search(given["message"])
        if match is not None and (field != "breakfast" or given.get("asked_for") == field):
            found[field] = int(match[1]) if field == "nights" else match[1]
    return json.dumps({"values": found})


model = ph.ScriptedModel(answer, name="rules")
