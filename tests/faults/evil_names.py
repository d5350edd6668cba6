"""Ids and names that are attacks and accidents, and what is asked of a command that was given them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from click.testing import Result

Command = Callable[..., Result]
EVIL = (
    *("=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
    *("'; DROP TABLE events; --", "sp ace", "emoji😀", "é", "a,b", "a;b", "&amp;", "{name}", "%s", "$(touch hit)"),
    *("`touch hit`", "\\n", "x" * 10_000, "]]>", "</script>"),
)
COLUMNS = ("us'er\"; DROP TABLE x; --", "it<b>em", "ti me")
USERS = (*EVIL, *(f"u{number}" for number in range(40)))
ITEMS = (*EVIL, *(f"i{number}" for number in range(40)))


class Evil(NamedTuple):
    """The log, its data set, and the folder of the run that was trained on it."""

    log: Path
    data: Path
    run: Path


def files_of(folder: Path) -> dict[str, bytes | None]:
    """Every name below a folder, links not followed, with its content; None for a folder."""
    found = [Path(place) / name for place, folders, names in os.walk(folder) for name in (*folders, *names)]
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


def one_sentence(result: Result, code: int, *words: str) -> None:
    """The command ended with this code, one line on stderr with these words, and no traceback."""
    said = result.stderr.strip().splitlines()
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert isinstance(result.exception, SystemExit) and said and "Traceback" not in result.output
    assert all(word in said[-1] for word in words), said
