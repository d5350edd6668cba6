"""Which curves of a training are drawn, with which values, and which metrics go to a table."""

from typing import Any

import pytest

from recbole_alibaba.diagnosis.report.curves import LN2, Training, charts, compared, drawn_metrics, every_metric

METRICS = {"recall@10": 0.1, "hit@20": 0.2, "ndcg@20": 0.3, "mrr@10": 0.4}


def history(*losses: float, **more: Any) -> list[dict[str, Any]]:
    return [
        {"epoch": n, "loss": loss + 0.01, "bpr": loss, "reg": 0.01, "grad_norm": 1.0 + n, **more}
        for n, loss in enumerate(losses)
    ]


def drawn(*trainings: Training) -> dict[str, Any]:
    return {chart.y.title: chart for chart in charts(trainings)}


def test_the_parts_are_drawn_and_their_sum_only_where_there_are_none() -> None:
    found = charts([Training("", history(0.7, 0.5))])
    assert [chart.points() for chart in found] == [
        [[(0, 0.7), (1, 0.5)]], [[(0, 0.01), (1, 0.01)]], [[(0, 1.0), (1, 2.0)]]
    ]  # fmt: skip
    assert [[mark.value for mark in chart.marks] for chart in found] == [[LN2], [], []]
    whole = charts([Training("", [{"epoch": 0, "loss": 0.7}])])
    assert [chart.points() for chart in whole] == [[[(0, 0.7)]]]
    mixed = charts([Training("parts", history(0.7)), Training("sum", [{"epoch": 0, "loss": 0.6}])])
    assert [(0, 0.6)] in [points for chart in mixed for points in chart.points()]


def test_two_trainings_are_curves_of_one_chart() -> None:
    first, *_ = charts([Training("a", history(0.7)), Training("b", history(0.6, 0.5))])
    assert [one.name for one in first.series] == ["a", "b"] and [one.style for one in first.series] == [0, 1]
    assert first.points() == [[(0, 0.7)], [(0, 0.6), (1, 0.5)]]
    assert first.y.least == pytest.approx(0.02 * 0.7)


def test_before_and_after_share_the_range_of_values() -> None:
    pairs = compared(Training("", history(0.7, 0.6)), Training("", history(0.5)))
    before, after = pairs[:2]
    assert before.y == after.y and set(before.y.include) == {0.7, 0.6, 0.5}
    assert before.title != after.title and len(pairs) == 6
    alone = compared(Training("", history(0.7, user_norm=2.0)), Training("", history(0.5)))
    assert len(alone) == 7  # a panel without a twin stands alone


def test_the_metric_of_early_stopping_is_drawn_first_and_then_those_of_its_length() -> None:
    records = history(0.7, valid=METRICS)
    assert drawn_metrics([Training("", records, "NDCG@20")]) == ("ndcg@20", "hit@20", "recall@10")
    assert drawn_metrics([Training("", records, "none@5")]) == ("recall@10", "mrr@10", "hit@20")
    assert drawn_metrics([Training("", history(0.7), "NDCG@20")]) == ()
    titles = [chart.title for chart in charts([Training("", records, "NDCG@20")])]
    assert [title.partition(": ")[2] for title in titles][-3:] == ["ndcg@20", "hit@20", "recall@10"]


def test_more_metrics_than_are_drawn_are_a_table() -> None:
    records = [*history(0.7), *history(0.7, valid=METRICS)]  # the first epoch was not evaluated
    table = every_metric(records, "All metrics")
    assert table is not None
    assert list(table.head)[1:] == list(METRICS) and table.title == "All metrics"
    (row,) = table.groups[0].rows
    assert row == ("0", "0.1", "0.2", "0.3", "0.4")
    fewer = every_metric([*records, *history(0.7, valid={"recall@10": 0.5})], "All metrics")
    assert fewer is not None and fewer.groups[0].rows[1] == ("0", "0.5", "", "", "")
    three = dict(list(METRICS.items())[:3])
    assert every_metric(history(0.7, valid=three), "All metrics") is None
    assert every_metric(history(0.7), "All metrics") is None
