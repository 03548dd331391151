"""Experiences, packages and libraries that the tests share."""

from __future__ import annotations

from typing import Any

from playhead.experience.document import Experience, experience_of
from playhead.experience.library import Library, Package, package_of

RIGHT = {"played": 3, "right": 3}


def experience(name: str = "cancel-meeting", **changes: Any) -> Experience:
    """A small experience: look for a meeting of a person, and delete it."""
    document: dict[str, Any] = {
        "experience": 1,
        "name": name,
        "title": "Cancel the next meeting with somebody",
        "parameters": {"person": {"schema": {"type": "string"}, "sources": [{"given": True}]}},
        "tools": {
            "calendar.search": {"digest": "sha256:" + "1" * 64, "effect": "read"},
            "calendar.delete": {"digest": "sha256:" + "2" * 64, "effect": "write"},
        },
        "scope": {
            "examples": [
                "Cancel my next meeting with ana",
                "Cancel my next meeting with luis",
                "kofi is ill, please cancel my next meeting with them",
            ]
        },
        "routine": {
            "start": "look",
            "states": {
                "look": {
                    "call": {
                        "tool": "calendar.search",
                        "arguments": {"query": {"param": "person"}},
                    },
                    "next": [{"to": "cancel"}],
                },
                "cancel": {
                    "call": {
                        "tool": "calendar.delete",
                        "arguments": {"id": {"result": "look", "pick": "first", "at": ["id"]}},
                    },
                    "next": [{"to": "done"}],
                },
                "done": {"finish": {"text": {"const": "Done."}}},
            },
        },
        "evidence": {"validation": RIGHT},
    }
    return experience_of(document | changes)


def plot(name: str = "plot-visits", **changes: Any) -> Experience:
    """Another one, which does something else."""
    texts = [
        "Plot total visits since May 3 as a bar chart",
        "Plot engaged users since June 5 as a line chart",
        "Please make a bar chart of total visits since July 9",
    ]
    routine = {
        "start": "draw",
        "states": {
            "draw": {"call": {"tool": "analytics.plot"}, "next": [{"to": "done"}]},
            "done": {"finish": {}},
        },
    }
    return experience(
        name,
        **{
            "title": "Plot a figure",
            "parameters": {},
            "tools": {"analytics.plot": {"effect": "idempotent"}},
            "scope": {"examples": texts},
            "routine": routine,
        }
        | changes,
    )


def with_two(library: Library) -> Library:
    library.add(experience(), origin="learnt")
    library.add(plot(), origin="learnt")
    return library


def package(**changes: Any) -> Package:
    return package_of(experience(**changes), author="Ana", readme="Cancels meetings.")
