"""Templates of an agent file, read before a session begins, so that faults have a line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playhead.agent._agent import Agent
from playhead.agent.prompting import NAMES, PromptNode, Template, Texts
from playhead.errors import AgentError, MissingExtraError
from playhead.yaml import Document, Trail


def check_templates(document: Document, agent: Agent, trail: Trail) -> None:
    """The templates of an agent and of its prompts can be read, and name what there is.

    Without the extra `templates` nothing is said: a session that needs it does not begin.

    Args:
        document: The file.
        agent: The agent.
        trail: Where it stands.

    Raises:
        AgentFileError: One cannot be read, or names what is not there.
    """
    with contextlib.suppress(MissingExtraError):
        for name, text in agent.templates.items():
            with _told(document, (*trail, "templates", name)):
                Template(text, known=NAMES)
        texts = Texts(agent, ())
        for at, node in enumerate(agent.nodes):
            if isinstance(node, PromptNode):
                for name, text in (("system", node.system), ("prompt", node.prompt)):
                    with _told(document, (*trail, "nodes", at, name)):
                        texts.compiled(text)


@contextlib.contextmanager
def _told(document: Document, trail: Trail) -> Iterator[None]:
    try:
        yield
    except AgentError as error:
        raise document.fault(trail, error.message) from error
