"""One tree of errors, as its docstring draws it; each survives pickling and keeps its facts."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from tape_helpers import says, tape_of

import playhead.errors
from playhead.errors import PlayheadError, StaleTapeError, VerificationError
from playhead.tape import Tape


def tree(cls: type[PlayheadError]) -> list[type[PlayheadError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in tree(child))]


ERRORS = [cls for cls in tree(PlayheadError) if cls.__module__ == playhead.errors.__name__]


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_an_error_survives_pickling(cls: type[PlayheadError]) -> None:
    error = cls("what happened, and what to do", tape="abc", seq=3, at=None)
    for again in (
        *(pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)),
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(again) is cls
        assert str(again) == again.message == "what happened, and what to do"
        assert again.data == {"tape": "abc", "seq": 3, "at": None}
        assert (again.tape, again.seq, again.at, again.code) == ("abc", 3, None, cls.code)
        with pytest.raises(AttributeError):
            _ = again.absent


def test_codes_are_stable_words_of_their_own() -> None:
    codes = [cls.code for cls in ERRORS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)


def test_the_docstring_draws_the_tree() -> None:
    drawn: dict[str, str | None] = {}
    above: list[str] = []
    for line in (playhead.errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    ([│ ├└─]*)(\w+Error)(  .*)?", line)
        if match:
            depth = len(match[1]) // 4
            above = [*above[:depth], match[2]]
            drawn[match[2]] = above[depth - 1] if depth else None
    actual = {
        cls.__name__: None if cls is PlayheadError else cls.__bases__[0].__name__ for cls in ERRORS
    }
    assert drawn == actual


def test_real_errors_carry_their_facts() -> None:
    tape = tape_of(says("a"))
    tape.append(says("b"))
    with pytest.raises(StaleTapeError, match="newest value, or `fork`") as stale:
        tape.append(says("c"))
    assert pickle.loads(pickle.dumps(stale.value)).code == "stale_tape"
    with pytest.raises(VerificationError) as cut:
        Tape.new().verify(heads=[tape.head_text])
    assert pickle.loads(pickle.dumps(cut.value)).seq == 1
