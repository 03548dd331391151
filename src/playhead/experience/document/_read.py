"""Reading and writing experience documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from playhead.errors import ExperienceFileError, JsonError
from playhead.experience.document._experience import Experience
from playhead.experience.document._structure import faults_of
from playhead.tape import Json, canonical, digest_of
from playhead.yaml import read_yaml

MAX_BYTES = 1_000_000


def read_experience(path: Path | str) -> Experience:
    """An experience from a YAML or JSON file.

    Raises:
        ExperienceFileError: It is none; the message names file and line.
    """
    document = read_yaml(Path(path), error=ExperienceFileError)
    if len(document.files) > 1:
        raise ExperienceFileError(f"`{path}`: an experience includes no other file")
    return _sound(document.validated(Experience), str(path))


def experience_of(value: Json) -> Experience:
    """An experience from plain JSON.

    Raises:
        ExperienceFileError: It is none; the message names the members.
    """
    try:
        size = len(canonical(value))
        if size > MAX_BYTES:
            raise ExperienceFileError(
                f"an experience has at most {MAX_BYTES:,} bytes, not {size:,}"
            )
        return _sound(Experience.model_validate(value), "the experience")
    except JsonError as error:
        raise ExperienceFileError(error.message) from None
    except ValidationError as error:
        told = [
            f"`{'.'.join(map(str, each['loc']))}`: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)[:10]
        ]
        raise ExperienceFileError("\n".join(told)) from None


def plain(experience: Experience) -> dict[str, Json]:
    """The document as plain JSON, without members that say nothing."""
    return cast(
        "dict[str, Json]", experience.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    )


def experience_digest(experience: Experience) -> str:
    """The tagged digest of the document's canonical form; trust and statistics lie outside it."""
    return digest_of(canonical(plain(experience)))


def experience_yaml(experience: Experience) -> str:
    """The document as people read it."""
    return yaml.dump(
        plain(experience), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def _sound(experience: Experience, what: str) -> Experience:
    found = faults_of(experience)
    if found:
        raise ExperienceFileError(f"{what}: " + "; ".join(found[:10]))
    return experience


class _Dumper(yaml.SafeDumper):
    """Without anchors; texts that could be read as something else stand in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    plainly = _PLAIN.fullmatch(text) and text.casefold() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plainly else '"')


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _./()-]*")
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_Dumper.add_representer(str, _text)
