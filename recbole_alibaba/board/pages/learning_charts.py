"""The learning curves of a model on a board: a chart for each part of the loss and for the validation metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dataset_prep.pages.chart import Chart, Mark, Series
from dataset_prep.pages.scale import Axis
from recbole_alibaba.board.standings.contents import Row, Run
from recbole_alibaba.diagnosis.signs.loss_signs import LN2

WIDTH, HEIGHT = 280, 110  # pixels
FLAT = 0.02  # share of its size; a curve that moves less looks flat
NAMES = {"bpr": "BPR loss", "softmax": "Softmax loss", "reg": "L2 loss", "loss": "Loss"}
NO_PARTS = {"epoch", "loss", "valid", "seconds"}  # keys of an epoch that are no part of its loss


def learning(row: Row, valid_metric: str) -> list[Chart]:
    """Every seed in each chart; each chart has an axis of its own. Empty for a model without epochs."""
    runs = [run for run in row.runs if len(run.history) > 1]
    metric = valid_metric.lower()
    charts = [_part(part, runs) for part in _parts(runs)]
    charts.append(_chart(f"Validation {metric}", metric, runs, lambda epoch: (epoch.get("valid") or {}).get(metric)))
    return [chart for chart in charts if not chart.empty()]


def _part(name: str, runs: Sequence[Run]) -> Chart:
    marks = [Mark("y", LN2, "ln 2, random")] if name == "bpr" else []
    return _chart(NAMES.get(name, name), "mean of the epoch", runs, lambda epoch: epoch.get(name), marks)


def _parts(runs: Sequence[Run]) -> list[str]:
    """The named parts of the loss; the whole where it has none."""
    return list(dict.fromkeys(key for run in runs for key in run.history[0] if key not in NO_PARTS)) or ["loss"]


def _chart(
    title: str,
    unit: str,
    runs: Sequence[Run],
    value: Callable[[Mapping[str, Any]], float | None],
    marks: Sequence[Mark] = (),
) -> Chart:
    series = []
    for style, run in enumerate(runs):
        epochs = [epoch for epoch in run.history if value(epoch) is not None]
        name = str(run.seed) if len(runs) > 1 else ""
        series.append(Series(name, [epoch["epoch"] for epoch in epochs], [value(e) for e in epochs], style=style))
    size = max((abs(y) for one in series for y in one.ys if y is not None), default=0.0)
    axis = Axis(unit, least=FLAT * size)
    return Chart(title, Axis("epoch", whole=True), axis, series, marks, WIDTH, HEIGHT)
