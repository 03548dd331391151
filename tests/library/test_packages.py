"""Packages: content-addressed, signed, and refused where anything is not as it should be."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_kit import experience, package

from playhead.errors import LibraryError, PackageError, SignatureError
from playhead.experience.library import (
    Library,
    Package,
    PackageBudget,
    archive,
    experience_in,
    package_of,
    read_archive,
    read_package,
    write_package,
)
from playhead.govern import SigningKey
from playhead.tape import canonical, digest_of


def test_a_package_is_the_same_as_file_and_as_folder(tmp_path: Path) -> None:
    made = package().signed(SigningKey.new(), by="Ana")
    write_package(made, tmp_path / "one.experience")
    write_package(made, f"{tmp_path}/folder/")
    assert read_package(tmp_path / "one.experience") == read_package(tmp_path / "folder") == made
    assert experience_in(made) == experience()
    assert made.readme == "Cancels meetings."


def test_equal_experiences_give_equal_bytes() -> None:
    assert archive(package()) == archive(package())
    assert package().digest == package().digest != package(version=2).digest


def test_the_address_is_that_of_the_manifest_and_does_not_depend_on_signatures() -> None:
    made = package()
    assert made.digest == digest_of(made.content()["manifest.json"])
    assert made.signed(SigningKey.new()).digest == made.digest


def test_the_manifest_declares_what_the_document_needs() -> None:
    capabilities = package().manifest.capabilities
    assert capabilities.effects == ("read", "write")
    assert {name: need.effect for name, need in capabilities.tools.items()} == {
        "calendar.search": "read",
        "calendar.delete": "write",
    }


def zipped(
    content: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in content.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if change is not None:
                change(entry)
            file.writestr(entry, data)
    return out.getvalue()


def test_every_changed_byte_is_found() -> None:
    made = package().signed(SigningKey.new())
    for path in made.content():
        content = dict(made.content())
        data = content[path]
        content[path] = data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]
        with pytest.raises(PackageError):
            read_archive(zipped(content))


def test_another_document_under_the_same_manifest_is_refused() -> None:
    content = dict(package().content())
    content["experience.json"] = package(version=2).experience
    with pytest.raises(PackageError, match="is not what the manifest says"):
        read_archive(zipped(content))


def test_a_manifest_changed_after_signing_is_refused() -> None:
    made = package().signed(SigningKey.new())
    manifest = json.loads(made.content()["manifest.json"])
    manifest["author"] = "Somebody else"
    content = {**made.content(), "manifest.json": canonical(manifest)}
    with pytest.raises(PackageError, match="does not verify"):
        read_archive(zipped(content))


def test_a_signature_of_another_package_is_refused() -> None:
    key = SigningKey.new()
    one, other = package().signed(key), package(version=2).signed(key)
    name = f"signatures/{one.signatures[0].fingerprint}.json"
    with pytest.raises(PackageError, match="does not verify"):
        read_archive(zipped({**one.content(), name: other.content()[name]}))


@pytest.mark.parametrize(
    "path",
    [
        "../evil", "/etc/passwd", "..\\evil", "C:\\evil", "experience.json/..", "./manifest.json",
        "signatures/../x.json", "signatures/0123456789abcdef.json/", "run.py", "EXPERIENCE.JSON",
        "a\x00b", "signatures/", ".git/hooks/post-checkout",
    ],
)  # fmt: skip
def test_paths_that_no_package_has_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(PackageError):
        read_archive(zipped({**package().content(), path: b"x"}))
    assert list(tmp_path.iterdir()) == []


def test_links_in_an_archive_are_refused() -> None:
    def link(entry: zipfile.ZipInfo) -> None:
        if entry.filename == "README.md":
            entry.create_system = 3
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16

    with pytest.raises(PackageError, match="link"):
        read_archive(zipped({**package().content(), "README.md": b"/etc/passwd"}, link))


def test_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    write_package(package(), f"{folder}/")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(secret)
    with pytest.raises(PackageError, match="link"):
        read_package(folder)
    (folder / "README.md").unlink()
    (folder / "signatures").symlink_to(tmp_path)
    with pytest.raises(PackageError, match="link"):
        read_package(folder)
    link = tmp_path / "link.experience"
    link.symlink_to(write_package(package(), tmp_path / "one.experience"))
    with pytest.raises(PackageError, match="link"):
        read_package(link)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    write_package(package(), f"{folder}/")
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    with pytest.raises(PackageError, match="no file"):
        read_package(folder)


def test_a_bomb_ends_at_its_limit() -> None:
    bomb = zipped({**package().content(), "README.md": b"\0" * 60_000_000})
    assert len(bomb) < 100_000
    with pytest.raises(PackageError, match="too large"):
        read_archive(bomb)


def test_a_bomb_that_lies_about_its_size_ends_as_well() -> None:
    data = bytearray(zipped({**package().content(), "README.md": b"\0" * 60_000_000}))
    at = data.rfind(b"README.md") - 46  # the entry in the directory at the end
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(PackageError):
        read_archive(bytes(data))


def test_what_is_too_large_or_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="bytes"):
        read_archive(b"\0" * 8_000_001)
    many = {f"signatures/{number:016x}.json": b"{}" for number in range(60)}
    with pytest.raises(PackageError, match="more than"):
        read_archive(zipped({**package().content(), **many}))
    big = tmp_path / "big.experience"
    with big.open("wb") as file:
        file.truncate(9_000_000_000)  # no byte of it is on the disk
    with pytest.raises(PackageError, match="too large"):
        read_package(big)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400))
def test_garbage_is_no_package(data: bytes) -> None:
    with pytest.raises(PackageError):
        read_archive(data)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_package_with_changed_bytes_is_refused_or_the_same(data: st.DataObject) -> None:
    whole = bytearray(archive(package()))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_archive(bytes(whole))
    except PackageError:
        return
    assert found == package()


def test_a_manifest_that_declares_less_than_the_document_does_is_refused() -> None:
    made = package()
    for change in (
        lambda tools: tools.pop("calendar.delete"),
        lambda tools: tools["calendar.delete"].update(effect="read"),
    ):
        manifest = json.loads(made.content()["manifest.json"])
        change(manifest["capabilities"]["tools"])
        found = read_archive(zipped({**made.content(), "manifest.json": canonical(manifest)}))
        with pytest.raises(PackageError, match=r"calendar\.delete"):
            experience_in(found)


def test_a_manifest_whose_tools_exceed_its_effects_is_refused() -> None:
    made = package()
    manifest = json.loads(made.content()["manifest.json"])
    manifest["capabilities"]["effects"] = ["read"]
    with pytest.raises(PackageError, match="does not declare: write"):
        read_archive(zipped({**made.content(), "manifest.json": canonical(manifest)}))


@pytest.mark.parametrize(
    "change",
    [
        {"package": 2}, {"name": "../x"}, {"version": 0}, {"files": {}}, {"experience": "x"},
        {"files": {"experience.json": {"digest": "sha256:" + "0" * 64, "size": 1}, "x.py": {}}},
        {"capabilities": {"hosts": ["http://x"]}}, {"capabilities": {"budget": {"usd": -1}}},
        {"surprise": 1},
    ],
)  # fmt: skip
def test_odd_manifests_are_refused(change: dict[str, object]) -> None:
    manifest = json.loads(package().content()["manifest.json"]) | change
    with pytest.raises(PackageError):
        read_archive(zipped({**package().content(), "manifest.json": canonical(manifest)}))


def test_a_manifest_written_otherwise_is_refused() -> None:
    content = dict(package().content())
    content["manifest.json"] = json.dumps(json.loads(content["manifest.json"]), indent=1).encode()
    with pytest.raises(PackageError, match="canonical"):
        read_archive(zipped(content))


def test_hosts_that_the_document_names_are_declared() -> None:
    plain = experience().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    plain["routine"]["states"]["look"]["call"]["arguments"]["query"] = {
        "const": "https://ana@Calendar.Example.com:443/x"
    }
    made = package_of(experience(routine=plain["routine"]), budget=PackageBudget(writes=1))
    assert made.manifest.capabilities.hosts == ("calendar.example.com",)
    assert made.manifest.capabilities.budget.writes == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"parents": ["no digest"]},
        {"version": 2**40},
        {
            "routine": {
                "start": "s",
                "states": {"s": {"finish": {"text": {"const": "http://a_b/"}}}},
            }
        },
    ],
)
def test_what_cannot_be_packed_is_told(changes: dict[str, object]) -> None:
    with pytest.raises(PackageError, match="cannot be packed"):
        package_of(experience(**changes))
    with pytest.raises(PackageError, match="cannot be packed"):
        package_of(experience(), hosts=["not a host"])


def test_a_key_is_kept_from_others(tmp_path: Path) -> None:
    key = SigningKey.new()
    path = key.write(tmp_path / "key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.read(path).public == key.public
    with pytest.raises(SignatureError, match="there already"):
        key.write(path)
    path.chmod(0o644)
    with pytest.raises(SignatureError, match="chmod 600"):
        SigningKey.read(path)
    other = tmp_path / "other"
    other.write_text("no key")
    other.chmod(0o600)
    with pytest.raises(SignatureError, match="no signing key"):
        SigningKey.read(other)
    assert "seed" not in repr(key)


def test_installing_puts_into_quarantine_and_says_who_signed(library: Library) -> None:
    key = SigningKey.new()
    made = package().signed(key, by="The real Ana")
    kept = library.install(made, source="there")
    assert (kept.state, kept.origin, kept.author) == ("quarantined", "package", "Ana")
    (signer,) = library.signers_of(made)
    assert signer.name is None
    assert signer.said.startswith("unknown key")
    library.signers.add("ana", key.public)
    assert [each.said for each in library.signers_of(made)] == ["ana"]
    assert library.packages("cancel-meeting") == [made]
    assert library.find("Cancel my next meeting with ana").kept is None


def test_a_signer_can_be_demanded(library: Library) -> None:
    key = SigningKey.new()
    library.signers.add("ana", key.public)
    for made in (package(), package().signed(SigningKey.new(), by="ana")):
        with pytest.raises(LibraryError, match="not by `ana`"):
            library.install(made, signed_by="ana")
    assert library.all() == []
    assert library.install(package().signed(key), signed_by="ana").state == "quarantined"


def test_a_package_of_what_is_trusted_here_changes_nothing(library: Library) -> None:
    library.add(experience(), origin="learnt")
    assert library.install(package()).state == "trusted"


def test_two_may_sign(tmp_path: Path) -> None:
    one, two = SigningKey.new(), SigningKey.new()
    made: Package = package().signed(one).signed(two).signed(one)
    assert {each.key for each in made.signatures} == {one.public, two.public}
    assert read_archive(archive(made)) == made
