"""The repository of experiences: search, trust, statistics; packages and where they are shared."""

from playhead.experience.library._archive import (
    archive,
    read_archive,
    read_package,
    write_package,
)
from playhead.experience.library._failures import guard_failures
from playhead.experience.library._find import Choice, Found, candidate_of, cannot_read
from playhead.experience.library._guards import Guard, Guards
from playhead.experience.library._index import Entry, FolderIndex, PackageIndex, wanted_of
from playhead.experience.library._index_git import GitIndex
from playhead.experience.library._index_http import HttpIndex
from playhead.experience.library._install import (
    Signer,
    budget_of,
    experience_in,
    grants,
    own_capabilities,
    package_of,
)
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
    Manifest,
    PackageBudget,
    ToolNeed,
)
from playhead.experience.library._meaning import ByMeaning, Vectors
from playhead.experience.library._open_index import open_index
from playhead.experience.library._package import Package, Signature
from playhead.experience.library._plays import Cost, Counts, Outcome, Play, Plays, play_of
from playhead.experience.library._rank import Candidate, Ranked, Ranking, rank
from playhead.experience.library._ratings import Rating, Ratings, Signers
from playhead.experience.library._rehearsal import Rehearsal, rehearse, verified
from playhead.experience.library._similar import Embedded, Lexical, Similarity
from playhead.experience.library._verify import Trial, Verification, over_tape, verify
from playhead.experience.library._words import Blanks
from playhead.experience.library._worth import Standing, wilson_low, worth

__all__ = [
    "Baseline",
    "Blanks",
    "ByMeaning",
    "Candidate",
    "Capabilities",
    "Choice",
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
    "Manifest",
    "Origin",
    "Outcome",
    "Package",
    "PackageBudget",
    "PackageIndex",
    "Play",
    "Plays",
    "Ranked",
    "Ranking",
    "Rating",
    "Ratings",
    "Rehearsal",
    "Savings",
    "Signature",
    "Signer",
    "Signers",
    "Similarity",
    "Standing",
    "ToolNeed",
    "Trial",
    "TrustState",
    "Vectors",
    "Verification",
    "archive",
    "baseline_of",
    "budget_of",
    "candidate_of",
    "cannot_read",
    "cost_of",
    "experience_in",
    "grants",
    "guard_failures",
    "library_path",
    "open_index",
    "over_tape",
    "own_capabilities",
    "package_of",
    "play_of",
    "rank",
    "read_archive",
    "read_package",
    "rehearse",
    "total_of",
    "verified",
    "verify",
    "wanted_of",
    "wilson_low",
    "worth",
    "write_package",
]
