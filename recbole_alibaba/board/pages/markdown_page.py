"""The page of a board in Markdown: the verdict, the ranking, and all that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import yaml
from tabulate import tabulate

from dataset_prep.pages.parts import Cell, Group, Table
from recbole_alibaba.board.pages.board_verdict import verdict
from recbole_alibaba.board.pages.group_table import group_table
from recbole_alibaba.board.pages.ranking_tables import cost, data, every_metric, failures, lists, ranking, tests
from recbole_alibaba.board.pages.search_table import search_table
from recbole_alibaba.board.standings.contents import BoardHead, Standings

READING = (
    "Means ± standard deviation over the seeds. Models that cannot be told apart from the best share its rank (tied); "
    "among the rest the same gives the next rank. {noise} A p below 0.05 tells two models apart: equal ones are called "
    "different on at most 5 % of boards."
)
BOTH = (
    "p counts the noise of users and of seeds, and that the best was chosen by its score: the difference is held "
    "against the range of as many equal models (Tukey; Games and Howell)."
)
USERS = (
    "The board has one seed, so p counts the noise of users alone; that the best was chosen by its score is corrected "
    "for (Tukey)."
)
TESTS = (
    "The interval (bootstrap, 95 %), Wilcoxon's test and the t test are paired by user, with scores averaged over the "
    "seeds: they do not count the seeds' noise, and Holm's correction not that the best was chosen by its score. They "
    "do not decide. Wilcoxon's test does not compare means, which are what the ranking shows."
)


COMPETITION = (
    "The competition's pairs to find are those that the data set has on its last day: its score is the competition's "
    "own only if these are purchases."
)


def markdown(head: BoardHead, standings: Sequence[Standings]) -> str:
    """The whole file; the same standings give the same bytes."""
    parts = [f"# {_text(head.title or head.name)}", f"**{_text(verdict(standings)[0])}**", _text(head.text)]
    for one in standings:
        parts += [f"## {_text(one.dataset)}" if len(standings) > 1 else "", *_of(head, one)]
    parts += ["## Data", _table(data(standings)), "## Setting"]
    if head.plan:
        plan = yaml.safe_dump(dict(head.plan), allow_unicode=True, sort_keys=False, width=120)
        parts.append(f"```yaml\n{plan}```")
    parts += [f"Made by `{head.command}`."] if head.command else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _of(head: BoardHead, standing: Standings) -> Iterator[str]:
    """The parts of one data set."""
    yield _table(ranking(standing))
    yield READING.format(noise=BOTH if standing.seed_noise else USERS)
    yield "\n".join(f"- {_text(note)}" for note in standing.notes)
    yield from _titled("Against the best", [tests(standing)], TESTS)
    yield from _titled("Every metric", every_metric(standing))
    yield from _titled("What the lists hold", [lists(standing)], about_lists(head))
    yield from _titled(f"{standing.metric} by group", [group_table(standing)])
    yield from _titled("Cost", [cost(standing)], "Mean over the seeds; memory is the largest.")
    searches = "A search reads the validation part only. Every trial is in the CSV file."
    yield from _titled("Searches", [search_table(standing, head.spaces)], searches)
    yield from _titled("Trials without a result", [failures(standing)])


def about_lists(head: BoardHead) -> str:
    """What the competition's score lacks without the files of its purchases."""
    competition = head.plan.get("competition") or {}
    return COMPETITION if competition and "truth" not in competition else ""


def _titled(title: str, tables: Iterable[Table], text: str = "") -> list[str]:
    """A heading and its tables; nothing where they have no rows."""
    filled = [_table(one) for one in tables if any(group.rows for group in one.groups)]
    return [f"### {title}", *filled, text] if filled else []


def _table(table: Table) -> str:
    """A table of a page; the cells that stand out are bold."""
    align = ["left" if column in table.words else "right" for column in range(table.width)]
    rows = [row for group in table.groups for row in _rows(group, table.width)]
    head = [_text(name) for name in table.head]
    return tabulate(rows, head, "pipe", disable_numparse=True, colalign=align)


def _rows(group: Group, width: int) -> list[list[str]]:
    named = [[f"*{_text(group.name)}*", *[""] * (width - 1)]] if group.name else []
    return [*named, *([_cell(cell) for cell in row] for row in group.rows)]


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return _text(cell)
    return f"**{_text(cell.text)}**" if cell.tone == "well" else _text(cell.text)


def _text(text: str) -> str:
    """Text in one line, without what Markdown would read as a tag, an entity, emphasis or the end of a cell."""
    text = re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", re.sub(r"&(?=#?\w+;)", "&amp;", text))
    return " ".join(re.sub(r"([|*`\\])", r"\\\1", text).split())
