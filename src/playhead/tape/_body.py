"""Bodies of steps: immutable pydantic models, found by their `kind` and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import PydanticSerializationError

from playhead.errors import BodyError, JsonError, KindError
from playhead.tape._json import check_depth, compact, is_suspect, loads_strict

StepRole: TypeAlias = Literal["thought", "action", "observation", "note"]
BodyT = TypeVar("BodyT", bound="Body")
ModelT = TypeVar("ModelT", bound=BaseModel)
JsonObject: TypeAlias = dict[str, JsonValue]
Upgrade: TypeAlias = Callable[[JsonObject], JsonObject]

MAX_BODY = 16_777_216
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")

_kinds: dict[str, type[Body]] = {}
_written: dict[type[Body], tuple[str, int, StepRole]] = {}
_unset: dict[type[BaseModel], tuple[dict[str, object], set[str]]] = {}
_upgrades: dict[tuple[str, int], Upgrade] = {}


class Body(BaseModel):
    """What a step says. Subclass `Thought`, `Action`, `Observation` or `Note`, with a kind.

    Raise `version` when the fields change, and register an `upgrade` from the old one.

    Example:
        class Invoice(Observation, kind="acme.invoice"):
            number: str
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
        """Register the subclass under its kind; without one, it cannot stand on a tape itself."""
        cls.kind, cls.kind_version = kind, version
        if not kind:
            return
        if not hasattr(cls, "role"):
            raise KindError(
                f"`{kind}` has no role: subclass Thought, Action, Observation or Note", kind=kind
            )
        if version < 1:
            raise KindError(f"`{kind}`: versions count from 1, not {version}", kind=kind)
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


def unchecked(cls: type[ModelT], **members: object) -> ModelT:
    """A model of members that are known to fit: nothing is validated, and nothing copied.

    All its members count as set, in one set for all such models.
    """
    known = _unset.get(cls)
    if known is None:
        fields = cls.__pydantic_fields__.items()
        defaults = {name: field.get_default(call_default_factory=True) for name, field in fields}
        known = _unset[cls] = (defaults, set(defaults))
    return _made(cls, {**known[0], **members}, known[1])


def changed(body: BodyT, **members: object) -> BodyT:
    """A copy with other members, which are not validated; quicker than `model_copy`."""
    fields = body.__pydantic_fields_set__
    if not fields.issuperset(members):
        fields = fields.union(members)
    return _made(type(body), {**body.__dict__, **members}, fields, body.__pydantic_private__)


def _made(
    cls: type[ModelT],
    members: dict[str, object],
    fields: set[str],
    private: dict[str, object] | None = None,
) -> ModelT:
    made = cls.__new__(cls)
    _put_members(made, members)
    _put_fields(made, fields)
    _put_extra(made, None)
    _put_private(made, private)
    return made


# What `object.__setattr__` would look up each time, as frozen models have no other.
_put_members, _put_fields, _put_extra, _put_private = (
    BaseModel.__dict__[name].__set__
    for name in (
        "__dict__",
        "__pydantic_fields_set__",
        "__pydantic_extra__",
        "__pydantic_private__",
    )
)


def known_kinds() -> dict[str, type[Body]]:
    """All kinds known to this process, by name."""
    return dict(_kinds)


def kind_of(cls: type[Body]) -> tuple[str, int, StepRole]:
    """Kind, version and role of a class that can stand on a tape; quicker than asking for each."""
    written = _written.get(cls)
    if written is None:
        written = _written[cls] = (cls.kind, cls.kind_version, cls.role)
    return written


def upgrade(kind: str, *, from_version: int) -> Callable[[Upgrade], Upgrade]:
    """Register a function that turns a body of `from_version` into one of the next version."""

    def register(function: Upgrade) -> Upgrade:
        _upgrades[kind, from_version] = function
        return function

    return register


def is_known(kind: str, version: int) -> bool:
    """Whether a body of this kind and version can be read as its class."""
    cls = _kinds.get(kind)
    return False if cls is None else version <= cls.kind_version


def encode_body(body: Body) -> bytes:
    """Bytes of a body, as they are stored and hashed.

    Nulls are left out of built-in kinds, where a member that may be null is null when it is absent.

    Raises:
        BodyError: It has no kind, holds what JSON or this process cannot write and read back, or is
            too large.
    """
    kind = body.kind
    if not kind:
        name = type(body).__name__
        raise BodyError(f'`{name}` has no kind: write `class {name}(..., kind="namespace.name")`')
    built_in = kind.startswith("playhead.")
    try:
        data = body.__pydantic_serializer__.to_json(body, exclude_none=built_in)
        if not built_in and b"null" in data and _has_plain_models(type(body)):
            _refuse_nan(body.__pydantic_serializer__.to_python(body))
        check_depth(data)
        if is_suspect(data):
            loads_strict(data)
    except (PydanticSerializationError, ValueError, JsonError) as error:
        raise BodyError(f"`{kind}` cannot be written: {error}", kind=kind) from None
    if len(data) > MAX_BODY:
        raise BodyError(
            f"`{kind}` has {len(data):,} bytes, over {MAX_BODY:,}: put content into blobs",
            kind=kind,
        )
    return data


@lru_cache(maxsize=1024)
def _has_plain_models(cls: type[Body]) -> bool:
    """Whether models stand in it which pydantic, by their own settings, writes NaN as null for."""
    pending: list[object] = [cls.__pydantic_core_schema__]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            model = part.get("cls") if part.get("type") == "model" else None
            if model and model.model_config.get("ser_json_inf_nan") != "constants":
                return True
            pending += part.values()
        elif isinstance(part, list | tuple):
            pending += part
    return False


def _refuse_nan(value: object) -> None:
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, float) and not isfinite(part):
            raise JsonError(f"{part} is no JSON number")
        if isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            pending += part


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
            return _validated(cls, data)
        return _validated(cls, compact(_upgraded(kind, version, cls.kind_version, data)))
    except (ValidationError, JsonError) as error:
        raise BodyError(
            f"the body does not fit `{kind}` version {version}: {error}", kind=kind
        ) from None


def _validated(cls: type[Body], data: bytes | str) -> Body:
    """Validate as written; then, ignoring members that only others know, on every level."""
    try:
        return cls.model_validate_json(data)
    except ValidationError:
        return cls.model_validate_json(data, extra="ignore")


def _upgraded(kind: str, version: int, target: int, data: bytes) -> JsonValue:
    value: Any = loads_strict(data)
    for step in range(version, target):
        function = _upgrades.get((kind, step))
        if function is None:
            raise BodyError(f"`{kind}` has no upgrade from version {step}: register one", kind=kind)
        try:
            value = function(value)
        except Exception as error:
            raise BodyError(
                f"the upgrade of `{kind}` from version {step} raised {error!r}", kind=kind
            ) from error
    return cast("JsonValue", value)
