"""Progress bars that stay away from anything shorter than two seconds."""

from __future__ import annotations

import sys

from tqdm import tqdm


def bar(what: str, total: int, unit: str, quiet: bool = False) -> tqdm:
    """A bar with rate and time left on stderr; nothing where stderr is no terminal, or before two seconds."""
    return tqdm(
        total=total,
        desc=what,
        unit=f" {unit}",
        unit_scale=True,
        delay=2,
        leave=False,
        file=sys.stderr,
        disable=True if quiet else None,
    )
