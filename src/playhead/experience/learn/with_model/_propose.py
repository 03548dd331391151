"""A model's proposals about an experience, made and tried in a session of its own.

The session is a tape like any other: it holds what was asked, what was proposed, and what was
kept and refused, with the reasons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from playhead.agent import Agent, Node, NodeContext
from playhead.environment import Tool, Toolbox, ToolContext
from playhead.errors import JsonError, ModelError
from playhead.experience.document import Experience, experience_digest
from playhead.experience.learn._tapes import TRY
from playhead.experience.learn._trace import Example, Probe, ToolSpec
from playhead.experience.learn.with_model._shown import AGAIN, RULES, shown
from playhead.experience.learn.with_model._trial import Sessions, Trial, held_out
from playhead.llm import Completion, Model, Prompt, ToolSchema
from playhead.orchestrator import run
from playhead.store import MemoryStore, Store
from playhead.tape import (
    Body,
    Json,
    Message,
    Tape,
    View,
    assistant,
    compact,
    loads_strict,
    system,
    user,
)
from playhead.tape.kinds import Stop, ToolCall, ToolError, ToolResult, UserMessage

_LONGEST = 200_000  # characters of an answer


@dataclass(frozen=True, slots=True)
class Proposed:
    """What came of a proposal.

    Args:
        experience: The experience, with what was kept.
        kept: What was kept.
        refused: What was not, with the reason.
        tape: What was asked, proposed, kept and refused.
        held_out: How many sessions the model was not shown.
    """

    experience: Experience
    kept: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    tape: Tape | None = None
    held_out: int = 0


async def propose(
    experience: Experience,
    examples: Sequence[Example],
    *,
    model: Model,
    probe: Probe | None = None,
    tools: Mapping[str, ToolSpec] | None = None,
    failed: Sequence[Example] = (),
    learnt: bool = True,
    named: bool = False,
    reasons: Sequence[str] = (),
    store: Store | None = None,
) -> Proposed:
    """Ask a model how to improve an experience, and keep what holds.

    It is asked once more if something was refused, and told why. The last third of three or more
    examples is not shown to it: a routine has to do right there as well.

    Args:
        experience: What was learnt.
        examples: The traces that it was learnt from.
        model: Is asked, at most twice.
        probe: Makes reads in a fresh environment.
        tools: The tools of the world, which a routine may call; those of the experience, if not
            given.
        failed: Traces that went wrong.
        learnt: Whether the experience's routine was learnt, and stays; else it stands for none.
        named: Whether a person has given it its name, which stays.
        reasons: Why nothing was learnt, if nothing was.
        store: Where the session is kept; in memory if not given.

    Raises:
        ModelError: It could not be asked at all.
        StoreError: The session could not be kept.
    """
    known = {name: ToolSpec(name, tool.effect) for name, tool in experience.tools.items()}
    at = len(examples) - held_out(examples)
    good = tuple(examples)
    given = known if tools is None else tools
    sessions = Sessions(good[:at], good[at:], tuple(failed), given, probe)
    trying = _Trying(Trial(experience, learnt, named), sessions)
    agent = proposer(model)
    store, tape = store or MemoryStore(), Tape.new()
    asked = compact(shown(experience, sessions, reasons))
    try:
        tape = await run(agent, asked, tape=tape, environment=trying.toolbox(), store=store)
    except ModelError:
        if not trying.tries:
            raise
        tape = await store.open(tape.id)  # what was kept before it fell silent stays
    found = trying.trial
    return Proposed(found.experience, found.kept, found.refused, tape, len(sessions.hidden))


def proposer(model: Model | str | None = None) -> Agent:
    """The agent that proposes; a replay of its tape needs no model."""
    return Agent("proposer", model=model, nodes=[ProposeNode()])


@dataclass(slots=True)
class _Trying:
    """The trial so far, as the tool of a session."""

    trial: Trial
    sessions: Sessions
    tries: int = 0

    def toolbox(self) -> Toolbox:
        """The tool that tries a proposal. Nothing in the world is changed by it."""
        schema = ToolSchema(TRY, "Try a proposal on the recorded sessions.", {"type": "object"})
        return Toolbox([Tool(schema, "read", self._tried)])

    async def _tried(self, arguments: Json, context: ToolContext) -> object:
        proposal = arguments.get("proposal") if isinstance(arguments, dict) else None
        self.trial = await asyncio.to_thread(self.trial.of, proposal, self.sessions)
        self.tries += 1
        return {
            "kept": list(self.trial.kept),
            "refused": self.trial.refused,
            "experience": experience_digest(self.trial.experience),
        }


class ProposeNode(Node):
    """Asks for a proposal, has it tried, and asks once more if something was refused."""

    def __init__(self) -> None:
        super().__init__("propose", next="propose", rules=RULES, again=AGAIN)

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:
        """See `Node.make_prompt`."""
        said: list[Message] = [system(RULES)]
        tries = 0
        for step in view.steps():
            match step.body:
                case UserMessage() as body:
                    said.append(user(body.text))
                case ToolCall(name=name) as body if name == TRY:
                    said.append(assistant(compact(_proposal(body.arguments))))
                case ToolResult() as body:
                    said.append(user(compact(body.result)))
                    tries += 1
        if _over(view):
            return None
        return Prompt.of(*said, *([user(AGAIN)] if tries else []))

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """See `Node.generate_steps`."""
        if completion is None:
            found = _verdicts(view)
            return [Stop(reason="the proposals were tried", result=found[-1] if found else None)]
        return [ToolCall(name=TRY, arguments={"proposal": _read(completion.text)})]


def _over(view: View) -> bool:
    """Whether nothing is left to be mended, or it was asked twice."""
    found = _verdicts(view)
    last = found[-1] if found else None
    failed = any(isinstance(step.body, ToolError) for step in view.steps())
    return failed or len(found) > 1 or (isinstance(last, dict) and not last.get("refused"))


def _verdicts(view: View) -> list[Json]:
    return [step.body.result for step in view.steps() if isinstance(step.body, ToolResult)]


def _proposal(arguments: Json) -> Json:
    return arguments.get("proposal") if isinstance(arguments, dict) else None


def _read(text: str) -> Json:
    """The JSON of an answer, or the beginning of what stands in its place."""
    said = text.strip()
    if said.startswith("```"):
        said = said.removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        return loads_strict(said) if len(said) <= _LONGEST else said[:1000]
    except JsonError:
        return said[:1000]
