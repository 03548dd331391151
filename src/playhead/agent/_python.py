"""What a person names in Python: `path/to/file.py:NAME` or `PACKAGE.MODULE:NAME`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from playhead.errors import AgentError, AgentFileError, PlayheadError, told

T = TypeVar("T")
_files: dict[Path, ModuleType] = {}


def find_object(spec: str, *, folder: Path | None = None) -> object:
    """What a name leads to. The code of its module runs.

    Args:
        spec: The name.
        folder: Where files are looked for; the working directory if not given.

    Raises:
        AgentError: It leads nowhere, or the module's code raised; the message says why. Where only
            the name is missing, `place` is the module's.
    """
    place, _, path = spec.rpartition(":")
    if not place or not all(part.isidentifier() for part in path.split(".")):
        raise AgentError(f"`{spec}`: write FILE.py:NAME or PACKAGE.MODULE:NAME")
    module = find_module(place, folder=folder)
    value: object = module
    for part in path.split("."):
        value = getattr(value, part, None)
    if value is None:
        raise AgentError(f"`{place}` has no `{path}`", place=place)
    return value


def find_module(place: str, *, folder: Path | None = None) -> ModuleType:
    """A module by its name, or from a file.

    Raises:
        AgentError: As `find_object`.
    """
    if place.endswith(".py") or "/" in place or os.sep in place:
        return _from_file((folder or Path()) / place)
    here = str((folder or Path()).resolve())
    if here not in sys.path:
        sys.path.insert(0, here)
    return called(lambda: importlib.import_module(place), place)


def _from_file(path: Path) -> ModuleType:
    try:
        where = path.resolve()
        there = where in _files or where.is_file()
    except (OSError, RuntimeError, ValueError):  # links in a circle, or no name of a file
        there = False
    if not there:
        raise AgentError(f"there is no file `{path}`".replace("\0", "\\0"))
    if where in _files:
        return _files[where]
    name = path.stem
    if name in sys.modules or name in sys.stdlib_module_names or not name.isidentifier():
        name = f"playhead_file_{len(_files)}"
    spec = importlib.util.spec_from_file_location(name, where)
    if spec is None or spec.loader is None:
        raise AgentError(f"`{path}` is no Python file: its name ends with .py")
    module = importlib.util.module_from_spec(spec)
    if str(where.parent) not in sys.path:
        sys.path.insert(0, str(where.parent))
    sys.modules[name] = module
    try:
        called(lambda: spec.loader.exec_module(module) if spec.loader else None, str(path))
    except AgentError:
        del sys.modules[name]
        raise
    _files[where] = module
    return module


def called(function: Callable[[], T], what: str) -> T:
    """Run somebody's code; what it raises is told on one line, with the place.

    Raises:
        AgentError: It raised.
    """
    try:
        return function()
    except AgentFileError:  # of a file that it reads: it has a place of its own
        raise
    except (Exception, SystemExit) as error:
        message = error.message if isinstance(error, PlayheadError) else ""
        said = f"{type(error).__name__}: {message}" if message else told(error)
        where = "" if isinstance(error, SyntaxError) else _place_of(error)
        raise AgentError(f"`{what}` cannot be loaded: {said}{where}") from error


def _place_of(error: BaseException) -> str:
    """The innermost line of code that is not Python's own import."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
