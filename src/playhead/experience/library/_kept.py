"""What a library keeps of an experience beside the document."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from playhead.errors import LibraryError
from playhead.experience.document import Experience, experience_of
from playhead.experience.library._file import LibraryFile
from playhead.experience.library._worth import Standing, worth
from playhead.tape import canonical, digest_of, loads_strict, utc_now

TrustState: TypeAlias = Literal["trusted", "quarantined", "drifted", "expired"]
Origin: TypeAlias = Literal["learnt", "file", "package"]

_COLUMNS = (
    "digest, name, version, likeness, origin, author, added, state, reason, since, expires, "
    "verified_right, verified_wrong, verified_refused"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An experience in the library, without its document.

    Args:
        digest: Of the document.
        name: Of the experience.
        version: Of the experience.
        likeness: Equal for documents that do the same.
        origin: Learnt here, added from a file, or from a package.
        author: Who made it, as far as they say.
        added: When it came.
        state: Only what is `trusted` is played or offered.
        reason: Why it is in this state.
        since: Since when.
        expires: From when on it counts as expired; None for never.
        verified_right: Traces that it reproduced when it was verified here.
        verified_wrong: Traces for which it did something else.
        verified_refused: Traces that it refused.
    """

    digest: str
    name: str
    version: int
    likeness: str
    origin: Origin
    author: str | None
    added: str
    state: TrustState
    reason: str
    since: str
    expires: str | None
    verified_right: int = 0
    verified_wrong: int = 0
    verified_refused: int = 0

    @property
    def short(self) -> str:
        """The first digits of the digest."""
        return self.digest.removeprefix("sha256:")[:12]

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name}@{self.version}"

    def at(self, now: str) -> Kept:
        """As it is at a time: what is over counts as expired."""
        if self.state == "trusted" and self.expires is not None and self.expires <= now:
            return replace(self, state="expired", reason=f"its time ended at {self.expires}")
        return self


def kept_of(file: LibraryFile, where: str = "", values: tuple[object, ...] = ()) -> list[Kept]:
    """The experiences that a condition chooses, by name, the newest version first."""
    rows = file.all(
        f"SELECT {_COLUMNS} FROM experience {where} ORDER BY name, version DESC, added DESC",  # noqa: S608
        values,
    )
    now = utc_now()
    return [Kept(*row).at(now) for row in rows]


def named(file: LibraryFile, reference: str) -> Kept:
    """The experience that a person means: `NAME`, `NAME@VERSION`, or the begin of its digest.

    A name alone means its newest trusted version, or the newest one if none is trusted.

    Raises:
        LibraryError: There is none, or there are several.
    """
    name, _, version = reference.partition("@")
    digest = reference.removeprefix("sha256:")
    found = kept_of(file, "WHERE name = ?", (name,))
    if version:
        found = [each for each in found if str(each.version) == version]
    if not found and len(digest) >= 4 and set(digest) <= set("0123456789abcdef"):
        found = kept_of(file, "WHERE digest LIKE ?", (f"sha256:{digest}%",))
        if len(found) > 1:
            raise LibraryError(f"several digests begin with `{digest}`: write more of it")
    if not found:
        raise LibraryError(
            f"the library has no `{reference[:120]}`: `playhead library ls` lists all"
        )
    if not version:
        found = [each for each in found if each.state == "trusted"] or found
    newest = [each for each in found if each.version == found[0].version]
    if len(newest) > 1:
        several = ", ".join(f"{each.short} ({each.state})" for each in newest)
        raise LibraryError(f"several documents are `{newest[0].label}`: name one of {several}")
    return newest[0]


def document_of(file: LibraryFile, digest: str) -> Experience:
    """The document with a digest, verified to have it.

    Raises:
        LibraryError: It is not there, or was damaged.
    """
    row = file.one("SELECT document FROM experience WHERE digest = ?", (digest,))
    if row is None:
        raise LibraryError(f"the library has no experience {digest}")
    content: bytes = row[0]
    if digest_of(content) != digest:
        raise LibraryError(f"the document {digest} was damaged in `{file.path}`: add it again")
    return experience_of(loads_strict(content))


def standing(file: LibraryFile, digests: tuple[str, ...]) -> Standing:
    """How experiences that do the same did, all together."""
    several = (json.dumps(digests),)
    plays = file.all(
        "SELECT SUM(outcome = 'solved'), SUM(outcome IN ('failed', 'handed_over')) "
        "FROM play WHERE experience IN (SELECT value FROM json_each(?))",
        several,
    )[0]
    checked = file.all(
        "SELECT SUM(verified_right), SUM(verified_wrong) "
        "FROM experience WHERE digest IN (SELECT value FROM json_each(?))",
        several,
    )[0]
    rated = file.all(
        "SELECT SUM(stars), COUNT(stars), MAX(audited) "
        "FROM rating WHERE experience IN (SELECT value FROM json_each(?))",
        several,
    )[0]
    return Standing(
        good=(plays[0] or 0) + (checked[0] or 0),
        bad=(plays[1] or 0) + (checked[1] or 0),
        stars=rated[0] or 0,
        ratings=rated[1] or 0,
        audited=bool(rated[2]),
    )


def worth_of(file: LibraryFile, digests: tuple[str, ...]) -> float:
    """What experiences that do the same are worth."""
    return worth(standing(file, digests))


def likeness_of(experience: Experience) -> str:
    """Equal for documents that do the same, whatever they are called and learnt from."""
    members = experience.model_dump(
        mode="json",
        by_alias=True,
        exclude_defaults=True,
        include={"parameters", "tools", "routine", "others", "checks"},
    )
    members["checks"] = [
        {name: value for name, value in each.items() if name not in ("supports", "contradicts")}
        for each in members.get("checks", [])
    ]
    return digest_of(canonical(members))


def content_of(experience: Experience) -> bytes:
    """The canonical bytes of a document."""
    return canonical(experience.model_dump(mode="json", by_alias=True, exclude_defaults=True))
