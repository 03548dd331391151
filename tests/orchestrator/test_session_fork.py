"""Forks: a shared prefix, another way, and what to do about effects that already happened."""

from __future__ import annotations

from typing import Any

import pytest
from session_kit import (
    Crash,
    CrashingStore,
    Lab,
    Ledger,
    agent_of,
    bodies,
    by_history,
    calls,
    crashed,
    kinds,
    open_call,
)

import playhead as ph
from playhead.errors import DecisionNeededError, NodeError, PlayheadError, RunError, TapeError
from playhead.tape import text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Context,
    DecisionRequest,
    Delegate,
    Effects,
    ModelCall,
    Plan,
    Return,
    Run,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)


class Curious(ph.ToolCallingNode):
    """Reads the clock and chance, and thinks aloud."""

    def make_prompt(self, view, ctx):
        return ph.Prompt.of(ph.system(f"It is {ctx.now()}"), view.messages)

    def generate_steps(self, view, completion, ctx):
        yield Plan(items=(f"{ctx.rng.random()}", f"{ctx.now()}"))
        yield from super().generate_steps(view, completion, ctx)


class Note(ph.Node):
    """Runs without a model."""

    def generate_steps(self, view, completion, ctx):
        return [Plan(items=("a", ctx.new_id())), Plan(items=("b",)), Plan(items=("c",))]


def rich(ledger: Ledger) -> ph.Agent:
    """Parallel calls, a subagent with a node without model, writes, thoughts, the clock."""
    look, act = ledger.tool("read", name="look"), ledger.tool("write")
    clerk = ph.Agent(
        "clerk",
        model=by_history(calls(("look", {"what": "c"})), "c"),
        tools=[look],
        nodes=[Note("note"), ph.ToolCallingNode()],
    )
    first = calls(("look", {"what": "a"}), ("act", {"what": "b"}), ("look", {"what": "a2"}))
    second = calls(("delegate_to_clerk", {"task": "c"}), ("delegate_to_clerk", {"task": "d"}))
    third = calls(("act", {"what": "e"}))
    model = by_history(first, second, third, "done", "more")
    return ph.Agent(
        "rich", model=model, tools=[look, act], subagents=[clerk], nodes=[Curious("act")]
    )


@pytest.mark.parametrize("effects", ["reuse", "redo", "simulate"])
async def test_at_every_position(quick_lab: Lab, effects: Any) -> None:
    lab, ledger = quick_lab, Ledger()
    tape = await lab.run(rich(ledger), budget=ph.Budget(model_calls=3))
    tape = await lab.resume(tape, agent=rich(ledger))
    assert tape.answer == "done"
    real = [what for _, what in ledger.done if what in "be"]
    simulate = (lambda call: "simulated") if effects == "simulate" else None
    for at in range(1, len(tape) + 1):
        again = Ledger()
        options = {"effects": effects, "simulate": simulate}
        if at < 3:  # before anybody has said anything
            with pytest.raises(RunError, match="nobody has said anything"):
                await lab.fork(tape, at=at, agent=rich(again), **options)
            options["task"] = "Go."
        child = await lab.fork(tape, at=at, agent=rich(again), **options)
        assert child.answer == "done", at
        assert [step.header for step in child[:at]] == [step.header for step in tape[:at]]
        assert child.parent.at == at
        did = [what for _, what in again.done if what in "be"]
        left = [
            step.body.arguments["what"]
            for step in tape
            if step.seq >= at and step.kind == ToolResult.kind and (call := call_of(tape, step))
            for step in [call]
            if step.body.effect == "write"
        ]
        assert sorted(did) == (sorted(left) if effects == "redo" else []), at
        noted = [[e.arguments["what"] for e in note.effects] for note in bodies(child, Effects)]
        assert noted == ([left] if left or effects == "simulate" else []), at
        assert [body.text for body in bodies(child, Return)] == ["c", "c"]
    assert [what for _, what in ledger.done if what in "be"] == real == ["b", "e"]
    parent = await lab.store.open(tape.id)
    assert parent.head == tape.head


def call_of(tape: ph.Tape, answer: Any) -> Any:
    return next(step for step in tape if step.id == answer.re[0])


async def test_at_every_position_of_a_tape_with_interruptions(quick_lab: Lab) -> None:
    """Turns that were finished after a pause are shared in part as well."""

    class Parse(Curious):
        broken = True

        def generate_steps(self, view, completion, ctx):
            if self.broken:
                raise ValueError("not yet")
            yield from super().generate_steps(view, completion, ctx)

    lab = quick_lab

    def make() -> ph.Agent:
        look = Ledger().tool("read", name="look")
        model = by_history(calls(("look", {"what": "a"}), ("look", {"what": "b"})), "done", "more")
        return ph.Agent("a", model=model, tools=[look], nodes=[Parse("parse")])

    with pytest.raises(NodeError):
        await lab.run(make())
    Parse.broken = False
    tape = await lab.resume(await lab.newest(), agent=make())
    tape = await lab.run(make(), "and?", tape=tape)
    for at in range(3, len(tape) + 1):
        child = await lab.fork(tape, at=at, agent=make())
        assert child.answer == (
            "more" if UserMessage.kind in {s.kind for s in child[3:at]} else "done"
        )


async def test_the_same_in_a_file(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(rich(ledger))
    for at in (5, 6, 9, 14, len(tape)):
        child = await lab.fork(tape.id, at=at, agent=rich(Ledger()), effects="redo")
        child = await lab.store.open(child.id)
        assert child.answer == "done"
        assert [step.header for step in child[:at]] == [step.header for step in tape[:at]]


async def test_another_agent_goes_another_way(lab: Lab) -> None:
    tape = await lab.run(agent_of("one"))
    child = await lab.fork(tape, at=3, agent=agent_of("two", name="other"))
    assert (tape.answer, child.answer) == ("one", "two")
    assert bodies(child, Run)[-1].mode == "fork"


async def test_a_task_for_the_child(lab: Lab) -> None:
    tape = await lab.run(agent_of("one"))
    child = await lab.fork(tape, agent=agent_of("two"), task="and?")
    assert [body.text for body in bodies(child, UserMessage)] == ["Go.", "and?"]
    assert child.answer == "two"


async def test_a_task_for_a_child_in_the_middle_of_work_waits(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(rich(ledger))
    first = next(step.seq for step in tape if step.kind == ToolCall.kind)
    for at in (first, first + 1, first + 3):
        child = await lab.fork(tape, at=at, agent=rich(Ledger()), task="hurry", effects="redo")
        said = kinds(child).index("user_message", 3)
        assert said > kinds(child).index("tool_result")
        assert child.answer is not None


async def test_a_child_only(lab: Lab) -> None:
    agent = agent_of("one", "two")
    tape = await lab.run(agent)
    child = await lab.fork(tape, at=3, agent=agent, go_on=False)
    assert kinds(child)[3:] == ["tape"]
    assert (await lab.resume(child, agent=agent)).answer == "two"


async def test_a_child_only_keeps_what_was_decided_about_effects(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(rich(ledger))
    done = len(ledger.done)
    child = await lab.fork(tape, at=3, agent=rich(ledger), go_on=False, effects="reuse")
    child = await lab.resume(child, agent=rich(ledger))
    assert child.answer == "done"
    assert [what for _, what in ledger.done[done:] if what in "be"] == []


@pytest.mark.parametrize("at", [0, -1, 99])
async def test_positions_that_are_none(lab: Lab, at: int) -> None:
    tape = await lab.run(agent_of("one"))
    with pytest.raises(TapeError, match="fork at 1 to"):
        await lab.fork(tape, at=at, agent=agent_of("two"))


def mailer(ledger: Ledger, *more: object) -> ph.Agent:
    act = ledger.tool("irreversible")
    model = by_history(calls(("act", {"what": "mail"})), "done", "more", *more)
    return ph.Agent("mailer", model=model, tools=[act])


async def test_effects_are_listed_and_asked_about(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    with pytest.raises(DecisionNeededError, match=r"step 4: act \{'what': 'mail'\}") as caught:
        await lab.fork(tape, at=3, agent=mailer(ledger))
    (found,) = caught.value.effects
    assert (found.call.arguments, found.answer.result) == ({"what": "mail"}, "done: mail")
    assert len(await lab.tape_ids()) == 1
    assert len(ledger.done) == 1


async def test_after_the_last_effect_nothing_is_asked(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    child = await lab.fork(tape, at=6, agent=mailer(ledger))
    assert (child.answer, len(ledger.done)) == ("done", 1)


async def test_reuse(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    child = await lab.fork(tape, at=3, agent=mailer(ledger), effects="reuse")
    assert (child.answer, len(ledger.done)) == ("done", 1)
    assert bodies(child, ToolResult)[0].result == "done: mail"
    (note,) = bodies(child, Effects)
    assert (note.policy, note.after) == ("reuse", 3)
    assert [(effect.name, effect.arguments) for effect in note.effects] == [
        ("act", {"what": "mail"})
    ]


async def test_reuse_of_another_call_is_not(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    model = by_history(
        calls(("act", {"what": "letter"})), calls(("act", {"what": "mail"}), first=2),
        calls(("act", {"what": "mail"}), first=3), "done",
    )  # fmt: skip
    other = ph.Agent("mailer", model=model, tools=[ledger.tool("irreversible")])
    await lab.fork(tape, at=3, agent=other, effects="reuse")
    assert [what for _, what in ledger.done] == ["mail", "letter", "mail"]
    lab.not_replayed.add(tape.id)


async def test_redo(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    child = await lab.fork(tape, at=3, agent=mailer(ledger), effects="redo")
    assert (child.answer, len(ledger.done)) == ("done", 2)


async def test_simulate(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    asked: list[ToolCall] = []

    def simulate(call: ToolCall) -> str:
        asked.append(call)
        return "as if"

    child = await lab.fork(tape, at=3, agent=mailer(ledger), effects="simulate", simulate=simulate)
    assert (child.answer, len(ledger.done)) == ("done", 1)
    assert [call.arguments for call in asked] == [{"what": "mail"}]
    assert bodies(child, ToolResult)[0].result == "as if"


@pytest.mark.parametrize("wrong", [lambda call: 1 / 0, lambda call: float("nan"), lambda c: {1}])
async def test_simulations_that_fail_are_told(lab: Lab, wrong: Any) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    child = await lab.fork(tape, at=3, agent=mailer(ledger), effects="simulate", simulate=wrong)
    assert bodies(child, ToolError)[0].code in ("raised", "bad_result")
    assert child.answer == "done"


async def test_simulate_and_its_function_go_together(lab: Lab) -> None:
    tape = await lab.run(agent_of("one"))
    with pytest.raises(RunError, match="go together"):
        await lab.fork(tape, agent=agent_of("x"), effects="simulate")
    with pytest.raises(RunError, match="go together"):
        await lab.fork(tape, agent=agent_of("x"), simulate=lambda call: None)
    with pytest.raises(RunError, match="not `guess`"):
        await lab.fork(tape, agent=agent_of("x"), effects="guess")
    with pytest.raises(RunError, match="only a fork simulates"):
        await lab.run(agent_of("x"), simulate=lambda call: None)


async def test_a_simulation_goes_on_as_one(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    child = await lab.fork(
        tape, at=3, agent=mailer(ledger), effects="simulate", simulate=lambda call: "as if",
        budget=ph.Budget(model_calls=1),
    )  # fmt: skip
    with pytest.raises(RunError, match="pass `simulate=`"):
        await lab.resume(child, agent=mailer(ledger))
    with pytest.raises(RunError, match="pass `simulate=`"):
        await lab.run(mailer(ledger), "more", tape=child)
    with pytest.raises(RunError, match="leave out"):
        await lab.resume(tape, agent=mailer(ledger), simulate=lambda call: "as if")
    child = await lab.resume(child, agent=mailer(ledger), simulate=lambda call: "as if")
    assert (child.answer, len(ledger.done)) == ("done", 1)
    grandchild = await lab.fork(child, at=3, agent=mailer(Ledger()))  # nothing real happened on it
    assert grandchild.answer == "done"


async def test_reuse_holds_after_a_crash(quick_lab: Lab) -> None:
    """Wherever the child's session ends, the mail is sent once."""
    lab = quick_lab
    for written in (False, True):
        for at in range(1, 30):
            ledger = Ledger()
            tape = await lab.run(mailer(ledger))
            store = CrashingStore(lab.store, at=at, written=written)
            known = set(await lab.tape_ids())
            try:
                await ph.fork(tape, at=3, agent=mailer(ledger), effects="reuse", store=store)  # type: ignore[arg-type]
            except Crash:
                pass
            else:
                assert at > 3
                break
            for child_id in set(await lab.tape_ids()) - known:
                child = await lab.resume(child_id, agent=mailer(ledger))
                assert (child.status, child.answer) == ("answered", "done"), (at, written)
            assert len(ledger.done) == 1, (at, written)


async def test_reuse_counts_what_was_reused(lab: Lab) -> None:
    """Two equal mails were sent; a child that is resumed between them gets each result once."""
    results = iter(["first", "second", "third"])

    @ph.tool(effect="write", thread=False)
    def act(what: str) -> str:
        return next(results)

    def make() -> ph.Agent:
        mail = [calls(("act", {"what": "mail"}), first=n) for n in (1, 2, 3)]
        return ph.Agent("a", model=by_history(*mail, "done"), tools=[act])

    tape = await lab.run(make(), budget=ph.Budget(model_calls=2))
    tape = await lab.resume(tape, agent=make(), budget=ph.Budget(steps=2))
    assert [body.result for body in bodies(tape, ToolResult)] == ["first", "second"]
    child = await lab.fork(
        tape, at=3, agent=make(), effects="reuse", budget=ph.Budget(model_calls=2)
    )
    assert [body.result for body in bodies(child, ToolResult)] == ["first"]
    child = await lab.resume(child, agent=make())
    assert [body.result for body in bodies(child, ToolResult)] == ["first", "second", "third"]


async def test_a_fork_of_a_fork_reuses_what_the_first_one_would_have(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    child = await lab.fork(
        tape, at=3, agent=mailer(ledger), effects="reuse", budget=ph.Budget(model_calls=0)
    )
    with pytest.raises(DecisionNeededError):
        await lab.fork(child, agent=mailer(ledger))
    grandchild = await lab.fork(child, agent=mailer(ledger), effects="reuse")
    assert (grandchild.answer, len(ledger.done)) == ("done", 1)
    great = await lab.fork(grandchild, at=3, agent=mailer(ledger), effects="reuse")
    assert (great.answer, len(ledger.done)) == ("done", 1)


async def test_between_a_call_and_its_answer(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    with pytest.raises(DecisionNeededError):
        await lab.fork(tape, at=5, agent=mailer(ledger))
    child = await lab.fork(tape, at=5, agent=mailer(ledger), effects="reuse")
    assert (child.answer, len(ledger.done)) == ("done", 1)
    child = await lab.fork(tape, at=5, agent=mailer(ledger), effects="redo")
    assert (child.answer, len(ledger.done)) == ("done", 2)


async def test_what_may_have_happened_on_the_parent_is_not_simply_done(lab: Lab) -> None:
    ledger = Ledger()
    tape = await crashed(lab, mailer(ledger), at=3, written=False)
    assert len(ledger.done) == 1
    for at in (3, 4, 5):
        with pytest.raises(DecisionNeededError, match="it is not known what came of it"):
            await lab.fork(tape, at=at, agent=mailer(ledger))
        child = await lab.fork(tape, at=at, agent=mailer(ledger), effects="reuse")
        assert (child.status, len(ledger.done)) == ("waiting", 1)
        assert bodies(child, DecisionRequest)[-1].why == "unknown_outcome"
        verdict = ph.Verdict("result", result="it went out")
        child = await lab.resume(child, agent=mailer(ledger), decisions={open_call(child): verdict})
        assert (child.answer, len(ledger.done)) == ("done", 1)
    child = await lab.fork(tape, at=3, agent=mailer(ledger), effects="redo")
    assert (child.answer, len(ledger.done)) == ("done", 2)


async def test_a_tool_that_failed_may_have_had_its_effect(lab: Lab) -> None:
    @ph.tool(effect="write", thread=False)
    def act(what: str) -> str:
        raise ConnectionError("after sending")

    agent = ph.Agent("a", model=by_history(calls(("act", {"what": "x"})), "done"), tools=[act])
    tape = await lab.run(agent)
    with pytest.raises(DecisionNeededError):
        await lab.fork(tape, at=3, agent=agent)
    child = await lab.fork(tape, at=3, agent=agent, effects="reuse")
    assert bodies(child, ToolError)[0].message == "ConnectionError: after sending"


@pytest.mark.parametrize("arguments", [{"where": "nowhere"}, {"what": 5}])
async def test_a_call_that_was_never_carried_out_had_none(lab: Lab, arguments: Any) -> None:
    ledger = Ledger()
    agent = ph.Agent(
        "a", model=by_history(calls(("act", arguments)), "done"), tools=[ledger.tool("write")]
    )
    tape = await lab.run(agent)
    assert (await lab.fork(tape, at=3, agent=agent)).answer == "done"


async def test_a_denied_call_had_none(lab: Lab) -> None:
    ledger = Ledger()
    policy = ph.Approval(decide=lambda call: "deny")
    tape = await lab.run(mailer(ledger), approval=policy)
    child = await lab.fork(tape, at=3, agent=mailer(ledger), approval=policy)
    assert (child.answer, ledger.done) == ("done", [])


async def test_an_edited_call_is_listed_as_it_was_carried_out(lab: Lab) -> None:
    ledger = Ledger()
    edit = ph.Verdict("edit", arguments={"what": "better"})
    policy = ph.Approval(decide=lambda call: edit)
    tape = await lab.run(mailer(ledger), approval=policy)
    with pytest.raises(DecisionNeededError, match="better"):
        await lab.fork(tape, at=3, agent=mailer(ledger))
    child = await lab.fork(tape, at=3, agent=mailer(ledger), effects="reuse", approval=policy)
    assert (child.answer, [what for _, what in ledger.done]) == ("done", ["better"])


async def test_reading_is_no_effect(lab: Lab) -> None:
    look = Ledger().tool("read", name="look")
    agent = ph.Agent("a", model=by_history(calls(("look", {"what": "x"})), "ok"), tools=[look])
    tape = await lab.run(agent)
    assert (await lab.fork(tape, at=3, agent=agent)).answer == "ok"


async def test_an_erased_action_may_have_been_anything(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger))
    call = next(step for step in tape if step.kind == ToolCall.kind)
    await lab.store.erase(tape.id, [call.seq])
    with pytest.raises(DecisionNeededError, match="an erased action"):
        await lab.fork(tape.id, at=3, agent=mailer(ledger))
    lab.not_replayed.add(tape.id)


async def test_state_of_our_own_is_rebuilt_up_to_the_fork(lab: Lab) -> None:
    from test_session_environments import Shop, buyer, put

    tape = await lab.run(buyer(), environment=Shop())
    first = next(step.seq for step in tape if step.kind == ToolResult.kind)
    for contract in ("rebuildable", "snapshot"):
        shop = Shop(contract)
        other = ph.Agent("buyer", model=by_history(put("a", "b"), "enough"))
        child = await lab.fork(tape, at=first + 1, agent=other, environment=shop)
        assert (child.answer, shop.things) == ("enough", ["a", "b"])
        assert bodies(child, Effects) == []
    lab.agents["buyer"] = buyer()
    simulated = Shop()
    model = by_history(put("x"), "ok")
    child = await lab.fork(
        tape, at=3, agent=ph.Agent("buyer", model=model), environment=simulated,
        effects="simulate", simulate=lambda call: "as if",
    )  # fmt: skip
    assert simulated.things == ["x"]  # what is inside the sandbox needs no simulation
    lab.agents.clear()


async def test_in_the_middle_of_a_completion_the_rest_is_made_again(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(rich(ledger))
    first = next(step for step in tape if step.kind == ModelCall.kind)
    context, plan, one, two, three = tape[first.seq + 1 : first.seq + 6]
    assert [step.kind for step in (context, plan)] == [Context.kind, Plan.kind]
    child = await lab.fork(tape, at=two.seq, agent=rich(Ledger()), effects="redo", go_on=False)
    assert [s.body for s in child[-2:]] == [two.body, three.body]
    assert {s.by.call for s in child[-2:]} == {first.id}
    child = await lab.fork(tape, at=context.seq, agent=rich(Ledger()), effects="redo", go_on=False)
    assert [s.body for s in child[-5:]] == [s.body for s in (context, plan, one, two, three)]


async def test_in_the_middle_of_a_completion_another_agent_must_agree(lab: Lab) -> None:
    class Other(Curious):
        def generate_steps(self, view, completion, ctx):
            yield AssistantMessage(parts=text_parts("never mind"))

    ledger = Ledger()
    tape = await lab.run(rich(ledger))
    act = ledger.tool("write")
    other = ph.Agent("rich", model=by_history("x"), tools=[act], nodes=[Other("act")])
    first = next(step.seq for step in tape if step.kind == ToolCall.kind)
    with pytest.raises(RunError, match="fork at 3"):
        await lab.fork(tape, at=first + 1, agent=other, effects="redo")

    class Broken(Curious):
        def generate_steps(self, view, completion, ctx):
            raise ValueError("broken")

    broken = ph.Agent("rich", model=by_history("x"), tools=[act], nodes=[Broken("act")])
    with pytest.raises(NodeError, match="broken"):
        await lab.fork(tape, at=first + 1, agent=broken, effects="redo")
    assert len(await lab.tape_ids()) == 1
    lab.agents["rich"] = rich(ledger)


async def test_between_two_delegations_of_one_completion(lab: Lab) -> None:
    tape = await lab.run(rich(Ledger()))
    one, two = (step.seq for step in tape if step.kind == Delegate.kind)
    assert two == one + 1
    child = await lab.fork(tape, at=two, agent=rich(Ledger()), effects="redo")
    assert len(bodies(child, Return)) == 2
    assert child.answer == "done"


async def test_the_agent_of_the_parent_is_found(lab: Lab) -> None:
    agent = agent_of("one", "two", name="to be found")
    tape = await lab.run(agent)
    child = await ph.fork(tape, at=1, store=lab.store, task="Again.")
    assert child.answer == "two"


async def test_a_waiting_parent_has_a_waiting_child(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger), approval=ph.Approval())
    child = await lab.fork(tape, agent=mailer(ledger))
    assert child.status == "waiting"
    child = await lab.resume(child, agent=mailer(ledger), decisions={open_call(child): "approve"})
    assert (child.answer, len(ledger.done)) == ("done", 1)
    assert (await lab.store.open(tape.id)).status == "waiting"


async def test_what_was_not_begun_when_the_parent_paused_simply_runs(lab: Lab) -> None:
    ledger = Ledger()
    tape = await lab.run(mailer(ledger), budget=ph.Budget(model_calls=1))
    child = await lab.fork(tape, agent=mailer(ledger))
    assert (child.answer, len(ledger.done)) == ("done", 1)


async def test_a_fork_may_be_given_an_id_that_is_known_beforehand(lab: Lab) -> None:
    agent = ph.Agent("echo", model=ph.ScriptedModel(lambda request: "Done."))
    tape = await lab.run(agent)
    name = ph.Tape.new().id
    child = await lab.fork(tape, tape_id=name, agent=agent, task="And?")
    assert (child.id, child.header.parent.tape) == (name, tape.id)
    for taken in (name, tape.id):  # nothing is written to a tape that is there
        with pytest.raises(PlayheadError):
            await lab.fork(tape, tape_id=taken, agent=agent, task="Other")
    assert len(await lab.tape_ids()) == 2
    with pytest.raises(TapeError, match="is no id"):
        await lab.fork(tape, tape_id="mine", agent=agent)
