"""`import` and `export` of formats other than Playhead's own."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

from rich.text import Text

from playhead.cli._guard import UsageFault
from playhead.cli._output import Output
from playhead.cli._progress import progress
from playhead.cli._text import one_line, plural, short_id, size
from playhead.record import FORMATS, ImportReport, Losses, detect_format, export_tapes, import_file
from playhead.store import SqliteStore

OWN = "playhead"
_FEW = 10  # tapes that are named, losses that are told


def format_of(path: Path, file: BinaryIO, wanted: str | None) -> str:
    """The format that a file is in, or that somebody says it is in.

    Raises:
        UsageFault: There is no such format.
        ForeignFileError: The file is in none that is known.
    """
    if wanted is None:
        return detect_format(path, file)
    if wanted not in (OWN, *FORMATS):
        raise UsageFault(f"there is no format `{wanted}`: {', '.join((OWN, *FORMATS))}")
    return wanted


async def import_one(
    store: SqliteStore, path: Path, file: BinaryIO, format: str, output: Output
) -> dict[str, object]:
    """Store the sessions of a foreign file; what is to be told of it, as JSON."""
    with progress(output, f"reading {one_line(str(path))}") as tell:
        report = await import_file(store, path, format=format, file=file, progress=tell)
    if not output.as_json:
        output.out.print(_said(report, path), soft_wrap=True)
    return {
        "file": str(path),
        "format": report.format,
        "tapes": report.tapes,
        "within": report.within,
        "skipped": report.skipped,
        "foreign_steps": report.foreign_steps,
        "steps": report.steps,
        "losses": report.losses.as_json(),
        "error": None,
    }


def _said(report: ImportReport, path: Path) -> Text:
    new = report.sessions - report.skipped
    what = f"{plural(new, 'tape')}, {plural(report.steps, 'step')} stored"
    if report.skipped:
        there = f"{plural(report.skipped, 'tape')} there already"
        what = f"{what}; {there}" if new else there
    said = Text.assemble((one_line(path.name), "bold"), f"  {FORMATS[report.format].title}: {what}")
    if new <= _FEW:
        said.append("".join(f"\n  {short_id(tape)}" for tape in report.tapes))
    return with_losses(said, report.losses)


def with_losses(said: Text, losses: Losses) -> Text:
    """What is said of a conversion, and what has no place."""
    for title, counts in (("kept beside", losses.kept), ("not kept", losses.dropped)):
        told = [f"{what} ({count:,})" for what, count in counts.most_common(_FEW)]
        if len(counts) > _FEW:
            told.append(f"and {len(counts) - _FEW} more (--json)")
        if told:
            said.append(f"\n  {title}: {', '.join(told)}")
    return said


async def export_foreign(
    store: SqliteStore, tapes: Sequence[str], format: str, file: Path | None, output: Output
) -> dict[str, object]:
    """Write tapes as one file of a format; what is to be told of it, as JSON."""
    losses = Losses()
    with progress(output, f"writing {plural(len(tapes), 'tape')}") as tell:
        parts = export_tapes(store, tapes, format=format, losses=losses, progress=tell)
        written = await (_to_stdout(parts) if file is None else to_file(parts, file))
    if not output.as_json:
        told = output.out if file is not None else output.err
        name = one_line(str(file)) if file is not None else FORMATS[format].title
        told.print(with_losses(Text(f"{name}  {size(written)}"), losses), soft_wrap=True)
    return {
        "tapes": list(tapes),
        "format": format,
        "file": str(file) if file is not None else None,
        "bytes": written,
        "losses": losses.as_json(),
    }


async def _to_stdout(parts: AsyncIterator[bytes]) -> int:
    written = 0
    async for part in parts:
        written += sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
    return written


async def to_file(parts: AsyncIterator[bytes], place: Path) -> int:
    """Write beside the place first: what stands there is whole at any time.

    Returns:
        How many bytes were written.

    Raises:
        UsageFault: It cannot be written.
    """
    written = 0
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".tape-", delete=False) as file:
            try:
                async for part in parts:
                    written += file.write(part)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, place)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise UsageFault(f"`{place}` cannot be written: {error.strerror}") from None
    return written
