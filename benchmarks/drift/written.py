"""Experiences that are written down from a session, as a person who records it once would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from benchmarks.drift.playing import Subject
from benchmarks.drift.sessions import NOW, Call, Session
from benchmarks.drift.world import digest_of
from playhead.experience.checks import Case, SeenCall, mine
from playhead.experience.document import experience_of
from playhead.tape import Json


@dataclass
class Draft:
    """An experience, and the session as checks are mined from it."""

    subject: Subject
    case: Case


def written_down(sessions: Sequence[Session]) -> list[Subject]:
    """An experience of each session, with the checks that it teaches, and others of its shape."""
    drafts = [drafted(session) for session in sessions]
    return [checked(draft, drafts) for draft in drafts]


def drafted(session: Session) -> Draft:
    """The calls of a session up to its last write, each read once."""
    states: dict[str, Any] = {}
    given: dict[str, Json] = {}
    known: list[tuple[str, Call]] = []
    seen: set[str] = set()
    for call in session.work:
        if call.effect == "read" and call.key in seen:
            continue
        seen.add(call.key)
        name = f"s{len(states) + 1}"
        arguments = {n: bound(v, n, session, known, given) for n, v in call.arguments.items()}
        states[name] = {"call": {"tool": call.tool, "arguments": arguments}}
        known.append((name, call))
    names = [*states, "done"]
    for name, following in pairwise(names):
        states[name]["next"] = [{"to": following}]
    states["done"] = {"finish": {}}
    tools = {
        call.tool: {"effect": call.effect, "digest": digest_of(call.tool)} for _, call in known
    }
    document: dict[str, Any] = {
        "experience": 1,
        "name": session.name.replace(" ", "-"),
        "parameters": {name: {"sources": [{"given": True}]} for name in given},
        "tools": tools,
        "routine": {"start": "s1", "states": states},
    }
    calls = [SeenCall(c.tool, c.effect, c.arguments, c.result, state=n) for n, c in known]
    case = Case(session.name, "", calls, given, NOW, noop=False)
    task = None if given else "Go on"
    return Draft(Subject(session, experience_of(document), task, given), case)


def bound(
    found: Json,
    name: str,
    session: Session,
    known: Sequence[tuple[str, Call]],
    given: dict[str, Json],
) -> dict[str, Json]:
    """Where an argument comes from: an earlier answer, if the customer did not say it."""
    said = isinstance(found, str) and found.lower() in session.wants.lower()
    if isinstance(found, str) and len(found) > 2 and not said:
        for state, call in reversed(known):
            path = next(paths(call.result, found), None)
            if path is not None:
                return {"result": state, "at": list(path)}
    if isinstance(found, list | dict) and found:
        for state, call in reversed(known):
            path = next(paths(call.result, found), None)
            if path is not None:
                return {"result": state, "at": list(path)}
    label = next((n for n, v in given.items() if v == found), None)
    label = label or free(name, given)
    given[label] = found
    return {"param": label}


def free(name: str, taken: Mapping[str, object]) -> str:
    """A name that is not taken."""
    labels = [name, *(f"{name}_{number}" for number in range(2, 100))]
    return next(label for label in labels if label not in taken)


def paths(
    within: Json, found: Json, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """Where a value stands.

    A member that is called like it does not count, nor does a place in a list of several: that it
    stood third is no reason.
    """
    if isinstance(within, list) and len(within) > 1:
        return
    if within == found and type(within) is type(found):
        yield at
    elif isinstance(within, dict):
        for name, each in within.items():
            if name != found:
                yield from paths(each, found, (*at, name))
    elif isinstance(within, list):
        for number, each in enumerate(within):
            yield from paths(each, found, (*at, number))


def checked(draft: Draft, drafts: Sequence[Draft]) -> Subject:
    """The experience with its checks."""
    subject, shape = draft.subject, [call.tool for call in draft.case.calls]
    alike = [each.case for each in drafts if [c.tool for c in each.case.calls] == shape]
    alike = [case for case in alike if set(case.parameters) == set(draft.case.parameters)]
    checks = mine(subject.experience, alike)
    return replace(subject, experience=subject.experience.model_copy(update={"checks": checks}))
