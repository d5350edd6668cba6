"""The search: spaces are read and refused by name, and proposals depend on the finished trials alone."""

import math
import pickle
import random
from typing import Any

import numpy as np
import pytest

from recbole_alibaba.board.campaign import Campaign, Chain
from recbole_alibaba.board.plan import Budget, Entry, Plan
from recbole_alibaba.board.searching.proposals import proposal
from recbole_alibaba.board.searching.ranges import Range, read_range
from recbole_alibaba.board.searching.spaces import Space, read_space
from recbole_alibaba.board.trial import Surveyed
from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.settings.property_files import properties_folder, read_mapping

WIDE = {
    "learning_rate": [0.001, 0.002, 0.005],
    "n_layers": {"low": 1, "high": 4},
    "reg_weight": {"low": 1e-6, "high": 1e-3, "log": True},
}


def searched(
    space: Space, trials: int, bigger: bool = True, seed: int = 2020
) -> list[tuple[dict[str, Any], float | None]]:
    """A search whose best setting has two layers and a high rate; the fourth trial fails."""
    finished: list[tuple[dict[str, Any], float | None]] = []
    for index in range(trials):
        setting = proposal(space, finished, bigger, seed)
        score = setting["learning_rate"] * 100 - abs(setting["n_layers"] - 2)
        finished.append((setting, None if index == 3 else score if bigger else -score))
    return finished


@pytest.mark.parametrize(
    ("model", "value", "wanted"),
    [
        ("BPR", {"lerning_rate": [0.1]}, "search of BPR: .*'lerning_rate' with BPR. Did you mean 'learning_rate'"),
        ("BPR", {"embedding_size": [64, 12.5]}, "embedding_size is 12.5, and must be a whole number"),
        ("BPR", {"embedding_size": {"low": 16, "high": 64.5}}, "embedding_size is 16.0, and must be a whole number"),
        ("BPR", {"learning_rate": {"low": 0.1, "hihg": 1}}, "'hihg' of learning_rate.* Did you mean 'high'"),
        ("BPR", {"learning_rate": {"low": 0.1}}, "needs two numbers, low and high"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": 0.01}}, "low must be the smaller one"),
        ("BPR", {"learning_rate": {"low": 0, "high": 1, "log": True}}, "needs low above 0"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": 1, "log": 1}}, "log and int of learning_rate must be true or"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": 1, "log": True, "step": 0.1}}, "above 0, and no step"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": 1, "step": 0}}, "step of learning_rate is 0, and must lie"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": 1, "step": 0.91}}, "must lie between 0 and high - low"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": 1, "int": True}}, "int: true of learning_rate needs whole"),
        ("BPR", {"learning_rate": {"low": True, "high": 2}}, "needs two numbers, low and high"),
        ("BPR", {"learning_rate": {"low": 0.1, "high": float("inf")}}, "needs two numbers, low and high"),
        ("BPR", {"learning_rate": 0.1}, "learning_rate is 0.1, and a search needs a list of values"),
        ("BPR", {"learning_rate": []}, "a search needs a list of values"),
        ("BPR", {"learning_rate": [0.1, 0.1]}, "listed twice"),
        ("BPR", "recbol", "a search is 'recbole' or a mapping"),
        ("Pop", "recbole", "no ranges for Pop"),
        ("LihgtGCN", "recbole", "no model 'LihgtGCN'.* Did you mean 'LightGCN'"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(model: str, value: Any, wanted: str) -> None:
    with pytest.raises(BadInput, match=wanted):
        read_space(value, model)


def test_values_of_a_range() -> None:
    steps, whole, any_number = (
        read_range("x", value, "here")
        for value in ({"low": 0.1, "high": 0.5, "step": 0.1}, {"low": 2, "high": 5}, {"low": 0.0, "high": 1.0})
    )
    assert isinstance(steps, Range) and isinstance(whole, Range) and isinstance(any_number, Range)
    assert steps.count == 5 and list(steps) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert list(whole) == [2, 3, 4, 5] and any_number.count == math.inf
    assert 0.3 in steps and 0.35 not in steps and 0.6 not in steps and 0.05 not in steps
    assert 2 in whole and 5.0 in whole and 2.5 not in whole and True not in whole and "3" not in whole
    assert 0.123 in any_number and 0.0 in any_number and 1.01 not in any_number
    assert whole.as_yaml() == {"low": 2, "high": 5, "int": True}
    assert steps.as_yaml() == {"low": 0.1, "high": 0.5, "step": 0.1}


def test_ranges_of_recbole_are_settings_of_today() -> None:
    models = [model for model in read_mapping(properties_folder() / "ranges.yaml") if not model.startswith("_")]
    sizes = {model: read_space("recbole", model).size for model in models}
    assert len(sizes) > 30
    assert sizes["LightGCN"] == sizes["AlibabaLightGCN"] == 80


def test_a_space_is_a_value() -> None:
    space = read_space(WIDE, "AlibabaLightGCN")
    turned = read_space(dict(reversed(WIDE.items())), "AlibabaLightGCN")
    assert pickle.loads(pickle.dumps(space)) == space == turned
    assert space.as_json() == turned.as_json()
    assert read_space(space.as_yaml(), "AlibabaLightGCN") == space
    assert space.size is None
    assert space.trials(8) == 8


def test_proposals_depend_on_the_finished_trials_alone(capfd: pytest.CaptureFixture[str]) -> None:
    space = read_space(WIDE, "AlibabaLightGCN")
    finished = searched(space, 7)
    np.random.seed(7)
    random.seed(7)
    again = pickle.loads(pickle.dumps(space))
    assert [proposal(again, finished[:index], True, 2020) for index in range(7)] == [one for one, _ in finished]
    assert len({str(one) for one, _ in finished}) == 7
    assert capfd.readouterr() == ("", "")  # Optuna is silent


def test_a_record_of_another_processor_is_the_same_trial() -> None:
    """TPE's float differs in its last digits there; the setting after it follows from what was recorded."""
    plan = Plan("b", "B", {"d": {}}, (Entry("BPR", "BPR"),), search=Budget(trials=3))
    space = read_space({"learning_rate": {"low": 0.001, "high": 0.1, "log": True}}, "BPR")
    known = Surveyed("f", {}, (), {"BPR": {}}, {"BPR": {"valid_metric_bigger": True}}, {"BPR": space})
    campaign, scores = Campaign(plan, {"d": known}, []), iter((0.1, 0.2, 0.3))
    while (trial := campaign.ready()[0]).purpose == "search":
        changed = (
            {name: value * (1 + 1e-12) for name, value in trial.searched.items()} if trial.index else trial.searched
        )
        elsewhere = Chain(plan, "d", known, plan.entries[0])._trial("search", changed, trial.seed, trial.index, None)
        record = {"id": elsewhere.id, "label": "BPR", "searched": changed, "valid_score": next(scores), "seconds": {}}
        campaign = Campaign(plan, {"d": known}, [*campaign.records.values(), record])
    assert [record["searched"] for record in campaign.records.values()][-1] == trial.searched
    assert len(campaign.ids()) == 3


def test_defaults_come_first_and_settings_of_the_board_before_them() -> None:
    assert proposal(read_space(WIDE, "AlibabaLightGCN"), [], True, 1) == {
        "learning_rate": 0.001,
        "n_layers": 3,
        "reg_weight": 1e-5,
    }
    space = read_space(WIDE, "AlibabaLightGCN", {"learning_rate": 0.002, "n_layers": 9, "epochs": 4})
    first = proposal(space, [], True, 1)
    assert (first["learning_rate"], first["reg_weight"]) == (0.002, 1e-5)
    assert 1 <= first["n_layers"] <= 4


@pytest.mark.parametrize("bigger", [True, False])
def test_the_search_learns(bigger: bool) -> None:
    space = read_space(WIDE, "AlibabaLightGCN")
    late = [setting for seed in range(4) for setting, _ in searched(space, 24, bigger, seed)[12:]]
    assert sum(setting["n_layers"] == 2 for setting in late) > 18  # of 48; one in four, 12, by chance


@pytest.mark.parametrize(
    ("model", "value", "size"),
    [
        ("ItemKNN", {"k": [50, 100, 200], "shrink": [0.0, 1.0]}, 6),
        ("NGCF", {"hidden_size_list": [[64], [64, 64]], "node_dropout": {"low": 0.0, "high": 0.5, "step": 0.1}}, 12),
        ("ItemKNN", {"k": {"low": 10, "high": 30, "step": 10}}, 3),
    ],
)
def test_a_small_space_is_searched_once_each(model: str, value: Any, size: int) -> None:
    space = read_space(value, model)
    assert space.trials(100) == space.size == size
    finished: list[tuple[dict[str, Any], float | None]] = []
    for _ in range(size):
        finished.append((proposal(space, finished, True, seed=7), None))
    assert sorted(str(setting) for setting, _ in finished) == sorted(str(setting) for setting in space.grid())
    with pytest.raises(ValueError, match=f"All {size}"):
        proposal(space, finished, True, seed=7)
