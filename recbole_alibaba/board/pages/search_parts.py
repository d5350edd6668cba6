"""Every trial of a model's search: its score by trial and by each setting, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataset_prep.pages.chart import Chart, Series
from dataset_prep.pages.numbers import count, plain
from dataset_prep.pages.parts import Cell, Charts, Folded, Group, Part, Table, Toned
from dataset_prep.pages.scale import Axis
from recbole_alibaba.board.pages.board_numbers import amount, score
from recbole_alibaba.board.standings.contents import Row, SearchTrial

WIDTH, HEIGHT = 280, 110  # pixels
WIDE = 20  # largest value over smallest; from here on the axis is logarithmic


def search(row: Row, valid_metric: str, shown: bool) -> Folded:
    """The trials of one model. shown: without a click."""
    chosen = next((trial for trial in row.trials if trial.chosen), None)
    best = f"; trial {chosen.index} is chosen, {valid_metric} {score(chosen.score)}" if chosen else "; none is chosen"
    charts = [chart for chart in _charts(row.trials, valid_metric) if not chart.empty()]
    parts: list[Part] = [Charts(charts, small=True)] if charts else []
    title = f"{row.label}: {count(len(row.trials))} trials{best}"
    return Folded(title, [*parts, _table(row, valid_metric)], shown)


def _charts(trials: Sequence[SearchTrial], metric: str) -> list[Chart]:
    last = max(trial.index for trial in trials)
    y = Axis(f"valid {metric}")
    charts = [
        _chart("By trial", Axis("trial", whole=True, include=(0.0, float(last))), y, trials, [t.index for t in trials])
    ]
    for name in _settings(trials):
        having = [trial for trial in trials if name in trial.settings]
        values = [trial.settings[name] for trial in having]
        if len({str(value) for value in values}) < 2:
            continue
        if all(_number(value) for value in values):
            log = min(values) > 0 and max(values) / min(values) >= WIDE
            axis = Axis(name + (" (logarithmic scale)" if log else ""), log=log, whole=all(v == int(v) for v in values))
            charts.append(_chart(f"By {name}", axis, y, having, values))
        else:
            words = list(dict.fromkeys(map(str, values)))
            axis = Axis(name, labels={float(at): word for at, word in enumerate(words)})
            charts.append(_chart(f"By {name}", axis, y, having, [words.index(str(value)) for value in values]))
    return charts


def _chart(title: str, x: Axis, y: Axis, trials: Sequence[SearchTrial], xs: Sequence[float]) -> Chart:
    series = []
    for name, chosen in (("trial", False), ("chosen", True)):
        points = [(at, trial.score) for at, trial in zip(xs, trials, strict=True) if trial.chosen == chosen]
        if points:
            series.append(Series(name, [x for x, _ in points], [y for _, y in points], line=False, style=int(chosen)))
    return Chart(title, x, y, series, width=WIDTH, plot=HEIGHT)


def _table(row: Row, metric: str) -> Table:
    names = _settings(row.trials)
    head = ["trial", f"valid {metric}", *names, "best epoch", "seconds", "state"]
    rows: list[list[Cell]] = []
    for trial in row.trials:
        cells: list[Cell] = [str(trial.index)]
        cells.append(Toned(f"{score(trial.score)} chosen", "well") if trial.chosen else score(trial.score))
        cells += [_value(trial.settings.get(name)) for name in names]
        cells += ["" if trial.best_epoch is None else count(trial.best_epoch), amount(trial.seconds)]
        rows.append([*cells, f"{trial.state}: {trial.reason}" if trial.reason else trial.state])
    words = [2 + at for at, name in enumerate(names) if not all(_number(t.settings.get(name, 0)) for t in row.trials)]
    words.append(len(head) - 1)
    return Table(f"The trials of {row.label}", head, [Group("", rows)], words, sorted_by=0)


def _settings(trials: Sequence[SearchTrial]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial.settings))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(value: Any) -> str:
    return "" if value is None else plain(value) if _number(value) else str(value)
