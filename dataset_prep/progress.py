"""Progress bars. Work of less than two seconds shows none."""

from __future__ import annotations

import sys

from tqdm import tqdm


def bar(what: str, total: int, unit: str, quiet: bool = False) -> tqdm:
    """A bar on stderr with rate and time left; none where stderr is not a terminal."""
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


def advance(shown: tqdm, size: int, rows: int) -> None:
    """Move a bar of bytes on by *size* and show the rows a second; *rows*: all read so far."""
    seconds = shown.format_dict["elapsed"] if not shown.disable else 0
    if seconds:
        shown.set_postfix_str(f"{rows / seconds:,.0f} rows/s", refresh=False)
    shown.update(size)
