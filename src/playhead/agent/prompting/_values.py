"""What a template may name, and where on the tape it is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from playhead.agent._context import NodeContext
from playhead.agent.prompting._template import Template
from playhead.agent.prompting._walk import asked, backwards, last_text
from playhead.errors import AgentError
from playhead.llm import ToolSchema
from playhead.tape import Json, View, format_time
from playhead.tape.kinds import Output, Plan, Reflection

if TYPE_CHECKING:
    from playhead.agent._agent import Agent

NAMES = (
    "agent", "asked", "instructions", "last", "now", "outputs", "plan", "reflection", "subagents",
    "task", "templates", "tools",
)  # fmt: skip
_DEPTH = 16  # templates that use templates


class Texts:
    """The templates of a node, bound to its agent.

    Args:
        agent: The agent.
        tools: Those that the node's model is offered.
        more: Names that its templates may use beside those of all.
    """

    def __init__(
        self, agent: Agent, tools: Collection[ToolSchema], *, more: Collection[str] = ()
    ) -> None:
        self._known = (*NAMES, *more)
        self._templates = {
            name: Template(text, known=NAMES) for name, text in agent.templates.items()
        }
        offered: list[Json] = [tool.as_json() for tool in tools]
        below: list[Json] = [
            {"name": subagent.name, "description": subagent.description}
            for subagent in agent.subagents
        ]
        self._fixed: dict[str, Json] = {
            "agent": agent.name,
            "instructions": agent.instructions,
            "subagents": below,
            "tools": offered,
        }

    def compiled(self, text: str) -> Template:
        """A template that uses the templates of the agent.

        Raises:
            AgentError: It cannot be read, or names what is not there.
        """
        made = Template(text, known=self._known)
        self._check(made, ())
        return made

    def _check(self, template: Template, above: tuple[str, ...]) -> None:
        for name in template.templates:
            if name in above or len(above) > _DEPTH:
                raise AgentError(f"the template `{name}` uses itself: {' → '.join((*above, name))}")
            if name not in self._templates:
                known = ", ".join(self._templates) or "none: give the agent `templates`"
                raise AgentError(f"there is no template `{name}`, only {known}")
            self._check(self._templates[name], (*above, name))

    def rendered(
        self,
        template: Template,
        view: View,
        ctx: NodeContext,
        *,
        more: Mapping[str, Json] | None = None,
    ) -> str:
        """The text of a template for a view."""
        values: dict[str, Json] = {**(more or {})}
        for name in template.names - values.keys():
            if name == "templates":
                values[name] = {
                    used: self.rendered(self._templates[used], view, ctx)
                    for used in sorted(template.templates)
                }
            else:
                values[name] = self._fixed[name] if name in self._fixed else value(name, view, ctx)
        return template.render(values)


def value(name: str, view: View, ctx: NodeContext) -> Json:
    """The value of a name that stands on the tape."""
    match name:
        case "task":
            return view.task
        case "asked":
            return asked(view)
        case "last":
            return last_text(view)
        case "now":
            return format_time(ctx.now())[:19] + "Z"
        case "plan":
            plan = view.last(Plan)
            return list(plan.items) if plan is not None else []
        case "reflection":
            thought = view.last(Reflection)
            return thought.text if thought is not None else ""
        case "outputs":
            return outputs(view)
    raise AgentError(f"nothing is called `{name}`")


def outputs(view: View) -> dict[str, Json]:
    """By node, its newest output in the frame."""
    found: dict[str, Json] = {}
    for step in backwards(view):
        if step.kind == Output.kind and not step.erased:
            body = step.body
            if isinstance(body, Output) and body.name not in found:
                found[body.name] = body.value
    return found
