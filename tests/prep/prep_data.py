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
