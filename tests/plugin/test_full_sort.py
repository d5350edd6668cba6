"""Fast evaluation against RecBole's own, for every metric, on every general model that gives scores for all items."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_alibaba import Experiment, build_config, prepare
from recbole_alibaba.data.ranking_loader import RankingTask
from recbole_alibaba.evaluation.full_sort import install_fast_evaluation, rank, user_item_vectors

from recbole.trainer import Trainer  # isort: skip

BY_PREDICT = ["NNCF", "NeuMF"]
METRICS = [
    "Recall", "MRR", "NDCG", "Hit", "Precision", "MAP", "GAUC",
    "ItemCoverage", "AveragePopularity", "ShannonEntropy", "GiniIndex", "TailPercentage",
]  # fmt: skip
# Not here: NCL needs faiss, ConvNCF and NAIS take a minute each, Random answers anew each time.
BY_VECTORS = ["AlibabaLightGCN", "BPR", "LightGCN", "NGCF", "DGCF", "SGL", "SpectralCF", "LINE"]
BY_SCORES = [
    "ADMMSLIM", "AsymKNN", "CDAE", "DMF", "DiffRec", "EASE", "ENMF", "FISM", "GCMC", "ItemKNN", "LDiffRec",
    "MacridVAE", "MultiDAE", "MultiVAE", "NCEPLRec", "Pop", "RaCT", "RecVAE", "SLIMElastic",
    "SimpleX",
]  # fmt: skip


@pytest.fixture(scope="module")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    rng = np.random.default_rng(0)
    popular = 1 / np.arange(1, 91)
    rows = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(70):
        items = rng.choice(90, rng.integers(3, 25), replace=False, p=popular / popular.sum())
        rows += [f"u{user}\ti{item}\t{rng.integers(1000)}" for item in items]
    (folder / "seventy").mkdir()
    (folder / "seventy" / "seventy.inter").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def made(data_path: Path, model: str, **settings: Any) -> Experiment:
    known = {
        "data_path": str(data_path), "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "epochs": 1,
        "metrics": METRICS, "topk": [3, 10], "valid_metric": "Recall@10", "show_progress": False, "fast_eval": False,
        "eval_args": {"split": {"RS": [0.6, 0.2, 0.2]}, "order": "RO", "group_by": "user", "mode": "full"},
        "metric_decimal_place": 10, "checkpoint_dir": "saved",
    }  # fmt: skip
    if model in ("CDAE", "MultiDAE", "MultiVAE", "MacridVAE", "RaCT", "RecVAE", "ENMF", "DiffRec", "LDiffRec"):
        known |= {"train_neg_sample_args": None}
    experiment = prepare(build_config(model, "seventy", config_dict=known | settings))
    experiment.trainer.eval_collector.data_collect(experiment.train_data)
    return experiment


def compare(experiment: Experiment) -> None:
    trainer = experiment.trainer
    for part in (experiment.valid_data, experiment.test_data):
        torch.manual_seed(0)
        expected = Trainer.evaluate(trainer, part, load_best_model=False)
        torch.manual_seed(0)
        found = trainer.evaluate(part, load_best_model=False)
        assert list(found) == list(expected) and len(found) == 23
        for name, value in expected.items():
            assert round(float(found[name]), 8) == round(float(value), 8), name


@pytest.mark.parametrize("model", BY_VECTORS + BY_SCORES + BY_PREDICT)
def test_numbers_equal_recboles(data_path: Path, model: str) -> None:
    experiment = made(data_path, model)
    if model == "Pop":
        for interaction in experiment.train_data:
            experiment.model.calculate_loss(interaction)
    experiment.config["fast_eval"] = True
    assert install_fast_evaluation(experiment.trainer)
    compare(experiment)
    if model in BY_PREDICT:  # RecBole scores pair by pair, and so do we.
        assert not hasattr(experiment.test_data, "task")
        return
    task = RankingTask.from_loader(experiment.test_data)
    experiment.model.eval()
    with torch.no_grad():
        vectors = user_item_vectors(experiment.model, task.users, task.n_items)
    assert (vectors is not None) == (model in BY_VECTORS)


def test_a_model_that_only_looks_as_if_it_had_vectors_is_ranked_by_its_scores(data_path: Path) -> None:
    """BPR's tables plus a bias: the tables are there, the products are not the scores."""
    experiment = made(data_path, "BPR", metrics=["Recall"])
    model = experiment.model
    plain, bias = type(model).full_sort_predict, torch.randn(model.n_items)
    model.full_sort_predict = lambda users: (plain(model, users).view(-1, model.n_items) + bias).view(-1)
    task = RankingTask.from_loader(experiment.test_data)
    with torch.no_grad():
        assert user_item_vectors(model, task.users, task.n_items) is None
        best, _ = rank(model, task, 10)
        scores = model.full_sort_predict(task.users).view(-1, model.n_items)
    scores[:, 0] = -torch.inf
    scores[task.hidden.rows, task.hidden.items] = -torch.inf
    assert torch.equal(best, scores.topk(10).indices)


@pytest.mark.parametrize("settings", [{"fast_eval": False}, {"single_spec": False}])
def test_recboles_own_evaluation_stays_when_asked(data_path: Path, settings: dict[str, Any]) -> None:
    experiment = made(data_path, "BPR", metrics=["Recall"])
    experiment.config["fast_eval"] = None
    for key, value in settings.items():
        experiment.config[key] = value
    assert not install_fast_evaluation(experiment.trainer)
    assert "evaluate" not in vars(experiment.trainer)


def test_sampled_and_sequential_evaluation_go_recboles_way(data_path: Path) -> None:
    args = {"split": {"RS": [0.6, 0.2, 0.2]}, "order": "RO", "group_by": "user", "mode": "uni20"}
    experiment = made(data_path, "BPR", metrics=["Recall"], eval_args=args)
    experiment.config["fast_eval"] = None
    install_fast_evaluation(experiment.trainer)
    assert 0 <= experiment.trainer.evaluate(experiment.test_data, load_best_model=False)["recall@10"] <= 1


def test_a_whole_fit_with_early_stopping_and_the_best_weights(data_path: Path) -> None:
    results = []
    for fast in (False, True):
        experiment = made(data_path, "BPR", metrics=["Recall", "NDCG"], metric_decimal_place=4, epochs=5)
        experiment.config["fast_eval"] = fast
        assert install_fast_evaluation(experiment.trainer) == fast
        _, best = experiment.trainer.fit(experiment.train_data, experiment.valid_data)
        results.append((best, experiment.trainer.evaluate(experiment.test_data)))
    assert results[0] == results[1]
