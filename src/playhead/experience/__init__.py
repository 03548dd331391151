"""Layer 6: experiences, what tapes have taught: documents, routines, learning, checks, play.

Its folders are its doors, as `playhead.experience.play`.
"""

__all__: list[str] = []
