"""From an experience to a package, and from a package into a library. Nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pydantic import ValidationError

from playhead.errors import ExperienceFileError, JsonError, PackageError
from playhead.experience.document import Experience, experience_digest, experience_of
from playhead.experience.library._kept import content_of
from playhead.experience.library._manifest import (
    Capabilities,
    Manifest,
    PackageBudget,
    ToolNeed,
    capabilities_of,
)
from playhead.experience.library._package import EXPERIENCE, README, Package, Signature, pack
from playhead.experience.play import Limits
from playhead.orchestrator import Budget
from playhead.tape import Json, loads_strict

_STRENGTH = ("read", "idempotent", "write", "irreversible")
_URL = re.compile(
    r"[a-z][a-z0-9+.-]{0,30}://(?:[^/@\s]{0,200}@)?(\[[0-9a-f:.]{2,50}\]|[^/?#\s:]{1,253})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a package, as far as it is known here.

    Args:
        signature: A signature that verifies.
        name: What this library calls the owner of the key; None if the key is not known here.
    """

    signature: Signature
    name: str | None

    @property
    def said(self) -> str:
        """Who, in words: a name that the package gives is a claim only."""
        if self.name is not None:
            return self.name
        claim = f", says `{self.signature.by}`" if self.signature.by else ""
        return f"unknown key {self.signature.fingerprint}{claim}"


def package_of(
    experience: Experience,
    *,
    author: str | None = None,
    licence: str | None = None,
    readme: str = "",
    hosts: Iterable[str] = (),
    budget: PackageBudget | None = None,
) -> Package:
    """Pack an experience. Task texts and names in it are published, so look at it first.

    Args:
        experience: The document.
        author: Who made it.
        licence: An SPDX expression.
        readme: What is to be said about it.
        hosts: Hosts that arguments of its calls may name, beside those that the document itself
            does.
        budget: The most that a play may use.

    Raises:
        PackageError: It does not fit into a package.
    """
    files = {EXPERIENCE: content_of(experience)}
    if readme:
        files[README] = readme.encode()
    try:
        manifest = Manifest(
            name=experience.name,
            version=experience.version,
            title=experience.title,
            experience=experience_digest(experience),
            parents=experience.parents,
            author=author,
            licence=licence,
            capabilities=own_capabilities(experience, hosts=hosts, budget=budget),
            files={},
        )
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise PackageError(f"it cannot be packed: `{where}`: {fault['msg']}") from None
    return pack(manifest, files)


def own_capabilities(
    experience: Experience, *, hosts: Iterable[str] = (), budget: PackageBudget | None = None
) -> Capabilities:
    """What a document itself needs, and no more."""
    needs = {
        name: ToolNeed(effect=tool.effect, digest=tool.digest)
        for name, tool in experience.tools.items()
    }
    named = _hosts_in(_plain(experience))
    return capabilities_of(needs, hosts=[*named, *hosts], budget=budget)


def experience_in(package: Package) -> Experience:
    """The experience of a package, checked against what the manifest says of it.

    Raises:
        PackageError: It is no experience, another one, or wants more than the manifest declares.
    """
    manifest = package.manifest
    try:
        experience = experience_of(loads_strict(package.experience))
    except (JsonError, ExperienceFileError) as error:
        raise PackageError(f"the experience of the package cannot be read: {error}") from None
    if experience_digest(experience) != manifest.experience:
        raise PackageError("the experience of the package is not in canonical form")
    if (experience.name, experience.version) != (manifest.name, manifest.version):
        raise PackageError(
            f"the package says `{manifest.name}@{manifest.version}` and holds "
            f"`{experience.name}@{experience.version}`"
        )
    if experience.parents != manifest.parents:
        raise PackageError("the manifest names other parents than the experience")
    _declared(experience, manifest.capabilities)
    return experience


def grants(capabilities: Capabilities) -> Limits:
    """What whoever plays a package's experience grants it: what it declares, and no more."""
    budget = capabilities.budget
    most = {"calls": budget.tool_calls, "writes": budget.writes}
    return Limits(
        tools=tuple(capabilities.tools),
        hosts=capabilities.hosts,
        effects=capabilities.effects,
        seconds=budget.seconds,
        **{name: count for name, count in most.items() if count is not None},
    )


def budget_of(capabilities: Capabilities) -> Budget:
    """The budget of a play that keeps to a manifest, whoever goes on with it."""
    limits = capabilities.budget
    budget = Budget(usd=limits.usd, seconds=limits.seconds)
    if limits.model_calls is None:
        return budget
    return replace(budget, model_calls=limits.model_calls)


def _declared(experience: Experience, capabilities: Capabilities) -> None:
    for name, tool in experience.tools.items():
        need = capabilities.tools.get(name)
        if need is None:
            raise PackageError(f"the manifest does not declare the tool `{name}`, which it calls")
        if _STRENGTH.index(tool.effect) > _STRENGTH.index(need.effect):
            raise PackageError(
                f"the manifest declares `{name}` as {need.effect}, the experience uses it as "
                f"{tool.effect}"
            )


def _plain(experience: Experience) -> Json:
    value: Json = loads_strict(content_of(experience))
    return value


def _hosts_in(value: Json) -> Iterator[str]:
    """The hosts of all URLs in a value, in small letters."""
    if isinstance(value, str):
        yield from (found[1].casefold() for found in _URL.finditer(value))
    elif isinstance(value, list):
        for each in value:
            yield from _hosts_in(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _hosts_in(name)
            yield from _hosts_in(each)
