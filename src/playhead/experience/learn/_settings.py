"""What the learner may use; each switch is one mechanism, so that it can be measured without it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LearnSettings:
    """Mechanisms of the learner.

    Args:
        typed_mentions: Recognise days, times, names and so on in task texts, and convert them;
            without it, only what is in quotes and plain numbers.
        row_selection: Choose rows of results by field, order or position; without it, only the
            single row of a result.
        loops: Explain several writes as one loop over rows.
        branches: Explain by a condition why some traces write and others do not.
        refusal_rules: Refuse where part of a task or trace stays unexplained.
        leave_one_out: Play each trace with what the others teach, and keep nothing that errs.
        nothing_found: Nothing to act upon means nothing to do.
        explanations: How many explanations are kept for one value.
    """

    typed_mentions: bool = True
    row_selection: bool = True
    loops: bool = True
    branches: bool = True
    refusal_rules: bool = True
    leave_one_out: bool = True
    nothing_found: bool = True
    explanations: int = 12
