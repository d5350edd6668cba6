"""The folder of one run: its name is never used twice, and each file in it is whole or absent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from dataset_prep.writing import lock
from dataset_prep.writing.whole_file import written
from recbole_alibaba.host.errors import CannotResumeError

FORMAT = 1
"""Of the folder; a reader refuses another number."""
RANKING_KINDS = ("general", "traditional")
"""RecBole's kinds of models that rank items by the user alone: from their checkpoint one can recommend."""
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
        write_settings(folder, settings)
        return folder
    raise AssertionError("count() does not end")


def latest_run(parent: str | Path, model: str, dataset: str) -> Path | None:
    """The newest folder of `new_run_folder` with this model and data set; None where there is none."""
    name = re.compile(rf"{re.escape(f'{model}-{dataset}')}-(\d{{8}}-\d{{6}})(?:-(\d+))?")
    folders = [folder for folder in Path(parent).glob("*") if folder.is_dir()]
    found = [(match, folder) for folder in folders if (match := name.fullmatch(folder.name))]
    return max(found, key=lambda pair: (pair[0][1], int(pair[0][2] or 1)))[1] if found else None


def write_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Write `config.yaml`, the whole configuration of the run."""
    with written(folder / "config.yaml") as part:
        part.write_text(yaml.safe_dump(plain(settings), allow_unicode=True), encoding="utf-8")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Let no other process train this run while the block runs. The system ends it with the process, however it ends.

    Raises:
        CannotResumeError: another process trains it.
    """
    try:
        with lock.held(folder / ".lock"):
            yield
    except lock.HeldError as error:
        raise CannotResumeError(
            f"{folder}: another process is training this run. Wait until it has ended, or start a new run without "
            "--resume."
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def plain(value: Any) -> Any:
    """The same setting as YAML's own types; what has none becomes its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(inner) for inner in value]
    return str(value)
