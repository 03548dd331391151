"""`record otlp` and `export --otlp`: traces in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.text import Text

from playhead.cli._converting import with_losses
from playhead.cli._guard import DONE, NEGATIVE, STORE, UsageFault
from playhead.cli._loop import until_stopped
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._record_llm import Place, Rules
from playhead.cli._tapes import all_tapes, find, open_store, read
from playhead.cli._text import one_line, plural
from playhead.record.otlp import OTLPReceiver, Sent, send_tapes
from playhead.store import SqliteStore


def record(common: Common, rules: Rules, place: Place, *, settle: float) -> int:
    """Receive traces and record them."""
    output = Output(as_json=True)

    async def main() -> OTLPReceiver:
        async with open_store(common) as store:
            receiver = OTLPReceiver(
                store, redactor=rules.redactor(), settle=settle, on_fault=output.message
            )
            async with receiver.serve(host=place.host, port=place.port) as url:
                output.message(f"receives traces at {url} (Ctrl-C ends it)")
                await until_stopped()
        return receiver

    receiver = asyncio.run(main())
    traces, faults = receiver.traces, receiver.recorder.faults
    said = f"recorded {plural(traces.written, 'span')}"
    if traces.others:
        said += f"; {plural(traces.others, 'other span')} without a model, agent or tool"
    if receiver.rejected:
        said += f"; rejected {plural(receiver.rejected, 'span')}"
    output.message(said + ("; not all was recorded" if faults else ""))
    return STORE if faults else DONE


def export(common: Common, names: Sequence[str], *, everything: bool, url: str) -> int:
    """Send tapes to a receiver of traces."""
    if bool(names) == everything:
        raise UsageFault("say which: one or more TAPEs, or --all")
    output = Output(as_json=common.as_json)

    async def work(store: SqliteStore) -> Sent:
        found = [await find(store, name) for name in names]
        tapes = (await all_tapes(store))[::-1] if everything else list(dict.fromkeys(found))
        return await send_tapes(store, tapes, url=url)

    sent = read(common, work)
    if output.as_json:
        counts = {"tapes": sent.tapes, "spans": sent.spans, "rejected": sent.rejected}
        told = {"messages": sent.messages, "losses": sent.losses.as_json()}
        output.document({"url": url, **counts, **told})
    else:
        said = f"{plural(sent.spans, 'span')} of {plural(sent.tapes, 'tape')} sent"
        output.out.print(with_losses(Text(said), sent.losses), soft_wrap=True)
    for message in sent.messages:
        output.message(f"not all was taken: {one_line(message)}", "bold red")
    return NEGATIVE if sent.rejected else DONE
