"""When a folder may be written, and the fingerprint of a data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dataset_prep.errors import OutputError


def fingerprint_of(settings: Mapping[str, Any], digests: Sequence[str]) -> str:
    """Of the content of the files and every setting that decides the result."""
    text = json.dumps({"settings": settings, "files": list(digests)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_target(target: Path) -> None:
    """Refuse a folder that this program did not write, before any work is done. Raises OSError for a name too long."""
    with suppress(FileNotFoundError, NotADirectoryError):
        target.lstat()  # from Python 3.14 on the questions below answer False where a path cannot be looked at
    if target.is_symlink():
        raise OutputError(
            f"{target} is a symbolic link to {target.readlink()}, and links are not followed. Remove it, or choose "
            "another --name or --output."
        )
    ours = (target / "funnel.json").is_file()
    if target.exists() and not ours and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists and was not written by dataset_prep. Choose another --name or --output.")


def check_overwrite(target: Path, fingerprint: str, force: bool) -> None:
    """Refuse to replace a data set of another source or other settings, unless *force*."""
    former = target / "funnel.json"
    if force or not former.is_file():
        return
    try:
        known = json.loads(former.read_text(encoding="utf-8")).get("fingerprint")
    except (ValueError, AttributeError):
        known = None
    if known != fingerprint:
        raise OutputError(
            f"{target} holds a data set of another source or other settings (fingerprint {known}, this would be "
            f"{fingerprint}). Add --force to replace it, or choose another --name."
        )
