"""Every error that Playhead raises on purpose.

    PlayheadError
    ├── TapeError
    │   ├── BodyError            a body that cannot be written or read
    │   ├── JsonError            JSON outside the rules of docs/format.md, section 1
    │   ├── KindError            a kind defined twice, badly named, or opaque where it must be known
    │   ├── StaleTapeError       an append to a tape value that is no longer the tip
    │   └── VerificationError    a tape whose chain or bodies do not verify
    ├── StoreError
    │   ├── ConflictError        somebody else appended first
    │   ├── LostLeaseError       this process no longer owns the tape
    │   ├── StoreCorruptError    the file is damaged or is no Playhead store
    │   ├── StoreFullError       no space left
    │   ├── StoreReadOnlyError   the place cannot be written
    │   ├── StoreVersionError    the file was written by a newer Playhead
    │   ├── TapeNotFoundError    no such tape
    │   ├── TapeOwnedError       another live process owns the tape
    │   └── UnknownOutcomeError  the disk failed while committing: stored or not, nobody knows
    ├── ModelError
    │   ├── CutCompletionError   the completion ended before its end
    │   ├── ModelRequestError    the provider refused the request: retrying will not help
    │   ├── ModelUnavailableError  the provider could not be reached, or failed, in every attempt
    │   └── RecordingMissError   nothing recorded for this call
    ├── AgentError               an agent, node or tool that is put together wrongly
    │   ├── AgentFileError       an agent file that cannot be read
    │   └── NodeError            the code of a node raised
    ├── RunError                 a run, replay or fork that cannot go on as asked
    │   └── DecisionNeededError  somebody has to decide first
    ├── EvaluationError          a suite, scorer or evaluation that is put together wrongly
    │   ├── JudgeError           a model judge that gave no verdict
    │   └── SuiteFileError       a suite file that cannot be read
    ├── RecordError              a recording, an import or an export that cannot be done as asked
    │   └── ForeignFileError     a foreign file that cannot be read
    ├── ExperienceError          an experience that cannot be learnt, kept or played as asked
    │   ├── ExperienceFileError  an experience document that cannot be read
    │   ├── LibraryError         a library, an index or a guard that does not allow what was asked
    │   └── PackageError         a package that is damaged, was changed or holds what none may hold
    ├── SignatureError           a key or a signature that cannot be read
    ├── CassetteError            a cassette of a test that cannot be read or written
    ├── PrivacyError             values cannot be kept off the tape as asked
    │   ├── UnresolvedError      a placeholder stands for nothing, or for a value that was removed
    │   └── VaultError           the vault cannot be opened, read or written
    └── MissingExtraError        an optional dependency is not installed

Each class has a stable `code`; data stands in attributes; messages say what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class PlayheadError(Exception):
    """The root of all errors of Playhead.

    Args:
        message: What happened and what to do next.
        data: Facts about the fault; each becomes an attribute.
    """

    code: ClassVar[str] = "playhead"

    def __init__(self, message: str, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    def __getattr__(self, name: str) -> object:
        """Give the facts as attributes."""
        data = self.__dict__.get("data", {})
        if name in data:
            return data[name]
        raise AttributeError(name)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.data)


def _rebuild(cls: type[PlayheadError], message: str, data: dict[str, object]) -> PlayheadError:
    return cls(message, **data)


class TapeError(PlayheadError):
    """A fault of a tape or one of its entries."""

    code = "tape"


class BodyError(TapeError):
    """A body that cannot be written or read."""

    code = "body"


class JsonError(TapeError):
    """JSON outside the rules of docs/format.md, section 1."""

    code = "json"


class KindError(TapeError):
    """A kind defined twice, badly named, or opaque where it must be known."""

    code = "kind"


class StaleTapeError(TapeError):
    """An append to a tape value that is no longer the tip of its log."""

    code = "stale_tape"


class VerificationError(TapeError):
    """A tape whose chain or bodies do not verify."""

    code = "verification"


class StoreError(PlayheadError):
    """A fault of a store."""

    code = "store"


class ConflictError(StoreError):
    """Somebody else appended to the tape first."""

    code = "conflict"


class LostLeaseError(StoreError):
    """This process no longer owns the tape."""

    code = "lost_lease"


class StoreCorruptError(StoreError):
    """The file is damaged, or is no Playhead store."""

    code = "store_corrupt"


class StoreFullError(StoreError):
    """No space is left."""

    code = "store_full"


class StoreReadOnlyError(StoreError):
    """The place cannot be written."""

    code = "store_read_only"


class StoreVersionError(StoreError):
    """The file was written by a newer Playhead."""

    code = "store_version"


class TapeNotFoundError(StoreError):
    """The store has no such tape."""

    code = "tape_not_found"


class TapeOwnedError(StoreError):
    """Another live process owns the tape."""

    code = "tape_owned"


class UnknownOutcomeError(StoreError):
    """The disk failed while committing: stored or not, nobody knows."""

    code = "unknown_outcome"


class ModelError(PlayheadError):
    """A model call that gave no completion."""

    code = "model"


class CutCompletionError(ModelError):
    """The completion ended before its end; no action is made from it."""

    code = "cut_completion"


class ModelRequestError(ModelError):
    """The provider refused the request: sending it again will not help."""

    code = "model_request"


class ModelUnavailableError(ModelError):
    """The provider could not be reached, or failed, in every attempt."""

    code = "model_unavailable"


class RecordingMissError(ModelError):
    """Nothing is recorded for this model call."""

    code = "recording_miss"


class AgentError(PlayheadError):
    """An agent, node or tool that is put together wrongly."""

    code = "agent"


class AgentFileError(AgentError):
    """An agent file that cannot be read; the message begins with file and line."""

    code = "agent_file"


class NodeError(AgentError):
    """The code of a node raised."""

    code = "node"


class RunError(PlayheadError):
    """A run, replay or fork that cannot go on as asked."""

    code = "run"


class DecisionNeededError(RunError):
    """Somebody has to decide before this can go on."""

    code = "decision_needed"


class EvaluationError(PlayheadError):
    """A suite, a scorer or an evaluation that is put together wrongly."""

    code = "evaluation"


class JudgeError(EvaluationError):
    """A model judge that gave no verdict, even when asked again; `tape` is what it said."""

    code = "judge"


class SuiteFileError(EvaluationError):
    """A suite file that cannot be read; the message begins with file and line."""

    code = "suite_file"


class RecordError(PlayheadError):
    """A recording, an import or an export that cannot be done as asked."""

    code = "record"


class ForeignFileError(RecordError):
    """A foreign file that cannot be read; the message begins with file and place."""

    code = "foreign_file"


class ExperienceError(PlayheadError):
    """An experience that cannot be learnt, kept or played as asked."""

    code = "experience"


class ExperienceFileError(ExperienceError):
    """An experience document that cannot be read; the message names the place."""

    code = "experience_file"


class LibraryError(ExperienceError):
    """A library, an index or a guard that does not allow what was asked."""

    code = "library"


class PackageError(ExperienceError):
    """A package that is damaged, was changed after packing, or holds what none may hold."""

    code = "package"


class SignatureError(PlayheadError):
    """A key or a signature that cannot be read."""

    code = "signature"


class CassetteError(PlayheadError):
    """A cassette of a test that cannot be read or written."""

    code = "cassette"


class PrivacyError(PlayheadError):
    """Values cannot be kept off the tape, or given back, as asked."""

    code = "privacy"


class UnresolvedError(PrivacyError):
    """A placeholder stands for nothing in the vault, or for a value that was removed."""

    code = "unresolved"


class VaultError(PrivacyError):
    """The vault cannot be opened, read or written."""

    code = "vault"


class MissingExtraError(PlayheadError):
    """An optional dependency is not installed."""

    code = "missing_extra"


CUT = "… (cut)"  # ends what was cut off, wherever in it that was


def told(error: BaseException) -> str:
    """Any exception in words that can be stored: its type and what it says, no traceback."""
    try:
        text = str(error)
        if len(text) > 2000:
            text = f"{text[:2000]}{CUT}"
    except Exception:  # its own `__str__` raised
        text = ""
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
