"""The guard of a session, from the options about secrets and personal data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playhead.cli._guard import UsageFault
from playhead.cli._options import Privacy
from playhead.govern import Guard, SqliteVault


@contextlib.contextmanager
def guard_of(privacy: Privacy) -> Iterator[Guard | None]:
    """The guard that was asked for; None if none was.

    Raises:
        UsageFault: A key or a model was named, and no vault.
        MissingExtraError: The extra `govern` is not installed.
        VaultError: The vault does not open.
    """
    if privacy.vault is None:
        if privacy != Privacy():
            raise UsageFault("`--key-file` and `--trust` belong to a vault: name it with --vault")
        yield None
        return
    with contextlib.closing(SqliteVault(privacy.vault, key_file=privacy.key_file)) as vault:
        yield Guard(vault, trusted=privacy.trusted)
