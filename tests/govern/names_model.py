"""A spaCy pipeline that finds names: a small one, trained here on a few hundred sentences."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import spacy
from spacy.training import Example

FIRST = ["Ana", "Mia", "Omar", "Yusuf", "Chen", "Sofia", "Lucas", "Emma", "Noah", "Fatima", "Ivan"]
FIRST += ["Olga", "Raj", "Priya", "Kenji", "Yuki", "Liam", "Chloe", "Daiki", "Aarav"]
LAST = ["Garcia", "Khan", "Smith", "Rossi", "Kovacs", "Moore", "Patel", "Tanaka", "Silva", "Lopez"]
LAST += ["Martin", "Brown", "Nguyen", "Haddad", "Petrov", "Davis", "Sato", "Kim"]
NAMED = (
    "My name is {}.",
    "This is {}, I need help with my order.",
    "Please ask {} about it.",
    "{} called this morning and wanted a refund.",
    "Hello {}, how can I help you today?",
    "The ticket was booked by {} last week.",
    "Could you send it to {} in Paris?",
    "I spoke with {} from the support team.",
    "{} and {} will travel together.",
    "Dear {}, thank you for your letter.",
    "Please cancel the booking of {}.",
    "It belongs to {}, not to me.",
)
PLAIN = (
    "Please cancel my booking.",
    "The flight to New York leaves on Monday.",
    "Your order was sent this morning.",
    "Hello, how can I help you today?",
    "The payment failed twice, please try again.",
    "Could you send it to Paris?",
    "Thank you, have a nice day!",
    "My name is on the list.",
    "Tell me more about the train.",
    "Nothing was sent from Boston.",
)


def pipeline(folder: Path, *, seed: int = 0) -> Path:
    """Train one and put it into a folder."""
    spacy.util.fix_random_seed(seed)
    rng = random.Random(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    examples = [_example(nlp, rng) for _ in range(240)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(6):
        rng.shuffle(examples)
        for batch in spacy.util.minibatch(examples, 16):
            nlp.update(batch, sgd=optimizer, drop=0.2)
    nlp.to_disk(folder)
    return folder


def _example(nlp: Any, rng: random.Random) -> Example:
    line = rng.choice(NAMED if rng.random() < 0.7 else PLAIN)
    text, *rest = line.split("{}")
    entities = []
    for after in rest:
        name = " ".join([rng.choice(FIRST), *([rng.choice(LAST)] if rng.random() < 0.7 else [])])
        entities.append((len(text), len(text) + len(name), "PERSON"))
        text += name + after
    return Example.from_dict(nlp.make_doc(text), {"entities": entities})
