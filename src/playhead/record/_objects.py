"""Files of JSON objects: what formats have in common whose sessions are one object each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

from playhead.record._file import ForeignFile
from playhead.record._foreign import ForeignTape, Keys
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject, ShapeFault, as_list, as_object
from playhead.record._stored import StoredTape
from playhead.tape import Draft, Json


def read_objects(
    file: ForeignFile,
    tape_of: Callable[[JsonObject, str, str], ForeignTape],
    *,
    what: str,
    by_line: bool = False,
) -> Iterator[ForeignTape]:
    """The session of each object of a file.

    Args:
        file: The file.
        tape_of: Makes a session of an object, its key and its place.
        what: What an object is called in messages.
        by_line: An object is a line, unless the file is one array.

    Raises:
        ForeignFileError: Something in it is not as it should be.
    """
    keys = Keys()
    for value, place in file.lines() if by_line and not file.is_array else file.values():
        try:
            yield tape_of(as_object(value, what), keys.of(value), place)
        except ShapeFault as fault:
            raise file.fault(place, str(fault)) from None


def fill(
    tape: ForeignTape,
    record: JsonObject,
    steps_of: Callable[[JsonObject, str], list[Draft]],
    *,
    member: str = "messages",
    what: str = "record",
) -> ForeignTape:
    """Put the messages of a session on its tape, and keep what has no step in a note.

    Args:
        tape: The tape.
        record: The session.
        steps_of: The steps of a message at a place; none if it has no place on a tape.
        member: Where the messages stand in the record.
        what: The name of the rest of it in the note.

    Raises:
        ShapeFault: A message is none.
    """
    messages = as_list(record.get(member), member)
    rest: JsonObject = {name: value for name, value in record.items() if name != member}
    for name in rest:
        tape.losses.keep(f"`{name}` of the {what}")
    drafts: list[Draft] = []
    unplaced: JsonObject = {}
    for at, value in enumerate(messages):
        message = as_object(value, f"{member}.{at}")
        made = steps_of(message, f"{member}.{at}")
        drafts += made
        if not made:
            unplaced[str(at)] = message
            tape.losses.keep(f"message of role `{message.get('role')}`")
    whole: JsonObject = {what: rest}
    if unplaced:
        whole["messages"] = unplaced
    tape.drafts = [tape.source(whole), *drafts]
    tape.steps = len(messages)
    return tape


async def objects_of(
    tapes: AsyncIterator[StoredTape],
    losses: Losses,
    object_of: Callable[[StoredTape, Losses], Json],
) -> AsyncIterator[Json]:
    """What each tape is in a file."""
    async for tape in tapes:
        yield object_of(tape, losses)
