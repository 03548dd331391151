"""Finding the experience for a task among those that are trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from playhead.experience.document import Experience, Parameter
from playhead.experience.library._blanks import blanks_of
from playhead.experience.library._file import LibraryFile
from playhead.experience.library._guards import Guards
from playhead.experience.library._kept import Kept, document_of, kept_of, worth_of
from playhead.experience.library._plays import Plays
from playhead.experience.library._rank import Candidate, Ranked, rank
from playhead.experience.library._similar import MOST_EXAMPLES, Similarity
from playhead.experience.routine import Inputs, Refuse, decide, parameters_of
from playhead.tape import utc_now


@dataclass(frozen=True, slots=True)
class Found:
    """An experience that a search gave.

    Args:
        kept: The experience.
        fit: How well it fits the text, 0 … 1; 1 if none was given.
        score: Fit × worth.
        copies: Others in the library that do the same.
    """

    kept: Kept
    fit: float
    score: float
    copies: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The experience for a task, or why there is none.

    Args:
        task: The task's text.
        kept: What the library keeps of the experience; None if none is to be played.
        experience: The document.
        reason: Why this one, or why none.
        found: What was considered, the best first.
    """

    task: str
    kept: Kept | None
    experience: Experience | None
    reason: str
    found: tuple[Found, ...] = ()


def candidates_of(
    file: LibraryFile, kept: Iterable[Kept]
) -> tuple[list[Candidate], dict[str, list[Kept]]]:
    """What is ranked: experiences that do the same count as one, with the texts of all.

    Returns:
        The candidates, and by their keys the experiences, the one to play first.
    """
    alike: dict[str, list[Kept]] = defaultdict(list)
    for each in kept:
        alike[each.likeness].append(each)
    guards = Guards(file).all()
    candidates = []
    groups = {}
    for same in alike.values():
        same.sort(key=lambda each: (each.state != "trusted", -each.version, each.added))
        candidates.append(_candidate(file, same, [g.text for g in guards if _concerns(g, same)]))
        groups[same[0].label] = same
    keys = [candidate.key for candidate in candidates]
    if len(set(keys)) < len(keys):  # two that do different things have one name
        candidates = [
            Candidate(same[0].short, one.texts, one.worth, one.tools, one.avoid)
            for one, same in zip(candidates, alike.values(), strict=True)
        ]
        groups = {same[0].short: same for same in alike.values()}
    return candidates, groups


def _concerns(guard: object, same: Sequence[Kept]) -> bool:
    return getattr(guard, "experience", None) in {each.digest for each in same}


def _candidate(file: LibraryFile, same: Sequence[Kept], avoid: list[str]) -> Candidate:
    plays = Plays(file)
    texts: dict[str, None] = {}
    tools: set[str] = set()
    for each in same:
        document = document_of(file, each.digest)
        tools |= set(document.tools)
        texts |= dict.fromkeys(candidate_of(document).texts)
    for each in same:
        texts |= dict.fromkeys(task for task, _ in plays.tasks(each.digest, ["solved"]))
        avoid += [task for task, _ in plays.tasks(each.digest, ["failed"])]
    return Candidate(
        key=same[0].label,
        texts=tuple(texts)[:MOST_EXAMPLES],
        worth=worth_of(file, tuple(each.digest for each in same)),
        tools=frozenset(tools),
        avoid=tuple(avoid),
        blanks=blanks_of(document_of(file, same[0].digest)),
    )


def superseded(file: LibraryFile, trusted: Iterable[Kept]) -> set[str]:
    """Digests of experiences that a trusted one came from: the newer one is played."""
    parents: Mapping[str, list[str]] = _parents(file)
    old: set[str] = set()
    ahead = [parent for each in trusted for parent in parents.get(each.digest, ())]
    while ahead:
        digest = ahead.pop()
        if digest not in old:
            old.add(digest)
            ahead += parents.get(digest, ())
    return old


def _parents(file: LibraryFile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for child, parent in file.all("SELECT child, parent FROM parent"):
        found[child].append(parent)
    return found


def playable(file: LibraryFile) -> list[Kept]:
    """The experiences that may be played: trusted, not over, and not replaced by newer ones."""
    trusted = [each for each in kept_of(file) if each.state == "trusted"]
    old = superseded(file, trusted)
    return [each for each in trusted if each.digest not in old]


def find(file: LibraryFile, task: str, *, similarity: Similarity | None = None) -> Choice:
    """The experience for a task; see `Library.find`."""
    candidates, groups = candidates_of(file, playable(file))
    guard = Guards(file).forbidding(task, candidates)
    if guard is not None:
        reason = f"guard {guard.number} forbids tasks like this: {guard.reason}"
        return Choice(task, None, None, reason)
    documents = {key: document_of(file, same[0].digest) for key, same in groups.items()}
    now = utc_now()[:19].replace("T", " ")
    ranking = rank(
        task,
        candidates,
        similarity=similarity,
        refuses=lambda one: cannot_read(documents[one.key], task, now=now),
    )
    found = tuple(_found(one, groups) for one in ranking.ranked)
    if ranking.chosen is None:
        return Choice(task, None, None, ranking.reason, found)
    kept = groups[ranking.chosen.candidate.key][0]
    return Choice(task, kept, documents[ranking.chosen.candidate.key], ranking.reason, found)


def cannot_read(experience: Experience, task: str, *, now: str) -> str | None:
    """Why an experience would refuse a task before its first call.

    The task mentions more than any trace did, or is unclear, or lacks what the first calls need.

    Args:
        experience: The document.
        task: The task's text.
        now: The clock, `YYYY-MM-DD HH:MM:SS`.
    """
    inputs = Inputs(task, now)
    read = parameters_of(experience, inputs)
    if isinstance(read, Refuse):
        return read.reason
    if any(read.get(name) is None and _given(each) for name, each in experience.parameters.items()):
        return None  # whoever plays says the rest
    first = decide(experience, inputs, ())
    return first.reason if isinstance(first, Refuse) else None


def _given(parameter: Parameter) -> bool:
    return any(getattr(source, "given", False) for source in parameter.sources)


def candidate_of(experience: Experience, *, key: str | None = None) -> Candidate:
    """An experience as `rank` takes it, by its document alone.

    Args:
        experience: The document.
        key: What it is called; its name if not given.
    """
    texts = experience.scope.examples or (experience.title, experience.description)
    return Candidate(
        key or experience.name,
        tuple(text for text in texts if text.strip())[:MOST_EXAMPLES],
        tools=frozenset(experience.tools),
        blanks=blanks_of(experience),
    )


def search(
    file: LibraryFile,
    text: str | None,
    *,
    tool: str | None,
    author: str | None,
    similarity: Similarity | None = None,
) -> list[Found]:
    """Experiences of any state; see `Library.search`."""
    kept = [each for each in kept_of(file) if author in (None, each.author)]
    if tool is not None:
        kept = [each for each in kept if tool in document_of(file, each.digest).tools]
    candidates, groups = candidates_of(file, kept)
    if text is None:
        found = [_found(Ranked(each, 1.0, each.worth), groups) for each in candidates]
        return sorted(found, key=lambda each: (-each.score, each.kept.name))
    ranking = rank(text, candidates, similarity=similarity)
    return [_found(one, groups) for one in ranking.ranked if one.fit > 0]


def _found(one: Ranked, groups: Mapping[str, list[Kept]]) -> Found:
    first, *copies = groups[one.candidate.key]
    return Found(first, one.fit, one.score, tuple(copies))
