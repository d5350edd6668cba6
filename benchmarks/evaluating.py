"""One full-sort evaluation: RecBole as it comes, RecBole with a large batch, ours, and the products alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks import worlds
from benchmarks.timing import Numbers, forget_peak, in_turns, peak_gb, seconds

GOWALLA_ITEMS = 40_981
LARGE_BATCH = 200  # users
ROUNDS = 3


def evaluation(threads: str, n_items: str, n_users: str) -> Numbers:
    """Seconds and gigabytes of an evaluation; the metrics must be equal.

    RecBole as it comes runs once. The seconds of the others are medians of rounds.
    """
    from recbole.data import data_preparation
    from recbole.data.dataset import Dataset
    from recbole.model.general_recommender.bpr import BPR
    from recbole.trainer import Trainer

    from recbole_alibaba.evaluation.full_sort import install_fast_evaluation
    from recbole_alibaba.experiment import build_config

    torch.set_num_threads(int(threads))
    users, items = made_up_pairs(int(n_items), int(n_users))
    taken: Numbers = {"users": len(np.unique(users)), "items": len(np.unique(items))}
    # As many users at once as RecBole's scores of 400 MB and its dense positives allow.
    large = min(LARGE_BATCH, 10**8 // int(n_items)) * (int(n_items) + 1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        worlds.write_atomic(Path(folder), "evaluated", users, items)
        config = build_config("BPR", "evaluated", config_dict=settings(folder))
        train, _, test = data_preparation(config, Dataset(config))
        torch.manual_seed(0)
        model = BPR(config, train._dataset)
        results, tasks = {}, {}
        for name, size in (("RecBole, default", 4096), ("RecBole, large batch", large), ("ours", 4096)):
            config["eval_batch_size"] = size
            part = type(test)(config, test._dataset, test._sampler, shuffle=False)
            trainer = Trainer(config, model)
            trainer.eval_collector.data_collect(train)
            if name == "ours":
                install_fast_evaluation(trainer)
                trainer.evaluate(part, load_best_model=False)  # Converts RecBole's lists of each user, once.
            before = forget_peak()
            tasks[name] = lambda t=trainer, p=part: t.evaluate(p, load_best_model=False)
            taken[name] = seconds(lambda n=name: results.update({n: tasks[n]()}))
            taken[f"{name}, GB more"] = peak_gb() - before
        tasks["the products alone"] = lambda: products(
            model.user_embedding.weight[test.uid_list], model.item_embedding.weight
        )
        del tasks["RecBole, default"]  # slow and far from any target: once
        rounds = {name: lambda _, task=task: task() for name, task in tasks.items()}
        taken |= in_turns(rounds, ROUNDS)
    if len({tuple(result.values()) for result in results.values()}) != 1:
        raise ValueError(f"The evaluations differ: {results}")
    return taken


@torch.no_grad()
def products(users: torch.Tensor, items: torch.Tensor) -> None:
    """Every score once, in tiles that stay in cache, written and forgotten."""
    from recbole_alibaba.evaluation.top_k import Tiling

    size = Tiling()
    tile = torch.empty(size.users, size.items)
    for user in range(0, len(users), size.users):
        for item in range(0, len(items), size.items):
            some, others = users[user : user + size.users], items[item : item + size.items]
            torch.mm(some, others.T, out=tile.view(-1)[: len(some) * len(others)].view(len(some), len(others)))


def settings(folder: str) -> Numbers:
    return {
        "data_path": folder, "load_col": {"inter": ["user_id", "item_id"]}, "topk": [20],
        "metrics": ["Recall", "NDCG"], "valid_metric": "NDCG@20", "show_progress": False, "checkpoint_dir": folder,
        "eval_args": {"split": {"RS": [0.8, 0.0, 0.2]}, "order": "RO", "group_by": "user", "mode": "full"},
    }  # fmt: skip


def made_up_pairs(n_items: int, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    if n_items == GOWALLA_ITEMS and worlds.GOWALLA.is_dir():
        parts = [worlds.gowalla(part) for part in ("train", "test")]
        users, items = (np.concatenate(side) for side in zip(*parts, strict=True))
        return users, items
    rng = np.random.default_rng(0)
    # Every item once, so that RecBole counts them all: half each to two users more.
    every = np.arange(1, n_items + 1)
    return (
        np.concatenate((n_users + 1 + every % 2, np.repeat(np.arange(1, n_users + 1), 30))),
        np.concatenate((every, rng.integers(1, n_items + 1, 30 * n_users))),
    )
