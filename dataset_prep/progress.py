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


def advance(shown: tqdm, size: int, rows: int) -> None:
    """A bar of bytes goes on by *size*; *rows* read so far are told beside it, as rows a second."""
    seconds = shown.format_dict["elapsed"] if not shown.disable else 0
    if seconds:
        shown.set_postfix_str(f"{rows / seconds:,.0f} rows/s", refresh=False)
    shown.update(size)
