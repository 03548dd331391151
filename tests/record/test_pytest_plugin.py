"""The pytest plugin, driven by pytest itself: each test here is a small project with tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import playhead.govern
import playhead.orchestrator
import playhead.record.cassettes
import playhead.store  # noqa: F401  (so that runs in this process share these modules)

pytest_plugins = ["pytester"]

MODEL = '''
from pathlib import Path

import playhead as ph
from playhead.llm import Completion


class Counted(ph.Model):
    """Says what it is asked, and leaves a trace of having been asked."""

    provider, name = "test", "counted"

    async def complete(self, request, on_delta=None):
        with Path("asked.txt").open("a") as file:
            file.write("x")
        if Path("gone").exists():
            raise AssertionError("the model is gone")
        (*_, last) = request.prompt
        return Completion(ph.assistant(f"You said: {last.text}"))


def say(cassette, text, **options):
    agent = cassette.agent(ph.Agent("a", model=Counted(), **options))
    return ph.run_sync(agent, text, store=ph.MemoryStore()).answer
'''

TESTS = """
import pytest
from helper import say


def test_plain(cassette):
    assert say(cassette, "Hello") == "You said: Hello"


class TestInClass:
    @pytest.mark.parametrize("text", ["a", "b/../c", "é"])
    def test_it(self, playhead_cassette, text):
        assert say(playhead_cassette, text) == f"You said: {text}"
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(helper=MODEL)
    pytester.syspathinsert()
    return pytester


def run(project: pytest.Pytester, *words: str, apart: bool = False) -> pytest.RunResult:
    """Run the project's tests, in this process or apart from it."""
    runs = project.runpytest_subprocess if apart else project.runpytest_inprocess
    scope = "asyncio_default_fixture_loop_scope=function"  # pytest-asyncio asks for it
    return runs("-p", "no:cacheprovider", "-o", scope, *words)


def asked(project: pytest.Pytester) -> int:
    trace = project.path / "asked.txt"
    return len(trace.read_text()) if trace.exists() else 0


def files(project: pytest.Pytester) -> dict[str, str]:
    found = sorted(project.path.rglob("cassettes/**/*"))
    return {str(p.relative_to(project.path)): p.read_text() for p in found if p.is_file()}


def test_recorded_then_replayed_with_the_model_gone(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    run(project, "--playhead=record").assert_outcomes(passed=4)
    made = files(project)
    names = {Path(name).name for name in made}
    assert {Path(name).parent for name in made} == {Path("cassettes/test_it")}
    assert {"TestInClass.test_it[a].json", "test_plain.json"} < names
    (odd,) = (name for name in names if "b_.._c" in name)
    assert odd.startswith("TestInClass.test_it[b_.._c]-")
    assert all(json.loads(text)["playhead_cassette"] == 1 for text in made.values())
    assert json.loads(made["cassettes/test_it/test_plain.json"])["test"] == "test_it.py::test_plain"
    (project.path / "gone").touch()
    for words in ((), ("--playhead=replay",), ("--playhead=new",)):
        run(project, *words).assert_outcomes(passed=4)
    assert asked(project) == 4
    assert files(project) == made


def test_nobody_is_asked_before_it_is_said(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    result = run(project)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["*there is no cassette*test_plain.json* yet*--playhead=new*"])
    assert (asked(project), files(project)) == (0, {})


def test_live_neither_reads_nor_writes(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    run(project, "--playhead=live").assert_outcomes(passed=4)
    assert (asked(project), files(project)) == (4, {})


def test_a_changed_prompt_fails_with_the_difference(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    run(project, "--playhead=record")
    project.makepyfile(test_it=TESTS.replace('"Hello")', '"Hello, you")'))
    result = run(project, "-k", "plain")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*The nearest is call 0*was Hello, now Hello, you*"])


def test_the_tests_own_failure_is_shown_and_the_miss_beside_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        from helper import say

        def test_it(cassette):
            try:
                say(cassette, "Hello")
            finally:
                assert 1 == 2
        """
    )
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2*", "*Captured playhead call*", "*no cassette*"])


def test_a_miss_that_the_test_swallows_fails_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        from helper import say

        def test_careless(cassette):
            try:
                say(cassette, "Hello")
            except Exception:
                pass
        """
    )
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no cassette*"])


def test_only_a_test_that_passed_is_written(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pytest
        from helper import say

        def test_fails(cassette):
            say(cassette, "Hello")
            assert False

        def test_skips(cassette):
            say(cassette, "Hello")
            pytest.skip("no")

        @pytest.mark.xfail
        def test_known(cassette):
            say(cassette, "Hello")
            assert False
        """
    )
    run(project, "--playhead=record").assert_outcomes(failed=1, skipped=1, xfailed=1)
    assert asked(project) == 3
    assert files(project) == {}


def test_a_failing_test_leaves_its_cassette_as_it_was(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    run(project, "--playhead=record")
    before = files(project)
    project.makepyfile(test_it=TESTS.replace('== "You said: Hello"', '== "else"'))
    run(project, "--playhead=record", "-k", "plain").assert_outcomes(failed=1)
    assert files(project) == before


def test_recordings_that_are_not_used_any_more_are_told(project: pytest.Pytester) -> None:
    two = """
        from helper import say

        def test_it(cassette):
            say(cassette, "one")
            say(cassette, "two")
        """
    project.makepyfile(test_it=two)
    run(project, "--playhead=record").assert_outcomes(passed=1)
    project.makepyfile(test_it=two.replace('say(cassette, "two")', ""))
    result = run(project, apart=True)
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*1 recorded calls of *test_it.json* are not made any more*"])
    run(project, "-W", "error", apart=True).assert_outcomes(failed=1)
    run(project, "--playhead=new").assert_outcomes(passed=1)
    run(project, "-W", "error", apart=True).assert_outcomes(passed=1)
    assert asked(project) == 2


def test_side_by_side_under_xdist(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS, test_too=TESTS)
    run(project, "--playhead=record", "-n", "2").assert_outcomes(passed=8)
    made = files(project)
    assert len(made) == 8
    (project.path / "gone").touch()
    run(project, "-n", "2").assert_outcomes(passed=8)
    run(project, "-n", "2", "--dist", "loadgroup").assert_outcomes(passed=8)
    assert files(project) == made


def test_groups_of_xdist_change_no_name(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pytest
        from helper import say

        @pytest.mark.xdist_group("g")
        @pytest.mark.parametrize("mail", ["a@b"])
        def test_it(cassette, mail):
            say(cassette, mail)
        """
    )
    run(project, "--playhead=record", "-n", "1", "--dist", "loadgroup").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize("how", ["asyncio", "anyio"])
def test_async_tests(project: pytest.Pytester, how: str) -> None:
    project.makepyfile(
        test_it=f"""
        import pytest
        import playhead as ph
        from helper import Counted

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.{how}
        async def test_it(cassette):
            agent = cassette.agent(ph.Agent("a", model=Counted()))
            tape = await ph.run(agent, "Hello", store=ph.MemoryStore())
            assert tape.answer == "You said: Hello"
        """
    )
    words = ("-o", "asyncio_mode=strict")
    run(project, "--playhead=record", *words).assert_outcomes(passed=1)
    (project.path / "gone").touch()
    run(project, *words).assert_outcomes(passed=1)
    assert asked(project) == 1


def test_a_redactor_of_the_projects_own(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        import pytest
        from playhead.govern import Redactor, default_rules

        @pytest.fixture
        def playhead_redactor():
            return Redactor(default_rules(), also=lambda text: text.replace("Ana", "⟦name⟧"))
        """
    )
    key = "sk-proj-4f9d8a7b6c5e4d3f2a1b0c9d8e7f6a5b"
    project.makepyfile(
        test_it=f"""
        from helper import say

        def test_it(cassette):
            assert "You said" in say(cassette, "I am Ana, my key is {key}")
        """
    )
    run(project, "--playhead=record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    (text,) = files(project).values()
    assert "⟦name⟧" in text
    for secret in ("Ana", key):
        assert secret not in text


def test_a_cassette_that_cannot_be_read_is_named(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    folder = project.mkdir("cassettes")
    (folder / "test_it").mkdir()
    (folder / "test_it" / "test_plain.json").write_text("{")
    result = run(project, "-k", "plain")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*CassetteError:*test_plain.json*record it again*"])
    run(project, "-k", "plain", "--playhead=record").assert_outcomes(passed=1)


def test_who_does_not_use_it_pays_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import sys

        def test_nothing_is_imported():
            ours = {name for name in sys.modules if name.startswith("playhead")}
            assert ours == {"playhead", "playhead.pytest_plugin"}
            assert "pydantic" not in sys.modules
        """
    )
    others = ("-p", "no:anyio", "-p", "no:langsmith_plugin")  # which import more than they need
    run(project, *others, apart=True).assert_outcomes(passed=1)


def test_the_help_says_what_each_mode_means(project: pytest.Pytester) -> None:
    text = " ".join(run(project, "--help").stdout.str().split())
    assert "--playhead={replay,new,record,live}" in text
    for said in (
        "a call that is not recorded fails the test",
        "what is not recorded is asked for and added",
        "cassettes are neither read nor written",
    ):
        assert said in text
