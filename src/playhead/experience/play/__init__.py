"""Playing experiences: a player without a model, dry runs, hand-over to agents and people."""

from playhead.experience.play._again import replay_play, replay_play_sync
from playhead.experience.play._begin import Ask
from playhead.experience.play._guide import checklist, guidance, guided
from playhead.experience.play._levels import (
    PERSON,
    ROUTINE,
    VERIFIED,
    Level,
    LevelKey,
    Record,
    Statistics,
    lower_bound,
)
from playhead.experience.play._limits import Limits, needed_limits
from playhead.experience.play._node import player_agent
from playhead.experience.play._past import newest_play, read_past, request_text
from playhead.experience.play._plan import plan_of
from playhead.experience.play._play import (
    is_handed_over,
    play,
    play_sync,
    resume_play,
    resume_play_sync,
)
from playhead.experience.play._played import HandOver, Outcome, Played, read_played
from playhead.experience.play._recorded import recorded_experience
from playhead.experience.play._tools import drift, tool_digest, tool_facts, tools_digest

__all__ = [
    "PERSON",
    "ROUTINE",
    "VERIFIED",
    "Ask",
    "HandOver",
    "Level",
    "LevelKey",
    "Limits",
    "Outcome",
    "Played",
    "Record",
    "Statistics",
    "checklist",
    "drift",
    "guidance",
    "guided",
    "is_handed_over",
    "lower_bound",
    "needed_limits",
    "newest_play",
    "plan_of",
    "play",
    "play_sync",
    "player_agent",
    "read_past",
    "read_played",
    "recorded_experience",
    "replay_play",
    "replay_play_sync",
    "request_text",
    "resume_play",
    "resume_play_sync",
    "tool_digest",
    "tool_facts",
    "tools_digest",
]
