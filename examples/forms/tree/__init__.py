"""Trees of dialogues: a user and an agent take turns, and each turn may branch."""

from examples.forms.tree._evaluate import Evaluated, evaluate_tree
from examples.forms.tree._grow import grow
from examples.forms.tree._ledger import Ledger, NodeRecord
from examples.forms.tree._report import TreeReport, report_of
from examples.forms.tree._settings import TreeSettings, read_settings
from examples.forms.tree._workers import Workers, workers_for

__all__ = [
    "Evaluated",
    "Ledger",
    "NodeRecord",
    "TreeReport",
    "TreeSettings",
    "Workers",
    "evaluate_tree",
    "grow",
    "read_settings",
    "report_of",
    "workers_for",
]
