"""A file that was read: what it says, where each part stands, and how its faults are told."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from playhead.errors import PlayheadError
from playhead.tape import Json
from playhead.yaml._part import members_named

Trail: TypeAlias = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

MAX_FILE = 1_000_000  # bytes
_MOST_FAULTS = 10


class Fault(Exception):
    """A fault that has no class yet: whoever asked gives it the one of the document."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(slots=True)
class Document:
    """What a file says, with the files that it includes.

    Args:
        root: The file.
        error: The class of its faults.
        value: What it says.
        places: Where each part of the value stands.
        files: All files that were read.
    """

    root: Path
    error: type[PlayheadError]
    value: Json = None
    places: dict[Trail, Place] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def place(self, trail: Trail) -> Place:
        """Where a part stands; if it is absent, the nearest one around it."""
        while trail and trail not in self.places:
            trail = trail[:-1]
        return self.places.get(trail, Place(self.root, 1))

    def folder(self, trail: Trail) -> Path:
        """The folder of the file in which a part stands."""
        return self.place(trail).path.parent

    def fault(self, trail: Trail, said: str) -> PlayheadError:
        """A fault of a part, to be raised."""
        return self.error(f"{self.place(trail)}: {said}")

    @contextlib.contextmanager
    def at(self, trail: Trail) -> Iterator[None]:
        """Tell the faults of what is done within with file and line."""
        try:
            yield
        except PlayheadError as error:
            if isinstance(error, self.error):
                raise
            raise self.fault(trail, error.message) from error

    def validated(self, model: type[M], *, trail: Trail = (), value: Any = ...) -> M:  # noqa: ANN401
        """The value as a model, all faults told at once, each with file and line.

        Args:
            model: The model.
            trail: Where the value stands.
            value: The value; all that the file says if not given.
        """
        given = self.value if value is ... else value
        try:
            return model.model_validate(given)
        except ValidationError as error:
            faults: dict[str, None] = {}  # each once
            for fault in error.errors(include_url=False, include_input=False):
                below = _trail(fault["loc"], given, fault["type"] in ("missing", "extra_forbidden"))
                where = (*trail, *below)
                if fault["type"] == "extra_forbidden":
                    said = _unknown(str(where[-1]), model)
                else:
                    said = f"`{'.'.join(map(str, where)) or 'the file'}`: {_said(fault)}"
                faults[f"{self.place(where)}: {said}"] = None
            raise self.error("\n".join(list(faults)[:_MOST_FAULTS])) from None

    def text(self, name: str, trail: Trail) -> str:
        """A text in a file of its own, named from the file that says so, and in the root's folder.

        Args:
            name: The name of the file.
            trail: Where the name stands.
        """
        path = self.folder(trail) / name
        try:
            if not resolved(path).is_relative_to(resolved(self.root).parent):
                raise Fault(
                    f"`{name}` lies outside the folder of `{self.root.name}`: move it there"
                )
            text = content(path)
        except Fault as fault:
            raise self.fault(trail, str(fault)) from None
        self.files.append(path)
        return text


def content(path: Path) -> str:
    """A file as a text.

    Raises:
        Fault: It is too large, cannot be read, or is no text.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise Fault(f"`{path}` has more than {MAX_FILE:,} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Fault(f"`{path}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Fault(f"`{path}`: byte {error.start} is not UTF-8: save it so") from None
    except ValueError as error:  # a name that no file can have
        raise Fault(f"`{path}` cannot be read: {error}".replace("\0", "\\0")) from None


def resolved(path: Path) -> Path:
    """Where a file really is.

    Raises:
        Fault: Nowhere: its links go in a circle, or no file can have such a name.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise Fault(f"`{path}` cannot be read: {error}".replace("\0", "\\0")) from None


def _trail(loc: tuple[str | int, ...], value: object, names_last: bool) -> Trail:
    """Where a fault stands in the file: without the tags of the ways of writing, which do not."""
    parts = [part for part in loc if not str(part).startswith("(")]
    trail: list[str | int] = []
    for number, part in enumerate(parts):
        if _holds(value, part):
            value = value[part]  # type: ignore[index]
        elif not (names_last and number == len(parts) - 1):
            break
        trail.append(part)
    return tuple(trail)


def _holds(value: object, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _said(fault: ErrorDetails) -> str:
    if fault["type"] == "union_tag_invalid":
        tags = str(fault["ctx"]["expected_tags"]).split(", ")
        return f"it is {' or '.join(_WAYS.get(tag) or _way(tag) for tag in tags)}"
    return fault["msg"].removeprefix("Value error, ")


_WAYS = {"'(text)'": "a text", "'(list)'": "a list", "'(members)'": "members with values"}


def _way(tag: str) -> str:
    name = tag.strip("'()")
    return f"members with `{name}` among them"


def _unknown(member: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(member, members_named(model) - {member}, n=1)
    return f"there is no `{member}` here" + (f": do you mean `{near[0]}`?" if near else "")
