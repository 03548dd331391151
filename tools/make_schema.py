#!/usr/bin/env python3
"""Write the JSON Schemas in `docs/schema/`: tape format, agent files, suites, experiences.

Those of what people write are the ones that Playhead itself reads them with. Of the tape format,
bodies come from the pydantic models of the built-in kinds; header, `by` and file lines are written
by hand below, after docs/format.md, sections 2 and 10. `--check` only says whether the files are
current.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema

from playhead.agent import agent_schema
from playhead.evaluate import suite_schema
from playhead.experience.document import experience_schema
from playhead.tape import Body, OtherPart, Part, known_kinds
from playhead.tape.kinds import Pause, TapeHeader, ToolResult

Schema: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"
PATH = FOLDER / "tape-v1.schema.json"
AGENT_PATH = FOLDER / "agent-v1.schema.json"
SUITE_PATH = FOLDER / "suite-v1.schema.json"
EXPERIENCE_PATH = FOLDER / "experience-v1.schema.json"

# Members that docs/format.md calls optional and that are never null; all others that are never
# null are required.
OPTIONAL: dict[type[BaseModel], set[str]] = {ToolResult: {"parts"}, Pause: {"not_started"}}

# --- By hand: header, `by` and lines -------------------------------------------------------------


def _object(members: Schema, *, optional: tuple[str, ...] = (), **more: object) -> Schema:
    """An object with these members and no others."""
    required = [name for name in members if name not in optional]
    shape = {"type": "object", "properties": members, "required": required}
    return {**shape, "additionalProperties": False, **more}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECOND = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}"
SPAN: Schema = {"type": "array", "prefixItems": [COUNT, COUNT], "items": False, "minItems": 2}


def _made_by(name: str, members: Schema, optional: tuple[str, ...] = (), **more: object) -> Schema:
    return _object({"type": {"const": name}, **members}, optional=optional, **more)


FORMS: Schema = {
    "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    "time": {
        "type": "string",
        "pattern": f"^[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{SECOND}Z$",
    },
    "kind": {
        "type": "string",
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
        "maxLength": 128,
    },
    "by": {
        "description": "Who made an entry (section 2).",
        "oneOf": [
            _made_by(
                "agent",
                {
                    "name": TEXT,
                    "node": TEXT,
                    "config": _ref("digest"),
                    "call": _ref("id"),
                    "span": SPAN,
                },
                optional=("config", "call", "span"),
                anyOf=[{"required": ["config"]}, {"required": ["call"]}],
            ),
            _made_by("tool", {"name": TEXT}),
            _made_by("person", {"name": TEXT}, optional=("name",)),
            _made_by("player", {"name": TEXT, "version": {"anyOf": [TEXT, COUNT]}}),
            _made_by("importer", {"name": TEXT}),
            _made_by("system", {}),
        ],
    },
    "header": _object(
        {
            "v": {"const": 1},
            "tape": _ref("id"),
            "seq": COUNT,
            "id": _ref("id"),
            "prev": _ref("hash"),
            "time": _ref("time"),
            "kind": _ref("kind"),
            "kv": {"type": "integer", "minimum": 1},
            "role": {"enum": ["thought", "action", "observation", "note"]},
            "origin": {"enum": ["native", "captured", "imported"]},
            "frame": COUNT,
            "re": {"type": "array", "items": _ref("id")},
            "by": _ref("by"),
            "body_digest": _ref("hash"),
        },
        description="The header of an entry (section 2).",
    ),
}


def _json_text(schema: Schema, **more: object) -> Schema:
    return {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": schema,
        **more,
    }


NULL: Schema = {"type": "null"}
LINES: Schema = {
    "line": {
        "description": "A line of a tape as a file (section 10).",
        "oneOf": [_ref(f"{name}_line") for name in ("tape", "entry", "document", "blob")],
    },
    "tape_line": _object(
        {
            "playhead": {"const": "tape"},
            "v": {"const": 1},
            "tape": _ref("id"),
            "length": {"type": "integer", "minimum": 1},
            "head": _ref("hash"),
        },
        description="Line 1, and no other.",
    ),
    "entry_line": _object(
        {
            "header": _json_text(_ref("header"), maxLength=16_384),
            "salt": {"anyOf": [_ref("id"), NULL]},
            "body": {"anyOf": [_json_text({"type": "object"}, maxLength=16_777_216), NULL]},
        },
        description="An entry; salt and body are both null where it was erased.",
        oneOf=[
            {"properties": {"salt": TEXT, "body": TEXT}},
            {"properties": {"salt": NULL, "body": NULL}},
        ],
    ),
    "document_line": _object({"document": _ref("digest"), "content": _json_text({})}),
    "blob_line": _object(
        {"blob": _ref("hash"), "content": {"type": "string", "contentEncoding": "base64"}}
    ),
}

# --- From the models: bodies ---------------------------------------------------------------------


def built_in_kinds() -> list[type[Body]]:
    """The classes of the namespace `playhead`, by kind."""
    kinds = known_kinds()
    return [kinds[name] for name in sorted(kinds) if name.startswith("playhead.")]


def models_of(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that an annotation may hold, and those within them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_of(field.annotation)
    else:
        for argument in get_args(annotation):
            yield from models_of(argument)


def _required(model: type[BaseModel]) -> list[str]:
    """Members that must stand there: those that are never null, unless they are optional."""
    names = []
    for name, field in model.model_fields.items():
        annotation: Any = field.annotation
        try:
            TypeAdapter(annotation).validate_python(None)
        except ValidationError:
            if name not in OPTIONAL.get(model, ()):
                names.append(name)
    return names


def _tidied(value: Any) -> Any:  # noqa: ANN401  (any part of a schema)
    """Without titles, defaults and the closedness of objects; the union of parts by its name."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _ref(OtherPart.__name__) in value.get("oneOf", ()):
        return _ref("part")
    if value.get("$ref") == "#/$defs/JsonValue":
        return {}
    kept = {name: _tidied(item) for name, item in value.items() if name not in _DROPPED}
    if kept.get("additionalProperties") is False:
        del kept["additionalProperties"]
    return kept


_DROPPED = ("title", "default", "discriminator")


def _definitions() -> Schema:
    """Definitions of all bodies, by kind, and of what they hold, by class."""
    bodies = built_in_kinds()
    _, top = models_json_schema([(body, "validation") for body in bodies])
    made = {name: _tidied(schema) for name, schema in top["$defs"].items()}
    models = {model.__name__: model for body in bodies for model in models_of(body)}
    for name, model in models.items():
        if model is not OtherPart:
            made[name]["required"] = _required(model)
    parts = [model.__name__ for model in dict.fromkeys(models_of(Part))]
    known = [made[name]["properties"]["type"]["const"] for name in parts if name != "OtherPart"]
    made["OtherPart"] = {
        "description": made["OtherPart"]["description"],
        "type": "object",
        "properties": {"type": {"type": "string", "not": {"enum": known}}},
        "required": ["type"],
    }
    made["part"] = {"oneOf": [_ref(name) for name in parts]}
    made.pop("JsonValue", None)
    by_kind = {body.kind: made.pop(body.__name__) for body in bodies}
    return by_kind | {name: made[name] for name in sorted(made)}


def _entry() -> Schema:
    """An entry with header and body parsed: the body must fit the kind, the role the table."""
    rules = []
    for body in built_in_kinds():
        fits: Schema = _ref(body.kind)
        if body is not TapeHeader:  # never erased
            fits = {"anyOf": [fits, NULL]}
        of_kind = {"properties": {"kind": {"const": body.kind}}}
        of_version = {"properties": {"kv": {"const": body.kind_version}}}
        rules.append(
            {
                "if": {"properties": {"header": of_kind}},
                "then": {
                    "properties": {"header": {"properties": {"role": {"const": body.role}}}},
                    "if": {"properties": {"header": of_version}},
                    "then": {"properties": {"body": fits}},
                },
            }
        )
    members = {"header": _ref("header"), "body": {"type": ["object", "null"]}}
    return _object(members, description="Header and body of an entry, both parsed.", allOf=rules)


def make_schema() -> Schema:
    """The whole schema: of a line at its root, of all else under `$defs`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:playhead:tape:v1",
        "title": "Playhead tape, format version 1",
        "description": "A line of a tape file; under `$defs` also `header`, `by`, `entry` (header "
        "and body parsed) and the body of each built-in kind. docs/format.md says what a schema "
        "cannot. Unknown members of a body are kept and ignored.",
        "$ref": "#/$defs/line",
        "$defs": {**LINES, **FORMS, "entry": _entry(), **_definitions()},
    }


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(make_schema(), indent=1, ensure_ascii=False) + "\n"


def agent_text() -> str:
    """The schema of agent files."""
    return json.dumps(agent_schema(), indent=1, ensure_ascii=False) + "\n"


def suite_text() -> str:
    """The schema of suite files."""
    return json.dumps(suite_schema(), indent=1, ensure_ascii=False) + "\n"


def experience_text() -> str:
    """The schema of experience documents."""
    return json.dumps(experience_schema(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or check them; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the JSON Schemas in docs/schema/.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if not current")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, current in (
        (PATH, text()),
        (AGENT_PATH, agent_text()),
        (SUITE_PATH, suite_text()),
        (EXPERIENCE_PATH, experience_text()),
    ):
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(current, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != current:
            print(f"{path.name} is not current: run `python tools/make_schema.py`", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
