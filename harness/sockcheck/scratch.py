"""The folder that a server gets as `{dir}`."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from sockcheck.errors import TargetError


def made() -> str:
    """The path of a new and empty folder, where TMPDIR says, that only this user can enter.

    Raises `TargetError` where none can be made.
    """
    try:
        return tempfile.mkdtemp(prefix="sockcheck-")
    except OSError as error:
        raise TargetError(
            f"no folder can be made for {{dir}}: {error.strerror}", "set TMPDIR to a folder that you can write to"
        ) from error


def removed(folder: str) -> None:
    """The folder is no more, nor what is in it; only what belongs to another user may stay.

    Some servers want folders that cannot be written to, and out of those nothing can be taken: they are opened first.
    """
    for path, names, _ in os.walk(folder):
        for inner in (Path(path, name) for name in names):
            with suppress(OSError):
                if not inner.is_symlink():
                    inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
