"""Values of experiences: pure functions, and what a task's text mentions. No document, no I/O."""

from playhead.experience.values._conditions import asks_otherwise
from playhead.experience.values._functions import FUNCTIONS, PureFunction, equal, order, text
from playhead.experience.values._mentions import Found, find_mentions
from playhead.experience.values._number import Absent, Unclear, number
from playhead.experience.values._opposites import NO_ROW, contrary, opposed
from playhead.experience.values._words import is_familiar, stem, words_of

__all__ = [
    "FUNCTIONS",
    "NO_ROW",
    "Absent",
    "Found",
    "PureFunction",
    "Unclear",
    "asks_otherwise",
    "contrary",
    "equal",
    "find_mentions",
    "is_familiar",
    "number",
    "opposed",
    "order",
    "stem",
    "text",
    "words_of",
]
