"""Which tapes `learn` means: by name, by how they ended, by what people and judges said of them."""

from __future__ import annotations

from collections.abc import Sequence

from playhead.cli._guard import UsageFault
from playhead.cli._options import Common
from playhead.cli._replay_all import Filter, meant_tapes
from playhead.cli._tapes import find, open_store
from playhead.evaluate import ratings, read_annotations
from playhead.store import SqliteStore
from playhead.tape import Tape

_FILTERS = ("agent", "status", "since", "until")
_DECIDED = {0.0: "failed", 1.0: "passed"}  # what a score decides


async def right_tapes(common: Common, names: Sequence[str], said: str | None) -> list[Tape]:
    """The sessions to learn from, the newest first."""
    meant, label = _filter("--from", said or "", names)
    return await _tapes(common, meant, label)


async def failed_tapes(common: Common, said: Sequence[str]) -> list[Tape]:
    """The sessions that went wrong: tapes by name, and those that filters choose."""
    found: dict[str, Tape] = {}
    for text in said:
        if "=" in text:
            tapes = await _tapes(common, *_filter("--failed", text, ()))
        else:
            async with open_store(common) as store:
                tapes = [await store.open(await find(store, text))]
        found |= {tape.id: tape for tape in tapes}
    return list(found.values())


def _filter(option: str, text: str, names: Sequence[str]) -> tuple[Filter, tuple[str, str] | None]:
    """Read `NAME=VALUE NAME=VALUE`, and a label among them."""
    given: dict[str, str] = {}
    label: tuple[str, str] | None = None
    for pair in text.split():
        name, sign, value = pair.partition("=")
        question, colon, answer = value.partition(":")
        if name == "label" and question and colon and answer:
            label = question, answer
        elif name in _FILTERS and sign and value:
            given[name] = value
        else:
            known = ", ".join(f"{each}=…" for each in _FILTERS)
            raise UsageFault(
                f"`{option} {pair}`: write {known}, label=NAME:VALUE, with blanks between"
            )
    return Filter(names, **given), label


async def _tapes(common: Common, meant: Filter, label: tuple[str, str] | None) -> list[Tape]:
    ids = await meant_tapes(common, meant)
    async with open_store(common) as store:
        if label is not None:
            labelled = await _labelled(store, *label)
            ids = [each for each in ids if each in labelled]
        tapes = [await store.open(each) for each in ids]
        return [tape for tape in tapes if not tape.is_annotation]


async def _labelled(store: SqliteStore, name: str, value: str) -> set[str]:
    """The tapes of which somebody's last word under a name is this one; of a score: `failed`."""
    said = ratings(await read_annotations(store), name)
    return {
        tape
        for judged in said.values()
        for (tape, at), word in judged.items()
        if at is None and value == (word if isinstance(word, str) else _DECIDED.get(word))
    }
