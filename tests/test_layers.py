"""Lower layers never import higher ones, and nobody imports another folder's private modules.

The order is that of `docs/design.md`. Imports within functions and for types only count as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "playhead"
LAYERS = {
    "errors": 0,
    "conventions": 0,
    "tape": 1,
    "store": 2,
    "llm": 2,
    "govern": 2,
    "yaml": 2,
    "environment": 3,
    "agent": 3,
    "orchestrator": 4,
    "office": 4,
    "evaluate": 5,
    "record": 5,
    "experience": 6,
    "optimize": 6,
    "serve": 7,
    "studio": 7,
    "cli": 7,
    "pytest_plugin": 7,
    "__main__": 7,
}
SIBLINGS = {
    ("agent", "environment"),
    ("experience", "evaluate"),
    ("optimize", "evaluate"),
    ("cli", "serve"),
    ("__main__", "cli"),
}
DOOR = "playhead"  # what users import; in the package, only applications and programs do


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def folder_of(path: Path, source: Path = SOURCE) -> str:
    """The folder of a module, or the name of a module that stands in none."""
    relative = path.relative_to(source)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path, source: Path = SOURCE) -> Iterator[str]:
    """Every module of the package that a module imports, dotted, with relative ones resolved."""
    package = ["playhead", *path.relative_to(source).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *base.split(".")])
                base = base.rstrip(".")
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name, source) else base for name in names)


def is_module(name: str, source: Path = SOURCE) -> bool:
    """Whether a dotted name is a module or a folder, rather than something in one."""
    path = source.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def faults(path: Path, source: Path = SOURCE) -> Iterator[str]:
    """What a module imports and must not."""
    mine = folder_of(path, source)
    if mine == "__init__":  # the door itself
        return
    for name in imports(path, source):
        parts = name.split(".")
        if parts[0] != "playhead":
            continue
        if len(parts) == 1:
            if LAYERS[mine] < LAYERS["cli"]:
                yield f"{path.name} imports the door `playhead`"
            continue
        theirs = parts[1]
        if theirs == mine:
            continue
        if any(part.startswith("_") and not part.endswith("__") for part in parts[2:]):
            yield f"{path.name} imports the private module `{name}`"
        if not may_import(mine, theirs):
            yield f"`{mine}` imports `{theirs}` ({path.name})"


def may_import(mine: str, theirs: str) -> bool:
    return LAYERS[theirs] < LAYERS[mine] or (mine, theirs) in SIBLINGS


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_downwards(path: Path) -> None:
    assert folder_of(path) in {*LAYERS, "__init__"}, "a new folder needs a layer: see above"
    assert list(faults(path)) == []


def test_every_module_is_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > 600} == {}


@pytest.mark.parametrize(
    ("module", "code", "fault"),
    [
        ("tape/_x.py", "from playhead.store import Store", "`tape` imports `store`"),
        ("tape/_x.py", "import playhead.llm", "`tape` imports `llm`"),
        ("tape/_x.py", "def f():\n    from playhead.agent import Agent", "`tape` imports `agent`"),
        (
            "store/_x.py",
            "if TYPE_CHECKING:\n    from playhead.llm import Model",
            "`store` imports `llm`",
        ),
        ("store/_x.py", "from ..agent import Agent", "`store` imports `agent`"),
        ("store/_x.py", "from .. import agent", "`store` imports `agent`"),
        ("environment/_x.py", "from playhead.agent import Agent", "`environment` imports `agent`"),
        ("orchestrator/_x.py", "from playhead.office import x", "`orchestrator` imports `office`"),
        (
            "office/_x.py",
            "from playhead.orchestrator import run",
            "`office` imports `orchestrator`",
        ),
        ("office/_x.py", "from playhead.cli import main", "`office` imports `cli`"),
        ("agent/_x.py", "from playhead.tape._fold import Fold", "private module"),
        ("agent/_x.py", "import playhead", "the door"),
        ("errors.py", "from playhead.tape import Tape", "`errors` imports `tape`"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, module: str, code: str, fault: str) -> None:
    for path in modules():
        copy = tmp_path / "playhead" / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    breach = tmp_path / "playhead" / module
    breach.write_text(code)
    (found,) = faults(breach, tmp_path / "playhead")
    assert fault in found


def test_what_is_allowed_is_allowed(tmp_path: Path) -> None:
    for path in modules():
        copy = tmp_path / "playhead" / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    allowed = {
        "agent/_x.py": "from playhead.environment import Tool\nfrom playhead.agent._y import z",
        "cli/_x.py": "import playhead\nfrom playhead.office import Office",
        "office/_x.py": "from playhead.agent import Agent",
        "evaluate/_x.py": "from playhead.office import Office",
        "store/_x.py": "from playhead.tape import kinds\nfrom playhead.errors import StoreError",
    }
    for module, code in allowed.items():
        path = tmp_path / "playhead" / module
        path.write_text(code)
        assert list(faults(path, tmp_path / "playhead")) == []
