"""File systems of a test's own: whether this user may mount any."""

from __future__ import annotations

import subprocess
import tempfile

WAYS = (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount"))


def may_mount() -> tuple[str, ...]:
    """The command that runs another where it may mount, seen by nobody else; nothing where none works."""
    trial = ("mount", "-t", "tmpfs", "none", tempfile.gettempdir())
    for command in WAYS:
        try:
            subprocess.run([*command, *trial], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return command
    return ()
