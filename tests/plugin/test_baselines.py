"""RecBole's counting models against slow definitions: a comparison is worth what its baselines are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_alibaba import build_config, prepare, run
from tests.conftest import write_inter

QUICK = {"show_progress": False, "topk": [3], "valid_metric": "Recall@3", "metrics": ["Recall", "NDCG"]}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data path with `small`: 40 users take 6 to 11 of 14 items, low numbers more often."""
    folder, rng = tmp_path_factory.mktemp("small"), np.random.default_rng(3)
    wanted = 1 / np.arange(1, 15)
    rows = []
    for user in range(40):
        items = rng.choice(14, size=rng.integers(6, 12), replace=False, p=wanted / wanted.sum())
        rows += [(f"u{user}", f"i{item}", time) for time, item in enumerate(items)]
    write_inter(folder, "small", rows)
    return folder


def trained(folder: Path, model: str, **settings: Any) -> Any:
    made = prepare(build_config(model, "small", config_dict={**QUICK, "data_path": str(folder), **settings}))
    made.trainer.fit(made.train_data, made.valid_data, saved=False, verbose=False)
    return made


def log_of(made: Any) -> np.ndarray:
    """The training interactions, (users, items), 1 where there is one."""
    rows = made.train_data._dataset.inter_feat
    log = np.zeros((made.dataset.user_num, made.dataset.item_num))
    for user, item in zip(rows["user_id"].tolist(), rows["item_id"].tolist(), strict=True):
        log[user, item] += 1
    return log


def scores_of(made: Any) -> np.ndarray:
    """The model's scores, (users, items), as its full ranking and as `predict` give them."""
    from recbole.data.interaction import Interaction

    users, items = made.dataset.user_num, made.dataset.item_num
    full = made.model.full_sort_predict(Interaction({"user_id": torch.arange(users)})).view(users, items)
    pairs = {"user_id": torch.arange(users).repeat_interleave(items), "item_id": torch.arange(items).repeat(users)}
    single = made.model.predict(Interaction(pairs)).view(users, items)
    assert torch.allclose(full.double(), single.double(), atol=3e-5)
    return full.double().numpy()


@pytest.mark.parametrize("size", [1, 2, 7, 64, 2048])
@pytest.mark.parametrize("negatives", [None, {"distribution": "uniform", "sample_num": 3}])
def test_popularity_is_the_number_of_training_interactions(small: Path, size: int, negatives: object) -> None:
    """RecBole counts an item once a batch, and the sampled negatives too: then a batch of 1 is wrong as well."""
    made = trained(small, "Pop", train_batch_size=size, train_neg_sample_args=negatives)
    counts = log_of(made).sum(0)
    assert made.model.item_cnt.view(-1).tolist() == counts.tolist()
    assert scores_of(made) == pytest.approx(np.tile(counts / counts.max(), (41, 1)))


def test_popularity_is_recbole_s_own_where_recbole_counts_right(small: Path) -> None:
    """One row a batch and no negatives: the workaround changes nothing there."""
    from recbole.model.general_recommender.pop import Pop

    made = trained(small, "Pop", train_batch_size=1, train_neg_sample_args=None)
    host = torch.zeros_like(made.model.item_cnt)
    for batch in made.train_data:  # what RecBole's calculate_loss does
        item = batch[made.model.ITEM_ID]
        host[item, :] = host[item, :] + 1
    assert isinstance(made.model, Pop)
    assert torch.equal(made.model.item_cnt, host)


def test_the_batch_size_does_not_change_what_popularity_scores(small: Path) -> None:
    results = [
        run("Pop", "small", config_dict={**QUICK, "data_path": str(small), "train_batch_size": size})["test_result"]
        for size in (1, 50, 2048)
    ]
    assert results[0] == results[1] == results[2]


def nearest(similarity: np.ndarray, k: int) -> np.ndarray:
    """Each column with its k largest entries only."""
    kept = np.zeros_like(similarity)
    for target, column in enumerate(similarity.T):
        best = np.argsort(-column)[:k]
        kept[best, target] = column[best]
    return kept


@pytest.mark.parametrize("method", ["item", "user"])
@pytest.mark.parametrize("shrink", [0.0, 5.0])
def test_itemknn_is_cosine_over_all_neighbours(small: Path, method: str, shrink: float) -> None:
    made = trained(small, "ItemKNN", knn_method=method, shrink=shrink)
    log = log_of(made)
    vectors = log.T if method == "item" else log
    norm = np.linalg.norm(vectors, axis=1)
    similarity = vectors @ vectors.T / (np.outer(norm, norm) + shrink + 1e-6)
    np.fill_diagonal(similarity, 0)
    expected = log @ similarity if method == "item" else similarity @ log
    assert scores_of(made) == pytest.approx(expected, abs=1e-5)


def test_itemknn_keeps_the_k_nearest_of_the_target(small: Path) -> None:
    made = trained(small, "ItemKNN", k=4)
    log = log_of(made)
    norm = np.linalg.norm(log, axis=0)
    similarity = log.T @ log / (np.outer(norm, norm) + 1e-6)
    np.fill_diagonal(similarity, 0)
    ours, expected = scores_of(made), log @ nearest(similarity, 4)
    assert ours == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("weight", [0.5, 250.0])
def test_ease_is_the_best_table_without_a_diagonal(small: Path, weight: float) -> None:
    """Each column is a ridge regression on the other items, solved alone."""
    made = trained(small, "EASE", reg_weight=weight)
    log = log_of(made)
    table = np.zeros((log.shape[1],) * 2)
    for target in range(log.shape[1]):
        others = np.delete(np.arange(log.shape[1]), target)
        x = log[:, others]
        table[others, target] = np.linalg.solve(x.T @ x + weight * np.eye(len(others)), x.T @ log[:, target])
    assert scores_of(made) == pytest.approx(log @ table, abs=1e-4)


def elastic(x: np.ndarray, y: np.ndarray, l1: float, l2: Sequence[float]) -> np.ndarray:
    """The w >= 0 of least |y - xw|^2 / 2 + l1 sum(w) + sum(l2 w^2) / 2, one coordinate at a time."""
    weight, gram, wanted = np.zeros(x.shape[1]), x.T @ x, x.T @ y
    for _ in range(200):
        for at in range(len(weight)):
            rest = wanted[at] - gram[at] @ weight + gram[at, at] * weight[at]
            size = gram[at, at] + l2[at]
            weight[at] = max(rest - l1, 0.0) / size if size else 0.0
    return weight


def without_itself(log: np.ndarray, l1: float, l2: Sequence[float]) -> np.ndarray:
    table = np.zeros((log.shape[1],) * 2)
    for target in range(log.shape[1]):
        x = log.copy()
        x[:, target] = 0
        table[:, target] = elastic(x, log[:, target], l1, l2)
    return table


def test_slimelastic_is_an_elastic_net_on_the_other_items(small: Path) -> None:
    made = trained(small, "SLIMElastic", alpha=0.02, l1_ratio=0.3)
    log = log_of(made)
    users = len(log)
    table = without_itself(log, 0.02 * 0.3 * users, [0.02 * 0.7 * users] * log.shape[1])
    assert (table > 0).mean() > 0.2
    assert scores_of(made) == pytest.approx(log @ table, abs=2e-2)


def test_admmslim_solves_the_same_problem(small: Path) -> None:
    """Its iterations end near the least loss; it adds noise of 1e-5 to each score."""
    settings = {"lambda1": 1.0, "lambda2": 20.0, "alpha": 0.5, "rho": 50.0, "k": 500}
    made = trained(small, "ADMMSLIM", **settings)
    log = log_of(made)
    table = without_itself(log, 1.0, (20.0 * log.mean(0) ** 0.5).tolist())
    assert (table > 0).mean() > 0.2
    assert scores_of(made) == pytest.approx(log @ table, abs=2e-2)


@pytest.mark.parametrize("method", ["item", "user"])
@pytest.mark.parametrize(("alpha", "beta", "q"), [(0.5, 1.0, 1), (0.2, 0.3, 1), (0.7, 0.5, 3)])
def test_asymknn_is_the_asymmetric_cosine(small: Path, method: str, alpha: float, beta: float, q: int) -> None:
    """The target's count to the power alpha; each similarity to the power q; norms of the target's similarities."""
    made = trained(small, "AsymKNN", knn_method=method, alpha=alpha, beta=beta, q=q)
    log = log_of(made)
    vectors = log.T if method == "item" else log
    count = vectors.sum(1)
    n = len(vectors)
    near = np.zeros((n, n))
    for target in range(n):
        for other in range(n):
            if target != other:
                size = count[target] ** alpha * count[other] ** (1 - alpha) + 1e-6
                near[target, other] = (vectors[target] @ vectors[other] / size) ** q
    expected = np.zeros_like(log)
    for user in range(log.shape[0]):
        for item in range(log.shape[1]):
            left, right = (log[user], near[item]) if method == "item" else (near[user], log[:, item])
            size = np.linalg.norm(left) ** (2 * beta) * np.linalg.norm(right) ** (2 * (1 - beta)) + 1e-6
            expected[user, item] = left @ right / size
    assert scores_of(made) == pytest.approx(expected, abs=1e-4)


def test_random_finds_what_chance_finds(small: Path) -> None:
    """All users of a block share a list, so one run varies; the mean of many is k of the items not had before."""
    made = trained(small, "Random")
    found = [made.trainer.evaluate(made.test_data, load_best_model=False)["recall@3"] for _ in range(200)]
    hidden = log_of(made).sum(1)
    np.add.at(hidden, made.valid_data._dataset.inter_feat["user_id"].numpy(), 1)
    free = 14 - hidden[np.unique(made.test_data._dataset.inter_feat["user_id"].numpy())]
    assert np.mean(found) == pytest.approx(np.mean(3 / free), abs=0.03)
