"""What became of each node of a tree, so that it can be grown on after a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from examples.forms.errors import TreeError

try:
    import fcntl
except ImportError:  # where there is none, nobody looks
    fcntl = None  # type: ignore[assignment]

_BEGINS = b'{"tree": '
_PATIENCE = 30.0  # seconds until worker processes of a killed one are gone, at most
Outcome: TypeAlias = Literal["open", "called", "exited", "cut", "failed", "duplicate"]
LEAVES: tuple[Outcome, ...] = ("called", "exited", "cut")


@dataclass(slots=True)
class NodeRecord:
    """A node: a dialogue up to the end of a turn.

    Args:
        key: `LAYER/NUMBER`.
        parent: The key of the node that it branches off; None of a root.
        company: The company, by name.
        goal: What the user wants.
        behaviour: How the user behaved in the last turn.
        text: What the user said in it.
        tape: The dialogue's tape.
        outcome: What became of it; `open` may go on, `duplicate` only repeats
            a sibling.
        length: How long its tape is.
        can: The behaviours that may be applied next, with their weights.
        said: Digest of all that the user said.
        steps: Steps of its own: without what it shares with its parent.
        calls: Model calls of the agent in the last turn.
        tokens: Tokens of these.
        why: Why it failed.
        scores: GREADTH and success, once it is evaluated.
    """

    key: str
    parent: str | None
    company: str
    goal: dict[str, Any]
    behaviour: str
    text: str = ""
    tape: str = ""
    outcome: Outcome = "open"
    length: int = 0
    can: dict[str, float] = field(default_factory=dict)
    said: str = ""
    steps: int = 0
    calls: int = 0
    tokens: int = 0
    why: str = ""
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def layer(self) -> int:
        """Which turn its last one is, from 0."""
        return self.place[0]

    @property
    def place(self) -> tuple[int, int]:
        """Layer and number in it."""
        layer, _, number = self.key.partition("/")
        return int(layer), int(number)


class Ledger:
    """A file of JSON lines, one for each thing that became known. A line cut by a crash is dropped.

    The file is locked while a process writes it, or a worker process of one that died still lives.

    Args:
        path: The file; made if it is not there.
        settings: The digest of the settings of the tree.

    Raises:
        TreeError: The file is of a tree with other settings, or is no ledger, or another process
            grows this tree.
    """

    def __init__(self, path: Path, *, settings: str) -> None:
        self.path = path
        self.nodes: dict[str, NodeRecord] = {}
        self.scored: dict[str, dict[str, float]] = {}
        self.annotations: str | None = None
        self._file: IO[bytes] = path.open("a+b")
        try:
            self._lock()
            end = self._read(settings)
        except BaseException:
            self._file.close()
            raise
        self._file.truncate(end)
        self._file.seek(end)
        if end == 0:
            self._write({"tree": settings})

    @property
    def descriptor(self) -> int:
        """Of the file: a process that inherits it shares the lock."""
        return self._file.fileno()

    def _lock(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TreeError(
                        f"`{self.path}` is written by another process: wait for it, or grow the "
                        "tree in another folder"
                    ) from None
                time.sleep(0.05)
            else:
                return

    def _read(self, settings: str) -> int:
        end = 0
        for line, at in _lines(self.path):
            try:
                entry = json.loads(line)
            except ValueError:
                raise self._no_ledger(end) from None
            if not isinstance(entry, dict):
                raise self._no_ledger(end)
            if end == 0 and entry.get("tree") != settings:
                raise TreeError(
                    f"`{self.path}` is of a tree with other settings: take them, or another folder"
                )
            self._take(entry)
            end = at
        with self.path.open("rb") as file:
            begins = file.read(len(_BEGINS))
        if end == 0 and not _BEGINS.startswith(begins):  # nothing of others is cut
            raise self._no_ledger(0)
        return end

    def _no_ledger(self, at: int) -> TreeError:
        return TreeError(
            f"`{self.path}`: byte {at} begins no entry: this is no ledger, or it was changed; grow "
            "the tree in another folder"
        )

    def _take(self, entry: dict[str, Any]) -> None:
        match entry:
            case {"node": members}:
                self.nodes[members["key"]] = NodeRecord(**members)
            case {"scored": key, "scores": scores}:
                self.scored[key] = scores
            case {"annotations": tape}:
                self.annotations = tape

    def _write(self, entry: dict[str, Any]) -> None:
        self._take(entry)
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def ended(self, node: NodeRecord) -> None:
        """What became of a node."""
        self._write({"node": asdict(node)})

    def evaluated(self, key: str, scores: dict[str, float]) -> None:
        """The scores of a dialogue."""
        self._write({"scored": key, "scores": scores})

    def annotated(self, tape: str) -> None:
        """The annotation tape of the scores."""
        self._write({"annotations": tape})

    def in_order(self) -> list[NodeRecord]:
        """All nodes in the order of the tree, whenever they were grown."""
        return sorted(self.nodes.values(), key=lambda node: node.place)

    def layer(self, number: int) -> list[NodeRecord]:
        """The nodes of a layer, in order."""
        return [node for node in self.in_order() if node.layer == number]

    def leaves(self) -> list[NodeRecord]:
        """The dialogues of the tree: the nodes that came to an end, without duplicates."""
        return [node for node, is_first in self._ended() if is_first]

    def duplicates(self) -> list[NodeRecord]:
        """The nodes that came to an end as an earlier one did: the user said the same."""
        return [node for node, is_first in self._ended() if not is_first]

    def _ended(self) -> Iterator[tuple[NodeRecord, bool]]:
        """In the order of the tree, not that of time: so it is always the same one that counts."""
        said: set[str] = set()
        for node in self.in_order():
            if node.outcome in LEAVES:
                yield node, node.said not in said
                said.add(node.said)

    def path_to(self, node: NodeRecord) -> list[NodeRecord]:
        """The nodes from the root to a node."""
        path = [node]
        while path[-1].parent is not None:
            path.append(self.nodes[path[-1].parent])
        return path[::-1]

    def close(self) -> None:
        """Make it durable, and let go of the file."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Whole lines, each with the position after it."""
    at = 0
    with path.open("rb") as file:
        for line in file:
            at += len(line)
            if line.endswith(b"\n"):
                yield line, at
