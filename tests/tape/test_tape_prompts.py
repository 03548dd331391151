"""A recorded prompt reads back as it was sent, and its record costs what is new in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tape_helpers import DictLoader, agent, erased, model_call, reread, says, stored, tape_of
from tape_strategies import LAW, messages

from playhead.errors import TapeError
from playhead.llm import Prompt, PromptWriter, read_prompt
from playhead.tape import (
    Draft,
    Fold,
    Log,
    Message,
    OtherPart,
    Tape,
    View,
    _fold,
    assistant,
    system,
    text_parts,
    user,
)
from playhead.tape.kinds import (
    Delegate,
    Literally,
    ModelCall,
    PromptRecord,
    RangeOfHistory,
    RangeOfLiterals,
    Return,
    ToolResult,
)

POOL = [
    system("Be brief."),
    user("state: a"),
    user("state: b"),
    user("state: a", name="board"),
    assistant([OtherPart({"type": "odd", "null": None, "big": 2**70}), *text_parts("é")]),
]


@dataclass
class Writing:
    """A tape that is written by model calls, and the prompts they were sent."""

    tape: Tape = field(default_factory=Tape.new)
    sent: list[tuple[int, list[Message]]] = field(default_factory=list)
    open: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer = PromptWriter(self.tape.fold())

    @property
    def view(self) -> View:
        return View(self.tape, self.tape.fold())

    def record(self, prompt: Prompt) -> PromptRecord:
        return self.writer.record(prompt, seq=len(self.tape))

    def ask(
        self,
        prompt: Prompt,
        answer: Message | None,
        status: str = "complete",
        *,
        checked: bool = True,
    ) -> PromptRecord:
        record = self.record(prompt)
        if checked:
            self.sent.append((len(self.tape), prompt.messages()))
        body = model_call(answer, status=status, prompt=record)
        frame = self.view.frame.id
        self.tape = self.tape.append(Draft(body, by=agent(), frame=frame))
        self.tape.fold()
        return record

    def add(self, body: Any, re: str = "") -> str:
        draft = Draft(body, by=agent(), frame=self.view.frame.id, re=(re,) if re else ())
        self.tape = self.tape.append(draft)
        self.tape.fold()
        return draft.id

    def forked(self, at: int) -> Writing:
        kept = [(seq, prompt) for seq, prompt in self.sent if seq < at]
        return Writing(self.tape.fork(at), kept)

    def reopened(self) -> Writing:
        """As a store opens it: pages and older literals from outside, state from a checkpoint."""
        fold = self.tape.fold()
        literals = [self.tape.literal(at) for at in range(fold.literals)]
        loader = DictLoader(dict(enumerate(stored(self.tape))), literals)
        log = Log(length=len(self.tape), loader=loader, resident_pages=1)
        log.fold = Fold.restore(fold.checkpoint()) or Fold()
        return Writing(Tape(log, len(self.tape), tape_id=self.tape.id), self.sent)

    def check(self) -> None:
        again = reread(self.tape)
        assert again.fold().literal_index == self.tape.fold().literal_index
        for tape in (self.tape, again):
            for seq, prompt in self.sent:
                assert read_prompt(tape, tape[seq]) == prompt


def segment(writing: Writing, draw: Any) -> Any:
    """What a node may put into a prompt."""
    history = writing.view.messages
    kind = draw(st.sampled_from(["pool", "pool", "fresh", "all", "tail", "slice"]))
    if kind == "pool":
        return draw(st.lists(st.sampled_from(POOL), max_size=4))
    if kind == "fresh":
        return draw(messages)
    if kind == "all":
        return history
    if kind == "tail":
        return history[-draw(st.integers(1, 5)) :]
    return history[draw(st.integers(-5, 5)) : draw(st.integers(-5, 9))]


@st.composite
def writings(draw: Any) -> Writing:
    """Some twenty calls, with messages, delegations, forks, crashes and reopenings between."""
    writing = Writing()
    for i in range(draw(st.integers(1, 20))):
        prompt = Prompt.of(*(segment(writing, draw) for _ in range(draw(st.integers(0, 4)))))
        match draw(
            st.sampled_from(["", "", "", "say", "delegate", "return", "fork", "crash", "open"])
        ):
            case "say":
                writing.add(says(f"message {i}"))
                writing.add(ToolResult(call_id="1", name="t", result=[i, None]))
            case "delegate":
                seq = len(writing.tape)
                delegate = writing.add(Delegate(agent="sub", parts=text_parts(f"task {i}")))
                writing.open.append((seq, delegate))
                continue
            case "return" if writing.open:
                frame, delegate = writing.open.pop()
                body = Return(agent="sub", parts=text_parts(f"answer {i}"))
                outer = writing.tape.fold().frames[frame].caller or 0
                draft = Draft(body, by=agent(), frame=outer, re=(delegate,))
                writing.tape = writing.tape.append(draft)
                continue
            case "fork":
                writing.check()
                writing = writing.forked(draw(st.integers(1, len(writing.tape))))
                writing.open = [
                    (frame.id, frame.delegate or "")
                    for frame in writing.tape.fold().frames.values()
                    if frame.id
                ]
                continue
            case "crash":
                writing.record(prompt)  # the call never got onto the tape
            case "open" if writing.tape.start == 0:
                open_frames = writing.open
                writing = writing.reopened()
                writing.open = open_frames
                continue
        status = draw(st.sampled_from(["complete", "complete", "incomplete", "failed"]))
        writing.ask(prompt, assistant(f"answer {i}"), status)
    return writing


@LAW
@given(writings())
def test_every_prompt_reads_back_as_it_was_sent(writing: Writing) -> None:
    writing.check()


@LAW
@given(st.data(), st.integers(0, 4))
def test_also_where_the_oldest_messages_are_forgotten(data: st.DataObject, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fold, "_MAX_LITERALS", most)
        data.draw(writings()).check()


@LAW
@given(writings())
def test_nothing_is_written_out_twice_but_in_the_prompt_that_has_it_first(writing: Writing) -> None:
    written: dict[tuple[str, str], set[int]] = {}
    for step in writing.tape[writing.tape.start :]:
        if isinstance(step.body, ModelCall):
            for item in step.body.prompt.items:
                if isinstance(item, Literally):
                    key = (step.tape, item.m.model_dump_json())
                    written.setdefault(key, set()).add(step.seq)
    assert all(len(seqs) == 1 for seqs in written.values())
    calls = [step.body for step in writing.tape if isinstance(step.body, ModelCall)]
    kept = [place for call in calls for place in call.prompt.keep]
    assert len(kept) == len(set(kept))


def test_what_was_sent_once_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fold, "_MAX_LITERALS", 8)
    writing = Writing()
    for i in range(50):
        writing.ask(Prompt.of(system("always"), user(f"once {i}")), None)
    assert len(writing.tape.fold().literal_index) <= 8
    writing.check()
    last = writing.ask(Prompt.of(system("always"), user("once 0"), user("once 49")), None)
    assert [type(item) for item in last.items] == [RangeOfLiterals, Literally, RangeOfLiterals]
    assert writing.tape.fold().literals == 2


def test_the_first_three_records_of_a_usual_agent() -> None:
    writing = Writing()
    writing.add(says("hi"))
    records = []
    for i in range(4):
        prompt = Prompt.of(system("Be brief."), writing.view.messages)
        records.append(writing.ask(prompt, assistant(f"{i}")))
    rule = system("Be brief.")
    assert records == [
        PromptRecord(items=(Literally(m=rule), RangeOfHistory(h=(0, 2)))),
        PromptRecord(
            items=(RangeOfLiterals(l=(0, 1)), RangeOfHistory(h=(0, 3))), keep=((0, 2, 0),)
        ),
        PromptRecord(items=(RangeOfLiterals(l=(0, 1)), RangeOfHistory(h=(0, 4)))),
        PromptRecord(items=(RangeOfLiterals(l=(0, 1)), RangeOfHistory(h=(0, 5)))),
    ]


def test_neighbours_in_the_literal_table_make_one_range() -> None:
    writing = Writing()
    pool = [user(str(i)) for i in range(6)]
    for _ in range(2):
        writing.ask(Prompt.of(pool), None)
    record = writing.ask(Prompt.of(pool, pool[2:4], pool[0], pool[1]), None)
    assert record.items == (
        RangeOfLiterals(l=(0, 6)), RangeOfLiterals(l=(2, 4)), RangeOfLiterals(l=(0, 2)),
    )  # fmt: skip
    assert record.keep == ()


def test_tools_and_settings_are_recorded() -> None:
    record = Writing().writer.record(
        Prompt.of(), seq=1, tools="sha256:" + "0" * 64, settings={"temperature": 0.5}
    )
    assert record == PromptRecord(
        items=(), tools="sha256:" + "0" * 64, settings={"temperature": 0.5}
    )


# --- cost ----------------------------------------------------------------------------------------

TURNS = 300
RULES = system("Rules of the house, told in every call. " * 100)
STATES = [user("The board says A. " * 50), user("The board says B. " * 50)]

Shape = Callable[[View, int], Prompt]
SHAPES: dict[str, Shape] = {
    "append-only": lambda view, i: Prompt.of(RULES, view.messages),
    "sliding window": lambda view, i: Prompt.of(RULES, view.messages[-20:]),
    "state on top": lambda view, i: Prompt.of(RULES, STATES[i % 2], view.messages),
    "state at the end": lambda view, i: Prompt.of(RULES, view.messages, STATES[i % 2]),
    "new state on top": lambda view, i: Prompt.of(RULES, user(f"It is {i:03}."), view.messages),
    "all written out": lambda view, i: Prompt.of(RULES, [user(f"{j:03}") for j in range(i + 1)]),
    "window written out": lambda view, i: Prompt.of(
        RULES, [user(f"{j:03}") for j in range(max(0, i - 20), i + 1)]
    ),
}


def sizes(shape: Shape) -> tuple[list[int], bytes]:
    """Bytes of each record, as it stands in the body, and all bodies."""
    writing = Writing()
    made = []
    for i in range(TURNS):
        writing.add(says(f"question {i:03}"))
        prompt = shape(writing.view, i)
        record = writing.ask(prompt, assistant(f"answer {i:03}"), checked=i % 30 == 29)
        made.append(len(record.model_dump_json(exclude_none=True)))
    writing.check()
    return made, b"".join(step.data or b"" for step in writing.tape)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_record_costs_what_is_new(shape: Shape) -> None:
    made, stored_bytes = sizes(shape)
    first, second, *early = made[:20]
    assert first + second + made[2] < 5000 + 3000  # the rules and the states, once
    assert max(made[4:]) <= 250
    assert max(made[-50:]) <= max(early[2:]) + 20  # positions have more digits, nothing else grows
    for message in (RULES, *STATES):
        assert stored_bytes.count(message.text.encode()) <= 1


def test_reading_one_prompt_back_looks_at_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    writing = Writing()
    for i in range(200):
        writing.ask(SHAPES["state on top"](writing.view, i), assistant(str(i)))
    window = writing.ask(SHAPES["sliding window"](writing.view, 0), None)
    tape = reread(writing.tape)
    tape.fold()
    looked: set[int] = set()
    get, spread = Log.get, Log.range

    def watched_get(log: Log, seq: int) -> Any:
        looked.add(seq)
        return get(log, seq)

    def watched_range(log: Log, start: int, stop: int) -> Any:
        looked.update(range(start, stop))
        return spread(log, start, stop)

    monkeypatch.setattr(Log, "get", watched_get)
    monkeypatch.setattr(Log, "range", watched_range)
    assert len(read_prompt(tape, tape[-1])) == 21
    assert len(looked) <= 25
    assert window.keep == ()


# --- what was erased -----------------------------------------------------------------------------


def three_calls() -> Writing:
    writing = Writing()
    writing.add(says("secret"))
    for _ in range(3):
        writing.ask(Prompt.of(RULES, writing.view.messages), assistant("a"))
    return writing


def test_a_literal_that_was_erased_is_missed_clearly() -> None:
    tape = erased(three_calls().tape, 2)
    for seq in (3, 4):
        with pytest.raises(TapeError, match="erased with step 2"):
            read_prompt(tape, tape[seq])


def test_an_erased_call_has_no_prompt() -> None:
    tape = erased(three_calls().tape, 4)
    with pytest.raises(TapeError, match="no model call"):
        read_prompt(tape, tape[4])
    with pytest.raises(TapeError, match="no model call"):
        read_prompt(tape, tape[1])


def test_erasing_a_call_does_not_change_what_others_were_sent() -> None:
    writing = Writing()
    one, two = user("one"), user("two")
    writing.ask(Prompt.of(one, two), None)
    writing.ask(Prompt.of(one), None)  # keeps `one` as 0
    writing.ask(Prompt.of(two), None)  # keeps `two` as 1
    writing.ask(Prompt.of(one), None)
    tape = erased(writing.tape, 2)
    with contextlib.suppress(TapeError):  # a clear error would do as well
        assert read_prompt(tape, tape[4]) == [one]


def test_a_prompt_may_hold_the_history_of_another_frame() -> None:
    writing = Writing()
    writing.add(says("asked of the parent"))
    parent = writing.view
    writing.add(Delegate(agent="sub", parts=text_parts("asked of the child")))
    writing.ask(Prompt.of(parent.messages, writing.view.messages), None)
    writing.check()


def test_what_cannot_be_read_is_said_clearly() -> None:
    bad = [
        (PromptRecord(items=(RangeOfLiterals(l=(0, 1)),)), "erased"),
        (
            PromptRecord(items=(RangeOfLiterals(l=(0, 1)),), keep=((0, 1, 0),)),
            "erased|not at step 1",
        ),
        (PromptRecord(items=(RangeOfLiterals(l=(0, 1)),), keep=((0, 0, 0),)), "step 0"),
    ]
    for record, match in bad:
        tape = tape_of(model_call(prompt=record))
        with pytest.raises(TapeError, match=match):
            read_prompt(tape, tape[1])
