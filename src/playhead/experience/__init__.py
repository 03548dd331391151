"""Layer 6: experiences, what tapes have taught: documents, routines, learning, checks, play."""
