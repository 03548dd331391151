"""Bodies of steps: immutable pydantic models, found by their `kind` and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import PydanticSerializationError

from playhead.errors import BodyError, JsonError, KindError
from playhead.tape._json import loads_strict

StepRole: TypeAlias = Literal["thought", "action", "observation", "note"]
JsonObject: TypeAlias = dict[str, JsonValue]
Upgrade: TypeAlias = Callable[[JsonObject], JsonObject]

MAX_BODY = 16_777_216
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")

_kinds: dict[str, type[Body]] = {}
_upgrades: dict[tuple[str, int], Upgrade] = {}


class Body(BaseModel):
    """What a step says. Subclass `Thought`, `Action`, `Observation` or `Note`, with a kind.

    Example:
            class Invoice(Observation, kind="acme.invoice"):
                number: str

        Raise `version` when the fields change, and register an `upgrade` from the old one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    kind: ClassVar[str] = ""
    kind_version: ClassVar[int] = 1
    role: ClassVar[StepRole]

    def __init_subclass__(cls, *, kind: str = "", version: int = 1) -> None:
        """Accept the keywords of a class statement; the work is done once the fields are known."""
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, *, kind: str = "", version: int = 1, **_: object) -> None:
        """Register the subclass under its kind."""
        if not kind:
            return
        if not _KIND.fullmatch(kind) or len(kind) > 128:
            raise KindError(f"`{kind}` is no kind: write `namespace.name` in lower case", kind=kind)
        if kind.startswith("playhead.") and not cls.__module__.startswith("playhead."):
            raise KindError(f"`{kind}`: the namespace `playhead` is reserved", kind=kind)
        known = _kinds.get(kind)
        if known and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise KindError(
                f"`{kind}` is already the class `{known.__module__}.{known.__qualname__}`: "
                "choose another name",
                kind=kind,
            )
        cls.kind = kind
        cls.kind_version = version
        _kinds[kind] = cls


class Thought(Body):
    """Reasoning and control flow."""

    role = "thought"


class Action(Body):
    """Asks something of the environment, or ends the run."""

    role = "action"


class Observation(Body):
    """What came back."""

    role = "observation"


class Note(Body):
    """What the system itself records; hidden from views."""

    role = "note"


class Opaque(Body):
    """A body of a kind or version that this process does not know, kept as it is."""

    data: JsonValue


def known_kinds() -> dict[str, type[Body]]:
    """All kinds known to this process, by name."""
    return dict(_kinds)


def upgrade(kind: str, *, from_version: int) -> Callable[[Upgrade], Upgrade]:
    """Register a function that turns a body of `from_version` into one of the next version."""

    def register(function: Upgrade) -> Upgrade:
        _upgrades[kind, from_version] = function
        return function

    return register


def is_known(kind: str, version: int) -> bool:
    """Whether a body of this kind and version can be read as its class."""
    cls = _kinds.get(kind)
    return cls is not None and version <= cls.kind_version


def encode_body(body: Body) -> bytes:
    """Bytes of a body, as they are stored and hashed.

    Raises:
        BodyError: It holds NaN, an infinity or a lone surrogate, or is too large.
    """
    try:
        data = body.__pydantic_serializer__.to_json(body, exclude_none=True)
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise BodyError(f"`{body.kind}` cannot be written: {error}", kind=body.kind) from None
    if b"NaN" in data or b"Infinity" in data:
        _refuse_constants(body, data)
    if len(data) > MAX_BODY:
        raise BodyError(
            f"`{body.kind}` has {len(data):,} bytes, over {MAX_BODY:,}: put content into blobs",
            kind=body.kind,
        )
    return data


def _refuse_constants(body: Body, data: bytes) -> None:
    try:
        loads_strict(data)
    except JsonError as error:
        raise BodyError(f"`{body.kind}` cannot be written: {error}", kind=body.kind) from None


def decode_body(kind: str, version: int, data: bytes) -> Body:
    """The body that these bytes hold; `Opaque` where the kind or version is not known.

    Raises:
        BodyError: The bytes do not fit the kind.
    """
    cls = _kinds.get(kind)
    try:
        if cls is None or version > cls.kind_version:
            return Opaque(data=loads_strict(data))
        if version == cls.kind_version:
            return cls.model_validate_json(data, extra="ignore")
        return cls.model_validate(_upgraded(kind, version, cls.kind_version, data), extra="ignore")
    except (ValidationError, JsonError) as error:
        raise BodyError(
            f"the body does not fit `{kind}` version {version}: {error}", kind=kind
        ) from None


def _upgraded(kind: str, version: int, target: int, data: bytes) -> Any:  # noqa: ANN401
    value: Any = loads_strict(data)
    for step in range(version, target):
        function = _upgrades.get((kind, step))
        if function is None:
            raise BodyError(f"`{kind}` has no upgrade from version {step}: register one", kind=kind)
        value = function(value)
    return value
