"""Learning with a model: it proposes words for an experience, and validation decides."""

from playhead.experience.learn.with_model._propose import Proposed, propose

__all__ = ["Proposed", "propose"]
