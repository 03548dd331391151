"""`library publish`, `install` and `keys`."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from playhead.cli._guard import DONE, UsageFault
from playhead.cli._library_looking import opened
from playhead.cli._output import Output
from playhead.cli._text import one_line
from playhead.experience.document import Experience
from playhead.experience.library import (
    Package,
    open_index,
    package_of,
    read_package,
    wanted_of,
    write_package,
)
from playhead.govern import SigningKey, fingerprint

_SUFFIX = ".experience"


class Packing(NamedTuple):
    """How an experience is packed."""

    sign: Path | None
    by: str | None
    author: str | None
    licence: str | None
    readme: Path | None
    hosts: tuple[str, ...]


def publish(
    library: Path | None,
    store: Path,
    name: str,
    wanted: Packing,
    *,
    to: str,
    branch: str | None,
    as_json: bool,
) -> int:
    """Pack an experience and put it somewhere; a package that brought it is passed on as it is."""
    output = Output(as_json=as_json)
    with opened(library, store) as found:
        kept = found.get(name)
        brought = found.packages(kept.digest)
        package = brought[0] if brought else _packed(found.document(kept.digest), wanted)
    if wanted.sign is not None:
        by = wanted.by or getpass.getuser()
        package = package.signed(SigningKey.read(wanted.sign), by=by)
    if to.endswith(_SUFFIX):
        where = str(write_package(package, to))
    else:
        where = open_index(to, branch=branch).publish(package)
    if as_json:
        output.document({"package": package.digest, "where": where, "experience": kept.digest})
    else:
        said = ", ".join(each.fingerprint for each in package.signatures) or "nobody"
        output.message(f"{kept.label} is at {one_line(where, 300)}, signed by {said}")
        output.message("it holds the texts of its tasks: look at them with library show", "dim")
    return DONE


def _packed(experience: Experience, wanted: Packing) -> Package:
    try:
        readme = wanted.readme.read_text() if wanted.readme is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(f"`{wanted.readme}` cannot be read: {error}") from None
    return package_of(
        experience,
        author=wanted.author or getpass.getuser(),
        licence=wanted.licence,
        readme=readme,
        hosts=wanted.hosts,
    )


def install(
    library: Path | None,
    store: Path,
    name: str,
    *,
    source: str | None,
    signed_by: str | None,
    branch: str | None,
    as_json: bool,
) -> int:
    """Take in a package."""
    output = Output(as_json=as_json)
    if source is None:
        if not Path(name).exists():
            raise UsageFault(f"there is no `{name}` here: say --from PLACE if it is of an index")
        package = read_package(name)
    else:
        index = open_index(source, branch=branch)
        package = index.fetch(wanted_of(index.entries(), name))
    with opened(library, store) as found:
        kept = found.install(package, source=source or name, signed_by=signed_by)
        signers = [each.said for each in found.signers_of(package)]
    may = package.manifest.capabilities
    if as_json:
        output.document(
            {"package": package.digest, "experience": asdict(kept), "signed_by": signers}
            | {"capabilities": may.model_dump(mode="json")}
        )
        return DONE
    output.message(f"{kept.label} ({kept.short}), signed by {'; '.join(signers) or 'nobody'}")
    tools = ", ".join(f"{tool} ({need.effect})" for tool, need in sorted(may.tools.items()))
    output.message(f"it may call: {one_line(tools, 1000) or 'nothing'}")
    if may.hosts:
        output.message(f"it may name the hosts: {', '.join(may.hosts)}")
    if kept.state != "trusted":
        output.message(f"it is {kept.state}: playhead library trust {kept.label} --over TAPE")
    return DONE


def keys(
    library: Path | None,
    store: Path,
    *,
    new: Path | None,
    add: str | None,
    remove: str | None,
    as_json: bool,
) -> int:
    """Make a key, or say whose keys are known."""
    output = Output(as_json=as_json)
    made = None
    if new is not None:
        key = SigningKey.new()
        key.write(new)
        made = key.public
        output.message(f"the secret key is in {new}; others know you by the public key {made}")
    with opened(library, store) as found:
        if add is not None:
            owner, equals, public = add.partition("=")
            if not equals:
                raise UsageFault("--add takes NAME=KEY, with the public key in base64")
            found.signers.add(owner, public)
        if remove is not None and not found.signers.remove(remove):
            raise UsageFault(f"no key of `{remove}` is known")
        known = found.signers.all()
    if as_json:
        output.document({"keys": known, "made": made})
    for public, owner in known.items() if not as_json else ():
        output.out.row(
            Text.assemble((one_line(owner, 40), "bold"), f"  {fingerprint(public)}  {public}")
        )
    return DONE
