"""The tools that an experience needs: whether they are still what it was learnt with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from playhead.environment import Tool
from playhead.experience.document import Experience
from playhead.llm import ToolSchema
from playhead.tape import Json, digest
from playhead.tape.kinds import Effect

EFFECTS: tuple[Effect, ...] = ("read", "idempotent", "write", "irreversible")  # the milder first


def tool_digest(schema: ToolSchema) -> str:
    """The digest of a tool's schema: its name, what it says of itself, its parameters."""
    return digest(schema.as_json())


def tool_facts(experience: Experience, tools: Sequence[Tool]) -> dict[str, Json]:
    """What the tools that an experience needs are now, as a tape records it."""
    found = {tool.name: tool for tool in tools}
    return {name: _facts(found.get(name)) for name in experience.tools}


def _facts(tool: Tool | None) -> Json:
    if tool is None:
        return None
    facts: dict[str, Json] = {"digest": tool_digest(tool.schema), "effect": tool.effect}
    return facts if tool.origin is None else {**facts, "origin": tool.origin}


def tools_digest(facts: Mapping[str, Json]) -> str:
    """One digest for the schemas of all tools: another one, and statistics begin anew."""
    return digest(
        {name: now.get("digest") if isinstance(now, dict) else None for name, now in facts.items()}
    )


def drift(experience: Experience, facts: Mapping[str, Json]) -> str | None:
    """What has changed about the tools of an experience; None if nothing has.

    Args:
        experience: What it needs.
        facts: What the tools are now, by `tool_facts`.
    """
    for name, needed in experience.tools.items():
        now = facts.get(name)
        if not isinstance(now, dict):
            return f"there is no tool `{name}` here"
        if needed.digest is not None and needed.digest != now.get("digest"):
            return (
                f"the tool `{name}` has another schema than the experience was learnt with: "
                "look at it, and learn anew"
            )
        effect = cast("Effect", now.get("effect"))
        if EFFECTS.index(effect) > EFFECTS.index(needed.effect):
            return (
                f"the tool `{name}` is `{effect}` now, the experience takes it for "
                f"`{needed.effect}`"
            )
    return None
