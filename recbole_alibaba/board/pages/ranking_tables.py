"""The tables of a board's page: the ranking, every metric, cost, lists, tests, every seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from dataset_prep.pages.numbers import count, percent
from dataset_prep.pages.parts import Cell, Group, Table, Toned, table
from recbole_alibaba.board.pages.board_numbers import amount, chance, figure, score
from recbole_alibaba.board.standings.contents import Figure, Row, Standings

METRICS = 3  # columns of the ranking; the other metrics have a table of their own
STAGES = {"train": "train (s)", "validate": "validate (s)", "rank": "rank the test (s)", "total": "whole trial (s)"}


def ranking(standing: Standings) -> Table:
    """The deciding metric and two of the same list length, the difference to the best, the time."""
    length = standing.metric.partition("@")[2]
    alike = [name for name in _names(row.metrics for row in standing.rows) if name.partition("@")[2] == length]
    shown = [standing.metric, *(name for name in alike if name != standing.metric)][:METRICS]
    best = _best(standing, shown)
    head = ["model", "rank", *shown, "difference to the best", "p", "train (s)", "remark"]

    def cells(row: Row) -> list[Cell]:
        against = row.comparison
        return [
            row.label,
            _rank(row),
            *_figures(row, row.metrics, shown, best),
            "" if against is None else score(against.difference),
            "" if against is None else chance(against.p),
            amount(_mean(row.seconds.get("train"))),
            _remark(row),
        ]

    return _table(f"Ranking on {standing.dataset}", head, standing.rows, cells, words=(0, len(head) - 1))


def every_metric(standing: Standings) -> list[Table]:
    """Mean and standard deviation of every test metric; a table for each list length."""
    rows = [row for row in standing.rows if row.metrics]
    names = _names(row.metrics for row in rows)
    tables = []
    for length in dict.fromkeys(name.partition("@")[2] for name in names):
        shown = [name for name in names if name.partition("@")[2] == length]
        best = _best(standing, shown)
        title = f"Every metric @{length} on {standing.dataset}" if length else f"Other metrics on {standing.dataset}"
        having = [row for row in rows if any(name in row.metrics for name in shown)]
        cells = partial(_metric_cells, shown=shown, best=best)
        tables.append(_table(title, ["model", "rank", *shown], having, cells))
    return tables


def _metric_cells(row: Row, shown: Sequence[str], best: Mapping[str, float]) -> list[Cell]:
    return [row.label, _rank(row), *_figures(row, row.metrics, shown, best)]


def cost(standing: Standings) -> Table:
    """Seconds by stage, memory and parameters."""
    rows = [row for row in standing.rows if row.seconds]
    stages = [name for name in STAGES if any(name in row.seconds for row in rows)]

    def cells(row: Row) -> list[Cell]:
        seconds = [amount(_mean(row.seconds.get(name))) for name in stages]
        parameters = "" if row.parameters is None else count(row.parameters)
        return [row.label, _rank(row), *seconds, amount(row.peak_memory_mb), parameters]

    head = ["model", "rank", *(STAGES[name] for name in stages), "peak memory (MB)", "parameters"]
    return _table(f"Cost on {standing.dataset}, mean over the seeds", head, rows, cells)


def lists(standing: Standings) -> Table:
    """Coverage, Gini and popularity of the lists that the ranking is by; the competition's measures."""
    rows = [row for row in standing.rows if row.beyond or row.competition]
    length = standing.metric.partition("@")[2]
    beyond = [name for name in _names(row.beyond for row in rows) if name.partition("@")[2] == length]
    competition = _names(row.competition for row in rows)

    def cells(row: Row) -> list[Cell]:
        values = [row.beyond.get(name) for name in beyond] + [row.competition.get(name) for name in competition]
        return [row.label, _rank(row), *map(_beyond, values)]

    head = ["model", "rank", *(name.replace("_", " ") for name in beyond), *(f"competition: {n}" for n in competition)]
    return _table(f"What the lists of {standing.dataset} hold", head, rows, cells)


def tests(standing: Standings) -> Table:
    """Each model against the best: difference, bootstrap interval, p-values."""
    head = ["model", "rank", "difference", "95 % low", "95 % high", "p that decides"]
    head += ["p, Wilcoxon", "with Holm", "p, paired t", "with Holm"]

    def cells(row: Row) -> list[Cell]:
        one = row.comparison
        if one is None:
            return [row.label, _rank(row), *[""] * (len(head) - 2)]
        numbers = [score(value) for value in (one.difference, one.low, one.high)]
        by_users = [chance(value) for value in (one.p_wilcoxon, one.holm_wilcoxon, one.p_t, one.holm_t)]
        return [row.label, _rank(row), *numbers, chance(one.p), *by_users]

    rows = [row for row in standing.rows if row.comparison is not None]
    return _table(f"Tests against the best on {standing.dataset}", head, rows, cells)


def every_seed(standing: Standings) -> Table:
    """Each final trial, under its model."""
    head = ["seed", f"test {standing.metric}", f"valid {standing.valid_metric}", "best epoch", "train (s)", "test read"]
    groups = []
    for row in standing.rows:
        rows: list[list[Cell]] = [
            [
                str(run.seed),
                score((run.test or {}).get(standing.metric)),
                score(run.valid_score),
                "" if run.best_epoch is None else count(run.best_epoch),
                amount(run.seconds.get("train")),
                (run.test_read or "")[:19].replace("T", " "),
                run.state,
            ]
            for run in row.runs
        ]
        groups += [Group(row.label, rows)] if rows else []
    return Table(f"Every seed on {standing.dataset}", [*head, "state"], groups, words=(6,))


def failures(standing: Standings) -> Table:
    """Every trial without a result, with its reason."""
    rows = [
        (
            one.label,
            "test" if one.purpose == "final" else f"search, trial {one.index}",
            str(one.seed),
            one.state,
            one.reason,
        )
        for one in standing.failures
    ]
    return table("Trials without a result", ("model", "trial of", "seed", "state", "reason"), rows, words=range(5))


def data(standings: Sequence[Standings]) -> Table:
    """What each data set holds."""
    names = list(dict.fromkeys(name for one in standings for name in one.counts))
    rows = []
    for one in standings:
        pairs = sum(one.counts.get(part, 0) for part in ("train", "valid", "test"))
        cells = [count(one.counts[name]) if name in one.counts else "" for name in names]
        density = percent(pairs, one.counts.get("users", 0) * one.counts.get("items", 0))
        rows.append((one.dataset, *cells, density, one.fingerprint))
    head = ("data set", *names, "density", "fingerprint")
    return table("Data", head, rows, words=(0, len(head) - 1))


def _table(
    title: str,
    head: Sequence[str],
    rows: Iterable[Row],
    cells: Callable[[Row], list[Cell]],
    words: Sequence[int] = (0,),
) -> Table:
    """A sortable table; published figures stand apart under a heading of their own."""
    groups: dict[bool, list[list[Cell]]] = {}
    for row in rows:
        groups.setdefault(row.kind == "published", []).append(cells(row))
    named = [Group("Published figures, not measured here" if key else "", groups[key]) for key in sorted(groups)]
    return Table(title, head, named, words, sorted_by=1)


def _names(mappings: Iterable[Mapping[str, Figure]]) -> list[str]:
    return list(dict.fromkeys(name for one in mappings for name in one))


def _best(standing: Standings, names: Sequence[str]) -> dict[str, float]:
    values = {name: [row.metrics[name].mean for row in standing.ranked if name in row.metrics] for name in names}
    return {name: max(means) for name, means in values.items() if means}


def _figures(row: Row, metrics: Mapping[str, Figure], names: Sequence[str], best: Mapping[str, float]) -> list[Cell]:
    cells: list[Cell] = []
    for name in names:
        found = metrics.get(name)
        top = row.rank is not None and found is not None and found.mean == best.get(name)
        cells.append(Toned(figure(found), "well") if top else figure(found))
    return cells


def _beyond(value: Figure | None) -> str:
    if value is None:
        return ""
    return figure(value) if abs(value.mean) <= 1 else amount(value.mean)


def _mean(value: Figure | None) -> float | None:
    return None if value is None else value.mean


def _rank(row: Row) -> str:
    return "" if row.rank is None else f"{row.rank}{' tied' if row.tied else ''}"


def _remark(row: Row) -> Cell:
    lost = [run for run in row.runs if run.test is None]
    if row.kind == "failed":
        reasons = [(run.state, run.reason) for run in lost] or [(one.state, one.reason) for one in row.trials]
        found = dict.fromkeys(f"{state}: {reason}" for state, reason in reasons if reason)
        return Toned("; ".join(found) or "no result", "error")
    if row.kind == "published":
        return f"published, {row.source}" if row.source else "published"
    if row.kind == "outside":
        return "lists made elsewhere"
    return Toned(f"{len(lost)} of {len(row.runs)} seeds without a result", "warning") if lost else ""
