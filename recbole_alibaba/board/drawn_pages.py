"""How do records become pages? Those that belong to the board are chosen, and each page is written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataset_prep.writing.whole_file import written
from recbole_alibaba.board.pages.board_verdict import verdict
from recbole_alibaba.board.pages.html_page import html
from recbole_alibaba.board.pages.markdown_page import markdown
from recbole_alibaba.board.pages.tex_table import tex
from recbole_alibaba.board.pages.tidy_csv import csv_text
from recbole_alibaba.board.plan import Plan
from recbole_alibaba.board.records import Records
from recbole_alibaba.board.standings.contents import BoardHead
from recbole_alibaba.board.standings.standings import standings
from recbole_alibaba.host.errors import BadInput

SUFFIXES = (".md", ".csv", ".tex", ".html")


def draw(plan: Plan, records: Records, folder: Path) -> tuple[str, list[Path]]:
    """Write the pages from the records alone; the same records give the same bytes.

    Returns:
        Who is best, in a sentence; the files.

    Raises:
        BadInput: the board has no record yet.
    """
    board = records.read_board()
    found = records.of(board["ids"])
    if not found:
        raise BadInput(f"{records.file}: there is no record of this board yet. Run it without --render.")
    spaces = {
        label: {name: _range(values) for name, values in space.items()} for label, space in board["spaces"].items()
    }
    head = BoardHead(plan.name, plan.title, plan.text, plan.command, plan.content, spaces)
    shown = standings(found, records.scores, plan.published)
    folder.mkdir(parents=True, exist_ok=True)
    texts = (markdown(head, shown), csv_text(shown), tex(head, shown), html(head, shown))
    paths = [folder / f"{plan.name}{suffix}" for suffix in SUFFIXES]
    for path, text in zip(paths, texts, strict=True):
        with written(path) as part:
            part.write_text(text, encoding="utf-8")
    return verdict(shown)[0], paths


def _range(values: Any) -> str:
    """`50, 100, 200`, or `0.001 to 0.1, logarithmic`."""
    if not isinstance(values, Mapping):
        return ", ".join(one if isinstance(one, str) else json.dumps(one) for one in values)
    words = [f"{values['low']:g} to {values['high']:g}"]
    words += ["logarithmic"] if values.get("log") else []
    words += [f"in steps of {values['step']:g}"] if values.get("step") else []
    return ", ".join(words)
