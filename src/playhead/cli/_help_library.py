"""What `--help` says of the commands about experiences. Lines fit into 78 columns."""

from __future__ import annotations

_LS = """[bold]Examples[/bold]

  playhead library ls
  playhead library ls --all                older versions, quarantined ones too
  playhead library ls --json

Only trusted experiences are played, and of a lineage the newest one."""

_SHOW = """[bold]Examples[/bold]

  playhead library show cancel-meeting
  playhead library show cancel-meeting@2 --document   the YAML for review
  playhead library show 4f1b09aa --diagram > routine.mmd

A diagram is Mermaid: code hosts and editors draw it."""

_SEARCH = """[bold]Examples[/bold]

  playhead library search "Cancel my next meeting with Ana"
  playhead library search --tool calendar.delete
  playhead library search --author ana
  playhead library search "Drop it" --embeddings openai:text-embedding-3-small

Fit says how well the task's words fit (with embeddings: half the words, half
the meaning), score is fit times what the experience is worth: how its plays
ended, how it was rated, whether it was audited.
Exit codes: 0 one would be played, 1 none would; the reason is told."""

_ADD = """[bold]Examples[/bold]

  playhead library add cancel-meeting.yaml
  playhead library add drafts/*.yaml --author ana

What was learnt here comes in by learn, with its evidence."""

_RM = """[bold]Examples[/bold]

  playhead library rm cancel-meeting@1
  playhead library rm 4f1b09aa --yes"""

_TRUST = """[bold]Examples[/bold]

  playhead library trust cancel-meeting --over last --over 4f1b09aa
  playhead library trust cancel-meeting --environment sandbox.py:fresh
  playhead library trust cancel-meeting --withdraw "it deleted the wrong one"

The experience is played over what the sessions recorded: reads are answered
from them, and its writes have to be theirs. Nothing is done. It is trusted if
one came out right and none wrong. With an environment it is played in fresh
ones, with all effects: the tasks of the sessions, or its own examples, whose
writes you are shown and asked about.
Exit codes: 0 trusted, 1 not."""

_RATE = """[bold]Examples[/bold]

  playhead library rate cancel-meeting --stars 4 --note "saves an hour a week"
  playhead library rate cancel-meeting --audited
  playhead library rate cancel-meeting --wrong last --note "the other Ana"

A play that went wrong counts as failed, and tasks like it are refused."""

_GUARD = """[bold]Examples[/bold]

  playhead library guard
  playhead library guard "Cancel the board meeting" --why "only the chair may"
  playhead library guard --rm 3"""

_STATS = """[bold]Examples[/bold]

  playhead library stats
  playhead library stats cancel-meeting --since 7d
  playhead library stats --json

What was saved is always against not playing: what the sessions that taught an
experience cost on average. Where that is not known, nothing is claimed."""

_PUBLISH = """[bold]Examples[/bold]

  playhead library publish cancel-meeting --to cancel.experience
  playhead library publish cancel-meeting --to /srv/experiences --sign my.key
  playhead library publish cancel-meeting --to git@example.com:team/shared.git

A folder that a web server serves is an index for others: install --from
https://… reads it. Task texts are in the document: look at them first."""

_INSTALL = """[bold]Examples[/bold]

  playhead library install cancel.experience
  playhead library install cancel-meeting --from /srv/experiences
  playhead library install cancel-meeting@2 --from https://example.com/shared
  playhead library install cancel-meeting --from git@example.com:team/shared.git
  playhead library install cancel.experience --signed-by ana

Nothing of a package is executed. What was changed, is too large or wants more
than it declares is refused. A signature says who; trust says whether it works."""

_KEYS = """[bold]Examples[/bold]

  playhead library keys --new ~/.config/playhead.key
  playhead library keys --add ana=MCowBQYDK2VwAyEA...
  playhead library keys

A package is signed with a secret key; its public key is what others know you
by. Get theirs from themselves, not from a package."""

_SERVE_MCP = """[bold]Examples[/bold]

  playhead serve mcp --environment office.py:tools
  playhead serve mcp --environment office.py:tools --port 8500
  playhead serve mcp --environment office.py:tools --approve irreversible

Each trusted experience whose tools are in the environment is a tool; its
parameters are the tool's. A refusal is a tool error that says why. Every call
is a tape. Without --port, it speaks to one client over standard input and
output; with it, over streamable HTTP on this machine only."""

LIBRARY = {
    "library ls": _LS,
    "library show": _SHOW,
    "library search": _SEARCH,
    "library add": _ADD,
    "library rm": _RM,
    "library trust": _TRUST,
    "library rate": _RATE,
    "library guard": _GUARD,
    "library stats": _STATS,
    "library publish": _PUBLISH,
    "library install": _INSTALL,
    "library keys": _KEYS,
    "serve mcp": _SERVE_MCP,
}
