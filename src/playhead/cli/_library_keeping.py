"""`library add`, `rm`, `rate`, `trust` and `guard`."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from playhead.cli._guard import DONE, NEGATIVE, UsageFault
from playhead.cli._library_looking import opened
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._tapes import open_tape
from playhead.cli._text import one_line, plural
from playhead.experience.document import read_experience
from playhead.experience.library import Kept, baseline_of, over_tape, verify


class Judgement(NamedTuple):
    """What a person says of an experience."""

    by: str | None
    stars: int | None
    audited: bool
    note: str
    wrong: str | None


def add(
    library: Path | None, store: Path, files: Sequence[Path], *, author: str | None, as_json: bool
) -> int:
    """Keep documents."""
    output = Output(as_json=as_json)
    documents = [read_experience(file) for file in files]
    with opened(library, store) as found:
        kept = [found.add(each, origin="file", author=author) for each in documents]
    if as_json:
        output.document({"added": [asdict(each) for each in kept]})
    for each in kept:
        _tell(output, each)
    return DONE


def rm(library: Path | None, store: Path, names: Sequence[str], *, yes: bool, as_json: bool) -> int:
    """Remove experiences."""
    output = Output(as_json=as_json)
    with opened(library, store) as found:
        kept = {each.digest: each for each in (found.get(name) for name in names)}
        for each in kept.values():
            output.people.row(Text.assemble((each.label, "bold"), f"  {each.short}  {each.state}"))
        if not yes and not _agreed(output, len(kept)):
            return NEGATIVE
        for digest in kept:
            found.remove(digest)
    if as_json:
        output.document({"removed": list(kept)})
    else:
        output.message(f"{plural(len(kept), 'experience')} removed")
    return DONE


def rate(library: Path | None, store: Path, name: str, said: Judgement, *, as_json: bool) -> int:
    """Rate an experience, or tell of a play that went wrong."""
    output = Output(as_json=as_json)
    if said.stars is None and not said.audited and said.wrong is None:
        raise UsageFault("say what you think of it: --stars N, --audited or --wrong TAPE")
    tape = open_tape(Common(store), said.wrong).id if said.wrong is not None else None
    with opened(library, store) as found:
        kept = found.get(name)
        if tape is not None and not found.plays.judge(tape, 1, reason=said.note or "wrong write"):
            raise UsageFault(f"no play on tape `{tape}` is counted in this library")
        if said.stars is not None or said.audited:
            found.ratings.rate(
                kept.digest,
                by=said.by or getpass.getuser(),
                stars=said.stars,
                audited=said.audited,
                note=said.note,
            )
        ratings = [asdict(each) for each in found.ratings.of(kept.digest)]
    if as_json:
        output.document({"experience": kept.digest, "ratings": ratings, "wrong": tape})
    else:
        output.message(f"{kept.label}: noted")
    return DONE


def trust(
    library: Path | None,
    store: Path,
    name: str,
    tapes: Sequence[str],
    *,
    now: str | None,
    as_json: bool,
) -> int:
    """Verify an experience over sessions; exit code 1 if it is not trusted then."""
    output = Output(as_json=as_json)
    if not tapes:
        raise UsageFault(
            "name sessions of yours that did such a task well: --over TAPE, or where it can be "
            "tried: --environment ENV; a signature says who made an experience, not whether it "
            "works here"
        )
    sessions = [open_tape(Common(store), tape) for tape in tapes]
    with opened(library, store) as found:
        document = found.document(name)
        digest = found.get(name).digest
        done = verify(document, sessions, lambda one, tape: over_tape(one, tape, now=now))
        kept = found.trust(digest, done)
        if done.ok and found.ledger.baseline(digest) is None:
            source = f"mean of {plural(len(sessions), 'session')} that it was verified over"
            found.ledger.set_baseline(digest, baseline_of(sessions, source=source))
    if as_json:
        output.document({"experience": asdict(kept), "verification": asdict(done)})
    else:
        _tell(output, kept)
        for fault in done.faults:
            output.message(f"  {one_line(fault, 400)}", "yellow")
    return DONE if kept.state == "trusted" else NEGATIVE


def withdraw(library: Path | None, store: Path, name: str, why: str, *, as_json: bool) -> int:
    """Trust an experience no more."""
    output = Output(as_json=as_json)
    with opened(library, store) as found:
        kept = found.quarantine(name, why)
    if as_json:
        output.document({"experience": asdict(kept)})
    else:
        _tell(output, kept)
    return DONE


def guard(
    library: Path | None,
    store: Path,
    text: str | None,
    why: str,
    *,
    remove: int | None,
    as_json: bool,
) -> int:
    """List, add or remove guards."""
    output = Output(as_json=as_json)
    with opened(library, store) as found:
        if remove is not None and not found.guards.remove(remove):
            raise UsageFault(f"there is no guard {remove}")
        if text is not None:
            found.guards.add(text, why)
        guards = found.guards.all()
    if as_json:
        output.document({"guards": [asdict(each) for each in guards]})
    for each in guards if not as_json else ():
        number = (f"{each.number:>4}  ", "bold")
        output.out.row(Text.assemble(number, one_line(each.text), (f"  {each.reason}", "dim")))
    return DONE


def _tell(output: Output, kept: Kept) -> None:
    output.message(f"{kept.label} ({kept.short}) is {kept.state}: {one_line(kept.reason, 300)}")


def _agreed(output: Output, count: int) -> bool:
    question = f"Remove {plural(count, 'experience')} for good?"
    if not sys.stdin.isatty():
        raise UsageFault(f"{question} Nobody is there to ask: say --yes")
    output.people.print(Text(f"{question} [y/N] ", style="bold"), end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
