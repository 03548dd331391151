"""What a client is told of an experience, and of what came of playing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playhead.experience.document import Experience, Parameter
from playhead.experience.library import Kept
from playhead.experience.play import Played
from playhead.tape import Json, clean

if TYPE_CHECKING:
    from mcp.types import CallToolResult, Tool

_LONGEST = 4000  # characters of a description
_CHANGES = ("idempotent", "write", "irreversible")


def tool_of(kept: Kept, experience: Experience) -> Tool:
    """The tool that an experience is."""
    from mcp import types

    effects = {tool.effect for tool in experience.tools.values()}
    return types.Tool(
        name=kept.name,
        title=clean(experience.title)[:200] or None,
        description=_described(experience),
        input_schema=input_schema(experience),
        annotations=types.ToolAnnotations(
            read_only_hint=not effects & set(_CHANGES),
            destructive_hint=bool(effects & {"write", "irreversible"}),
            idempotent_hint=not effects & {"write", "irreversible"},
            open_world_hint=False,
        ),
        _meta={"playhead/experience": kept.digest, "playhead/version": kept.version},
    )


def input_schema(experience: Experience) -> dict[str, Any]:
    """The JSON Schema of what a play has to be given."""
    members = {name: _member(each) for name, each in experience.parameters.items()}
    needed = [name for name, each in experience.parameters.items() if each.default is None]
    return {
        "type": "object",
        "properties": members,
        "required": needed,
        "additionalProperties": False,
    }


def _member(parameter: Parameter) -> dict[str, Json]:
    schema = dict(parameter.schema_)
    if parameter.description and "description" not in schema:
        schema["description"] = clean(parameter.description)[:_LONGEST]
    if parameter.default is not None:
        schema.setdefault("default", parameter.default)
    return schema


def _described(experience: Experience) -> str:
    """Title, description and steps; they are data about a tool, never instructions of ours."""
    said = [experience.title, experience.description]
    said += [f"{number}. {step}" for number, step in enumerate(experience.procedure.steps, 1)]
    return clean("\n".join(part for part in said if part))[:_LONGEST]


def result_of(played: Played) -> CallToolResult:
    """What a client is answered: that it is done, or why it was not, as a tool's error."""
    ended = played.outcome in ("done", "nothing")
    if ended:
        text = played.answer or (
            "Nothing was to be done." if played.outcome == "nothing" else "Done."
        )
    elif played.outcome == "waiting":
        text = "It waits for a person's decision: `playhead pending` shows it."
    else:
        text = f"Not done: {played.why or 'it did not come to its end'}."
        if played.writes:
            text += f" {played.writes} of its changes were made before; the tape says which."
    facts: dict[str, Json] = {
        "outcome": played.outcome,
        "tape": played.tape.id,
        "writes": played.writes,
        "answer": played.answer,
    }
    return _result(
        f"{text}" if ended else f"{text} (tape {played.tape.id})", facts, failed=not ended
    )


def error_of(message: str) -> CallToolResult:
    """What a client is answered where nothing was begun."""
    return _result(f"Not done: {message}", {"outcome": "refused", "writes": 0}, failed=True)


def _result(text: str, facts: dict[str, Json], *, failed: bool) -> CallToolResult:
    from mcp import types

    return types.CallToolResult(
        content=[types.TextContent(text=clean(text))], structured_content=facts, is_error=failed
    )
