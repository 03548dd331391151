"""Suites from their first trial to the result."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from run_kit import Forgiving, agent, call, echo, fails_on_one, lookup, right, tasks

import playhead as ph
from playhead.errors import EvaluationError
from playhead.evaluate import (
    Candidate,
    Counts,
    EvaluationBeganEvent,
    EvaluationEvent,
    Judgement,
    Scorer,
    Suite,
    TrialBeganEvent,
    TrialEndedEvent,
    TrialRun,
    read_evaluation,
    run_suite,
    run_suite_sync,
    scorer,
    trial_seed,
)
from playhead.llm import Completion, ModelRequest
from playhead.store import Store
from playhead.tape.annotations import TrialStart
from playhead.tape.kinds import Usage


async def test_every_task_is_tried_with_every_candidate_as_often_as_asked(store: Store) -> None:
    suite = Suite("echoes", tasks(), [right])
    wrong = agent(lambda request: "nothing", name="silent")
    result = await run_suite(suite, [agent(), wrong], trials=2, store=store)
    assert {trial.key for trial in result.trials} == {
        (name, task.id, number)
        for name in ("echo", "silent")
        for task in suite.tasks
        for number in range(2)
    }
    assert result.finished
    assert {trial.passed for trial in result.of("echo")} == {True}
    assert {trial.passed for trial in result.of("silent")} == {False}
    assert result == await read_evaluation(store, result.id)
    about = result.about
    assert (about.suite, about.document, about.trials) == ("echoes", suite.digest, 2)
    assert [each.config for each in about.candidates] == [
        agent().config_digest,
        wrong.config_digest,
    ]


async def test_each_trial_is_a_tape_that_was_named_before(store: Store) -> None:
    result = await run_suite(Suite("echoes", tasks(), [right]), [agent()], store=store)
    starts = {
        step.body.tape: step.time
        for step in await store.open(result.id)
        if isinstance(step.body, TrialStart)
    }
    for trial in result.trials:
        tape = await store.open(trial.start.tape)
        assert starts[tape.id] <= tape[1].time
        assert trial.end.target is not None
        assert (trial.end.target.tape, trial.end.target.head) == (tape.id, tape.head)
        assert trial.scores["right"].target == trial.end.target
        assert trial.scores["right"].version == right.version


async def test_sums_come_from_the_tape(store: Store) -> None:
    class Priced(ph.ScriptedModel):
        def price(self, usage: Usage) -> Any:
            return ph.tape.kinds.Price(usd=0.25, as_of="2026-11-01", source="test")

    usage = Usage(input_tokens=100, output_tokens=7, cached_tokens=60)
    tool = ph.tool(effect="read", thread=False)(lookup)

    def script() -> list[Completion]:
        ask = Completion(message=call("lookup"), finish_reason="tool_calls", usage=usage)
        return [ask, Completion(message=ph.assistant("0"), finish_reason="stop", usage=usage)]

    def made(model: type[ph.ScriptedModel]) -> Candidate:
        name = model.__name__
        return Candidate(name, lambda _: ph.Agent("a", model=model(script()), tools=[tool]))

    suite = Suite("one", tasks(1), [right])
    result = await run_suite(suite, [made(Priced), made(ph.ScriptedModel)], store=store)
    for trial in result.trials:
        end = trial.end
        assert (end.model_calls, end.tool_calls) == (2, 1)
        assert (end.input_tokens, end.cached_tokens, end.output_tokens) == (200, 120, 14)
        assert end.steps == len(await store.open(trial.start.tape))
        assert end.usd == (0.5 if trial.start.candidate == "Priced" else None)
        assert end.seconds > 0
    assert [each.config for each in result.about.candidates] == [None, None]


async def test_candidates_meet_equal_conditions(store: Store) -> None:
    seeds: dict[str, list[int]] = {"a": [], "b": []}

    def noting(name: str) -> Candidate:
        def make(trial: Any) -> ph.Agent:
            seeds[name].append(trial.seed)
            return agent()

        return Candidate(name, make)

    suite = Suite("echoes", tasks(), [right])
    await run_suite(suite, [noting("a"), noting("b")], trials=2, seed=7, jobs=1, store=store)
    wanted = [trial_seed(7, task=t.id, number=n) for n in range(2) for t in suite.tasks]
    assert seeds == {"a": wanted, "b": wanted}
    assert len(set(wanted)) == 6


class Room(ph.Environment):
    """Writes down what is done with it."""

    def __init__(self, log: list[str], *, fails: str = "") -> None:
        self.log = log
        self.fails = fails

    async def open(self) -> None:
        self.log.append("open")
        if self.fails == "open":
            raise OSError("no room")

    async def close(self) -> None:
        self.log.append("close")
        if self.fails == "close":
            raise OSError("the door is stuck")


async def test_environments_are_open_while_scorers_look_and_closed_after(store: Store) -> None:
    log: list[str] = []

    class Looks(Scorer):
        name = "looks"

        async def score(self, run: TrialRun) -> Judgement:
            log.append(f"score {len(run.environments)}")
            return Judgement(1.0, passed=True)

    suite = Suite("rooms", tasks(1), [Looks()], environment=lambda _: Room(log, fails="close"))
    brings = Candidate("brings", agent(), environment=lambda _: [Room(log), Room(log)])
    result = await run_suite(suite, [brings], store=store)
    assert result.trials[0].passed
    score = log.index("score 3")
    assert set(log[:score]) == {"open"}
    assert log[score + 1 :] == ["close"] * 3


def raises(*_: object) -> Any:
    raise LookupError("not there")


class Faulty(ph.Node):
    def make_prompt(self, view: Any, ctx: Any) -> None:
        return None

    def generate_steps(self, view: Any, completion: Any, ctx: Any) -> Iterator[Any]:
        raise LookupError("not there")


@pytest.mark.parametrize(
    ("candidate", "environment", "said"),
    [
        (agent(raises), None, "LookupError: not there"),
        (ph.Agent("faulty", nodes=[Faulty("n")]), None, "NodeError"),
        (Candidate("c", raises), None, "LookupError: not there"),
        (Candidate("c", lambda _: "an agent"), None, "not a str"),  # type: ignore[arg-type, return-value]
        (Candidate("c", agent(), environment=raises), None, "LookupError: not there"),
        (agent(), lambda _: Room([], fails="open"), "OSError: no room"),
        (agent(), lambda _: 3, "TypeError"),
    ],
)
async def test_what_fails_ends_its_trial_and_no_other(
    store: Store, candidate: Any, environment: Any, said: str
) -> None:
    suite = Suite("s", tasks(2), [right, Forgiving()], environment=environment)
    result = await run_suite(suite, [candidate], store=store)
    assert len(result.trials) == 2
    for trial in result.trials:
        assert trial.end.status == "error"
        assert said in str(trial.end.error)
        assert trial.passed is False
        assert trial.scores["right"].value == 0
        assert trial.scores["forgiving"].value == 0.5
        assert str(trial.scores["forgiving"].comment).endswith("Error")
    good = await run_suite(suite, [agent()], store=store) if environment is None else None
    assert good is None or all(trial.passed for trial in good.trials)


async def test_an_error_names_file_and_line_of_the_users_code(store: Store) -> None:
    result = await run_suite(Suite("s", tasks(1), [right]), [agent(raises)], store=store)
    line = raises.__code__.co_firstlineno + 1
    assert f"({__file__}:{line})" in str(result.trials[0].end.error)


async def test_a_scorer_that_fails_leaves_a_score_that_says_so(store: Store) -> None:
    @scorer
    def divides(run: TrialRun) -> float:
        return 1 / int(run.task.expected)  # type: ignore[arg-type]

    class Gives(Scorer):
        def __init__(self, name: str, given: Any) -> None:
            self.name = name
            self.given = given

        async def score(self, run: TrialRun) -> Judgement:
            if isinstance(self.given, BaseException):
                raise self.given
            return self.given  # type: ignore[no-any-return]

    bad = [
        Gives("no judgement", 3),
        Gives("unwritable", Judgement(1.0, detail={"n": float("nan")})),
        Gives("leaves", SystemExit(3)),
    ]
    suite = Suite("s", tasks(3), [right, divides, *bad])
    result = await run_suite(suite, [agent()], store=store)
    first, second, _ = sorted(result.trials, key=lambda trial: trial.key)
    line = divides._function.__code__.co_firstlineno + 2
    wanted = f"ZeroDivisionError: division by zero ({__file__}:{line})"
    assert first.scores["divides"].error == wanted
    assert first.scores["divides"].value is None
    assert first.unscored == ("divides", "no judgement", "unwritable", "leaves")
    assert first.scores["right"].passed
    assert first.passed is None
    assert second.scores["divides"].value == 1
    assert "not a int" in str(second.scores["no judgement"].error)
    assert "SystemExit: 3" in str(second.scores["leaves"].error)


async def test_a_scorer_that_hangs_gives_no_judgement(store: Store) -> None:
    class Hangs(Scorer):
        name = "hangs"
        timeout = 0.01

        async def score(self, run: TrialRun) -> Judgement:
            await asyncio.Event().wait()
            raise AssertionError

    suite = Suite("s", tasks(2), [right, Hangs()])
    result = await run_suite(suite, [agent()], store=store)
    for trial in result.trials:
        assert trial.scores["hangs"].error == "it gave no judgement within 0.01 s"
        assert trial.scores["right"].passed is not None


async def test_a_session_that_pauses_is_judged_as_it_stands(store: Store) -> None:
    tool = ph.tool(effect="read", thread=False)(lookup)
    circles = agent(lambda request: call("lookup"), tools=[tool])
    errors: list[object] = []

    @scorer
    def sees(run: TrialRun) -> bool:
        errors.append(run.error)
        return len(run.tape) > 3

    suite = Suite("s", tasks(1), [sees], budget=ph.Budget(model_calls=3))
    result = await run_suite(suite, [circles], store=store)
    (trial,) = result.trials
    assert (trial.end.status, trial.end.model_calls) == ("completed", 3)
    assert "budget of 3 model calls" in str(trial.end.error)
    assert trial.passed
    assert "budget of 3 model calls" in str(errors[0])


async def test_events_tell_how_far_it_has_come(store: Store) -> None:
    told: list[EvaluationEvent] = []

    def tell(event: EvaluationEvent) -> None:
        told.append(event)
        raise ValueError("a watcher that fails stops nothing")

    suite = Suite("s", tasks(3), [right])
    result = await run_suite(suite, [agent(fails_on_one)], jobs=1, store=store, on_event=tell)
    began, *trials = told
    assert isinstance(began, EvaluationBeganEvent)
    assert (began.id, began.counts) == (result.id, Counts(3))
    assert [type(event) for event in trials] == [TrialBeganEvent, TrialEndedEvent] * 3
    assert isinstance(trials[0], TrialBeganEvent)
    assert trials[0].counts == Counts(3, running=1)
    ended = [event for event in trials if isinstance(event, TrialEndedEvent)]
    assert ended[-1].counts == Counts(3, ended=3, passed=2, failed=1, errors=1)
    assert [event.result for event in ended] == list(result.trials)


async def test_so_many_trials_at_once_and_no_more(store: Store) -> None:
    now, most, three = 0, 0, asyncio.Barrier(3)

    async def together(request: ModelRequest) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await three.wait()
        now -= 1
        return echo(request)

    await run_suite(Suite("s", tasks(9), [right]), [agent(together)], jobs=3, store=store)
    assert most == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trials": 0}, "at least once"),
        ({"jobs": 0}, "`jobs` is at least 1"),
        ({"processes": 0}, "`processes` is at least 1"),
        ({"candidates": []}, "nobody to evaluate"),
        ({"candidates": [agent(), agent()]}, "two candidates are called `echo`"),
        ({"retry_errors": True}, "go with `resume="),
    ],
)
async def test_what_cannot_be_run_is_refused_and_nothing_is_written(
    given: dict[str, Any], message: str
) -> None:
    store = ph.MemoryStore()
    candidates = given.pop("candidates", [agent()])
    with pytest.raises(EvaluationError, match=message):
        await run_suite(Suite("s", tasks(), [right]), candidates, store=store, **given)
    assert await store.tapes() == []


def test_without_async() -> None:
    result = run_suite_sync(Suite("s", tasks(), [right]), [agent()], store=ph.MemoryStore())
    assert result.finished
