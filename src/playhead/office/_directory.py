"""The addresses of the colleagues."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from playhead.office._tables import JsonValue
from playhead.office._tools import Effect


class CompanyDirectory:
    """The tool on the list of addresses, which never changes."""

    name: ClassVar[str] = "company_directory"
    effects: ClassVar[Mapping[str, Effect]] = {"find_email_address": "read"}

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses

    def find_email_address(self, *, name: str = "") -> list[JsonValue] | str:
        """Find the addresses of colleagues by name.

        Args:
            name: A first name or a last name, not both: addresses have a dot between them.
        """
        if name == "":
            return "Name not provided."
        expression = re.compile(name.lower())
        return [address for address in self._addresses if expression.search(address)]
