"""All formats, and the doors: import a file, export tapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

from playhead.errors import ForeignFileError, RecordError
from playhead.record._agents_sdk import AgentsSDK
from playhead.record._anthropic import AnthropicMessages
from playhead.record._atif import Atif
from playhead.record._file import HEAD, Progress
from playhead.record._format import Format
from playhead.record._import import ImportReport, import_foreign
from playhead.record._losses import Losses
from playhead.record._openai_chat import OpenAIChat
from playhead.record._playhead import NAME as OWN
from playhead.record._playhead import export_own, import_own, is_own
from playhead.record._stored import StoredTape, stored_tape
from playhead.record._taubench import Taubench
from playhead.record._workbench import Workbench
from playhead.record.langgraph import LangGraph
from playhead.record.otlp import Otlp
from playhead.record.tapeagents import TapeAgents, TapeAgentsCalls, TapeAgentsYaml
from playhead.store import Store

_ALL: tuple[Format, ...] = (
    Taubench(),
    Workbench(),
    TapeAgents(),
    TapeAgentsYaml(),
    TapeAgentsCalls(),
    Atif(),
    OpenAIChat(),
    AnthropicMessages(),
    AgentsSDK(),
    LangGraph(),
    Otlp(),
)
FORMATS: dict[str, Format] = {format.name: format for format in _ALL}
"""The foreign formats by name, in the order in which files are tried; Playhead's own is apart."""


def format_names() -> list[str]:
    """The names of all formats, Playhead's own first."""
    return [OWN, *FORMATS]


def detect_format(path: Path, file: BinaryIO | None = None) -> str:
    """The name of the format that a file is in.

    Args:
        path: Its name.
        file: The file, opened in binary, if it is open already; left at its beginning.

    Raises:
        ForeignFileError: It cannot be read, or is in none that is known.
    """
    head = _head(path, file)
    if is_own(head, path):
        return OWN
    for name, format in FORMATS.items():
        if format.detect(head, path):
            return name
    raise ForeignFileError(
        f"`{path}` is in no format that is known here: name one with --format: "
        f"{', '.join(format_names())}",
        path=str(path),
    )


def _head(path: Path, file: BinaryIO | None) -> bytes:
    try:
        if file is None:
            with path.open("rb") as opened:
                return opened.read(HEAD)
        file.seek(0)
        head = file.read(HEAD)
        file.seek(0)
    except OSError as error:
        raise _unreadable(path, error) from None
    return head


def _unreadable(path: Path, error: OSError) -> ForeignFileError:
    return ForeignFileError(f"`{path}` cannot be read: {error.strerror}", path=str(path))


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise RecordError(
            f"there is no format `{name}`: there are {', '.join(format_names())}", format=name
        )
    return FORMATS[name]


async def import_file(
    store: Store,
    path: Path,
    *,
    format: str | None = None,
    file: BinaryIO | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Store all sessions of a file, or, if there is a fault in it, none.

    A second time it adds nothing. An imported tape can be looked at, searched, verified, evaluated
    and learned from; nothing is known of the agent behind it, so it is not resumed.

    Args:
        store: Where they go.
        path: The file; its name also tells where things lie that belong to it.
        format: The name of its format; detected if not given.
        file: The file, opened in binary and able to seek, if it is open already.
        progress: Told how much is read, and of how much.

    Raises:
        ForeignFileError: The file cannot be read as this format; nothing was stored.
        RecordError: There is no such format.
    """
    name = detect_format(path, file) if format is None else format
    foreign = None if name == OWN else _named(name)
    try:
        opened = path.open("rb") if file is None else file
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        if foreign is None:
            return await import_own(store, path, opened, progress=progress)
        return await import_foreign(store, path, opened, format=foreign, progress=progress)
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        if file is None:
            opened.close()


async def export_tapes(
    store: Store,
    tapes: Sequence[str],
    *,
    format: str,
    losses: Losses | None = None,
    progress: Progress | None = None,
) -> AsyncIterator[bytes]:
    """The bytes of a file with these tapes.

    Args:
        store: Where they are.
        tapes: Their ids, in the order of the file.
        format: The name of the format.
        losses: Told what of the tapes has no place in it.
        progress: Told how many tapes are written, and of how many.

    Raises:
        RecordError: There is no such format, or a tape cannot be written in it.
        TapeNotFoundError: There is no such tape.
    """
    if format == OWN:
        async for part in export_own(store, tapes):
            yield part
        return
    written = _named(format).write(
        _stored(store, tapes, format, progress), Losses() if losses is None else losses
    )
    async for part in written:
        yield part


async def _stored(
    store: Store, tapes: Sequence[str], format: str, progress: Progress | None
) -> AsyncIterator[StoredTape]:
    for number, tape in enumerate(tapes):
        yield await stored_tape(store, tape, format)
        if progress is not None:
            progress(number + 1, len(tapes))
