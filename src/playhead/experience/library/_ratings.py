"""What people say of experiences, and whose keys are known."""

from __future__ import annotations

from dataclasses import dataclass

from playhead.errors import LibraryError
from playhead.experience.library._file import LibraryFile
from playhead.govern import fingerprint
from playhead.tape import utc_now


@dataclass(frozen=True, slots=True)
class Rating:
    """What one person says.

    Args:
        by: Who.
        stars: 1 … 5; None if they only audited it.
        audited: They have read it and say that it is right.
        note: Why.
        time: When.
    """

    by: str
    stars: int | None
    audited: bool
    note: str
    time: str


class Ratings:
    """The ratings of a library; each person has one of each experience."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def rate(
        self,
        experience: str,
        *,
        by: str,
        stars: int | None = None,
        audited: bool = False,
        note: str = "",
    ) -> Rating:
        """Rate an experience; what the same person said before is replaced.

        Args:
            experience: Its digest.
            by: Who rates.
            stars: 1 … 5.
            audited: They have read it and say that it is right.
            note: Why.

        Raises:
            LibraryError: The stars are no number from 1 to 5, or nobody says it.
        """
        if stars is not None and (isinstance(stars, bool) or not 1 <= stars <= 5):
            raise LibraryError(f"a rating has 1 to 5 stars, not {stars}")
        if not by.strip():
            raise LibraryError("a rating needs the name of who gives it")
        made = Rating(by, stars, audited, note[:2000], utc_now())
        self._file.write(
            "INSERT OR REPLACE INTO rating VALUES (?, ?, ?, ?, ?, ?)",
            (experience, by, stars, int(audited), made.note, made.time),
        )
        return made

    def of(self, experience: str) -> list[Rating]:
        """What people say of an experience, the newest first."""
        rows = self._file.all(
            "SELECT by, stars, audited, note, time FROM rating WHERE experience = ? "
            "ORDER BY time DESC, by",
            (experience,),
        )
        return [
            Rating(by, stars, bool(audited), note, time) for by, stars, audited, note, time in rows
        ]


class Signers:
    """The public keys whose owners are known here."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    def add(self, name: str, public: str) -> None:
        """Say who owns a key; find out from themselves, never from a package.

        Raises:
            SignatureError: It is no key.
            LibraryError: There is no name.
        """
        fingerprint(public)
        if not name.strip():
            raise LibraryError("a key needs the name of its owner")
        self._file.write(
            "INSERT OR REPLACE INTO signer VALUES (?, ?, ?)", (public, name, utc_now())
        )

    def remove(self, name: str) -> int:
        """Forget the keys of somebody; how many there were."""
        return self._file.write("DELETE FROM signer WHERE name = ?", (name,))

    def all(self) -> dict[str, str]:
        """The owner of each key."""
        rows = self._file.all("SELECT public, name FROM signer ORDER BY name, public")
        return dict(rows)

    def name_of(self, public: str) -> str | None:
        """Who owns a key; None if it is not known here."""
        row = self._file.one("SELECT name FROM signer WHERE public = ?", (public,))
        return str(row[0]) if row else None
