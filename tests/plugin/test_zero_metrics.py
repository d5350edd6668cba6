"""A run whose first validations are all zero stops with the reason; one hit, or hidden hits, and it goes on."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recbole_alibaba.diagnosis.checks.interactions import Interactions
from recbole_alibaba.host.errors import NothingLearnedError
from recbole_alibaba.trainer.zero_metrics import VALIDATIONS, stop_at_zero, unknown_share


def made(scores: list[float], items: int = 100) -> Any:
    """An experiment whose validations have these scores; nothing is known of its data."""
    waiting = iter(scores)

    def validate() -> tuple[float, dict[str, float]]:
        score = next(waiting)
        return score, {"recall@10": 0.0, "ndcg@10": score}

    return SimpleNamespace(
        trainer=SimpleNamespace(_valid_epoch=validate), dataset=SimpleNamespace(item_num=items),
        config={"dataset": "log"}, settings={"valid_metric": "NDCG@10"},
    )  # fmt: skip


def validations(experiment: Any, count: int) -> list[float]:
    stop_at_zero(experiment)
    return [experiment.trainer._valid_epoch()[0] for _ in range(count)]


def test_ten_zeros_stop_the_run() -> None:
    assert validations(made([0.0] * 10), VALIDATIONS - 1) == [0.0] * (VALIDATIONS - 1)
    sentence = (
        r"^log: every metric was 0 in the first 10 validations: the model finds no held-out item.*doctor --dataset"
    )
    with pytest.raises(NothingLearnedError, match=sentence):
        validations(made([0.0] * 10), VALIDATIONS)


@pytest.mark.parametrize("at", [0, 9])
def test_one_hit_in_the_first_ten_is_enough(at: int) -> None:
    scores = [0.0] * 30
    scores[at] = 0.1
    assert validations(made(scores), 30) == scores


def test_hits_that_rounding_hides_do_not_stop_it() -> None:
    """Of a million items a list of ten holds a chance hit in a hundred thousand: RecBole shows 0.0000."""
    assert validations(made([0.0] * 20, items=1_000_000), 20) == [0.0] * 20


def test_without_pairs_nothing_is_unknown() -> None:
    assert unknown_share(SimpleNamespace()) == 0.0
    held = [("valid", np.array([1, 1]), np.array([1, 3]))]
    assert Interactions(3, 4, np.array([1, 2]), np.array([1, 2]), held).unknown == 0.5
