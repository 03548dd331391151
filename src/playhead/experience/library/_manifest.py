"""What a package says of itself: which experience, what it needs, and the digest of every file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from playhead.errors import JsonError, PackageError
from playhead.tape import canonical, loads_strict
from playhead.tape.kinds import Effect

MAX_MANIFEST = 200_000  # bytes
_DIGEST = r"sha256:[0-9a-f]{64}"
_HOST = re.compile(r"(?=.{1,253}\Z)(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?\Z")

Digest = Annotated[str, Field(pattern=rf"^{_DIGEST}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
ToolName = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ToolNeed(_Part):
    """A tool that the experience calls.

    Args:
        effect: The strongest effect that the tool may have.
        digest: Digest of the tool's schema as it was when the experience was learnt, if known.
    """

    effect: Effect
    digest: str | None = Field(default=None, max_length=200)


class PackageBudget(_Part):
    """The most that a play may use. What is not said is not limited.

    Args:
        tool_calls: Calls of tools.
        writes: Calls of tools with the effect `write` or `irreversible`.
        model_calls: Calls of models; 0 for none.
        usd: Money for models.
        seconds: Time, tools included.
    """

    tool_calls: int | None = Field(default=None, ge=0)
    writes: int | None = Field(default=None, ge=0)
    model_calls: int | None = Field(default=None, ge=0)
    usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Capabilities(_Part):
    """All that a package's experience may do; what is not listed is refused at play.

    Args:
        tools: The tools that it calls, by name.
        effects: The effects that it may have.
        hosts: The hosts that arguments of its calls may name in URLs and addresses;
            `*.example.com` for all below one.
        budget: The most that a play may use.
    """

    tools: dict[ToolName, ToolNeed] = Field(default_factory=dict, max_length=200)
    effects: tuple[Effect, ...] = ()
    hosts: tuple[str, ...] = Field(default=(), max_length=200)
    budget: PackageBudget = PackageBudget()

    @field_validator("effects", "hosts", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("hosts")
    @classmethod
    def _only_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.match(host):
                raise ValueError(f"`{host[:80]}` is no host: example.com, *.example.com")
        return hosts

    def undeclared(self) -> list[str]:
        """Effects that its own tools have and that it does not declare."""
        return sorted({need.effect for need in self.tools.values()} - set(self.effects))


class FileEntry(_Part):
    """A file of a package.

    Args:
        digest: Of its bytes.
        size: How many there are.
    """

    digest: Digest
    size: int = Field(ge=0)


class Manifest(_Part):
    """The manifest of a package. Its digest is the package's address, and is what is signed.

    Args:
        package: The version of this format.
        name: The experience's name.
        version: Its version.
        title: One line.
        experience: The experience's digest.
        parents: Digests of the experiences that it came from.
        author: Who made it, in their own words; a signature says who it really was.
        licence: An SPDX expression.
        capabilities: What it may do.
        files: Every file of the package but this one and the signatures.
    """

    package: Literal[1] = 1
    name: Name
    version: int = Field(ge=1, le=1_000_000_000)
    title: str = Field(default="", max_length=500)
    experience: Digest
    parents: tuple[Digest, ...] = Field(default=(), max_length=100)
    author: str | None = Field(default=None, max_length=200)
    licence: str | None = Field(default=None, max_length=200)
    capabilities: Capabilities = Capabilities()
    files: dict[str, FileEntry]

    @field_validator("parents", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    def content(self) -> bytes:
        """The bytes of `manifest.json`."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def read(cls, content: bytes) -> Manifest:
        """A manifest from its bytes, which have to be canonical: one manifest, one digest.

        Raises:
            PackageError: It is no manifest of this version.
        """
        if len(content) > MAX_MANIFEST:
            raise PackageError(f"the manifest has more than {MAX_MANIFEST:,} bytes")
        try:
            value = loads_strict(content)
            if isinstance(value, dict) and value.get("package") not in (1, None):
                raise PackageError(
                    f"the package has format {value['package']!r}, this Playhead reads 1: "
                    "install a newer Playhead"
                )
            made = cls.model_validate(value)
        except JsonError as error:
            raise PackageError(f"the manifest cannot be read: {error}") from None
        except ValidationError as error:
            raise PackageError(f"the manifest cannot be read: {_first(error)}") from None
        if made.content() != content:
            raise PackageError("the manifest is not in canonical form: it was changed by hand")
        return made


def capabilities_of(
    tools: Mapping[str, ToolNeed], *, hosts: Iterable[str] = (), budget: PackageBudget | None = None
) -> Capabilities:
    """The capabilities of an experience with these tools, and no more.

    Args:
        tools: The tools that it calls.
        hosts: The hosts that its arguments may name.
        budget: The most that a play may use.
    """
    effects: tuple[Effect, ...] = ("read", "idempotent", "write", "irreversible")
    used = {need.effect for need in tools.values()}
    return Capabilities(
        tools=dict(tools),
        effects=tuple(effect for effect in effects if effect in used),
        hosts=tuple(sorted(set(hosts))),
        budget=budget or PackageBudget(),
    )


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])[:120]
    return f"`{where}`: {fault['msg']}" if where else str(fault["msg"])
