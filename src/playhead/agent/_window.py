"""The newest messages of a conversation, cut where a provider accepts it."""

from __future__ import annotations

from playhead.tape import History, HistoryRange


def newest(messages: History, window: int | None) -> HistoryRange:
    """So many of the newest messages, or a few more; all if None.

    Never a tool's answer without the message that asked for it, nor what was said to all between
    the two.
    """
    if window is None:
        return messages.all()
    try:
        while _parts_answers(messages, window):
            window += 1
    except IndexError:  # there are not so many
        pass
    return messages[-window:]


def _parts_answers(messages: History, window: int) -> bool:
    """Whether the first message that is not said by a user is a tool's answer."""
    while window > 0:
        role = messages[-window].role
        if role != "user":
            return role == "tool"
        window -= 1
    return False
