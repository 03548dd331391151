"""Typed functions that a model carries out, called like any other function."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from playhead.agent import Agent, FunctionNode, FunctionSpec
from playhead.errors import FunctionError
from playhead.llm import Model
from playhead.orchestrator._run import resume, run
from playhead.orchestrator._sync import sync_twin
from playhead.tape import Json, Tape, compact
from playhead.tape.kinds import Output, OutputError, Reflection


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What a function gave; its outputs are attributes as well.

    Args:
        outputs: By name.
        reasoning: What the model thought first, where the function reasons.
        tape: Where it all stands.
    """

    outputs: Mapping[str, Json]
    reasoning: str | None = field(default=None, repr=False)
    tape: Tape | None = field(default=None, repr=False, compare=False)

    def __getattr__(self, name: str) -> Json:
        """An output."""
        if name.startswith("_") or name not in self.outputs:
            raise AttributeError(f"there is no output `{name}`, only {', '.join(self.outputs)}")
        return self.outputs[name]

    def __getitem__(self, name: str) -> Json:
        """An output."""
        return self.outputs[name]


class LLMFunction:
    """A typed function. `await f(question="…")` runs it on a tape of its own.

    It is a value: `with_` gives a changed one, and `describe` what decides its behaviour.

    Args:
        spec: Inputs, outputs, instruction and demonstrations.
        model: The model.
        settings: Sampling settings.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        model: Model | str | None = None,
        settings: Mapping[str, Json] | None = None,
    ) -> None:
        self.spec = spec
        self.agent = Agent(
            spec.name, model=model, settings=settings, nodes=[FunctionNode(spec, becomes="answer")]
        )
        self._options: dict[str, Any] = {}

    @classmethod
    def of(cls, agent: Agent) -> Self:
        """The function that an agent is, such as one of a file.

        Raises:
            FunctionError: It is none: it has other nodes than one `FunctionNode`.
        """
        nodes = agent.nodes
        if len(nodes) != 1 or not isinstance(nodes[0], FunctionNode):
            raise FunctionError(f"agent `{agent.name}` is no function: it has other nodes than one")
        made = cls(nodes[0].function)
        made.agent = agent
        return made

    def describe(self) -> dict[str, Json]:
        """See `FunctionSpec.describe`."""
        return self.spec.describe()

    def with_(self, **changes: Any) -> Self:  # noqa: ANN401
        """The function with another instruction, other demonstrations, another model.

        Args:
            changes: Members of its spec; `model` and `settings` as well.

        Raises:
            AgentError: There is no such member, or it does not fit.
        """
        agent = self.agent
        model = changes.pop("model", agent.model)
        settings = changes.pop("settings", agent.settings)
        made = type(self)(self.spec.with_(**changes), model=model, settings=settings)
        made._options = self._options
        return made

    def using(self, **options: Any) -> Self:  # noqa: ANN401
        """The function with options of `run` for all its calls: `store`, `budget`, `privacy` …."""
        made = copy.copy(self)
        made._options = {**self._options, **options}
        return made

    async def __call__(self, /, **inputs: Json) -> FunctionResult:
        """Carry it out.

        Raises:
            FunctionError: An input is missing or malformed; or outputs still were when they had
                been asked for again. Then `tape` is where it stands, `faults` what was wrong.
            ModelError: The model gave no completion.
        """
        given = self.spec.given(inputs)
        if given.faults:
            raise FunctionError(f"`{self.spec.name}`: {given.told}", faults=given.faults)
        return self.result(await run(self.agent, compact(given.value), **self._options))

    def sync(self, /, **inputs: Json) -> FunctionResult:
        """Carry it out where no event loop is running."""

        async def call() -> FunctionResult:
            return await self(**inputs)

        call.__name__ = self.spec.name
        return sync_twin(call)()

    async def resume(self, tape: Tape | str) -> FunctionResult:
        """Finish a call that was interrupted.

        Raises:
            FunctionError: As for a call.
        """
        return self.result(await resume(tape, agent=self.agent, **self._options))

    def result(self, tape: Tape) -> FunctionResult:
        """What a call gave that stands on a tape.

        Raises:
            FunctionError: It gave nothing, or has not come to its end.
        """
        reasoning: str | None = None
        for step in reversed(tape[:]):
            body = step.body if not step.erased else None
            if isinstance(body, OutputError):
                raise FunctionError(
                    f"`{body.name}` gave nothing usable: {body.message}",
                    tape=tape,
                    faults=body.faults,
                )
            if isinstance(body, Output) and isinstance(body.value, dict):
                before = tape[step.seq - 1].body
                if isinstance(before, Reflection):
                    reasoning = before.text
                return FunctionResult(body.value, reasoning, tape)
        raise FunctionError(
            f"`{self.spec.name}` has not come to its end ({tape.status}): resume the tape",
            tape=tape,
            faults=(),
        )


def llm_function(
    signature: str | None = None,
    instruction: str = "",
    *,
    name: str = "function",
    model: Model | str | None = None,
    settings: Mapping[str, Json] | None = None,
    **more: Any,  # noqa: ANN401
) -> LLMFunction:
    """A typed function that a model carries out.

    Args:
        signature: `inputs -> outputs`, as `"question, passages: list[str] -> answer"`. A field
            without a type is a text; types are `str`, `int`, `float`, `bool`, `object`, `any`,
            `list[TYPE]`, `'one' | 'another'` and `TYPE | none`.
        instruction: What to do.
        name: Its name, as an agent's.
        model: The model, as an agent's.
        settings: Sampling settings.
        more: `inputs` and `outputs` as mappings or a pydantic model, `demonstrations`,
            `reasoning`, `repairs`: see `FunctionSpec.of`.

    Raises:
        AgentError: Something of it cannot be read or does not fit together.

    Example:
        translate = ph.llm_function("text, language -> translation", model="openai:gpt-5-mini")
        result = await translate(text="Good morning", language="French")
        print(result.translation)
    """
    spec = FunctionSpec.of(signature, name=name, instruction=instruction, **more)
    return LLMFunction(spec, model=model, settings=settings)
