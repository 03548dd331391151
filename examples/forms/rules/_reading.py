"""What a person means by a message, by rules: the part of a rule model that understands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from examples.forms.form import Form, Slot
from examples.forms.values import NO, SKIP, YES, plain, write_value
from playhead.tape import Json

_IS = r"(?:is|are|should be|will be|would be|shall be|:|=)"
_END = (
    r"(?=\s*(?:$|;|\n|[.!](?:\s|$)|, (?:my|the|and|not|for|as)\b|,? and (?:my|the|for)\b|, please))"
)
_SENTENCE = re.compile(r"[^.!?;\n]*(?:[.!?](?=\S)[^.!?;\n]*)*[.!?;\n]?")
_SKIP = re.compile(
    r"\b(skip|leave (?:it|that|this|out|the)|left out|rather not say|pass on (?:it|that|this))\b",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"\b(want to (?:stop|leave|cancel this)|stop here|forget (?:it|about it)|changed my mind|"
    r"never ?mind|give up)\b",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^\W*(?:yes|correct|that'?s right|right|sure|go ahead|please do)\b", re.IGNORECASE
)
_NO = re.compile(r"^\W*(?:no|wait|not yet|don'?t|hold on)\b", re.IGNORECASE)
_FILLER = re.compile(
    r"^(?:well|ok|okay|sure|of course|hi|hello|it is|it's|that is|that would be|i take|"
    r"i would say|make it|let me see|thank you|thanks|actually|sorry|please)[,.:!]?\s+",
    re.IGNORECASE,
)
_POLITE = re.compile(r"[,\s]*\b(?:please|thank you|thanks|i think|if that is fine)\b[\s.!]*$", re.I)
_SUBJECT = re.compile(r"\bmy ([a-z][a-z ]{2,30}?) (?:is|are|should be) ([^.;,\n]+)", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")


@dataclass(slots=True)
class Reading:
    """What a message says.

    Args:
        values: By slot, the person's own words; `<|skip|>` for a skip.
        questions: What is asked, word by word.
        unknown: What the person names that is no slot.
        assent: Yes or no to what the agent asked; None if neither.
        leaves: Whether the person wants to leave.
        strays: What is said of something else.
    """

    values: dict[str, Json] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    assent: bool | None = None
    leaves: bool = False
    strays: list[str] = field(default_factory=list)


def read_message(
    text: str, form: Form, *, asked: Sequence[str] = (), waiting: str | None = None
) -> Reading:
    """Read a message, in the light of what the agent asked last."""
    reading = Reading()
    rest = _named_values(text, form, reading)
    bare: list[str] = []
    for sentence in (each.strip() for each in _SENTENCE.findall(rest)):
        if not re.search(r"\w", sentence):
            continue
        if sentence.endswith("?"):
            reading.questions.append(sentence)
        elif _LEAVE.search(sentence):
            reading.leaves = True
        elif _SKIP.search(sentence):
            _skips(sentence, form, asked, reading)
        elif found := _SUBJECT.search(sentence):
            reading.unknown.append(found[1].strip())
        elif waiting in ("call", "exit") and (_YES.match(sentence) or _NO.match(sentence)):
            reading.assent = bool(_YES.match(sentence))
        else:
            bare.append(sentence)
    _bare_values(bare, form, asked, waiting, reading)
    return reading


def _named_values(text: str, form: Form, reading: Reading) -> str:
    """Take out what is said of a slot by its name; the text without it."""
    slots = sorted(form.slots.values(), key=lambda slot: -len(slot.label))
    for slot in slots:
        label = r"[\s_-]+".join(map(re.escape, slot.label.split()))
        ways = (
            rf"(?:\b(?:and |actually, )?(?:my|the|for the|-)\s*)?\b{label}\s*{_IS}\s*(.+?){_END}",
            rf"\bfor (?:the|my) {label},? (?:take|put|write)\s+(.+?){_END}",
        )
        for way in ways:
            found = re.search(way, text, re.IGNORECASE)
            if found is None or _within_question(text, found.start()):
                continue
            value = _stripped(found[1])
            if value:
                reading.values[slot.name] = SKIP if _SKIP.search(value) else value
                text = f"{text[: found.start()]} ; {text[found.end() :]}"
                break
    return text


def _within_question(text: str, at: int) -> bool:
    ahead = re.search(r"[?;\n]|[.!](?=\s|$)", text[at:])
    return ahead is not None and ahead[0] == "?"


def _skips(sentence: str, form: Form, asked: Sequence[str], reading: Reading) -> None:
    named = [slot.name for slot in named_slots(sentence, form)]
    for name in named or asked[:1]:
        reading.values.setdefault(name, SKIP)


def named_slots(text: str, form: Form) -> list[Slot]:
    """The slots whose names stand in a text, longer names first."""
    found, left = [], plain(text)
    for slot in sorted(form.slots.values(), key=lambda slot: -len(slot.label)):
        pattern = rf"(?<!\w){re.escape(plain(slot.label))}(?!\w)"
        if re.search(pattern, left):
            found.append(slot)
            left = re.sub(pattern, " ", left)
    return found


def _bare_values(
    sentences: list[str], form: Form, asked: Sequence[str], waiting: str | None, reading: Reading
) -> None:
    free = [name for name in asked if name not in reading.values]
    for sentence in sentences:
        value = _stripped(sentence)
        if not value or _is_greeting(sentence.strip()):
            continue
        if free and _could_be(form.slots[free[0]], value):
            reading.values[free.pop(0)] = value
        elif plain(value) not in YES | NO:
            reading.strays.append(sentence)


def _could_be(slot: Slot, value: str) -> bool:
    """Whether a bare text may be meant as a value: short, and not said of oneself or the world."""
    if re.match(
        r"(?:by the way|my|i (?!take)\w+|did you|we |have you|this is about)\b", value, re.I
    ):
        return False
    return len(value.split()) <= (12 if slot.schema["type"] == "string" else 6)


def _is_greeting(value: str) -> bool:
    return re.fullmatch(
        r"(?:hi|hello|good (?:morning|evening|day)|thanks?(?: you)?|here is what i know"
        r"|let me see|ok|okay|actually|sorry)\W*",
        value,
        re.IGNORECASE,
    ) is not None  # fmt: skip


def _stripped(text: str) -> str:
    """A value without the words around it."""
    value = text.strip().strip(";").strip()
    while (shorter := _POLITE.sub("", _FILLER.sub("", value))) != value:
        value = shorter
    return value.rstrip(" .!,;").strip("\"'“”").strip()


def answers(question: str, form: Form) -> list[str]:
    """What the docs of a form say to a question: sentences; none if they say nothing to it."""
    said = [
        f"About the {note.about}: {note.text}" for note in form.docs if _asks(question, note.about)
    ]
    said += [slot_told(slot) for slot in named_slots(question, form)]
    if not said and re.search(
        r"\bwhat (?:else )?do you need\b|\bwhich (?:data|details)\b", question, re.I
    ):
        labels = ", ".join(slot.label for slot in form.slots.values())
        said.append(f"The form asks for: {labels}.")
    return said


def _asks(question: str, about: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(plain(about))}(?!\w)", plain(question)) is not None


def slot_told(slot: Slot) -> str:
    """What the form says of a slot."""
    told = f"The {slot.label} is: {slot.schema.get('description') or slot.label}"
    told = told.rstrip(".") + "."
    return f"{told} {choices_told(slot)}".strip()


def choices_told(slot: Slot) -> str:
    """The values to choose from, as a sentence; empty if the slot has no list of them."""
    if not slot.choices:
        return ""
    return f"You can choose from {', '.join(map(write_value, slot.choices))}."


def best_candidate(text: str, candidates: Sequence[Mapping[str, str]]) -> str | None:
    """The function whose name and description fit a message best; None if none does."""
    words = _words(text)
    if words <= _EMPTY:
        return None
    scores = []
    for each in candidates:
        name = _words(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", each["function"]))
        about = _words(each["short_description"].split(". ")[0])
        scores.append(
            (2 * len(words & name) / max(len(name), 1) + len(words & about) / 10, each["function"])
        )
    best, function = max(scores)
    return function if best >= 1.3 else None


def _words(text: str) -> set[str]:
    return {
        re.sub(r"(?:ing|ed|s)$", "", word) for word in re.findall(r"[a-z]{3,}", text.lower())
    } - _EMPTY


_EMPTY = {
    "the", "and", "for", "would", "like", "want", "need", "can", "you", "what", "about", "hello",
    "thi", "please", "following", "with", "that", "help", "have", "request", "new",
}  # fmt: skip
