"""Publishing to and installing from a folder, a git repository and a static index over HTTP."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from library_kit import experience, package, plot

from playhead.errors import LibraryError, PackageError
from playhead.experience.library import (
    FolderIndex,
    GitIndex,
    HttpIndex,
    PackageIndex,
    archive,
    open_index,
    package_of,
    wanted_of,
)
from playhead.govern import SigningKey

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and where it is served."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.startswith("/away/"):
                self.send_response(302)
                self.send_header("Location", "http://elsewhere.example/index.json")
                self.end_headers()
            elif self.path.startswith("/file/"):
                self.send_response(302)
                self.send_header("Location", "file:///etc/passwd")
                self.end_headers()
            else:
                super().do_GET()

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def git(*words: str, cwd: Path | None = None) -> str:
    return subprocess.run(
        ["git", *words], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "shared.git"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
    return path


def publish_two(index: PackageIndex) -> None:
    index.publish(package())
    index.publish(package(version=2))
    index.publish(package_of(plot(), author="Luis"))
    index.publish(package())  # again


def check_two(index: PackageIndex) -> None:
    entries = index.entries()
    assert [(each.name, each.version) for each in entries] == [
        ("cancel-meeting", 1), ("cancel-meeting", 2), ("plot-visits", 1)
    ]  # fmt: skip
    assert index.fetch(wanted_of(entries, "cancel-meeting")) == package(version=2)
    assert index.fetch(wanted_of(entries, "cancel-meeting@1")) == package()
    digest = package().digest.removeprefix("sha256:")[:10]
    assert index.fetch(wanted_of(entries, digest)) == package()
    for wrong in ("nothing", "cancel-meeting@7", ""):
        with pytest.raises(LibraryError, match="has no package"):
            wanted_of(entries, wrong)


def test_a_folder_is_an_index(tmp_path: Path) -> None:
    index = open_index(tmp_path / "shared")
    assert isinstance(index, FolderIndex)
    with pytest.raises(LibraryError, match="publish to it first"):
        index.entries()
    publish_two(index)
    check_two(index)
    assert (tmp_path / "shared" / "index.json").read_bytes().startswith(b'{"index":1')


def test_a_folder_that_is_served_is_an_index(served: tuple[Path, str]) -> None:
    folder, address = served
    publish_two(FolderIndex(folder))
    for named in (address, f"{address}/", f"{address}/index.json"):
        index = open_index(named)
        assert isinstance(index, HttpIndex)
        check_two(index)
    with pytest.raises(LibraryError, match="publish cancel-meeting-1-"):
        index.publish(package())


@needs_git
def test_a_git_repository_is_an_index(repository: Path) -> None:
    index = open_index(str(repository))
    assert isinstance(index, GitIndex)
    with pytest.raises(LibraryError, match="publish to it first"):
        index.entries()
    publish_two(index)
    check_two(index)
    check_two(open_index(f"git+file://{repository}"))
    log = git("--git-dir", str(repository), "log", "--format=%s").splitlines()
    assert log == ["Publish plot-visits 1", "Publish cancel-meeting 2", "Publish cancel-meeting 1"]


@needs_git
def test_other_files_of_a_repository_stay(repository: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git("clone", "--quiet", str(repository), str(work))
    (work / "README").write_text("ours")
    git("add", ".", cwd=work)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "ours", cwd=work)
    git("push", "--quiet", "origin", "HEAD:main", cwd=work)
    index = GitIndex(str(repository), branch="main")
    index.publish(package())
    git("pull", "--quiet", "origin", "main", cwd=work)
    assert (work / "README").read_text() == "ours"
    check = FolderIndex(work)
    assert [each.name for each in check.entries()] == ["cancel-meeting"]


@needs_git
def test_several_publish_to_a_repository_at_the_same_time(repository: Path) -> None:
    GitIndex(str(repository)).publish(package())
    faults: list[BaseException] = []

    def one(version: int) -> None:
        try:
            GitIndex(str(repository)).publish(package(version=version))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=one, args=(version,)) for version in (2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert [each.version for each in GitIndex(str(repository)).entries()] == [1, 2, 3, 4]


@needs_git
def test_a_repository_runs_nothing_here(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks, links, filters and submodules of a stranger: none of them does anything."""
    mark = tmp_path / "ran"
    work = tmp_path / "work"
    FolderIndex(work).publish(package())
    git("init", "--quiet", "--initial-branch=main", str(work))
    (work / ".gitattributes").write_text("* filter=evil\n")
    (work / "packages" / "link").symlink_to("/etc/passwd")
    (work / ".gitmodules").write_text(f'[submodule "x"]\npath = x\nurl = ext::touch {mark}\n')
    git("add", ".", cwd=work)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", cwd=work)
    git("push", "--quiet", str(repository), "HEAD:main", cwd=work)
    config = tmp_path / "gitconfig"
    config.write_text(
        f'[filter "evil"]\n smudge = touch {mark}\n clean = touch {mark}\n'
        f"[core]\n hooksPath = {tmp_path}/hooks\n[init]\n templateDir = {tmp_path}/template\n"
    )
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "post-merge", "pre-push"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    index = GitIndex(str(repository))
    check = index.entries()
    assert index.fetch(check[0]) == package()
    with pytest.raises(LibraryError, match="no file"):
        index.content("link")
    index.publish(package(version=2))
    assert not mark.exists()


@pytest.mark.parametrize(
    "address",
    ["git+ext::sh -c evil", "git+--upload-pack=evil", "git+-x", "git+http://x/y", "ssh://a b",
     "git+", "http://example.com", "ftp://example.com", "file:///etc", "https://", "http://[::",
     "http://localhost.example.com/"],
)  # fmt: skip
def test_odd_addresses_are_refused(address: str) -> None:
    with pytest.raises(LibraryError):
        open_index(address)


def test_redirects_do_not_lead_away(served: tuple[Path, str]) -> None:
    _, address = served
    for path in ("away", "file"):
        with pytest.raises(LibraryError, match=r"is not (read|allowed)"):
            HttpIndex(f"{address}/{path}/").entries()
    with pytest.raises(LibraryError, match="404"):
        HttpIndex(f"{address}/nothing/").entries()
    with pytest.raises(LibraryError, match="cannot be read"):
        HttpIndex("http://127.0.0.1:9/").entries()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"index": 2}', '{"index": 1, "packages": [1]}', "\x00", "[" * 5000,
     '{"index": 1, "packages": [{"name": "../x"}]}'],
)  # fmt: skip
def test_odd_indexes_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(content)
    with pytest.raises(LibraryError):
        FolderIndex(tmp_path).entries()


def test_an_exchanged_package_is_refused(tmp_path: Path) -> None:
    index = FolderIndex(tmp_path)
    index.publish(package())
    (entry,) = index.entries()
    (tmp_path / "packages" / entry.file).write_bytes(archive(package(version=2)))
    with pytest.raises(PackageError, match="was exchanged"):
        index.fetch(entry)


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "x", "a-1-0.experience"])
def test_an_index_cannot_name_other_files(file: str, tmp_path: Path) -> None:
    index = FolderIndex(tmp_path)
    index.publish(package())
    listed = json.loads((tmp_path / "index.json").read_text())
    listed["packages"][0]["file"] = file
    (tmp_path / "index.json").write_text(json.dumps(listed))
    with pytest.raises(PackageError, match="is no name"):
        index.fetch(index.entries()[0])


def test_publishing_again_adds_signatures(tmp_path: Path) -> None:
    index = FolderIndex(tmp_path)
    one, two = SigningKey.new(), SigningKey.new()
    index.publish(package().signed(one))
    index.publish(package().signed(two))
    index.publish(package())
    (entry,) = index.entries()
    assert {each.key for each in index.fetch(entry).signatures} == {one.public, two.public}
    assert len(entry.keys) == 2


PUBLISH = """
import sys
sys.path.insert(0, sys.argv[2])
from library_kit import package
from playhead.experience.library import FolderIndex
index = FolderIndex(sys.argv[1])
print("ready", flush=True)
for version in range(int(sys.argv[3]), 1000, 2):
    index.publish(package(version=version))
    print(version, flush=True)
"""


def test_what_was_published_survives_kills_and_another_process(tmp_path: Path) -> None:
    """Two processes publish and are killed: what they acknowledged is there and whole."""
    said: set[int] = set()
    for kill in range(2):
        children = [
            subprocess.Popen(
                [sys.executable, "-c", PUBLISH, tmp_path, os.path.dirname(__file__),
                 str(1 + first + 100 * kill)],
                stdout=subprocess.PIPE, text=True,
            )
            for first in (0, 1)
        ]  # fmt: skip
        for child in children:
            assert child.stdout is not None
            for _ in range(4):
                line = child.stdout.readline().strip()
                said |= {int(line)} if line.isdigit() else set()
        for child in children:
            child.kill()
            rest, _ = child.communicate()
            said |= {int(line) for line in rest.split() if line.isdigit()}
    index = FolderIndex(tmp_path)
    index.publish(package(version=5000))  # a lock of the dead holds nobody up
    entries = index.entries()
    assert said <= {each.version for each in entries}
    assert len(said) >= 12
    for entry in entries:
        assert index.fetch(entry).manifest.version == entry.version
    assert experience().version == 1
