"""What all programs of one set of traces share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playhead.experience.learn._candidates import Candidate
from playhead.experience.learn._parameters import Texts
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, Probe, ToolSpec


@dataclass(slots=True)
class Ground:
    """What all programs of one set of traces share.

    Args:
        examples: The traces, cleaned.
        texts: Their texts and the parameters.
        tools: The tools by name.
        settings: What may be used.
        probe: Makes reads; None to use the recorded ones alone.
        sizes: How many rows each read gave, by tool and call.
    """

    examples: Sequence[Example]
    texts: Texts
    tools: Mapping[str, ToolSpec]
    settings: LearnSettings
    probe: Probe | None
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def candidates(self) -> list[Candidate]:
        """The parameters."""
        return self.texts.candidates
