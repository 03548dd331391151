"""A rule model: a program that finds values in what somebody wrote, by the types of the fields.

No language model is asked, so the project runs offline. For a real one, write another `model` in
agent.yaml, as `openai:gpt-5-mini`.
"""

import json
import re
from typing import Any

import playhead as ph
from playhead.llm import ModelRequest

NUMBER = r"-?\d+(?:\.\d+)?"
DAY = r"\b\d{4}-\d{2}-\d{2}\b"


def answer(request: ModelRequest) -> str:
    """The JSON object that the prompt asks for."""
    given = json.loads(request.prompt.messages()[-1].text)
    message, asked_for, values = given["message"], given.get("asked_for"), {}
    for name, schema in given["fields"].items():
        is_day = schema.get("format") == "date"
        value = read(schema, message if is_day else naming(name, message))
        if value is None and name == asked_for and schema.get("type") != "string":
            value = read(schema, message)
        if value is not None:
            values[name] = value
    if not values and asked_for is not None:  # nothing is named: all of it is the answer
        values = {asked_for: message.strip()}
    return json.dumps({"values": values})


def naming(field: str, message: str) -> str:
    """What a message says of a field that it names: `3 nights`, `my name is Ana`."""
    word = re.escape(field.replace("_", " ").removesuffix("s")) + "s?"
    patterns = (rf"({NUMBER}) {word}\b", rf"\b{word}(?: is|:) ([^,;.]+)")
    found = (re.search(pattern, message, re.IGNORECASE) for pattern in patterns)
    return next((match[1] for match in found if match), "")


def read(schema: dict[str, Any], text: str) -> str | float | bool | None:
    """The value of a field in a text; None if there is none."""
    if "enum" in schema:
        words = text.casefold().replace(".", "").split()
        return next((each for each in schema["enum"] if str(each).casefold() in words), None)
    if schema.get("type") == "boolean":
        said = re.search(r"\b(yes|no)\b", text, re.IGNORECASE)
        return said[1].lower() == "yes" if said else None
    if schema.get("type") in ("integer", "number"):
        number = re.search(NUMBER, text)
        return json.loads(number[0]) if number else None
    if schema.get("format") == "date":
        day = re.search(DAY, text)
        return day[0] if day else None
    return text.strip() or None


model = ph.ScriptedModel(answer, name="rules")
