"""What an evaluation came to, in tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from playhead.cli._output import PlainConsole
from playhead.cli._plots import amount, duration
from playhead.cli._text import plural
from playhead.evaluate import CandidateSummary, EvaluationResult, Figure, GateFinding, Pair, Summary
from playhead.tape import one_line

_SENTENCES = 3  # comparisons that are told in words
_WIDE = 100  # columns that costs and times take part in


def show_summary(console: PlainConsole, result: EvaluationResult, summary: Summary) -> None:
    """A row for each candidate, a line for each comparison."""
    about = result.about
    console.print(
        Text.assemble(
            (one_line(about.suite, 60), "bold"),
            f"  {plural(about.tasks, 'task')} × {plural(about.trials, 'trial')}",
            (f"  seed {about.seed}" + ("" if result.finished else "  not finished"), "dim"),
        ),
        soft_wrap=True,
    )
    console.print()
    console.print(_table(summary, wide=console.width >= _WIDE))
    if len(summary.pairs) <= _SENTENCES:
        for pair in summary.pairs:
            console.print(Text.assemble("\n", pair_text(pair, summary.measure)), soft_wrap=True)
    else:
        console.print()
        console.print(_pairs(summary.pairs))
    if summary.lacking:
        console.print(Text(f"\n{summary.lacking}", style="yellow"), soft_wrap=True)


def _table(summary: Summary, *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("candidate", no_wrap=True, overflow="ellipsis", max_width=32)
    scorers = list(dict.fromkeys(name for each in summary.candidates for name in each.scores))
    shown = scorers if len(scorers) > 1 or summary.measure != "passed" else []
    tries = max((max(each.pass_hat, default=1) for each in summary.candidates), default=1)
    names = ["passed", *(one_line(name, 16) for name in shown[:3])]
    names += [f"pass@{tries}", f"pass^{tries}"] if tries > 1 else []
    names += ["$", "tokens", "p50", "steps"] if wide else []
    for name in [*names, ""]:
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for each in summary.candidates:
        cells = [figure_text(each.pass_rate), *(figure_text(each.scores.get(n)) for n in shown[:3])]
        if tries > 1:
            cells += [share(each.pass_at.get(tries)), share(each.pass_hat.get(tries))]
        cells += _spent(each) if wide else []
        table.add_row(Text(one_line(each.name, 60)), *cells, _faults(each))
    return table


def _pairs(pairs: Sequence[Pair]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("compared", "with", "points", "95 %", "p", ""):
        table.add_column(name, justify="right" if name in ("points", "95 %", "p") else "left")
    for pair in pairs:
        interval = ""
        if pair.low is not None and pair.high is not None:
            interval = f"[{100 * pair.low:+.1f}, {100 * pair.high:+.1f}]"
        style = {"better": "green", "worse": "red", "open": "dim"}[pair.verdict]
        table.add_row(
            Text(one_line(pair.candidate, 40)),
            Text(one_line(pair.baseline, 40)),
            f"{100 * pair.difference:+.1f}",
            interval,
            "" if pair.p_adjusted is None else f"{pair.p_adjusted:.2g}",
            Text("not told apart" if pair.verdict == "open" else pair.verdict, style=style),
        )
    return table


def _spent(each: CandidateSummary) -> list[str]:
    spent = each.spent
    tokens = [spent[name].total for name in ("input_tokens", "output_tokens") if name in spent]
    return [
        f"{spent['usd'].total:.4f}" if _all_known(each, "usd") else "",
        amount(int(sum(tokens))) if any(tokens) else "",
        duration(spent["seconds"].median) if "seconds" in spent else "",
        f"{spent['steps'].mean:.1f}" if "steps" in spent else "",
    ]


def _all_known(each: CandidateSummary, what: str) -> bool:
    """Whether a sum is the whole: a price that is not known makes it none."""
    return what in each.spent and each.spent[what].trials == each.trials


def _faults(each: CandidateSummary) -> Text:
    facts = [plural(each.errors, "error")] if each.errors else []
    facts += [f"{each.unscored} unscored"] if each.unscored else []
    facts += [f"{each.missing} missing"] if each.missing else []
    return Text(", ".join(facts), style="red")


def figure_text(figure: Figure | None) -> str:
    """A share with its interval, in percent."""
    if figure is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.1%}"
    return f"{figure.value:.1%} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"


def share(figure: Figure | None) -> str:
    """A share in percent."""
    return "–" if figure is None else f"{figure.value:.1%}"


def pair_text(pair: Pair, measure: str) -> Text:
    """Who is better, by how much, and how sure that is, in one sentence."""
    points = f"{100 * abs(pair.difference):.1f} points"
    name, other = one_line(pair.candidate, 60), one_line(pair.baseline, 60)
    of = "" if measure == "passed" else f" in {one_line(measure, 30)}"
    if pair.verdict == "open":
        if pair.detectable is None:
            said = f"not told apart{of}: too few tasks both tried ({pair.tasks})"
        else:
            said = (
                f"not told apart{of} ({100 * pair.difference:+.1f} points{_sure(pair)}); a "
                f"difference below {100 * pair.detectable:.1f} points would be missed more "
                "than one time in five"
            )
        return Text.assemble((f"{name} and {other}", "bold"), f" are {said}")
    style = "green" if pair.verdict == "better" else "red"
    return Text.assemble(
        (name, "bold"), " is ", (f"{pair.verdict} than {other} by {points}", style),
        f"{of}{_sure(pair)}",
    )  # fmt: skip


def _sure(pair: Pair) -> str:
    if pair.low is None or pair.high is None or pair.p_adjusted is None:
        return ""
    interval = f"[{100 * pair.low:+.1f}, {100 * pair.high:+.1f}]"
    return f" {interval}, p = {pair.p_adjusted:.2g}, paired over {pair.tasks} tasks"


def show_findings(console: PlainConsole, findings: Sequence[GateFinding]) -> None:
    """What became of each condition of the gate, and what it could have noticed."""
    for each in findings:
        share_like = _is_share(each)
        sign, style = ("✗", "bold red") if each.fails else ("✓", "green")
        line = Text.assemble(
            (f"{sign} {one_line(each.condition.text, 60)}", style),
            f"  {one_line(each.candidate, 60)}: {_value(each.was, share_like)} → "
            f"{_value(each.now, share_like)}",
        )
        if each.p_value is not None and each.condition.amount is None:
            line.append(f", p = {each.p_value:.2g}")
        console.print(line, soft_wrap=True)
        console.print(Text(f"    {power_text(each)}", style="dim"), soft_wrap=True)


def power_text(finding: GateFinding) -> str:
    """What a condition could have noticed with so many trials."""
    seen, share_like = finding.comparison, _is_share(finding)
    if finding.condition.amount is not None:
        low, high = _value(seen.low, share_like), _value(seen.high, share_like)
        return f"the true change is between {low} and {high} (90 %), over {seen.tasks} tasks"
    if seen.detectable is None:
        return f"power: not known over {seen.tasks} tasks{': ' if seen.note else ''}{seen.note}"
    said = f"a change of {_value(seen.detectable, share_like)} is noticed with 80 % power"
    if share_like and seen.power is not None:
        said += f", one of {100 * seen.effect:.0f} points with {seen.power:.0%}"
    return f"power: {said}, over {seen.tasks} tasks"


def _is_share(finding: GateFinding) -> bool:
    return finding.condition.measure not in (
        "usd", "tokens", "seconds", "steps", "model_calls", "tool_calls"
    )  # fmt: skip


def _value(value: float | None, share_like: bool) -> str:
    if value is None:
        return "?"
    return f"{value:.1%}" if share_like else f"{value:.4g}"
