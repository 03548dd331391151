"""Similarity by words and by meaning together, with vectors that the library remembers."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from statistics import fmean

from playhead.errors import LibraryError
from playhead.experience.library._file import LibraryFile
from playhead.experience.library._similar import MOST_EXAMPLES, Embedded, Lexical, cosine, unit
from playhead.llm import Embeddings

_TABLE = (
    "CREATE TABLE IF NOT EXISTS embedding (model TEXT NOT NULL, text TEXT NOT NULL, "
    "vector BLOB NOT NULL, PRIMARY KEY (model, text)) WITHOUT ROWID"
)
_MOST_KEPT = 20_000  # vectors of one model
_SHARE = 0.5  # of the words in a fit


class Vectors:
    """The vectors of texts, each asked for once: the file of the library keeps them.

    Of a text only its digest is kept beside the vector.

    Args:
        embed: Who gives vectors.
        file: The file; without one they are kept as long as this object.
    """

    def __init__(self, embed: Embeddings, file: LibraryFile | None = None) -> None:
        self._embed, self._file = embed, file
        self._known: dict[str, list[float]] = {}
        if file is not None:
            file.write(_TABLE)

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text.

        Raises:
            LibraryError: What was given for a text is no vector, or one of another length.
            ModelError: The model could not be asked.
        """
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
        self._look([key for key in keys if key not in self._known])
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            made = [unit(vector) for vector in self._embed(list(new.values()))]
            if len(made) != len(new):
                raise LibraryError("an embedding has to give one vector for each text")
            self._known |= dict(zip(new, made, strict=True))
            self._keep(list(new))
        found = [self._known[key] for key in keys]
        if len({len(vector) for vector in found}) > 1:
            raise LibraryError(
                f"`{self._embed.name}` gives vectors of another length than before: it is another "
                "model, so call it by another name"
            )
        return found

    def _look(self, keys: Sequence[str]) -> None:
        for key in keys if self._file is not None else ():
            assert self._file is not None
            row = self._file.one(
                "SELECT vector FROM embedding WHERE model = ? AND text = ?", (self._embed.name, key)
            )
            if row is not None:
                self._known[key] = array("f", row[0]).tolist()

    def _keep(self, keys: Sequence[str]) -> None:
        if self._file is None:
            return
        name = self._embed.name
        with self._file.transaction():
            for key in keys:
                self._file.write(
                    "INSERT OR REPLACE INTO embedding VALUES (?, ?, ?)",
                    (name, key, array("f", self._known[key]).tobytes()),
                )
            count = self._file.all("SELECT COUNT(*) FROM embedding WHERE model = ?", (name,))[0][0]
            if count > _MOST_KEPT:  # they can be asked for again
                self._file.write("DELETE FROM embedding WHERE model = ?", (name,))


def forget_vectors(file: LibraryFile) -> None:
    """Forget all vectors: one can tell from a vector what its text was about."""
    if file.one("SELECT 1 FROM sqlite_schema WHERE name = 'embedding'") is not None:
        file.write("DELETE FROM embedding")


class ByMeaning:
    """Similarity by words and by meaning, half and half.

    What cosine counts as fitting differs from model to model. So it is measured on the library
    itself: half way between what texts of one experience have in common and what texts of
    different ones have. Where there is too little to measure, words decide alone.

    Args:
        vectors: Gives the vectors.
        share: What the words count, 0 … 1.
    """

    fits = 0.5
    apart = 0.05

    def __init__(self, vectors: Vectors, *, share: float = _SHARE) -> None:
        self._vectors, self._share = vectors, share
        self._words = Lexical()
        self._between: float | None = None

    def __call__(self, query: str, texts: Sequence[Sequence[str]]) -> list[float]:
        """See `Similarity`."""
        by_words = [_level(fit, self._words.fits) for fit in self._words(query, texts)]
        if self._between is None:
            self._between = self._measured(texts)
        if self._between is None:
            return by_words
        cosines = Embedded(self._vectors)(query, texts)
        by_meaning = [_level(value, self._between) for value in cosines]
        return [
            self._share * word + (1 - self._share) * meant
            for word, meant in zip(by_words, by_meaning, strict=True)
        ]

    def _measured(self, texts: Sequence[Sequence[str]]) -> float | None:
        """The cosine that parts texts of one experience from those of others."""
        groups = [self._vectors(list(dict.fromkeys(each[:MOST_EXAMPLES]))) for each in texts]
        inner: list[float] = []
        outer: list[float] = []
        for at, group in enumerate(groups):
            others = [vector for other in groups[:at] + groups[at + 1 :] for vector in other]
            for number, vector in enumerate(group):
                same = group[:number] + group[number + 1 :]
                inner += [max(cosine(vector, each) for each in same)] if same else []
                outer += [max(cosine(vector, each) for each in others)] if others else []
        if not inner or not outer or fmean(inner) <= fmean(outer):
            return None
        return (fmean(inner) + fmean(outer)) / 2


def _level(fit: float, needed: float) -> float:
    """A fit on a scale on which 0.5 is what is needed."""
    if fit >= needed:
        return 0.5 + 0.5 * (fit - needed) / (1 - needed) if needed < 1 else 1.0
    return 0.5 * fit / needed
