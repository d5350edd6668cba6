"""What does the terminal take? Colours unless NO_COLOR is set, and bars that are as wide as it is."""

import os
import sys
from typing import Any, TextIO

import click
from tqdm import tqdm


def takes_colours(stream: TextIO) -> bool:
    """Whether text on `stream` may be coloured: it is a terminal, and NO_COLOR (no-color.org) is not set."""
    return stream.isatty() and not no_colour()


def no_colour() -> bool:
    """Whether NO_COLOR is set."""
    return bool(os.environ.get("NO_COLOR"))


def plain(text: str) -> str:
    """`text` without its colours where stderr does not take them."""
    return text if takes_colours(sys.stderr) else click.unstyle(text)


class Bar(tqdm):  # type: ignore[type-arg]
    """A bar on stderr that follows the width of the terminal and leaves no line behind."""

    def __init__(self, *args: Any, desc: str = "", ncols: int | None = None, **options: Any) -> None:
        shown: dict[str, Any] = {**options, "desc": plain(desc), "dynamic_ncols": True, "leave": False}
        super().__init__(*args, **shown)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Text behind the bar, as RecBole's "GPU RAM"."""
        super().set_postfix_str(plain(s), refresh)
