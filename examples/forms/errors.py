"""What can go wrong here beside what Playhead itself raises."""

from __future__ import annotations

from typing import ClassVar

from playhead.errors import PlayheadError


class FormFileError(PlayheadError):
    """A file of forms, or of settings, that cannot be read; the message names file and line."""

    code: ClassVar[str] = "form_file"


class FormError(PlayheadError):
    """Something that does not fit the forms that there are."""

    code: ClassVar[str] = "form"


class TreeError(PlayheadError):
    """A tree of dialogues that cannot be grown as asked."""

    code: ClassVar[str] = "form_tree"
