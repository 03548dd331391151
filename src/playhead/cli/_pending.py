"""What waits for a decision, and decisions about it from another process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from rich.text import Text

import playhead as ph
from playhead.cli._ask import choice_of, find_action, verdict
from playhead.cli._guard import DONE, UsageFault
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._privacy import guard_of
from playhead.cli._report import store_words
from playhead.cli._tapes import find, open_store
from playhead.cli._text import local_time, one_line, short_id
from playhead.orchestrator import waiting_on
from playhead.tape import call_text


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it was typed."""

    action: str
    word: str
    message: str | None
    arguments: str | None
    result: str | None
    by: str | None

    def verdict(self, request: str) -> ph.Verdict:
        """The decision, if it fits the request.

        Raises:
            UsageFault: It does not.
        """
        text = self.word
        for name, value in (("edit", self.arguments), ("result", self.result)):
            option = {"edit": "arguments", "result": "result"}[name]
            if value is not None and self.word != name:
                raise UsageFault(f"`--{option}` goes with the decision `{name}` alone")
            if self.word == name:
                if value is None:
                    raise UsageFault(f"`{name}` needs `--{option} JSON`")
                text = f"{name}:{value}"
        found = verdict(text, request)
        return replace(found, message=self.message or found.message, by=self.by)


def pending(common: Common, text: str | None) -> int:
    """List what waits."""
    output = Output(as_json=common.as_json)

    async def main() -> list[ph.PendingAction]:
        async with open_store(common) as store:
            tape = await find(store, text) if text is not None else None
            return await ph.pending(store, tape=tape)

    found = asyncio.run(main())
    if output.as_json:
        output.document({"pending": [action.as_json() for action in found]})
        return DONE
    for action in found:
        _show(output, action, common)
    if not found:
        output.message("nothing waits for a decision", "dim")
    return DONE


def _show(output: Output, action: ph.PendingAction, common: Common) -> None:
    facts = [local_time(action.since), one_line(action.agent, 40), action.why.replace("_", " ")]
    facts += ["a session waits"] if action.live else []
    facts += [f"decided: {action.decided}"] if action.decided else []
    head = Text.assemble(
        (short_id(action.tape), "bold"),
        f" step {action.seq}  ",
        (one_line(call_text(action.name, action.arguments)), "yellow"),
        f"  [{action.effect or 'unknown effect'}]",
    )
    output.out.print(head, soft_wrap=True)
    output.out.print(Text(f"  {', '.join(filter(None, facts))}", style="dim"), soft_wrap=True)
    if action.message:
        output.out.print(Text(f"  {one_line(action.message)}"), soft_wrap=True)
    if not action.decided:
        output.out.print(Text(f"  {hint(action, common)}", style="dim"), soft_wrap=True)


def hint(action: ph.PendingAction, common: Common) -> str:
    """The command that decides about an action."""
    words = ["playhead", "decide", short_id(action.tape), str(action.seq), choice_of(action.why)]
    return " ".join([*words, *store_words(common)])


def decide(
    common: Common,
    text: str,
    said: Decision,
    *,
    resume: tuple[str | None, list[str] | None] | None,
) -> int:
    """Decide about an action; `resume` names the agent and environments to go on with."""

    async def main() -> tuple[ph.PendingAction, ph.Verdict, bool]:
        async with open_store(common) as store:
            tape = await store.open(await find(store, text))
            action = find_action(said.action, waiting_on(tape))
            wanted = said.verdict(action.why)
            if resume is not None and not await store.is_owned(tape.id):
                return action, wanted, False
            with guard_of(common.privacy) as guard:
                live = await ph.decide(tape, {action.action: wanted}, store=store, privacy=guard)
            return replace(action, live=live), wanted, True

    action, wanted, posted = asyncio.run(main())
    if not posted:
        assert resume is not None
        return _resume(common, action, wanted, resume)
    _tell(Output(as_json=common.as_json), action, wanted, common)
    return DONE


def _resume(
    common: Common,
    action: ph.PendingAction,
    wanted: ph.Verdict,
    names: tuple[str | None, list[str] | None],
) -> int:
    from playhead.cli import _sessions

    agent, environments = names
    asked = _sessions.Wanted(common, agent, environments, ph.Budget())
    return _sessions.resume_with(asked, action.tape, {action.action: wanted})


def _tell(output: Output, action: ph.PendingAction, wanted: ph.Verdict, common: Common) -> None:
    if output.as_json:
        output.document(
            {
                "tape": action.tape,
                "action": action.action,
                "seq": action.seq,
                "decision": wanted.decision,
                "live": action.live,
            }
        )
        return
    what = f"{wanted.decision}: {one_line(call_text(action.name, action.arguments), 300)}"
    output.out.print(Text(what), soft_wrap=True)
    if action.live:
        output.message("the session that owns the tape takes it from the inbox", "dim")
        return
    words = ["playhead", "resume", short_id(action.tape), "--agent", "AGENT", *store_words(common)]
    output.message(f"it waits in the inbox; go on with: {' '.join(words)}", "dim")
