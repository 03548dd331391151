"""What was said in a team, and to whom the word was handed: read from the tape."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from playhead.agent.teams._ends import returns
from playhead.tape import Part, Step, View, parts_text, text_parts
from playhead.tape.kinds import Broadcast, Delegate, HandOff, Return, UserMessage


def transcript(view: View, window: int) -> tuple[Part, ...]:
    """What was said in a frame, for a member: who said what, the newest messages.

    Lines that go on are indented, so that nothing said can look as if another one had said it.
    """
    newest = list(itertools.islice(_saying(view), window))
    if len(newest) == 1 and not isinstance(newest[0], Return | Broadcast):
        return newest[0].parts
    person = "person" if view.frame.caller is None else "task"
    lines = [
        spoken(
            body.agent if isinstance(body, Return | Broadcast) else person, parts_text(body.parts)
        )
        for body in reversed(newest)
    ]
    return text_parts("\n".join(lines))


def _saying(view: View) -> Iterator[Return | Broadcast | UserMessage | Delegate]:
    """What the person and the members said, newest first; what the team was asked comes last."""
    for seq in range(len(view.tape) - 1, view.frame.id - 1, -1):
        step = view.tape[seq]
        own = step.frame == view.frame.id
        opening = seq == view.frame.id and step.kind == Delegate.kind
        if step.erased or not (opening or own or step.kind == Broadcast.kind):
            continue
        body = step.body
        if isinstance(body, Return | Broadcast | UserMessage) or (
            opening and isinstance(body, Delegate)
        ):
            yield body


def spoken(name: str, text: str) -> str:
    """What somebody said, in lines that nobody else's can be taken for."""
    return f"{name}: " + text.replace("\n", "\n  ")


def said_by(step: Step) -> tuple[str, str]:
    """Who returned, and with what words."""
    body = step.body
    assert isinstance(body, Return)
    return body.agent, body.text


def last_said(view: View) -> tuple[Part, ...]:
    """What a member said last."""
    said = returns(view)
    body = said[0].body if said else None
    return body.parts if isinstance(body, Return) else text_parts("Nothing was said.")


def backwards_returns(view: View) -> Iterable[Step]:
    """What members said in the frame, newest first."""
    for seq in range(len(view.tape) - 1, view.frame.id, -1):
        step = view.tape[seq]
        if step.frame == view.frame.id and step.kind == Return.kind and not step.erased:
            yield step


def handed_to(view: View, returned: Step) -> str | None:
    """Whom the member handed the conversation to with what it said."""
    for seq in range(returned.seq - 1, view.frame.id, -1):
        step = view.tape[seq]
        if step.id in returned.re:  # where it was given the word
            return None
        if step.kind == HandOff.kind and view.tape[step.frame].id in returned.re:
            body = step.body
            return body.agent if isinstance(body, HandOff) else None
    return None
