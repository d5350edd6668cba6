"""The page of a board: the verdict, the ranking, what it cost, how it was learned and searched, and the setting."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from dataset_prep.pages.html import html as document
from dataset_prep.pages.numbers import count
from dataset_prep.pages.parts import Charts, Code, Folded, Group, Lines, Page, Part, Section, Table, Text
from recbole_alibaba.board.pages.board_verdict import verdict
from recbole_alibaba.board.pages.group_table import group_table
from recbole_alibaba.board.pages.learning_charts import learning
from recbole_alibaba.board.pages.markdown_page import BOTH, READING, TESTS, USERS, about_lists
from recbole_alibaba.board.pages.ranking_charts import accuracy_against_time, by_group, differences
from recbole_alibaba.board.pages.ranking_tables import (
    cost,
    data,
    every_metric,
    every_seed,
    failures,
    lists,
    ranking,
    tests,
)
from recbole_alibaba.board.pages.search_parts import search
from recbole_alibaba.board.standings.contents import BoardHead, Standings

SHOWN = 3  # models whose search is shown without a click


def html(head: BoardHead, standings: Sequence[Standings]) -> str:
    """A whole HTML document that needs no network; the same standings give the same bytes."""
    sentence, tone = verdict(standings)
    sections = [section for one in standings for section in _of(head, one, len(standings) > 1)]
    sections += [Section("Data", [data(standings)]), _setting(head, standings)]
    return document(Page(head.title or head.name, sentence, tone, _figures(standings), sections))


def _of(head: BoardHead, standing: Standings, several: bool) -> list[Section]:
    """The sections of one data set."""
    of = f"{standing.dataset}: " if several else ""
    parts: list[Part] = [ranking(standing)]
    parts += [Lines(list(standing.notes))] if standing.notes else []
    reading = READING.format(noise=BOTH if standing.seed_noise else USERS)
    parts.append(Text(f"{reading} A click on a heading sorts the table by that column.", "soft"))
    charts = [chart for chart in (accuracy_against_time(standing), differences(standing)) if not chart.empty()]
    parts += [Charts(charts, pairs=True)] if charts else []
    against = tests(standing)
    parts += [Folded(against.title, [against, Text(TESTS, "soft")])] if against.groups else []
    held, said = lists(standing), about_lists(head)
    for one in (*every_metric(standing), cost(standing), held, every_seed(standing)):
        note = [Text(said, "soft")] if one is held and said else []
        parts += [Folded(one.title, [one, *note])] if one.groups else []
    sections = [Section(f"{of}Ranking", parts)]
    numbers = group_table(standing)
    if groups := by_group(standing):
        sections.append(Section(f"{of}Groups of users and items", [Charts(groups), Folded(numbers.title, [numbers])]))
    curves = [(row.label, learning(row, standing.valid_metric)) for row in standing.rows]
    drawn: list[Part] = [Folded(label, [Charts(charts, small=True)], open=True) for label, charts in curves if charts]
    if drawn:
        sections.append(Section(f"{of}Learning curves", [Text("Each line is a seed.", "soft"), *drawn]))
    searched = [row for row in standing.rows if row.trials]
    if searched:
        trials = [search(row, standing.valid_metric, at < SHOWN) for at, row in enumerate(searched)]
        says = Text("A search reads the validation part only.", "soft")
        sections.append(Section(f"{of}Searches", [says, *trials]))
    if standing.failures:
        sections.append(Section(f"{of}Trials without a result", [failures(standing)]))
    return sections


def _figures(standings: Sequence[Standings]) -> list[tuple[str, str]]:
    """Key figures of the board."""
    rows = [row for one in standings for row in one.rows]
    models = dict.fromkeys(row.label for row in rows if row.kind in ("ranked", "failed"))
    seeds = dict.fromkeys(seed for one in standings for seed in one.seeds)
    figures = [("data sets", ", ".join(one.dataset for one in standings)), ("models", count(len(models)))]
    figures += [("seeds", ", ".join(map(str, seeds))), ("trials of searches", count(sum(len(r.trials) for r in rows)))]
    figures.append(("metric that decides", ", ".join(dict.fromkeys(one.metric for one in standings))))
    return figures


def _setting(head: BoardHead, standings: Sequence[Standings]) -> Section:
    """The command, the board's file, the ranges of the searches and what they chose."""
    parts: list[Part] = [Text(head.text)] if head.text else []
    parts += [Code(head.command)] if head.command else []
    if head.plan:
        parts.append(Code(yaml.safe_dump(dict(head.plan), allow_unicode=True, sort_keys=False)))
    for one in standings:
        groups = []
        for row in one.rows:
            space = head.spaces.get(row.label, {})
            names = dict.fromkeys([*space, *row.settings])
            rows = [(name, space.get(name, ""), str(row.settings.get(name, ""))) for name in names]
            groups += [Group(row.label, rows)] if rows else []
        if groups:
            title = f"Settings of each model on {one.dataset}"
            parts.append(Table(title, ("setting", "search range", "used"), groups, words=range(3), caption=True))
    return Section("Setting", parts)
