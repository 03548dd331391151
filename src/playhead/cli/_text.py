"""Text from tapes, made harmless and short for a terminal."""

from __future__ import annotations

import re
from datetime import datetime

# What moves the cursor, hides text or turns its direction: controls, separators, bidirectional
# marks, zero width, tags, halves of surrogate pairs.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
)
_BLOCK = re.compile(f"[{_UNSAFE}]")
_LINE = re.compile(f"[\t\n{_UNSAFE}]")
_SPACE = re.compile(r"[ \t\r\n]+")
_ONE_LINE = 600  # characters: wider than terminals are


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"\\u{code:04x}"


def clean(text: str) -> str:
    """The text with control characters made visible; line breaks and tabs stay."""
    return _BLOCK.sub(_visible, text)


def one_line(text: str, limit: int = _ONE_LINE) -> str:
    """The beginning of a text on one line, with control characters made visible."""
    start = _SPACE.sub(" ", text[: limit + 1]).strip(" ")
    short = start[:limit] + ("…" if len(text) > limit else "")
    return _LINE.sub(_visible, short)


def capped(text: str, limit: int) -> str:
    """The text, cut where it is longer, and how much was cut."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} characters more)"


def short_id(tape: str) -> str:
    """The last 8 digits of an id: the first ones are a time, alike for neighbours."""
    return one_line(tape)[-8:]


def local_time(text: str) -> str:
    """A time of a tape on the clock of this place, to the minute."""
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return one_line(text, 20)


def size(count: int) -> str:
    """A number of bytes for people."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the loop returns")


def plural(count: int, noun: str) -> str:
    """A number and its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
