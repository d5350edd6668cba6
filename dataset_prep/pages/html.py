"""A page as one HTML document that needs no network, and no script but to sort a table."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_prep.pages.parts import Page

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = Path(__file__).parent


def html(page: Page) -> str:
    """The document; the same page gives the same bytes."""
    return load().render(page=page, style=part("theme.css") + part("chart.css"), script=part("sort.js"))


@cache
def part(name: str) -> str:
    """A style sheet or a script of this folder."""
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def load() -> Template:
    """The template. Jinja is imported here: `--help` does not wait for it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    known = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    return known.get_template("page.html")


def light() -> tuple[dict[str, str], str]:
    """The colours of the light theme by name, and the rules of a chart with them, for a picture of its own."""
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", part("theme.css").partition("@media")[0]))
    return colours, re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found[1]], part("chart.css"))
