"""Annotation tapes: what people and judges say about other tapes, kept beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from playhead.errors import ConflictError, EvaluationError, TapeNotFoundError
from playhead.store import Answer, Batch, Store
from playhead.tape import By, Draft, Step, Tape
from playhead.tape.annotations import ANNOTATIONS, Comment, Label, Score, Target

Annotation: TypeAlias = Score | Label | Comment
_SAID = (Score.kind, Label.kind, Comment.kind)
_PAGE, _TRIES = 1024, 5


@dataclass(frozen=True, slots=True)
class Annotated:
    """An annotation as it stands on its tape.

    Args:
        tape: The annotation tape.
        seq: Its position there.
        time: When it was made.
        by: Who made it.
        body: What it says, and of what.
    """

    tape: str
    seq: int
    time: str
    by: By
    body: Annotation

    @property
    def judge(self) -> str:
        """Who judges, in one word: `person Ada`, `tool equals`, `agent judge`."""
        return f"{self.by.type} {self.by.name}" if self.by.name else self.by.type


def target_of(tape: Tape, *, at: int | None = None) -> Target:
    """A tape as it is now, or one of its steps, as what an annotation is about.

    Raises:
        EvaluationError: There is no such step.
    """
    if at is not None and not 0 <= at < len(tape):
        raise EvaluationError(f"tape `{tape.id}` has {len(tape)} steps, there is no step {at}")
    return Target(tape=tape.id, head=tape.head, at=at)


async def annotate(
    store: Store,
    annotations: Iterable[Annotation],
    *,
    by: By,
    tape: str | None = None,
    tape_id: str | None = None,
) -> str:
    """Write annotations, all or none.

    Args:
        store: Where the annotation tape lives.
        annotations: At least one.
        by: Who says so.
        tape: The annotation tape to go on with; a new one if not given.
        tape_id: The id of the new one, minted before with `new_id`. If it is there by now, it is
            gone on with: so it is found again after a crash.

    Returns:
        The id of the annotation tape.

    Raises:
        EvaluationError: Nothing is to be written, the tape is a session's, or both `tape` and
            `tape_id` are given.
        ConflictError: Others write to the tape all the time.
    """
    if tape is not None and tape_id is not None:
        raise EvaluationError("`tape` goes on with a tape, `tape_id` names a new one: give one")
    drafts = [Draft(body, by=by) for body in annotations]
    if not drafts:
        raise EvaluationError("nothing to annotate: give a score, a label or a comment")
    for _ in range(_TRIES):
        there, length = await _to_write(store, tape, tape_id)
        steps = there.seal(drafts)
        batch = Batch(there.id, expected_length=length, steps=[*there[length:], *steps])
        answer = await store.append(batch)
        if answer is Answer.UNKNOWN:
            answer = await store.append(batch)
        if answer is Answer.STORED:
            return there.id
    name = tape or tape_id
    raise ConflictError(f"others write to tape `{name}` all the time: try again", tape=name)


async def _to_write(store: Store, tape: str | None, tape_id: str | None) -> tuple[Tape, int]:
    """The tape to write to, and how much of it is stored."""
    name = tape or tape_id
    if name is None:
        return Tape.new(), 0
    try:
        there = await store.open(name)
    except TapeNotFoundError:
        if tape is not None:
            raise
        return Tape.new(tape_id), 0
    if not there.is_annotation:
        raise EvaluationError(
            f"tape `{name}` is a session: annotations stand on a tape of their own"
        )
    return there, len(there)


async def annotation_tapes(store: Store) -> list[str]:
    """The ids of all annotation tapes, the newest first."""
    found: list[str] = []
    before: str | None = None
    while page := await store.tapes(limit=_PAGE, before=before):
        found += [info.id for info in page if info.last_kind in ANNOTATIONS]
        before = page[-1].id
    return found


async def read_annotations(
    store: Store, *, tapes: Sequence[str] | None = None, of: Collection[str] | None = None
) -> list[Annotated]:
    """Annotations in the order in which they were made.

    Args:
        store: Where they are.
        tapes: The annotation tapes to read; all of the store if not given.
        of: Only those about these tapes.

    Raises:
        TapeNotFoundError: There is no such tape.
    """
    found: list[Annotated] = []
    for tape in await annotation_tapes(store) if tapes is None else tapes:
        at = 0
        while page := await store.skim(tape, start=at, count=_PAGE, kinds=_SAID):
            found += _annotated(page, of)
            at = page[-1].seq + 1
    return sorted(found, key=lambda each: (each.time, each.tape, each.seq))


def _annotated(steps: Sequence[Step], of: Collection[str] | None) -> Iterator[Annotated]:
    for step in steps:
        if step.kind not in _SAID or step.erased:
            continue
        body = step.body
        if isinstance(body, Annotation) and (
            of is None or (body.target is not None and body.target.tape in of)
        ):
            yield Annotated(step.tape, step.seq, step.time, step.by, body)


Rated: TypeAlias = tuple[str, int | None]
"""What is judged: a tape's id, and the position of a step of it."""


def ratings(annotated: Iterable[Annotated], name: str) -> dict[str, dict[Rated, str | float]]:
    """What each judge said under one name: by judge, by what was judged; the last word counts.

    Of a score it is `passed` as 0 or 1 where it decides, else its value. Scores whose judge failed
    do not count.
    """
    found: dict[str, dict[Rated, str | float]] = {}
    for each in annotated:
        body = each.body
        if isinstance(body, Comment) or body.name != name or body.target is None:
            continue
        said = body.value if isinstance(body, Label) else _number(body)
        if said is not None:
            found.setdefault(each.judge, {})[body.target.tape, body.target.at] = said
    return found


def _number(score: Score) -> float | None:
    return float(score.passed) if score.passed is not None else score.value
