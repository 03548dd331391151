"""Learning with a model: it proposes words and routines, and the sessions decide."""

from playhead.experience.learn.with_model._improve import learn_with_model
from playhead.experience.learn.with_model._propose import Proposed, propose, proposer

__all__ = ["Proposed", "learn_with_model", "propose", "proposer"]
