"""Where the real slices are."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def real(*names: str) -> list[Path]:
    """Files of the shared data; skips the test where they are absent."""
    paths = [SHARED / name for name in names]
    for path in paths:
        if not path.exists():
            pytest.skip(f"needs {path.name}, looked for in {path.parent}")
    return paths


def files(folder: Path, *but: str) -> dict[str, bytes]:
    """Name -> bytes of what a conversion wrote, the picture and those named aside."""
    patterns = ("*.inter", "*.item", "*.user", "*.yaml", "funnel.json", "rejects.csv")
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    return {path.name: path.read_bytes() for path in found if path.name not in but}
