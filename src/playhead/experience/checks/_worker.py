"""A process that evaluates the checks of strangers, and can be lost without harm.

It speaks JSON over its streams, each message after its length. The first message has the limits
that it sets itself; nothing that it reads is code, so it keeps them.
"""

from __future__ import annotations

import json
import os
import resource
from typing import Any, BinaryIO

from playhead.errors import PlayheadError
from playhead.govern import Check, Relation, Shape
from playhead.tape import Json

LENGTH = 4  # bytes before a message
_TOO_MUCH = "it needs more memory than a check may have"
_WARM: dict[str, Json] = {
    "cel": "value.text.matches('a+')",
    "shape": {"properties": {"text": {"pattern": "a+"}}},
}


def write_message(stream: BinaryIO, said: object) -> None:
    """Send a message."""
    data = json.dumps(said).encode()
    stream.write(len(data).to_bytes(LENGTH, "big") + data)
    stream.flush()


def read_message(stream: BinaryIO) -> Any | None:  # noqa: ANN401  (JSON)
    """The next message; None at the end."""
    length = stream.read(LENGTH)
    if len(length) < LENGTH:
        return None
    return json.loads(stream.read(int.from_bytes(length, "big")))


def limit(*, memory: int) -> None:
    """Take no more memory than so many bytes beyond what is taken already, and write no file."""
    taken = _taken()
    for what, most in (
        (resource.RLIMIT_AS, taken + memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _taken() -> int:
    """Bytes of address space that this process has."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux: a generous guess
        return 1 << 30


def allow(seconds: int) -> None:
    """Use no more than so many seconds of a processor from now on."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def answer(said: dict[str, Any]) -> str | None:
    """Why a check does not hold, or cannot be compiled; None if all is well."""
    try:
        check = Check.of(said["check"], tuple(said["names"]))
        fault = check.fault(said["value"]) if "value" in said else None
    except PlayheadError as error:
        fault = error.message
    except MemoryError:
        return _TOO_MUCH
    return _TOO_MUCH if fault is not None and "bad_alloc" in fault else fault


def main() -> None:
    """Answer until there is nobody who asks."""
    reading, writing = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    hello = read_message(reading)
    if hello is None:
        return
    try:
        Check.of(_WARM).fault({"text": "a"})  # what the engines need is taken before the limit
        Relation("value.all(x, x > 1.5)").fault([1])
        Shape({"type": "string"}).fault("a")
        limit(memory=hello["memory"])
    except (OSError, ValueError, PlayheadError) as error:
        write_message(writing, {"refused": str(error)})
        return
    write_message(writing, {"ready": True})
    while (said := read_message(reading)) is not None:
        allow(hello["seconds"])
        write_message(writing, {"fault": answer(said)})


if __name__ == "__main__":
    main()
