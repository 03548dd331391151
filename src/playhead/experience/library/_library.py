"""The repository of experiences."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from playhead.errors import LibraryError
from playhead.experience.document import Experience, experience_digest
from playhead.experience.library._archive import archive, read_archive
from playhead.experience.library._file import LibraryFile
from playhead.experience.library._find import Choice, Found, find, playable, search
from playhead.experience.library._guards import Guards
from playhead.experience.library._install import Signer, experience_in
from playhead.experience.library._kept import (
    Kept,
    Origin,
    TrustState,
    content_of,
    document_of,
    kept_of,
    likeness_of,
    named,
    standing,
)
from playhead.experience.library._ledger import Ledger
from playhead.experience.library._manifest import Capabilities
from playhead.experience.library._meaning import ByMeaning, Vectors, forget_vectors
from playhead.experience.library._package import Package
from playhead.experience.library._plays import Play, Plays, play_of
from playhead.experience.library._ratings import Ratings, Signers
from playhead.experience.library._similar import Similarity
from playhead.experience.library._verify import Verification
from playhead.experience.library._worth import Standing
from playhead.experience.play import Played, newest_play
from playhead.llm import Embeddings
from playhead.orchestrator import DEFAULT_PATH
from playhead.tape import utc_now

VARIABLE = "PLAYHEAD_LIBRARY"
FILE = "library.db"
_OF_EXPERIENCES = ("history", "package", "rating", "play", "trial", "baseline", "guard")


def library_path(store: str | Path | None = None) -> Path:
    """Where the library is: at `PLAYHEAD_LIBRARY`, else beside the store of tapes.

    Args:
        store: The file of the store; `PLAYHEAD_STORE` or the default place if not given.
    """
    if named_place := os.environ.get(VARIABLE):
        return Path(named_place).expanduser()
    return Path(store or os.environ.get("PLAYHEAD_STORE", DEFAULT_PATH)).absolute().parent / FILE


class Library:
    """Experiences, and what is known of them: where they came from, how they did, who says so.

    Only what is trusted is found and offered. What was learnt here is trusted if its validation
    says so; what comes from elsewhere is quarantined until it was verified here. Several
    processes may use one library at the same time.

    Args:
        path: Its file; `library_path()` if not given.

    Raises:
        LibraryError: The file cannot be used.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._file = LibraryFile(Path(path).expanduser() if path is not None else library_path())
        self.plays = Plays(self._file)
        self.ledger = Ledger(self._file)
        self.guards = Guards(self._file)
        self.ratings = Ratings(self._file)
        self.signers = Signers(self._file)

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def add(
        self,
        experience: Experience,
        *,
        origin: Origin = "file",
        author: str | None = None,
        expires: str | None = None,
    ) -> Kept:
        """Keep an experience; one that is there already stays as it is.

        Args:
            experience: The document.
            origin: `learnt` here: it is trusted if its validation shows something right and
                nothing wrong. Anything else is quarantined.
            author: Who made it.
            expires: From when on (ISO 8601, UTC) it is not to be played any more.
        """
        digest, time = experience_digest(experience), utc_now()
        state, reason = _first_state(experience, origin)
        validation = experience.evidence.validation
        learnt = origin == "learnt"
        with self._file.transaction():
            if self._file.one("SELECT 1 FROM experience WHERE digest = ?", (digest,)) is None:
                self._file.write(
                    "INSERT INTO experience VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (digest, experience.name, experience.version, content_of(experience),
                     likeness_of(experience), origin, author, time, state, reason, time, expires,
                     validation.right if learnt else 0, validation.wrong if learnt else 0,
                     validation.refused if learnt else 0),
                )  # fmt: skip
                for parent in experience.parents:
                    self._file.write("INSERT OR IGNORE INTO parent VALUES (?, ?)", (digest, parent))
                self._note(digest, state, reason)
            return self.get(digest)

    def install(self, package: Package, *, source: str = "", signed_by: str | None = None) -> Kept:
        """Take in a package. Its experience is quarantined until it was verified here.

        Args:
            package: The package.
            source: Where it came from.
            signed_by: Refuse it unless this known signer signed it.

        Raises:
            PackageError: What is in it is not what it says.
            LibraryError: The signature that was asked for is not there.
        """
        experience = experience_in(package)
        signers = self.signers_of(package)
        if signed_by is not None and signed_by not in [each.name for each in signers]:
            said = ", ".join(each.said for each in signers) or "nobody"
            raise LibraryError(f"the package is signed by {said}, not by `{signed_by}`")
        with self._file.transaction():
            kept = self.add(experience, origin="package", author=package.manifest.author)
            self._file.write(
                "INSERT OR REPLACE INTO package VALUES (?, ?, ?, ?, ?)",
                (package.digest, kept.digest, archive(package), source, utc_now()),
            )
        return kept

    def get(self, reference: str) -> Kept:
        """The experience that `NAME`, `NAME@VERSION` or the begin of a digest means.

        Raises:
            LibraryError: There is none, or there are several.
        """
        return named(self._file, reference)

    def document(self, reference: str) -> Experience:
        """The document of an experience, see `get`."""
        return document_of(self._file, self.get(reference).digest)

    def all(self) -> list[Kept]:
        """All experiences, by name, the newest version first."""
        return kept_of(self._file)

    def playable(self) -> list[Kept]:
        """Those that may be played: trusted, not over, and not replaced by newer ones."""
        return playable(self._file)

    def find(self, task: str, *, similarity: Similarity | None = None) -> Choice:
        """The experience to play for a task, or why none.

        Args:
            task: The task's text.
            similarity: How texts are compared; by words if not given.
        """
        return find(self._file, task, similarity=similarity)

    def search(
        self,
        text: str | None = None,
        *,
        tool: str | None = None,
        author: str | None = None,
        similarity: Similarity | None = None,
    ) -> list[Found]:
        """Experiences of any state, the best first.

        Args:
            text: A task's text.
            tool: Only those that use this tool.
            author: Only those of this author.
            similarity: How texts are compared; by words if not given.
        """
        return search(self._file, text, tool=tool, author=author, similarity=similarity)

    def by_meaning(self, embed: Embeddings) -> Similarity:
        """Similarity by words and by meaning, for `find` and `search`; this file keeps the vectors.

        Args:
            embed: Gives vectors; it sees the texts of tasks.
        """
        return ByMeaning(Vectors(embed, self._file))

    def trust(self, reference: str, verification: Verification) -> Kept:
        """Trust an experience that was verified here, or put it into quarantine if it failed.

        Args:
            reference: See `get`.
            verification: What came of playing it here.
        """
        kept = self.get(reference)
        state: TrustState = "trusted" if verification.ok else "quarantined"
        self._file.write(
            "UPDATE experience SET verified_right = ?, verified_wrong = ?, verified_refused = ? "
            "WHERE digest = ?",
            (verification.right, verification.wrong, verification.refused, kept.digest),
        )
        return self._set(kept.digest, state, f"verified here: {verification.verdict}")

    def quarantine(self, reference: str, reason: str) -> Kept:
        """Play an experience no more until it was verified again."""
        return self._set(self.get(reference).digest, "quarantined", reason)

    def expire(self, reference: str, when: str | None) -> Kept:
        """Say from when on an experience is not to be played any more; None for never."""
        kept = self.get(reference)
        self._file.write("UPDATE experience SET expires = ? WHERE digest = ?", (when, kept.digest))
        return self.get(kept.digest)

    def count(self, played: Played, *, wrong_writes: int | None = None) -> Play | None:
        """Count a play of an experience that is here; a tool that has changed ends its trust.

        Args:
            played: What came of it.
            wrong_writes: How many of its writes were wrong, if somebody judged it.

        Returns:
            What it counts as; None if it does not, or if the experience is not here.
        """
        known = "SELECT 1 FROM experience WHERE digest = ?"
        if self._file.one(known, (played.digest,)) is None:
            return None
        begun = newest_play(played.tape)
        facts = begun[1].tools if begun is not None else {}
        digests = {name: fact["digest"] for name, fact in facts.items() if isinstance(fact, dict)}
        self.check_drift({name: str(digest) for name, digest in digests.items()})
        counted = play_of(played, wrong_writes=wrong_writes)
        if counted is not None:
            self.plays.record(counted)
        return counted

    def check_drift(self, tools: Mapping[str, str]) -> list[Kept]:
        """Play no more what needs a tool whose schema has changed; a tool not given is not judged.

        Args:
            tools: The digest of each tool's schema, as it is now.

        Returns:
            The experiences that are not trusted any more.
        """
        drifted = []
        for kept in self.all():
            if kept.state != "trusted":
                continue
            for name, tool in document_of(self._file, kept.digest).tools.items():
                now = tools.get(name)
                if now is not None and tool.digest is not None and now != tool.digest:
                    reason = f"the schema of `{name}` has changed: {tool.digest} was {now}"
                    drifted.append(self._set(kept.digest, "drifted", reason))
                    break
        return drifted

    def remove(self, reference: str) -> Kept:
        """Remove an experience for good, with its plays, ratings and packages."""
        kept = self.get(reference)
        with self._file.transaction():
            self._file.write("DELETE FROM experience WHERE digest = ?", (kept.digest,))
            self._file.write("DELETE FROM parent WHERE child = ?", (kept.digest,))
            for table in _OF_EXPERIENCES:
                self._file.write(
                    f"DELETE FROM {table} WHERE experience = ?",  # noqa: S608  (of this list)
                    (kept.digest,),
                )
            forget_vectors(self._file)
        return kept

    def lineage(self, reference: str) -> list[str]:
        """The digests of all that an experience came from, the nearest first."""
        found: list[str] = []
        ahead = [self.get(reference).digest]
        while ahead:
            for (parent,) in self._file.all(
                "SELECT parent FROM parent WHERE child = ? ORDER BY parent", (ahead.pop(0),)
            ):
                if parent not in found:
                    found.append(parent)
                    ahead.append(parent)
        return found

    def history(self, reference: str) -> list[tuple[str, str, str]]:
        """Time, state and reason of every change of an experience's trust."""
        digest = self.get(reference).digest
        rows = self._file.all(
            "SELECT time, state, reason FROM history WHERE experience = ? ORDER BY number",
            (digest,),
        )
        return [(time, state, reason) for time, state, reason in rows]

    def packages(self, reference: str) -> list[Package]:
        """The packages that brought an experience."""
        rows = self._file.all(
            "SELECT archive FROM package WHERE experience = ? ORDER BY installed, digest",
            (self.get(reference).digest,),
        )
        return [read_archive(content) for (content,) in rows]

    def capabilities(self, reference: str) -> Capabilities | None:
        """What an experience may do, as the first package that brought it declares; else None."""
        brought = self.packages(reference)
        return brought[0].manifest.capabilities if brought else None

    def standing(self, reference: str) -> Standing:
        """How an experience did."""
        return standing(self._file, (self.get(reference).digest,))

    def signers_of(self, package: Package) -> list[Signer]:
        """Who signed a package, as far as it is known here."""
        return [Signer(each, self.signers.name_of(each.key)) for each in package.signatures]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _set(self, digest: str, state: TrustState, reason: str) -> Kept:
        with self._file.transaction():
            self._file.write(
                "UPDATE experience SET state = ?, reason = ?, since = ? WHERE digest = ?",
                (state, reason[:2000], utc_now(), digest),
            )
            self._note(digest, state, reason)
        return self.get(digest)

    def _note(self, digest: str, state: str, reason: str) -> None:
        self._file.write(
            "INSERT INTO history (experience, time, state, reason) VALUES (?, ?, ?, ?)",
            (digest, utc_now(), state, reason[:2000]),
        )


def _first_state(experience: Experience, origin: Origin) -> tuple[TrustState, str]:
    validation = experience.evidence.validation
    if origin == "package":
        return "quarantined", "it comes from a package and was not verified here"
    if origin == "file":
        return "quarantined", "it comes from a file and was not verified here"
    if validation.right > 0 and validation.wrong == 0:
        return (
            "trusted",
            f"learnt here; {validation.right} of {validation.played} left out were right",
        )
    return "quarantined", (
        f"learnt here, but its validation shows {validation.right} right and "
        f"{validation.wrong} wrong"
    )
