"""The curves of a training: charts of one history, of two beside each other, or of several in one; no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from dataset_prep.pages.chart import Chart, Mark, Series
from dataset_prep.pages.numbers import plain
from dataset_prep.pages.parts import Table, table
from dataset_prep.pages.scale import Axis
from recbole_alibaba.diagnosis.catalogue import sentence
from recbole_alibaba.diagnosis.readings import History, Record, reading
from recbole_alibaba.diagnosis.signs.loss_signs import LN2

PANELS = {
    "bpr": "bpr",
    "softmax": "softmax",
    "reg": "reg",
    "loss": "loss",
    "gradient": "grad_norm",
    "user-norm": "user_norm",
    "item-norm": "item_norm",
    "update": "update_ratio",
    "gap": "score_gap",
}
"""Panel -> key of the epoch records. Each has an axis of its own, because their sizes differ."""
FLAT = 0.02  # share of its size; a curve that moves less looks flat
METRICS = 3  # validation metrics that are drawn


class Training(NamedTuple):
    """One training: its name in the legend ("" if it is the only one), its epochs, the metric of early stopping."""

    name: str
    history: History
    valid_metric: str = ""


def charts(trainings: Sequence[Training], lang: str = "en") -> list[Chart]:
    """A chart for each panel that has values, every training in it."""
    drawn = []
    for panel, key in PANELS.items():
        if panel == "loss" and all("reg" in record for one in trainings for record in one.history):
            continue  # the sum says less than its parts
        drawn.append(_chart(panel, key, trainings, reading, lang))
    for metric in drawn_metrics(trainings):
        chart = _chart("valid", metric, trainings, _valid, lang)
        drawn.append(replace(chart, title=f"{chart.title}: {metric}"))
    return [chart for chart in drawn if not chart.empty()]


def compared(before: Training, after: Training, lang: str = "en") -> list[Chart]:
    """Two charts for each panel, with one range of values: without the change and with it."""
    known = {chart.title: chart for chart in charts([after], lang)}
    pairs = []
    for chart in charts([before], lang):
        other = known.get(chart.title)
        values = [y for one in (chart, other) if one for points in one.points() for _, y in points]
        axis = replace(chart.y, include=tuple(value for value in values if value == value), least=_least(values))
        for one, word in ((chart, "before"), (other, "after")):
            if one:
                pairs.append(replace(one, y=axis, title=f"{one.title}, {sentence('report', word, lang, {})}"))
    return pairs


def drawn_metrics(trainings: Sequence[Training]) -> tuple[str, ...]:
    """The metric of early stopping, then two others: those of the same list length first."""
    evaluated = [record["valid"] for one in trainings for record in one.history if record.get("valid")]
    names = list(evaluated[0]) if evaluated else []
    wanted = trainings[0].valid_metric.lower()
    first = next((name for name in names if name.lower() == wanted), names[0] if names else "")
    length = first.partition("@")[2]
    others = sorted((name for name in names if name != first), key=lambda name: name.partition("@")[2] != length)
    return (first, *others)[:METRICS] if names else ()


def every_metric(history: History, title: str, lang: str = "en") -> Table | None:
    """A table of every validation metric by epoch, if there are more than the charts show."""
    evaluated = [record for record in history if record.get("valid")]
    names = list(evaluated[0]["valid"]) if evaluated else []
    if len(names) <= METRICS:
        return None
    rows = [
        (str(record["epoch"]), *(plain(record["valid"][name]) if name in record["valid"] else "" for name in names))
        for record in evaluated
    ]
    return table(title, (sentence("report", "axis-epoch", lang, {}), *names), rows)


def _valid(record: Record, metric: str) -> float | None:
    return reading(record.get("valid") or {}, metric)


def _chart(
    panel: str,
    key: str,
    trainings: Sequence[Training],
    value: Callable[[Record, str], float | None],
    lang: str,
) -> Chart:
    series: list[Series] = []
    for training in trainings:
        records = [record for record in training.history if value(record, key) is not None]
        epochs = [int(record["epoch"]) for record in records]
        series.append(Series(training.name, epochs, [value(record, key) for record in records], style=len(series)))
    series = [one for one in series if one.xs]
    marks = [Mark("y", LN2, sentence("report", "ln2", lang, {}))] if panel == "bpr" else []
    title, x, y = (sentence("report", word, lang, {}) for word in (f"panel-{panel}", "axis-epoch", f"axis-{panel}"))
    axis = Axis(y, least=_least([one for curve in series for one in curve.ys if one is not None]))
    return Chart(title, Axis(x, whole=True), axis, series, marks)


def _least(values: Sequence[float]) -> float:
    return FLAT * max((abs(value) for value in values if abs(value) < float("inf")), default=0.0)
