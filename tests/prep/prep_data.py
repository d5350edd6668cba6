"""Where the real slices are, small logs written by hand, and what a conversion wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
HEADER = "user_id,item_id,behavior_type,user_geohash,item_category,time"
READERS = ("compiled", "engine", "careful")
ENOUGH: dict[str, Any] = {"min_interactions": 1, "min_users": 1, "min_items": 1, "min_known": 0}
"""Any size is enough."""
ANY: dict[str, Any] = ENOUGH | {"min_user": 1, "min_item": 1}
"""Nothing is too thin."""
PARTS = ("train", "valid", "test")


def real(*names: str) -> list[Path]:
    """Files of the shared data; skips the test where they are absent."""
    paths = [SHARED / name for name in names]
    for path in paths:
        if not path.exists():
            pytest.skip(f"needs {path.name}, looked for in {path.parent}")
    return paths


def mobile_log(path: Path, rows: Iterable[tuple[object, ...]], header: bool = True) -> Path:
    """Write (user, item, behaviour, category, time) rows in the mobile format."""
    lines = [HEADER] if header else []
    lines += [f"{u},{i},{b},,{c},{t}" for u, i, b, c, t in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def files(folder: Path, *but: str) -> dict[str, bytes]:
    """Name -> bytes of what a conversion wrote, without the report page, the paths and those named."""
    but = ("funnel.html", "source.json", *but)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in but}


def lines(path: Path) -> list[str]:
    """The rows of a written file, without its header."""
    return path.read_text(encoding="utf-8").splitlines()[1:]


def columns(path: Path) -> list[list[str]]:
    """The rows of a written file, as fields."""
    return [line.split("\t") for line in lines(path)]


def parts(folder: Path) -> dict[str, list[list[str]]]:
    """The rows of the three parts of the data set *folder*."""
    return {part: columns(folder / f"{folder.name}.{part}.inter") for part in PARTS}
