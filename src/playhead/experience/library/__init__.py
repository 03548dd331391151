"""The repository of experiences: search, trust, statistics; packages and where they are shared."""

from playhead.experience.library._archive import (
    archive,
    read_archive,
    read_package,
    write_package,
)
from playhead.experience.library._confine import ConfinedEnvironment, budget_of
from playhead.experience.library._find import Choice, Found
from playhead.experience.library._guards import Guard, Guards
from playhead.experience.library._index import Entry, FolderIndex, PackageIndex, wanted_of
from playhead.experience.library._index_git import GitIndex
from playhead.experience.library._index_http import HttpIndex
from playhead.experience.library._install import Signer, experience_in, own_capabilities, package_of
from playhead.experience.library._kept import Kept, Origin, TrustState
from playhead.experience.library._ledger import (
    Baseline,
    Ledger,
    Savings,
    baseline_of,
    cost_of,
    total_of,
)
from playhead.experience.library._library import Library, library_path
from playhead.experience.library._manifest import (
    Capabilities,
    Limits,
    Manifest,
    ToolNeed,
)
from playhead.experience.library._open_index import open_index
from playhead.experience.library._package import Package, Signature
from playhead.experience.library._plays import Cost, Counts, Outcome, Play, Plays, tools_digest
from playhead.experience.library._rank import Candidate, Ranked, Ranking, rank
from playhead.experience.library._ratings import Rating, Ratings, Signers
from playhead.experience.library._similar import Embedded, Lexical, Similarity
from playhead.experience.library._verify import Trial, Verification, verify
from playhead.experience.library._worth import Standing, wilson_low, worth

__all__ = [
    "Baseline",
    "Candidate",
    "Capabilities",
    "Choice",
    "ConfinedEnvironment",
    "Cost",
    "Counts",
    "Embedded",
    "Entry",
    "FolderIndex",
    "Found",
    "GitIndex",
    "Guard",
    "Guards",
    "HttpIndex",
    "Kept",
    "Ledger",
    "Lexical",
    "Library",
    "Limits",
    "Manifest",
    "Origin",
    "Outcome",
    "Package",
    "PackageIndex",
    "Play",
    "Plays",
    "Ranked",
    "Ranking",
    "Rating",
    "Ratings",
    "Savings",
    "Signature",
    "Signer",
    "Signers",
    "Similarity",
    "Standing",
    "ToolNeed",
    "Trial",
    "TrustState",
    "Verification",
    "archive",
    "baseline_of",
    "budget_of",
    "cost_of",
    "experience_in",
    "library_path",
    "open_index",
    "own_capabilities",
    "package_of",
    "rank",
    "read_archive",
    "read_package",
    "tools_digest",
    "total_of",
    "verify",
    "wanted_of",
    "wilson_low",
    "worth",
    "write_package",
]
