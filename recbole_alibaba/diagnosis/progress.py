"""What is the doctor doing now? One line on a terminal, gone when it has ended; no torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

_lines: list[tqdm] = []


@contextmanager
def progress() -> Iterator[None]:
    """Show each ``step`` of the block on stderr, with the time so far; nothing where stderr is no terminal."""
    with tqdm(bar_format="{desc} [{elapsed}]", leave=False, disable=None, dynamic_ncols=True) as line:
        _lines.append(line)
        try:
            yield
        finally:
            _lines.pop()


def step(what: str) -> None:
    """Name what begins now."""
    if _lines:
        _lines[-1].set_description_str(what)
