"""Checks of experiences: when they are asked, what passes, and what strangers' ones cannot do."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from playhead.errors import ExperienceError
from playhead.experience.checks import (
    CheckEngine,
    LimitedWorker,
    Moment,
    SeenCall,
    WorkerLimits,
)
from playhead.experience.document import Check
from playhead.tape import Json

FOUND = SeenCall("find", "read", {"title": "Emma"}, [{"id": 7, "title": "Emma", "free": True}])
LEND = SeenCall("lend", "write", {"id": 7, "reader": "Ada"}, state="lend")
HUNGRY = (
    '["' + "a" * 100 + '"]' + ".map(a,a+a+a+a+a+a+a+a+a+a)" * 6 + ".all(a,size(a)>0)&&size(task)>0"
)
"""Takes 640 MB where nothing limits it."""


def check(condition: dict[str, Any], *, at: str = "write", name: str = "c", **more: Any) -> Check:
    return Check.model_validate({"id": name, "kind": "data", "at": at, "check": condition, **more})


def before_lending(**changes: Any) -> Moment:
    members: dict[str, Any] = {
        "task": "Lend Emma to Ada",
        "parameters": {"title": "Emma", "reader": "Ada"},
        "now": "2030-01-31 12:00:00",
        "calls": (FOUND,),
        "call": LEND,
    }
    return Moment(**{**members, **changes})


@pytest.fixture(scope="module")
def worker() -> Iterator[LimitedWorker]:
    made = LimitedWorker()
    yield made
    made.close()


@pytest.fixture(params=["here", "limited"])
def limited(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "limited")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"cel": "call.arguments.reader == parameters.reader"}, True),
        ({"cel": "call.arguments.reader != parameters.reader"}, False),
        ({"cel": "calls.exists(c, c.result.exists(r, r.id == call.arguments.id))"}, True),
        ({"cel": "[previous, next] in [['find', 'lend']]"}, True),
        ({"cel": "[previous, next] in [['', 'lend']]"}, False),
        ({"cel": "('lend' in count ? count.lend : 0) < 1 && writes == 0"}, True),
        ({"cel": "state == 'lend' && at == 'write' && !noop && answer == null"}, True),
        ({"cel": "parameters.nobody == 'Ada'"}, False),
        ({"cel": "1 / writes == 1"}, False),
        ({"shape": {"properties": {"call": {"properties": {"tool": {"const": "lend"}}}}}}, True),
        ({"shape": {"properties": {"answer": {"type": "string"}}}}, False),
    ],
)
def test_only_a_clean_yes_passes(
    condition: dict[str, Any], holds: bool, limited: bool, worker: LimitedWorker
) -> None:
    engine = CheckEngine([check(condition)], limited=limited, worker=worker)
    verdict = engine.judge(before_lending())
    assert bool(verdict.passed) == holds
    assert bool(verdict.failed) != holds


def test_checks_are_asked_at_their_moments() -> None:
    always = {"cel": "true"}
    checks = [
        check(always, at=at, name=name)
        for at, name in [
            ("write", "w"),
            ("end", "e"),
            ("always", "a"),
            ("lend", "s"),
            ("other", "o"),
        ]
    ]
    engine = CheckEngine(checks, limited=False)

    def asked(moment: Moment) -> list[str]:
        return [each.id for each in engine.judge(moment).passed]

    assert asked(before_lending()) == ["w", "a", "s"]
    assert asked(before_lending(call=FOUND)) == ["a"]
    assert asked(before_lending(call=None, answer="done")) == ["e", "a"]
    unknown = SeenCall("burn", None, {})
    assert asked(before_lending(call=unknown)) == ["w", "a"]  # what is not known may write


def test_words_are_left_to_a_model_and_told_apart() -> None:
    engine = CheckEngine([check({"words": "The reader is polite."})], limited=False)
    verdict = engine.judge(before_lending())
    assert [each.id for each in verdict.words] == ["c"]
    assert not verdict.passed
    assert not verdict.failed


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"cel": "task"}, "not for certain a bool"),
        ({"cel": "open('x') == ''"}, "undeclared reference"),
        ({"cel": "nothing == 1"}, "undeclared reference"),
        ({"cel": "(" * 60 + "true" + ")" * 60}, "recursion"),
        ({"shape": {"typo": 1}}, "no keyword `typo`"),
        ({"shape": {"pattern": "("}}, "JSON Schema"),
        ({"shape": {"$ref": "https://example.com/a.json"}}, "JSON Schema"),
    ],
)
def test_what_is_no_condition_is_refused_when_it_is_loaded(
    condition: dict[str, Any], why: str, limited: bool, worker: LimitedWorker
) -> None:
    with pytest.raises(ExperienceError, match="the check `c` cannot be used") as caught:
        CheckEngine([check(condition)], limited=limited, worker=worker)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 700


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(ExperienceError, match="two checks are called `c`"):
        CheckEngine([check({"cel": "true"}), check({"cel": "true"})], limited=False)


def test_a_message_comes_before_the_reason() -> None:
    polite = check({"cel": "1 > 2"}, message="Only readers who are polite")
    (failed,) = CheckEngine([polite], limited=False).judge(before_lending()).failed
    assert failed.why == "Only readers who are polite (`1 > 2` is false)"


# --- Checks of strangers -------------------------------------------------------------------------


def test_a_check_that_eats_memory_fails_and_harms_nothing(worker: LimitedWorker) -> None:
    assert len(HUNGRY) < 494
    hungry, fine = check({"cel": HUNGRY}), check({"cel": "size(calls) == 1"}, name="fine")
    before, deaths = peak(), worker.deaths
    verdict = CheckEngine([hungry, fine], worker=worker).judge(before_lending())
    (failed,) = verdict.failed
    assert failed.check.id == "c"
    assert "more memory" in failed.fault  # told by the engine, or by its end
    assert [each.id for each in verdict.passed] == ["fine"]
    assert worker.deaths <= deaths + 1
    assert peak() - before < 100_000  # kB, of the some 640,000 that it takes


def peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_worker_that_hangs_is_killed_and_another_takes_over() -> None:
    worker = LimitedWorker(WorkerLimits(seconds=0.5))
    try:
        assert worker.fault({"cel": "true"}, [], 1) is None
        first = pid(worker)
        os.kill(first, signal.SIGSTOP)  # it hears nothing any more
        fault = worker.fault({"cel": "true"}, [], 1)
        assert fault == "it took longer than 0.5 s, and was ended"
        assert worker.fault({"cel": "value == 1"}, [], 1) is None
        assert pid(worker) != first
        assert worker.deaths == 1
    finally:
        worker.close()


def test_a_worker_that_was_killed_is_started_again() -> None:
    worker = LimitedWorker()
    try:
        assert worker.fault({"cel": "value == 1"}, [], 1) is None
        first = pid(worker)
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert worker.fault({"cel": "value == 1"}, [], 2) == "`value == 1` is false"
        assert pid(worker) != first
    finally:
        worker.close()


def pid(worker: LimitedWorker) -> int:
    assert worker._process is not None
    return worker._process.pid


def test_answers_are_not_mixed_up_by_threads(worker: LimitedWorker) -> None:
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(20):
            if worker.fault({"cel": f"value == {number}"}, [], number) is not None:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 9_000_000, "too many to be checked"),
        (float("nan"), "no JSON"),
        ("yes\0no", "NUL"),
        (2**70, "no value"),
    ],
)
def test_what_cannot_be_asked_does_not_hold(value: Json, why: str, worker: LimitedWorker) -> None:
    fault = worker.fault({"cel": "value == value"}, [], value)
    assert fault is not None
    assert why in fault


def test_the_limited_process_writes_no_file_and_keeps_its_limits(worker: LimitedWorker) -> None:
    assert worker.fault({"cel": "true"}, [], 1) is None
    try:
        with open(f"/proc/{pid(worker)}/limits", encoding="ascii") as file:
            limits = {line[:25].strip(): line[26:].split()[:2] for line in file}
    except OSError:
        pytest.skip("no /proc here")
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    soft, hard = limits["Max address space"]
    assert soft == hard != "unlimited"
    assert int(soft) < 2**30
    assert limits["Max cpu time"][0] != "unlimited"
