"""Trials in little memory: what the tape says of each is packed, and read when looked at."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, overload

from pydantic import ValidationError

from playhead.errors import BodyError
from playhead.evaluate._trial_result import TrialResult
from playhead.tape import Body, Step
from playhead.tape.annotations import Score, TrialEnd, TrialStart

BodyT = TypeVar("BodyT", bound=Body)
_BETWEEN = b"\0"  # in no JSON
_KEPT = 1024  # with so many trials or fewer, all that were looked at stay as they are
_RAW, _LEVEL, _MEMORY = -15, 1, 5  # no header; swift; a small table, which is quick to make
_USUAL = (
    b'"detail":{},"comment":"","error":"","evidence":"","candidate":"","task":"","number":0,'
    b'"tape":"{"status":"error","status":"completed","target":{"tape":"","head":""},"steps":1,'
    b'"model_calls":1,"tool_calls":0,"input_tokens":0,"cached_tokens":0,"output_tokens":0,'
    b'"usd":0.0,"seconds":0.0}{"target":{"tape":"","head":""},"name":"","value":0.0,'
    b'"passed":false,"value":1.0,"passed":true,"version":"s2:'
)


def body_bytes(step: Step, kind: type[Body]) -> bytes:
    """The body of a step that was not erased, in the newest version of its kind."""
    assert step.data is not None
    if step.kind_version == kind.kind_version:
        return step.data
    return step.body.model_dump_json(exclude_none=True).encode()


def pack(start: bytes, end: bytes, scores: Iterable[bytes]) -> bytes:
    """A trial that ended, from the bytes of its bodies."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY, zdict=_USUAL)
    return deflate.compress(_BETWEEN.join((start, end, *scores))) + deflate.flush()


def unpack(packed: bytes) -> tuple[bytes, bytes, list[bytes]]:
    """The bytes that were packed."""
    start, end, *scores = zlib.decompressobj(_RAW, _USUAL).decompress(packed).split(_BETWEEN)
    return start, end, scores


def _result(packed: bytes) -> TrialResult:
    start, end, scores = unpack(packed)
    judged = [_read(Score, score) for score in scores]
    by_name = {score.name: score for score in judged}  # of one name, the last one counts
    return TrialResult(_read(TrialStart, start), _read(TrialEnd, end), by_name)


def _read(kind: type[BodyT], data: bytes) -> BodyT:
    try:
        return kind.model_validate_json(data, extra="ignore")  # others may know more members
    except ValidationError as error:
        raise BodyError(f"the body does not fit `{kind.kind}`: {error}", kind=kind.kind) from None


class PackedTrials(Sequence[TrialResult]):
    """The results of trials, about a quarter of a kilobyte each.

    To look at one costs some 30 µs, each time if there are very many: `EvaluationResult.read` is
    for who goes over them again and again.
    """

    def __init__(self, packed: Iterable[bytes]) -> None:
        self._packed = tuple(packed)
        self._read: list[TrialResult] | None = None

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[TrialResult]:
        if self._read is None and len(self) <= _KEPT:
            self._read = [_result(each) for each in self._packed]
        return iter(self._read) if self._read is not None else map(_result, self._packed)

    @overload
    def __getitem__(self, at: int) -> TrialResult: ...

    @overload
    def __getitem__(self, at: slice) -> list[TrialResult]: ...

    def __getitem__(self, at: int | slice) -> TrialResult | list[TrialResult]:
        if isinstance(at, slice):
            return [_result(each) for each in self._packed[at]]
        return _result(self._packed[at]) if self._read is None else self._read[at]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        if isinstance(other, PackedTrials) and self._packed == other._packed:
            return True
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} trials>"
