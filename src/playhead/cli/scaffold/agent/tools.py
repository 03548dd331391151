"""Tools of the agent: typed functions, marked with what they do to the world."""

from datetime import datetime
from zoneinfo import ZoneInfo

import playhead as ph


@ph.tool(effect="read")
def now(zone: str) -> str:
    """The present date and time of a place.

    Args:
        zone: IANA name of the time zone, such as America/Lima.
    """
    return datetime.now(ZoneInfo(zone)).isoformat(timespec="minutes")
