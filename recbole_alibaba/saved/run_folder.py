"""The folder of one run: its name is never used twice, and each file in it is whole or absent."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import yaml

FORMAT = 1
"""Of the folder; a reader refuses another number."""
RECORD = "run.json"
"""Written last: a folder without it is of an unfinished run."""


def new_run_folder(parent: str | Path, model: str, dataset: str, settings: dict[str, Any]) -> Path:
    """Make `<parent>/<model>-<dataset>-<date>-<time>` with `config.yaml` in it; a second one of a second ends in `-2`.

    Args:
        parent: RecBole's `checkpoint_dir`; it is made where it is missing.
        settings: the whole configuration of the run.
    """
    stem = f"{model}-{dataset}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        folder = Path(parent) / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)  # fails where another run has just made it
        except FileExistsError:
            continue
        with written(folder / "config.yaml") as part:
            part.write_text(yaml.safe_dump(_plain(settings), allow_unicode=True), encoding="utf-8")
        return folder
    raise AssertionError("count() does not end")


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A file to fill beside `path`. It becomes `path` in one step when the block ends, unless the block raises."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    """The same setting as YAML's own types; what has none becomes its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    return str(value)
