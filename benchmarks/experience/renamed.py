"""The same world under other names: ids, names and addresses are permuted everywhere alike."""

from __future__ import annotations

import csv
import random
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.experience.evidence import Data
from benchmarks.experience.world import World
from playhead.office import OfficeCall, OfficeData, OfficeTask

_TABLES = (
    "calendar_events.csv",
    "emails.csv",
    "analytics_data.csv",
    "project_tasks.csv",
    "customer_relationship_manager_data.csv",
    "email_addresses.csv",
)
_ID = re.compile(r"(?<![\d-])\d{8}(?![\d-])")
_WORD = re.compile(r"[A-Za-z]+")


def renamed(data: Data, folder: Path, seed: int) -> Data:
    """The data under other names; learning and recorded runs stay as they were."""
    names = _names(folder, random.Random(seed))

    def put(text: str) -> str:
        text = _ID.sub(lambda found: names.get(found[0], found[0]), text)
        return _WORD.sub(lambda found: _cased(names, found[0]), text)

    with tempfile.TemporaryDirectory() as scratch:
        for name in _TABLES:
            rows = list(csv.reader((folder / name).open(newline="", encoding="utf-8")))
            with (Path(scratch) / name).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                head = rows[:1] if name != "email_addresses.csv" else []
                writer.writerows(head)
                writer.writerows([put(cell) for cell in row] for row in rows[len(head) :])
        world = World(OfficeData.load(Path(scratch), now=data.world.data.now))
    tasks = {task.task_id: _task(task, put) for task in data.tasks.values()}
    return replace(data, world=world, tasks=tasks)


def _task(task: OfficeTask, put: Any) -> OfficeTask:  # noqa: ANN401
    def arguments(call: OfficeCall) -> dict[str, Any]:
        return {
            name: put(value) if isinstance(value, str) and name != "field" else value
            for name, value in call.args.items()
        }

    calls = tuple(OfficeCall(call.tool, arguments(call)) for call in task.expected_calls)
    return replace(task, query=put(task.query), expected_calls=calls)


def _cased(names: dict[str, str], word: str) -> str:
    other = names.get(word.lower())
    if other is None:
        return word
    return other.capitalize() if word[0].isupper() else other


def _names(folder: Path, chance: random.Random) -> dict[str, str]:
    """A bijection of ids, and of first and last names, each among its like."""
    addresses = (folder / "email_addresses.csv").read_text().split()
    people = [address.partition("@")[0].split(".") for address in addresses]
    crm = list(csv.DictReader((folder / "customer_relationship_manager_data.csv").open()))
    customers = [row["customer_name"].lower().split() for row in crm]
    ids = {row[0] for name in _TABLES[:5] for row in csv.reader((folder / name).open()) if row}
    groups = (
        {each[0] for each in people},
        {each[-1] for each in people},
        {each[0] for each in customers},
        {each[-1] for each in customers},
        {each for each in ids if _ID.fullmatch(each)},
    )
    found: dict[str, str] = {}
    for group in groups:
        old = sorted(group - set(found))
        new = old.copy()
        chance.shuffle(new)
        found |= dict(zip(old, new, strict=True))
    return found
