"""The player: a node without a model, whose next steps are what the routine decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from playhead.agent import Agent, Node, NodeContext
from playhead.errors import ExperienceError
from playhead.experience.checks import CheckEngine, Moment, SeenCall, Verdict
from playhead.experience.document import Experience
from playhead.experience.play._limits import Limits
from playhead.experience.play._outlook import outlook
from playhead.experience.play._past import Past, Values, read_past
from playhead.experience.play._tools import drift
from playhead.experience.routine import (
    Calls,
    Finish,
    PlannedCall,
    Refuse,
    decide,
    parameters_of,
)
from playhead.llm import Completion, Model
from playhead.tape import Body, By, Json, View, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Checked,
    FailedCheck,
    NextNode,
    Pause,
    Stop,
    ToolCall,
)

JUDGE = "judge"  # the node that asks a model about checks in words
DONE, NOTHING, DRY = "done", "nothing was to be done", "dry run"  # why a play stops


class PlayNode(Node):
    """Makes the steps of a play, one call a turn. Its only state is the tape.

    Before each call, and before the end, it asks the checks; what they say is on the tape before
    the call. Where anything is in doubt, it hands over: nothing is done, and the tape says why.

    Args:
        experience: What is played.
        engine: Its checks.
        judged: Whether a model is there to judge checks in words.
        values: Puts values back where placeholders stand.
    """

    def __init__(
        self,
        experience: Experience,
        engine: CheckEngine,
        *,
        judged: bool = False,
        values: Values | None = None,
    ) -> None:
        document = experience.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        super().__init__("play", next="play", experience=document)
        self.experience, self.engine = experience, engine
        self.plays = By("player", experience.name, version=str(experience.version))
        self._judged, self.values = judged, values

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """See `Node.generate_steps`."""
        try:
            past = read_past(view.tape, self.experience, self.values)
        except ExperienceError as error:
            return [_handed_over(error.message)]
        if (changed := drift(self.experience, past.note.tools)) is not None:
            return self._refused(past, changed)
        decision = decide(self.experience, past.inputs, past.done)
        if isinstance(decision, Refuse):
            return self._refused(past, f"{decision.reason} ({decision.code})")
        if isinstance(decision, Finish):
            return self._finished(past, decision)
        return self._called(past, decision)

    def _refused(self, past: Past, why: str) -> list[Body]:
        if past.note.dry:
            return [Stop(reason=DRY, result={"writes": [], "refused": why})]
        return [_handed_over(why)]

    def _called(self, past: Past, decision: Calls) -> list[Body]:
        call = decision.calls[0]
        if (why := self._over_limits(past, decision)) is not None:
            return self._refused(past, f"the limits of this play: {why}")
        moment = self.moment(past, call)
        if past.note.dry and moment.at == "write":
            return [Stop(reason=DRY, result=outlook(self, past))]
        said, ready = self._checked(past, moment)
        if not ready:
            return said
        if (doubt := self._plan_doubt(past, decision)) is not None:
            return [doubt, _handed_over(_told(doubt))]
        return [*said, ToolCall(name=call.tool, arguments=dict(call.arguments))]

    def _finished(self, past: Past, decision: Finish) -> list[Body]:
        if past.note.dry:
            return [Stop(reason=DRY, result=outlook(self, past))]
        said, ready = self._checked(past, self.moment(past, decision))
        if not ready:
            return said
        if decision.text is not None:
            said.append(AssistantMessage(parts=text_parts(decision.text)))
        return [*said, Stop(reason=NOTHING if decision.noop else DONE)]

    def _checked(self, past: Past, moment: Moment) -> tuple[list[Body], bool]:
        """What the checks of a moment say, as steps, and whether the play may go on."""
        verdict = self.engine.judge(moment)
        waiting = [check for check in verdict.words if check.id not in _judged(past)]
        if waiting and not verdict.failed and self._judged:
            return [NextNode(node=JUDGE)], False
        failed = [FailedCheck(id=each.check.id, why=each.why) for each in verdict.failed]
        nobody = "there is no model to judge it: say `judge=`"
        failed += [FailedCheck(id=check.id, why=nobody) for check in waiting if not failed]
        failed += past.judged.failed if past.judged is not None else ()
        note = _note(moment, verdict, failed)
        if failed:
            return [note, _handed_over(_told(note))], False
        return [note] if note.passed else [], True

    def _plan_doubt(self, past: Past, decision: Calls) -> Checked | None:
        """The first check that a later one of the planned writes would fail, if one does."""
        if past.writes:
            return None
        for coming, call in list(_ahead(past, decision))[1:]:
            moment = self.moment(coming, call)
            verdict = self.engine.judge(moment)
            if verdict.failed:
                failed = [FailedCheck(id=each.check.id, why=each.why) for each in verdict.failed]
                return _note(moment, verdict, failed)
        return None

    def _over_limits(self, past: Past, decision: Calls) -> str | None:
        """Why a call, or one that is planned after it, may not be made."""
        limits = Limits.of(past.note.limits if past.note.limits is not None else {})
        for coming, call in _ahead(past, decision):
            if (why := limits.refusal(call, coming.calls, past.note.tools)) is not None:
                return why
        return None

    def moment(self, past: Past, coming: PlannedCall | Finish) -> Moment:
        """What checks see before a call, or before the end."""
        params = parameters_of(self.experience, past.inputs)
        end = coming if isinstance(coming, Finish) else None
        return Moment(
            task=past.inputs.task,
            parameters=params if isinstance(params, dict) else {},
            now=past.inputs.now,
            calls=past.calls,
            call=None if isinstance(coming, Finish) else _seen(coming),
            answer=end.text if end is not None else None,
            noop=end is not None and end.noop,
        )


def player_agent(
    experience: Experience,
    *,
    limited: bool = True,
    judge: Model | str | None = None,
    values: Values | None = None,
) -> Agent:
    """An agent that plays an experience; it asks no model, but for checks in words.

    Args:
        experience: What is played.
        limited: Evaluate checks in a process with limits of memory and time.
        judge: The model that judges checks in words.
        values: Puts values back where placeholders stand.

    Raises:
        ExperienceError: A check cannot be compiled, or cannot be limited here.
        MissingExtraError: It has checks, and the extra `checks` is not installed.
    """
    engine = CheckEngine(experience.checks, limited=limited)
    words = any(
        not check.check.model_dump().keys().isdisjoint({"words"}) for check in experience.checks
    )
    node = PlayNode(experience, engine, judged=words and judge is not None, values=values)
    nodes: list[Node] = [node]
    if words and judge is not None:
        from playhead.experience.play._judge import JudgeNode

        nodes.append(JudgeNode(node))
    return Agent(f"player of {experience.name}", model=judge, nodes=nodes)


def _ahead(past: Past, decision: Calls) -> Iterator[tuple[Past, PlannedCall]]:
    """The next call, and those that are planned after it, as if each gave nothing back."""
    for call in decision.plan or decision.calls[:1]:
        yield past, call
        past = replace(past, calls=(*past.calls, _seen(call)))


def _judged(past: Past) -> frozenset[str]:
    return frozenset(past.judged.judged if past.judged is not None else ())


def _seen(call: PlannedCall) -> SeenCall:
    return SeenCall(call.tool, call.effect, dict[str, Json](call.arguments), state=call.state)


def _note(moment: Moment, verdict: Verdict, failed: Sequence[FailedCheck]) -> Checked:
    return Checked(
        at=moment.at,
        state=None if moment.call is None else moment.call.state,
        tool=None if moment.call is None else moment.call.tool,
        passed=tuple(check.id for check in verdict.passed),
        failed=tuple(failed),
    )


def _told(note: Checked) -> str:
    first = note.failed[0]
    return f"the check `{first.id}` does not hold: {first.why}"


def _handed_over(why: str) -> Pause:
    return Pause(reason="handed_over", message=why[:2000])
