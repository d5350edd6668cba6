"""Progress bars. Work of less than two seconds shows none."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tqdm import tqdm


class Bar(Protocol):
    """What is done so far."""

    n: float

    def update(self, n: float) -> object: ...


class _Hidden:
    n = 0.0

    def update(self, n: float) -> None:
        self.n += n


def bar(what: str, total: int, unit: str, quiet: bool = False) -> AbstractContextManager[Bar]:
    """A bar on stderr with rate and time left; none where stderr is not a terminal."""
    if quiet or not (sys.stderr and sys.stderr.isatty()):
        return nullcontext(_Hidden())  # the import of tqdm takes a fiftieth of the time of a million rows
    from tqdm import tqdm

    return tqdm(total=total, desc=what, unit=f" {unit}", unit_scale=True, delay=2, leave=False, file=sys.stderr)


def advance(shown: Bar, size: int, rows: int) -> None:
    """Move a bar of bytes on by *size* and show the rows a second; *rows*: all read so far."""
    if not isinstance(shown, _Hidden):
        line = cast("tqdm[object]", shown)
        seconds = line.format_dict["elapsed"]
        if seconds:
            line.set_postfix_str(f"{rows / seconds:,.0f} rows/s", refresh=False)
    shown.update(size)
