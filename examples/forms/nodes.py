"""What the nodes of teacher and student have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from examples.forms.parsing import Unreadable, read_steps, unreadable
from examples.forms.prompts import bodies, instructions, prompt_for
from examples.forms.state import FormState, checked
from examples.forms.steps import InspectFunction, ResolveFunction, StepError
from playhead.agent import Node, NodeContext
from playhead.llm import Completion, Prompt
from playhead.tape import Body, View, text_parts
from playhead.tape.kinds import AssistantMessage, NextNode, Stop, UserMessage

MOST_FAULTS = 4  # error steps in a turn, before the agent gives up


def state_of(view: View) -> FormState:
    """The state of the form, as the steps of a view make it."""
    return FormState().after_all(bodies(view))


def faults_of_turn(view: View) -> int:
    """How many steps of this turn were refused."""
    faults = 0
    for body in bodies(view):
        if isinstance(body, UserMessage):
            faults = 0
        faults += isinstance(body, StepError)
    return faults


class FormNode(Node):
    """A node that makes steps, each checked against the form; after a wrong one it runs again.

    Args:
        name: Its task.
        company: The company for which it speaks.
        next: The node after it.
    """

    task: ClassVar[str] = ""
    reads: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, *, company: str, next: str | None = None) -> None:
        about = type(self).task or name
        super().__init__(name, next=next, company=company, instructions=instructions(about))
        self.company, self.about = company, about

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:
        """See `Node.make_prompt`."""
        return prompt_for(self.about, view, state_of(view), company=self.company)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """See `Node.generate_steps`."""
        assert completion is not None
        try:
            made: Sequence[Body] = self.read(view, completion.text)
        except Unreadable as fault:
            made = [unreadable(fault)]
        taken = checked(state_of(view), made)
        if taken and isinstance(taken[-1], StepError):
            return self.again(view, taken)
        return [*taken, *self.onward(view, taken)]

    def read(self, view: View, text: str) -> Sequence[Body]:
        """The steps that a completion means.

        Raises:
            Unreadable: It is not written as asked.
        """
        return read_steps(text, only=self.reads)

    def again(self, view: View, taken: Sequence[Body]) -> Sequence[Body]:
        """What follows a wrong step: another try, or the end."""
        if faults_of_turn(view) + 1 >= MOST_FAULTS:
            return [*taken, Stop(reason="too many wrong steps in a turn")]
        return [*taken, NextNode(node=self.name)]

    def onward(self, view: View, taken: Sequence[Body]) -> Sequence[Body]:
        """Which node is next, where that depends on what was made."""
        return ()


class TalkNode(FormNode):
    """A node whose completion is what the agent says."""

    def read(self, view: View, text: str) -> Sequence[Body]:
        """See `FormNode.read`."""
        if not text.strip():
            raise Unreadable("there is no message: write one")
        return [AssistantMessage(parts=text_parts(text.strip()))]


class RouteNode(Node):
    """Decides by the state of the form which node is next; asks no model.

    Args:
        begin: The node that works on what the person says, once the form is known.
    """

    def __init__(self, name: str = "route", *, begin: str) -> None:
        super().__init__(name, begin=begin)
        self.begin = begin

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """See `Node.generate_steps`."""
        state = state_of(view)
        if state.ended is not None:
            return [Stop(reason=f"the conversation has ended: {state.ended}")]
        if state.candidates is None:
            query = view.last(UserMessage)
            asked = ResolveFunction(query=query.text if query else "")
            return [asked, NextNode(node="discover")]
        return [NextNode(node="discover" if state.form is None else self.begin)]


class CallNode(TalkNode):
    """Tells what became of the request, or says goodbye; then the conversation is over."""

    task: ClassVar[str] = "generate"

    def onward(self, view: View, taken: Sequence[Body]) -> Sequence[Body]:
        """See `FormNode.onward`."""
        return [Stop(reason=f"the conversation has ended: {state_of(view).ended}")]


class DiscoverNode(FormNode):
    """Finds the form that the person needs; `begin` is the node that works on it then."""

    reads: ClassVar[tuple[str, ...]] = (
        "inspect_function",
        "refuse_unknown_function",
        "request_function",
    )

    def __init__(self, name: str = "discover", *, company: str, begin: str) -> None:
        super().__init__(name, company=company)
        self.config["begin"] = self.begin = begin

    def onward(self, view: View, taken: Sequence[Body]) -> Sequence[Body]:
        """See `FormNode.onward`."""
        found = any(isinstance(step, InspectFunction) for step in taken)
        return [NextNode(node=self.begin if found else "generate")]
