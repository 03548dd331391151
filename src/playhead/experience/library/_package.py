"""A package: an experience with its manifest and signatures, addressed by what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playhead.errors import JsonError, PackageError, SignatureError
from playhead.experience.library._manifest import FileEntry, Manifest
from playhead.govern import SigningKey, fingerprint, is_signed
from playhead.tape import canonical, digest_of, loads_strict

MANIFEST, EXPERIENCE, README = "manifest.json", "experience.json", "README.md"
SIGNATURES = "signatures/"
MAX_FILES = 40
MAX_SIGNATURES = 20
MAX_BYTES = 8_000_000  # of all files together, unpacked
_MAX_SIGNATURE = 2_000
_PURPOSE = "package manifest"


class Signature(BaseModel):
    """Who vouches for a package.

    Args:
        key: The public key, in base64.
        by: What the signer calls themselves; the key is what counts.
        signature: Of the manifest's bytes, in base64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: str = Field(max_length=100)
    by: str = Field(default="", max_length=200)
    signature: str = Field(max_length=200)

    @property
    def fingerprint(self) -> str:
        """The short name of the key."""
        return fingerprint(self.key)


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was read or made, and found to be whole. Nothing in it was executed.

    Args:
        manifest: What it says of itself.
        files: The files that the manifest names, by path.
        signatures: Those that verify.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    signatures: tuple[Signature, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_of(self.manifest.content()))

    @property
    def experience(self) -> bytes:
        """The canonical bytes of the experience."""
        return self.files[EXPERIENCE]

    @property
    def readme(self) -> str:
        """What the author says about it; text, never instructions."""
        return self.files.get(README, b"").decode("utf-8", "replace")

    @property
    def file_name(self) -> str:
        """What its one file is called."""
        short = self.digest.removeprefix("sha256:")[:16]
        return f"{self.manifest.name}-{self.manifest.version}-{short}.experience"

    def signed(self, key: SigningKey, *, by: str = "") -> Package:
        """The same package with one more signature.

        Raises:
            PackageError: It has too many.
        """
        made = key.sign(self.manifest.content(), purpose=_PURPOSE)
        others = [each for each in self.signatures if each.key != key.public]
        if len(others) >= MAX_SIGNATURES:
            raise PackageError(f"a package has at most {MAX_SIGNATURES} signatures")
        every = [*others, Signature(key=key.public, by=by, signature=made)]
        return Package(
            self.manifest, self.files, tuple(sorted(every, key=lambda each: each.fingerprint))
        )

    def content(self) -> dict[str, bytes]:
        """All files by path, manifest and signatures included."""
        signatures = {
            f"{SIGNATURES}{each.fingerprint}.json": canonical(each.model_dump(mode="json"))
            for each in self.signatures
        }
        return {MANIFEST: self.manifest.content(), **self.files, **signatures}


def pack(manifest: Manifest, files: Mapping[str, bytes]) -> Package:
    """A package of these files; the manifest's own list of files is replaced by theirs.

    Args:
        manifest: All but the files.
        files: `experience.json`, and `README.md` if there is one.

    Raises:
        PackageError: A file is missing, or of no package.
    """
    entries = {
        path: FileEntry(digest=digest_of(content), size=len(content))
        for path, content in files.items()
    }
    whole = manifest.model_copy(update={"files": entries})
    return check(Package(whole, dict(files)).content())


def check(content: Mapping[str, bytes]) -> Package:
    """The package of some files, if all of it is as its manifest says.

    Raises:
        PackageError: It is incomplete, was changed, or holds what no package holds; a signature
            does not verify.
        MissingExtraError: It is signed, and the extra `govern` is not installed.
    """
    if MANIFEST not in content:
        raise PackageError(f"this is no package: it has no `{MANIFEST}`")
    manifest = Manifest.read(content[MANIFEST])
    files = {
        path: data
        for path, data in content.items()
        if path != MANIFEST and not path.startswith(SIGNATURES)
    }
    _same_files(manifest, files)
    if digest_of(files[EXPERIENCE]) != manifest.experience:
        raise PackageError("the manifest names another experience than the package holds")
    undeclared = manifest.capabilities.undeclared()
    if undeclared:
        raise PackageError(
            f"its tools have effects that it does not declare: {', '.join(undeclared)}"
        )
    signatures = [
        _signature(path, data, content[MANIFEST])
        for path, data in sorted(content.items())
        if path.startswith(SIGNATURES)
    ]
    return Package(manifest, files, tuple(signatures))


def _same_files(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    if EXPERIENCE not in manifest.files:
        raise PackageError(f"the manifest names no `{EXPERIENCE}`")
    _none_of(sorted(set(manifest.files) - {EXPERIENCE, README}), "is no file of a package")
    _none_of(sorted(set(manifest.files) - set(files)), "is missing")
    _none_of(sorted(set(files) - set(manifest.files)), "stands in no manifest")
    for path, entry in manifest.files.items():
        data = files[path]
        if len(data) != entry.size or digest_of(data) != entry.digest:
            raise PackageError(
                f"`{path}` is not what the manifest says: it was changed after packing"
            )


def _none_of(paths: Sequence[str], fault: str) -> None:
    if paths:
        raise PackageError(f"`{paths[0][:120]}` {fault}")


def _signature(path: str, data: bytes, manifest: bytes) -> Signature:
    if len(data) > _MAX_SIGNATURE:
        raise PackageError(f"`{path}` has more than {_MAX_SIGNATURE:,} bytes")
    try:
        made = Signature.model_validate(loads_strict(data))
        name = made.fingerprint
        good = is_signed(manifest, made.signature, public=made.key, purpose=_PURPOSE)
    except (JsonError, ValidationError, SignatureError) as error:
        raise PackageError(
            f"`{path}` is no signature: {str(error).partition(chr(10))[0]}"
        ) from None
    if path != f"{SIGNATURES}{name}.json":
        raise PackageError(f"`{path}` is of the key {name}: it was renamed")
    if not good:
        raise PackageError(f"the signature of the key {name} does not verify: it is forged or old")
    return made
