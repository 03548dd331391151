"""`library ls`, `show` and `search`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from playhead.cli._guard import DONE, NEGATIVE
from playhead.cli._output import Output
from playhead.cli._text import clean, local_time, one_line, plural
from playhead.experience.document import (
    CallState,
    Experience,
    FinishState,
    ForEachState,
    RefuseState,
    brief,
    experience_diagram,
    experience_yaml,
)
from playhead.experience.library import Found, Kept, Library, library_path
from playhead.llm import named_embeddings

STATES = {"trusted": "green", "quarantined": "yellow", "drifted": "red", "expired": "dim"}


class Sought(NamedTuple):
    """What is searched for: a task, a tool, an author; and by whose vectors, if not words alone."""

    text: str | None
    tool: str | None
    author: str | None
    embeddings: str | None


class Place(NamedTuple):
    """Where the library is."""

    library: Path | None
    store: Path


@contextlib.contextmanager
def opened(library: Path | None, store: Path) -> Iterator[Library]:
    """The library that was asked for."""
    with Library(library or library_path(store)) as found:
        yield found


def ls(place: Place, *, everything: bool, as_json: bool) -> int:
    """List experiences."""
    output = Output(as_json=as_json)
    with opened(*place) as library:
        kept = library.all() if everything else library.playable()
        rows = [_json(library, each) for each in kept]
        rest = len(library.all()) - len(kept)
    if as_json:
        output.document({"experiences": rows})
        return DONE
    if kept:
        output.out.print(_table(kept, rows))
    else:
        output.message(
            "no experience may be played yet: `playhead learn` makes them of tapes, `playhead "
            "library add` and `install` take them in, `trust` verifies them"
        )
    if rest:
        output.message(f"{plural(rest, 'other')}: playhead library ls --all", "dim")
    return DONE


def search(place: Place, wanted: Sought, *, as_json: bool) -> int:
    """Search, and say which one would be played."""
    output = Output(as_json=as_json)
    text, named = wanted.text, wanted.embeddings
    embed = named_embeddings(named) if named is not None else None
    with opened(*place) as library:
        similar = library.by_meaning(embed) if embed is not None else None
        found = library.search(text, tool=wanted.tool, author=wanted.author, similarity=similar)
        choice = library.find(text, similarity=similar) if text is not None else None
    if as_json:
        played = choice.kept.digest if choice and choice.kept else None
        reason = choice.reason if choice else None
        rows = [_found(each) for each in found]
        output.document({"found": rows, "played": played, "reason": reason})
    else:
        _print_found(output, found)
        if choice is not None:
            said = f"would be played: {choice.kept.label}" if choice.kept else "none is played"
            output.message(f"{said}: {one_line(choice.reason, 300)}")
    missing = choice.kept is None if choice is not None else not found
    return NEGATIVE if missing else DONE


def document(place: Place, reference: str, *, diagram: bool) -> int:
    """Write the document, or its diagram."""
    output = Output()
    with opened(*place) as library:
        experience = library.document(reference)
    text = experience_diagram(experience) if diagram else experience_yaml(experience)
    output.out.print(Text(clean(text).rstrip("\n")), soft_wrap=True)
    return DONE


def show(place: Place, reference: str, *, as_json: bool) -> int:
    """Show all that is known of an experience."""
    output = Output(as_json=as_json)
    with opened(*place) as library:
        kept = library.get(reference)
        experience = library.document(kept.digest)
        facts = _json(library, kept) | _more(library, kept)
    if as_json:
        plain = experience.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        output.document(facts | {"document": plain})
        return DONE
    output.out.print(_head(kept, experience, facts))
    output.out.print(routine_tree(experience))
    return DONE


def _more(library: Library, kept: Kept) -> dict[str, object]:
    signers = [
        each.said
        for package in library.packages(kept.digest)
        for each in library.signers_of(package)
    ]
    return {
        "parents": library.lineage(kept.digest),
        "history": [
            {"time": time, "state": state, "reason": reason}
            for time, state, reason in library.history(kept.digest)
        ],
        "ratings": [asdict(each) for each in library.ratings.of(kept.digest)],
        "signed_by": signers,
        "guards": [each.text for each in library.guards.of(kept.digest)],
    }


def _json(library: Library, kept: Kept) -> dict[str, object]:
    counts = library.plays.counts(kept.digest)
    return asdict(kept) | {"plays": asdict(counts)}


def _found(found: Found) -> dict[str, object]:
    return {
        **asdict(found.kept),
        "fit": round(found.fit, 4),
        "score": round(found.score, 4),
        "copies": [each.digest for each in found.copies],
    }


def _table(kept: Sequence[Kept], rows: Sequence[dict[str, object]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("experience", "digest", "state", "plays"):
        table.add_column(name, no_wrap=True)
    table.add_column("why", no_wrap=True, overflow="ellipsis")
    for each, row in zip(kept, rows, strict=True):
        table.add_row(
            Text(one_line(each.label, 50), style="bold"),
            Text(each.short),
            Text(each.state, style=STATES[each.state]),
            Text(plays_text(row["plays"])),
            Text(one_line(each.reason, 200), style="dim"),
        )
    return table


def plays_text(counts: object) -> str:
    """How plays ended, in words."""
    named = counts if isinstance(counts, dict) else {}
    told = [f"{count} {name.replace('_', ' ')}" for name, count in named.items() if count]
    return ", ".join(told) or "none"


def _print_found(output: Output, found: Sequence[Found]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("experience", "digest", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("fit", "score"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        more = f" and {plural(len(each.copies), 'copy').replace('copys', 'copies')}"
        table.add_row(
            Text.assemble(
                (one_line(each.kept.label, 50), "bold"), (more if each.copies else "", "dim")
            ),
            Text(each.kept.short),
            Text(each.kept.state, style=STATES[each.kept.state]),
            f"{each.fit:.2f}",
            f"{each.score:.2f}",
        )
    if found:
        output.out.print(table)


def _head(kept: Kept, experience: Experience, facts: dict[str, object]) -> Group:
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column()
    made = f"{kept.origin} {local_time(kept.added)}" + (f" by {kept.author}" if kept.author else "")
    signed = facts["signed_by"]
    ratings = facts["ratings"]
    rows = {
        "digest": kept.digest,
        "state": f"{kept.state} since {local_time(kept.since)}: {kept.reason}",
        "from": made,
        "signed by": "; ".join(signed) if isinstance(signed, list) else "",
        "plays": plays_text(facts["plays"]),
        "ratings": _ratings(ratings if isinstance(ratings, list) else []),
        "needs": ", ".join(f"{name} ({tool.effect})" for name, tool in experience.tools.items()),
        "asks for": ", ".join(experience.parameters),
        "checks": ", ".join(check.id for check in experience.checks),
        "steps": "\n".join(experience.procedure.steps),
    }
    for name, value in rows.items():
        if value:
            lines.add_row(name, Text(clean(value)))
    title = Text(one_line(f"{kept.label}  {experience.title}", 200), style="bold")
    return Group(Panel(lines, title=title, title_align="left"))


def _ratings(ratings: Sequence[dict[str, object]]) -> str:
    told = []
    for each in ratings:
        stars = "★" * int(str(each["stars"])) if each["stars"] else ""
        told.append(
            " ".join(filter(None, [str(each["by"]), stars, "audited" * bool(each["audited"])]))
        )
    return ", ".join(told)


def routine_tree(experience: Experience) -> Tree:
    """The routine as a tree of states; one that was shown already is only named again."""
    routine = experience.routine
    tree = Tree(Text("routine", style="dim"))
    seen: set[str] = set()
    ahead: list[tuple[Tree, str, str]] = [(tree, routine.start, "")]
    while ahead:
        above, name, when = ahead.pop()
        state = routine.states[name]
        label = Text.assemble(
            (f"{one_line(when, 100)} → " if when else "", "dim"), (one_line(name, 60), "bold")
        )
        if name in seen:
            above.add(label.append(" (above)", style="dim"))
            continue
        seen.add(name)
        branch = above.add(label.append(f"  {_said(state)}"))
        steps = () if isinstance(state, FinishState | RefuseState) else state.next
        several = len(steps) > 1
        for step in reversed(steps):
            said = brief(step.when) if step.when is not None else "otherwise" if several else ""
            ahead.append((branch if several else above, step.to, said))
    return tree


def _said(state: object) -> str:
    match state:
        case CallState():
            said = _call(state.call.tool, state.call.arguments)
        case ForEachState():
            loop = state.for_each
            calls = "; ".join(_call(each.tool, each.arguments) for each in loop.do)
            said = f"for each of {brief(loop.rows)}: {calls}"
        case FinishState():
            said = "nothing to do" if state.finish.noop else "done"
        case RefuseState():
            said = f"refuse: {state.refuse}"
        case _:
            said = ""
    return one_line(said, 400)


def _call(tool: object, arguments: object) -> str:
    named = tool if isinstance(tool, str) else "a tool of the task's choice"
    given = arguments if isinstance(arguments, dict) else {}
    return f"{named}({', '.join(f'{name}={brief(value)}' for name, value in given.items())})"
