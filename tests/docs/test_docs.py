"""The README and docs/ are executed, their links lead somewhere, and nothing public is left out."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.util._once import Once
from pages import PAGES, REFERENCE, ROOT, WRITTEN, blocks, commands, run_page, unlike

import playhead

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def set_up_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a page sets up for its process lasts no longer than the page."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    yield
    logging.getLogger("playhead").setLevel(logging.NOTSET)


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
@pytest.mark.usefixtures("set_up_alone")
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(without_code(page.read_text())):
        if "://" in target:
            continue
        there = (page.parent / target) if target else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{page.name} links to {target}#{anchor}"


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def only_code(text: str) -> str:
    fenced = re.findall(r"^```.*?^```$", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*fenced, *re.findall(r"`[^`\n]*`", text)])


def anchors(page: Path) -> set[str]:
    """What code hosts make of the headings of a page, if no two are alike."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_stands_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target, _ in LINK.findall(index.read_text())}
    missing = [name_of(page) for page in PAGES[1:] if page != index and page not in linked]
    assert missing == []


def test_every_name_of_the_door_stands_in_a_page() -> None:
    code = (only_code(page.read_text()) for page in WRITTEN)
    words = {word for text in code for word in re.findall(r"\w+", text)}
    assert [name for name in playhead.__all__ if name not in words] == []


def test_the_reference_is_current() -> None:
    check = [sys.executable, ROOT / "tools" / "make_reference.py", "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_of_names_is_current() -> None:
    check = [sys.executable, ROOT / "tools" / "make_otlp_table.py", "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_stale_reference_is_found(tmp_path: Path) -> None:
    for page in REFERENCE.iterdir():
        (tmp_path / page.name).write_text(page.read_text())
    (tmp_path / "store.md").write_text("something else\n")
    (tmp_path / "gone.md").write_text("of a folder that is not there any more\n")
    check = [sys.executable, ROOT / "tools" / "make_reference.py", "--check", "--to", tmp_path]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 1
    assert "store.md" in done.stderr
    assert "gone.md" in done.stderr
    assert "errors.md" not in done.stderr


def test_changelog_and_contributing_are_short_and_there() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 100
    assert "0.1.0" in (ROOT / "CHANGELOG.md").read_text()


def page_of(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text)
    return page


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert False\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ echo one\n```\n",
        "```console\n$ true\none\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ exit 3  # exit code 4\n```\n",
        "```console\n$ printf 'one\\ntwo\\n'\none\n```\n",
        "```python\n# note.py\nx = 1\n```\n\n```console\n$ python note.py; cat note.yaml\n```\n",
    ],
)
def test_a_page_that_says_something_else_than_happens_fails(tmp_path: Path, text: str) -> None:
    with pytest.raises(AssertionError):
        run_page(page_of(tmp_path, text), tmp_path)


def test_what_a_page_may_leave_out(tmp_path: Path) -> None:
    text = (
        "```python\n# note.py\nprint('one\\n\\ntwo 17 three\\nfour')\n```\n\n"
        "```py\nassert False, 'other code is not run'\n```\n\n"
        "```console\n$ python note.py\none\ntwo … three\n…\n$ exit 3  # exit code 3\n```\n"
    )
    run_page(page_of(tmp_path, text), tmp_path)


def test_keys_of_the_person_who_tests_are_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("PLAYHEAD_STORE", "elsewhere.db")
    text = '```console\n$ echo "[$OPENAI_API_KEY$PLAYHEAD_STORE]"\n[]\n```\n'
    run_page(page_of(tmp_path, text), tmp_path)


def test_blocks_and_commands_are_told_apart() -> None:
    text = "```sh\nmake\n```\n\n```console\n$ a\nb\n$ c\n```\n"
    assert [(block.language, block.line) for block in blocks(text)] == [("sh", 1), ("console", 5)]
    assert commands("$ a\nb\n$ c\n") == [("a", ["b"]), ("c", [])]
    assert unlike(["…", "b"], ["a", "a", "b"]) is None
    assert unlike(["…", "b"], ["a", "b", "c"]) is not None
