"""The program: its commands, and what is said about them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from playhead.cli import (
    _caring,
    _check,
    _checking,
    _evaluating,
    _judging,
    _learn,
    _library,
    _looking,
    _new,
    _people,
    _play,
    _recording,
    _run,
    _serve_mcp,
)
from playhead.cli._faults import Program
from playhead.cli._guard import guarded
from playhead.cli._help import EXAMPLES, PROGRAM

_NEWEST = re.compile("-[1-9][0-9]*")


class TapeCommand(TyperCommand):
    """A command whose arguments may be `-1`, `-2` …: tapes, not options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (typer's own)
        """Write `-2` as `~2`, unless it is the value of an option."""
        valued = {
            name
            for param in self.params
            if param.param_type_name == "option" and not getattr(param, "is_flag", False)
            for name in param.opts
        }
        words = [
            f"~{word[1:]}" if _NEWEST.fullmatch(word) and before not in valued else word
            for before, word in zip(["", *args], args, strict=False)
        ]
        return super().parse_args(ctx, words)


app = typer.Typer(
    cls=Program,
    help=PROGRAM,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS: tuple[Callable[..., int], ...] = (
    _checking.demo,
    _new.new,
    _run.run,
    _run.resume,
    _run.fork,
    _people.pending,
    _people.decide,
    _checking.replay,
    _looking.ls,
    _looking.show,
    _looking.diff,
    _caring.search,
    _caring.tail,
    _caring.stats,
    _evaluating.eval_,
    _evaluating.report,
    _judging.label,
    _judging.agreement,
    _learn.learn,
    _check.check,
    _play.play,
    _checking.verify,
    _caring.export,
    _caring.import_,
    _caring.rm,
    _caring.erase,
    _caring.doctor,
)
for _function in _COMMANDS:
    _name = _function.__name__.rstrip("_")
    _kind = (
        TyperCommand if _name in ("new", "run", "search", "doctor", "eval", "play") else TapeCommand
    )
    app.command(_name, cls=_kind, epilog=EXAMPLES[_name])(guarded(_function))
_WORDS: tuple[tuple[typer.Typer, str, str, Callable[..., int], type[TyperCommand]], ...] = (
    (_recording.record_app, "mcp", "record mcp", _recording.record_mcp, TyperCommand),
    (app, "replay mcp", "replay mcp", _recording.replay_mcp, TapeCommand),
    (_recording.record_app, "llm", "record llm", _recording.record_llm, TyperCommand),
    (app, "replay llm", "replay llm", _recording.replay_llm, TapeCommand),
)
_WORDS += tuple(
    (_library.library_app, name, f"library {name}", function, TyperCommand)
    for name, function in (
        ("ls", _library.library_ls),
        ("show", _library.library_show),
        ("search", _library.library_search),
        ("add", _library.library_add),
        ("rm", _library.library_rm),
        ("trust", _library.library_trust),
        ("rate", _library.library_rate),
        ("guard", _library.library_guard),
        ("stats", _library.library_stats),
        ("publish", _library.library_publish),
        ("install", _library.library_install),
        ("keys", _library.library_keys),
    )
)
_WORDS += ((_serve_mcp.serve_app, "mcp", "serve mcp", _serve_mcp.serve_mcp, TyperCommand),)
for _group, _name, _whole, _function, _kind in _WORDS:
    _group.command(_name, cls=_kind, epilog=EXAMPLES[_whole])(guarded(_function))
app.add_typer(_recording.record_app, name="record")
app.add_typer(_library.library_app, name="library")
app.add_typer(_serve_mcp.serve_app, name="serve")


def _version(wanted: bool) -> None:
    if wanted:
        from playhead import __version__

        typer.echo(f"playhead {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass
