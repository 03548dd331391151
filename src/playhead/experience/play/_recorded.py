"""The experience that a tape plays, read back from the config of its player."""

from __future__ import annotations

import json
from typing import cast

from playhead.errors import ExperienceError
from playhead.experience.document import Experience, experience_of
from playhead.experience.play._past import Values
from playhead.store import Store
from playhead.tape import Json, Tape
from playhead.tape.kinds import Run


async def recorded_experience(
    tape: Tape, store: Store, *, values: Values | None = None
) -> Experience:
    """The experience that a tape plays.

    Args:
        tape: The tape.
        store: Holds the configs of the tape's runs.
        values: Puts values back where placeholders stand.

    Raises:
        ExperienceError: The store does not hold it.
    """
    for step in tape:
        body = step.body if step.kind == Run.kind and not step.erased else None
        if not isinstance(body, Run):
            continue
        content = await store.document(body.config)
        document = _in_config(json.loads(content)) if content is not None else None
        if document is not None:
            return experience_of(values(document) if values is not None else document)
    raise ExperienceError(
        f"the store does not hold the experience that tape `{tape.id}` plays: pass `experience=`"
    )


def _in_config(config: dict[str, Json]) -> Json:
    """The document of an experience within the config of a player's agent."""
    for node in cast("list[dict[str, Json]]", config.get("nodes", [])):
        if node.get("type") == "PlayNode":
            return node.get("experience")
    return None
