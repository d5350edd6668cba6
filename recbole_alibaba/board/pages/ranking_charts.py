"""The charts of a ranking: accuracy against training time, differences to the best, groups of users and items."""

from __future__ import annotations

from dataset_prep.pages.chart import Chart, Mark, Series
from dataset_prep.pages.numbers import count
from dataset_prep.pages.ranges import Range, Ranges
from dataset_prep.pages.scale import Axis
from recbole_alibaba.board.pages.board_numbers import score
from recbole_alibaba.board.standings.contents import Group, Row, Standings

HEIGHT = 300  # pixels of a plot with labelled points


def accuracy_against_time(standing: Standings) -> Chart:
    """A labelled point for each ranked model that was trained."""
    metric = standing.metric
    rows = [row for row in standing.ranked if "train" in row.seconds]
    points = Series(
        "",
        [row.seconds["train"].mean for row in rows],
        [row.metrics[metric].mean for row in rows],
        line=False,
        style=0,
        labels=[row.label for row in rows],
    )
    x = Axis("seconds to train, mean over the seeds (logarithmic scale)", log=True)
    return Chart("Accuracy against training time", x, Axis(f"{metric} on test"), [points], plot=HEIGHT)


def differences(standing: Standings) -> Ranges:
    """A forest plot: the difference of each model to the best, with its bootstrap interval."""
    rows = []
    for row in standing.rows:
        if row.comparison is not None:
            rows.append(Range(_name(row), row.comparison.difference, row.comparison.low, row.comparison.high))
        elif row.rank is not None:
            rows.append(Range(row.label, 0.0))
    x = Axis(f"difference in {standing.metric}, with 95 % interval")
    return Ranges(
        "Difference to the best", x, rows, [Mark("x", 0.0, "0, the best")], interval="95 % interval", number=score
    )


def by_group(standing: Standings) -> list[Ranges]:
    """Bars of every ranked model, a chart for each group; charts of users share one axis."""
    rows = [row for row in standing.rows if row.groups]
    metric = standing.metric
    charts = []
    for name in dict.fromkeys(name for row in rows for name, group in row.groups.items() if group.users):
        alike = [group for row in rows for other, group in row.groups.items() if _kind(other) == _kind(name)]
        top = max(_range("", group, metric).high or 0.0 for group in alike)
        users = next(row.groups[name].users for row in rows if name in row.groups)
        bars = [_range(_name(row), row.groups[name], metric) for row in rows if name in row.groups]
        x = Axis(f"{metric} on test ± standard deviation over seeds", include=(0.0, top or 1.0))
        charts.append(
            Ranges(f"{name} ({count(users)} users)", x, bars, bars=True, interval="± standard deviation", number=score)
        )
    return [chart for chart in charts if not chart.empty()]


def _kind(group: str) -> str:
    return group.partition(":")[0]


def _name(row: Row) -> str:
    return f"{row.label} (outside)" if row.kind == "outside" else row.label


def _range(name: str, group: Group, metric: str) -> Range:
    found = group.metrics.get(metric)
    if found is None:
        return Range(name, None)
    if found.sd is None:
        return Range(name, found.mean, None, found.mean)
    return Range(name, found.mean, max(0.0, found.mean - found.sd), found.mean + found.sd)
