"""Tools of the agent: typed functions, marked with what they do to the world."""

import playhead as ph

HOURS = {"lima": "9 to 18", "oslo": "10 to 17"}


@ph.tool(effect="read")
def opening_hours(city: str) -> str:
    """When the shop of a city is open.

    Args:
        city: The city.
    """
    if city.lower() not in HOURS:
        raise ph.ToolFailure("bad_arguments", f"there is no shop in {city}")
    return HOURS[city.lower()]
