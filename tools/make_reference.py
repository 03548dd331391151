#!/usr/bin/env python3
"""Write docs/reference/: a page for each public folder, from signatures and docstrings.

The source is read, not imported. `--check` only says whether the committed pages are current.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
TO = ROOT / "docs" / "reference"
FOLDERS = (
    "agent",
    "environment",
    "llm",
    "orchestrator",
    "evaluate",
    "evaluate.suites",
    "evaluate.perturb",
    "evaluate.statistics",
    "evaluate.inspect_bridge",
    "record.cassettes",
    "tape",
    "tape.kinds",
    "tape.annotations",
    "store",
    "govern",
    "record",
    "record.mcp",
    "record.otlp",
    "experience.document",
    "experience.routine",
    "experience.values",
    "experience.learn",
    "experience.learn.with_model",
    "experience.checks",
    "experience.play",
    "experience.library",
    "serve",
    "serve.experiences",
    "errors",
)
WIDTH = 92
SECTIONS = {
    "parameters": "Arguments",
    "attributes": "Attributes",
    "returns": "Returns",
    "yields": "Yields",
    "raises": "Raises",
}


def pages() -> dict[str, str]:
    """Every page of the reference, by file name."""
    package = griffe.load(
        "playhead",
        search_paths=[ROOT / "src"],
        docstring_parser="google",
        docstring_options={"warnings": False},  # fields of a base class are explained in it
    )
    made = {f"{name}.md": folder_page(package[name]) for name in FOLDERS}
    return {"playhead.md": door_page(package), **made}


def public(module: griffe.Object | griffe.Alias) -> list[griffe.Object]:
    """The objects that a module offers: its `__all__`, or the classes that stand in it."""
    if module.exports is not None:
        return [_final(module[str(name)]) for name in module.exports]
    there = (_final(each) for each in module.members.values() if not each.is_alias)
    return [each for each in there if each.is_class and not each.name.startswith("_")]


def _final(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if isinstance(found, griffe.Alias) else found


def door_page(package: griffe.Object | griffe.Alias) -> str:
    """What `import playhead` gives, each name with a link to where it is explained."""
    lines = [
        *_title("playhead"),
        "What `import playhead as ph` gives. The folders below it hold more:",
        ", ".join(f"[`{name}`]({name}.md)" for name in FOLDERS) + ".",
        "",
        "| name | |",
        "|---|---|",
    ]
    for found in public(package):
        page = next(name for name in FOLDERS if found.path.startswith(f"playhead.{name}."))
        lines.append(f"| [`{found.name}`]({page}.md#{_anchor(found)}) | {_cell(_summary(found))} |")
    return "\n".join(lines) + "\n"


def folder_page(module: griffe.Object | griffe.Alias) -> str:
    """Everything that one folder offers."""
    path = module.path.removeprefix("playhead.")
    lines = [*_title(module.path), *_text(module)]
    if path != "errors":  # its docstring draws the tree
        lines += [f"- [{_heading(each)}](#{_anchor(each)})" for each in public(module)] + [""]
    for found in public(module):
        lines += [f"## {_heading(found)}", "", *_described(found)]
    return "\n".join(lines).rstrip() + "\n"


def _title(path: str) -> list[str]:
    return [
        f"# {path}",
        "",
        "<!-- Written by tools/make_reference.py from the docstrings: change those. -->",
        "",
    ]


def _heading(found: griffe.Object) -> str:
    return f"{_sort(found)} `{found.name}`"


def _sort(found: griffe.Object) -> str:
    if not isinstance(found, griffe.Attribute):
        return found.kind.value
    if found.name.isupper():
        return "value"
    return "function" if found.name.islower() else "type"


def _anchor(found: griffe.Object) -> str:
    return f"{_sort(found)}-{found.name.lower()}"


def _summary(found: griffe.Object) -> str:
    text = found.docstring.value if found.docstring else ""
    if not text and found.name.endswith("_sync"):
        return f"`{found.name.removesuffix('_sync')}` for code that is not async."
    return " ".join(text.partition("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _described(found: griffe.Object) -> Iterator[str]:
    if isinstance(found, griffe.Class):
        yield from _code(_class_lines(found))
        yield from _text(found)
        elsewhere = [each for each in _methods(found) if _summary(each).startswith("See `")]
        if elsewhere:
            yield from ["And: " + ", ".join(f"`{each.name}`" for each in elsewhere) + ".", ""]
        for member in _methods(found):
            if member not in elsewhere:
                yield from [f"### `{found.name}.{member.name}`", "", *_code(_signature(member))]
                yield from _text(member)
    elif isinstance(found, griffe.Function):
        for shape in found.overloads or [found]:
            yield from _code(_signature(shape))
        yield from _text(found)
    elif isinstance(found, griffe.Attribute):
        text = f"{found.name} = {found.value}"
        if len(text) > WIDTH:
            text = f"{found.name}: {found.annotation}"
        if found.name.endswith("_sync"):
            twin = found.name.removesuffix("_sync")
            yield from [f"`{twin}` for code that is not async; its arguments are the same.", ""]
        else:
            yield from _code([text])
            yield from _text(found)


def _code(lines: Iterable[str]) -> list[str]:
    return ["```py", *lines, "```", ""]


def _class_lines(found: griffe.Class) -> list[str]:
    bases = ", ".join(str(base) for base in found.bases)
    head = f"class {found.name}({bases})" if bases else f"class {found.name}"
    fields = [
        f"    {each.name}" + (f": {each.annotation}" if each.annotation else "") + _value(each)
        for each in found.members.values()
        if isinstance(each, griffe.Attribute)
        and not each.name.startswith("_")
        and "property" not in each.labels
        and not _made_by_init(each)
    ]
    made = found.members.get("__init__")
    if isinstance(made, griffe.Function) and "dataclass" not in found.labels:
        fields += [f"    {line}" for line in _signature(made)] if len(made.parameters) > 1 else []
    return [f"{head}:", *fields] if fields else [head]


def _made_by_init(attribute: griffe.Attribute) -> bool:
    only = "class-attribute" not in attribute.labels and "instance-attribute" in attribute.labels
    return only and attribute.value is not None


def _value(attribute: griffe.Attribute) -> str:
    if attribute.value is None:
        return ""
    text = " ".join(str(attribute.value).split())
    return f" = {text}" if len(text) < 60 else " = …"


def _methods(found: griffe.Class) -> Iterator[griffe.Object]:
    for member in found.members.values():
        own = isinstance(member, griffe.Function) or "property" in member.labels
        if own and not member.name.startswith("_") and isinstance(member, griffe.Object):
            yield member


def _signature(found: griffe.Object) -> list[str]:
    if not isinstance(found, griffe.Function):  # a property
        kind = found.annotation if isinstance(found, griffe.Attribute) else None
        return [f"{found.name}: {kind}" if kind else found.name]
    marks = [f"@{mark}" for mark in ("classmethod", "staticmethod") if mark in found.labels]
    start = "async def " if "async" in found.labels else "def "
    ends = f") -> {found.returns}" if found.returns is not None else ")"
    parts = list(_parameters(found))
    line = f"{start}{found.name}({', '.join(parts)}{ends}"
    if len(line) <= WIDTH:
        return [*marks, line]
    return [*marks, f"{start}{found.name}(", *(f"    {part}," for part in parts), ends]


def _parameters(function: griffe.Function) -> Iterator[str]:
    kinds = [parameter.kind for parameter in function.parameters]
    for place, parameter in enumerate(function.parameters):
        kind = kinds[place]
        before = kinds[place - 1] if place else None
        star = (griffe.ParameterKind.keyword_only, griffe.ParameterKind.var_positional)
        if before is griffe.ParameterKind.positional_only and kind is not before:
            yield "/"
        if kind is star[0] and before not in star:
            yield "*"
        yield _parameter(parameter)
    if kinds and kinds[-1] is griffe.ParameterKind.positional_only:
        yield "/"


def _parameter(parameter: griffe.Parameter) -> str:
    many = {"var_positional": "*", "var_keyword": "**"}
    name = many.get(parameter.kind.name if parameter.kind else "", "") + parameter.name
    typed = f"{name}: {parameter.annotation}" if parameter.annotation is not None else name
    if parameter.default is None or name.startswith("*"):
        return typed
    return f"{typed} = {parameter.default}" if ":" in typed else f"{typed}={parameter.default}"


def _text(found: griffe.Object | griffe.Alias) -> Iterator[str]:
    """The docstring: its text as it stands, its sections as lists."""
    for section in found.docstring.parsed if found.docstring else ():
        kind = section.kind.value
        if kind == "text":
            yield from [*section.value.splitlines(), ""]
        elif kind == "examples":
            yield from _code(text for _, value in section.value for text in value.splitlines())
        elif kind == "admonition":
            yield from [f"{section.title}:", "", *_code(section.value.description.splitlines())]
        else:
            yield from [f"**{SECTIONS[kind]}**", "", *(_item(each) for each in section.value), ""]


def _item(each: griffe.DocstringElement) -> str:
    name = getattr(each, "name", None) or each.annotation
    return f"- `{name}`: {' '.join(each.description.split())}"


def write(made: dict[str, str], to: Path) -> None:
    """Write the pages, and remove what is none of them."""
    to.mkdir(exist_ok=True)
    for stale in {path.name for path in to.iterdir()} - set(made):
        (to / stale).unlink()
    for name, text in made.items():
        (to / name).write_text(text)


def differing(made: dict[str, str], there: Path) -> list[str]:
    """Names of the pages that are missing, changed, or not made any more."""
    found = {path.name: path.read_text() for path in there.iterdir()} if there.is_dir() else {}
    return sorted(name for name in {*made, *found} if made.get(name) != found.get(name))


def main() -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--to", type=Path, default=TO, help="the folder")
    asked = parser.parse_args()
    made = pages()
    if not asked.check:
        write(made, asked.to)
        return 0
    stale = differing(made, asked.to)
    for name in stale:
        print(f"{name} is stale: run `python tools/make_reference.py`", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
