"""A rule model: a program that speaks for both members of agent.yaml.

No language model is asked, so the project runs offline. For a real one, write another `model` in
agent.yaml, as `openai:gpt-5-mini`.
"""

import playhead as ph
from playhead.llm import ModelRequest
from playhead.tape import Message, ToolCallPart


def answer(request: ModelRequest) -> Message | str:
    """What the model says as the writer or as the critic."""
    messages = request.prompt.messages()
    told = messages[-1].text
    if messages[0].text.startswith("You write"):
        task = told.removeprefix("person: ").partition("\n")[0]
        return f"{task}!" if "shorter" not in told else f"{task[:40]}: come and see!"
    text = told.rpartition("writer: ")[2]
    if "come and see" not in text:
        return "It should be shorter and say what to do."
    return ph.assistant((ToolCallPart(id="call_1", name="finish", arguments={"result": text}),))


model = ph.ScriptedModel(answer, name="rules")
