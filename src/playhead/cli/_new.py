"""`new`: a folder with an agent in it, ready to run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._guard import UsageFault
from playhead.cli._options import AsJson, Debug
from playhead.cli._output import Output
from playhead.cli._text import one_line

_TEMPLATES = Path(__file__).with_name("scaffold")
_KINDS = ("monolithic", "team", "llm-function", "form")
_SCHEMAS = {
    "agent.yaml": "agent.schema.json",
    "suite.yaml": "suite.schema.json",
}
DEFAULT_MODEL = "openai:gpt-5-mini"
_RULES = "{use: rules.py:model} # a rule model, offline; for a real one: openai:gpt-5-mini"
_EXTRAS = {  # by kind of agent, and by provider: what it takes beside the core
    "monolithic": ("templates", "jinja2"),
    "form": ("checks", "jsonschema_rs"),
    "openai": ("openai", "openai"),
    "anthropic": ("anthropic", "anthropic"),
    "litellm": ("litellm", "litellm"),
}
_NEXT = {
    "agent": (
        'playhead run agent.yaml "What time is it in Lima?"',
        "playhead eval suite.yaml --agent agent.yaml --trials 3",
    ),
    "monolithic": ('playhead run agent.yaml "When does the shop in Lima open?"',),
    "team": ('playhead run agent.yaml "Announce our new shop in Oslo"',),
    "llm-function": ('python ask.py "The parcel came late again."',),
    "form": (
        'playhead run agent.yaml "My name is Ana, I stay 3 nights"',
        'playhead run agent.yaml "2027-02-01" --tape last',
    ),
}


def new(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[monolithic|team|llm-function|form]",
            help="What kind of agent; if only FOLDER is given, one that calls tools.",
            show_default=False,
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Made if it is not there.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="openai:NAME, anthropic:NAME or litellm:PROVIDER/NAME. If not given, a program "
            f"that answers by rules, offline; {DEFAULT_MODEL} where only FOLDER is given.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Begin an agent: a YAML file, what it needs, a test without a key, a schema for your editor.

    No file that is there is ever written over.
    """
    output = Output(as_json=as_json)
    kind, place = _wanted(what, folder)
    if model is not None:
        _check_model(model)
    elif kind == "agent":
        model = DEFAULT_MODEL
    made = begin(place, model or _RULES, kind=kind)
    if as_json:
        output.document({"folder": str(place), "files": made})
        return 0
    for name in made:
        output.out.print(f"  {place / name}", highlight=False, markup=False)
    variable = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
    provider = (model or "").partition(":")[0]
    key = variable.get(provider)
    output.message(f"Next{f', with {key} set' if key else ''}:")
    for line in (*_installing(kind, provider), f"cd {place}", *_NEXT[kind]):
        output.out.print(f"  {line}", highlight=False, markup=False)
    return 0


def _installing(kind: str, provider: str) -> Iterator[str]:
    """The command that installs what is missing, if anything is."""
    needed = [_EXTRAS[each] for each in (kind, provider) if each in _EXTRAS]
    missing = [extra for extra, module in needed if find_spec(module) is None]
    if missing:
        yield f'pip install "playhead[{",".join(missing)}]"'


def _wanted(what: str, folder: Path | None) -> tuple[str, Path]:
    """The kind of agent, and its folder.

    Raises:
        UsageFault: There is no such kind, or no folder.
    """
    if folder is None:
        if what in _KINDS:
            raise UsageFault(f"name the folder as well: `playhead new {what} FOLDER`")
        return "agent", Path(what)
    if what not in _KINDS:
        kinds = ", ".join(_KINDS)
        raise UsageFault(f"there is no kind `{one_line(what, 80)}` of agent, only {kinds}")
    return what, folder


def begin(folder: Path, model: str, *, kind: str = "agent") -> list[str]:
    """Write the files of a new agent; their names.

    Raises:
        UsageFault: One of them is there already, or the folder cannot be written.
    """
    files = _files(kind)
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise UsageFault(f"`{folder / there[0]}` is there already: name another folder")
    name = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-") or "helper"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            (folder / file).write_text(_content(kind, file, name, model=model), encoding="utf-8")
    except OSError as error:
        raise UsageFault(f"`{folder}` cannot be written: {error.strerror}") from error
    return files


def _files(kind: str) -> list[str]:
    own = sorted(path.name for path in (_TEMPLATES / kind).iterdir() if path.is_file())
    return [*own, ".gitignore", *(_SCHEMAS[name] for name in own if name in _SCHEMAS)]


def _content(kind: str, file: str, name: str, *, model: str) -> str:
    if file == "agent.schema.json":
        from playhead.agent import agent_schema

        return json.dumps(agent_schema(), indent=1) + "\n"
    if file == "suite.schema.json":
        from playhead.evaluate import suite_schema

        return json.dumps(suite_schema(), indent=1) + "\n"
    if file == ".gitignore":
        return (_TEMPLATES / "gitignore").read_text(encoding="utf-8")
    text = (_TEMPLATES / kind / file).read_text(encoding="utf-8")
    if not file.endswith(".yaml"):
        return text
    return re.sub(r"\bMODEL\b", lambda _: model, re.sub(r"\bNAME\b", name, text))


def _check_model(model: str) -> None:
    if not re.fullmatch(r"(openai|anthropic|litellm):[\w./:@-]+", model):
        raise UsageFault(
            f"`{one_line(model, 100)}` names no model: write openai:NAME, anthropic:NAME or "
            "litellm:PROVIDER/NAME"
        )
