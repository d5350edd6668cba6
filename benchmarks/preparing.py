"""What comes before the first step: loading, graph, negatives; and whether a large log fits."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import worlds
from benchmarks.timing import Numbers, forget_peak, held_gb, in_turns, peak_gb, seconds


def graph(world: str, whose: str) -> Numbers:
    """Seconds and gigabytes to build the graph from the pairs."""
    users, items = worlds.world(world)
    data = worlds.as_dataset(users, items)
    before = forget_peak()
    if whose == "ours":
        from recbole_alibaba.model.graph import build_graph

        taken = seconds(lambda: build_graph(users, items, data.user_num, data.item_num))
    else:
        from recbole.model.general_recommender.lightgcn import LightGCN

        model = LightGCN.__new__(LightGCN)
        torch.nn.Module.__init__(model)
        model.n_users, model.n_items = data.user_num, data.item_num
        model.interaction_matrix = data.inter_matrix("coo").astype(np.float32)
        taken = seconds(model.get_norm_adj_mat)
    return {"pairs": len(users), "seconds": taken, "GB": peak_gb() - before}


def negatives(world: str, rounds: str) -> Numbers:
    """Seconds to draw one negative for every pair, on one thread."""
    from recbole.sampler import Sampler

    from recbole_alibaba.data.negatives import NegativeSampler, item_weights

    users, items = worlds.world(world)
    data = worlds.as_dataset(users, items)
    theirs = Sampler(["train"], [data], "uniform").set_phase("train")
    ours = NegativeSampler(users, items, item_weights("uniform", items, data.item_num), data.user_num)
    rng = np.random.default_rng(0)
    order = np.argsort(users, kind="stable")
    blocks = [rng.permutation(users)[at : at + 2048] for at in range(0, len(users), 2048)]
    tasks: dict[str, Callable[[int], Any]] = {
        "RecBole": lambda _: [theirs.sample_by_user_ids(block, None, 1) for block in blocks],
        "ours": lambda _: ours.sample(users[order], rng),
    }
    return {"pairs": len(users), **in_turns(tasks, int(rounds))}


def loading(millions: str, whose: str) -> Numbers:
    """Seconds and gigabytes from an atomic file to a data set, and from there to the three loaders."""
    from recbole.data import data_preparation
    from recbole.data.dataset import Dataset

    from recbole_alibaba.data.dataset import AlibabaLightGCNDataset
    from recbole_alibaba.data.loaders import prepare_loaders

    ours = whose == "ours"
    config = _config(millions, "AlibabaLightGCN" if ours else "BPR")
    kind, prepare = (AlibabaLightGCNDataset, prepare_loaders) if ours else (Dataset, data_preparation)
    before = forget_peak()
    made: Numbers = {}
    taken = seconds(lambda: made.update(dataset=kind(config)))
    split = seconds(lambda: made.update(parts=prepare(config, made["dataset"])))
    return {"pairs": len(made["dataset"]), "loading": taken, "loaders": split, "GB": peak_gb() - before}


def fits(millions: str, threads: str, steps: str = "20") -> Numbers:
    """A log of so many rows from its file through some steps and a whole evaluation: seconds, the process's peak."""
    from recbole_alibaba.experiment import prepare
    from recbole_alibaba.trainer.freed_memory import keep_freed_memory

    torch.set_num_threads(int(threads))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        made: Numbers = {}
        loaded = seconds(lambda: made.update(run=prepare(_config(millions, "AlibabaLightGCN"))))
        keep_freed_memory()
        run = made["run"]
        run.trainer.eval_collector.data_collect(run.train_data)
        run.model.train()
        taken = []
        for _, batch in zip(range(int(steps)), run.train_data, strict=False):
            taken.append(seconds(lambda batch=batch: _step(run, batch)))
        evaluated = seconds(lambda: run.trainer.evaluate(run.valid_data, load_best_model=False))
    return {
        "pairs": len(run.dataset), "users": run.dataset.user_num - 1, "items": run.dataset.item_num - 1,
        "loading": loaded, "step": statistics.median(taken), "steps an epoch": len(run.train_data),
        "evaluation": evaluated, "held, GB": held_gb(), "peak, GB": peak_gb(),
    }  # fmt: skip


def _step(run: Any, batch: Any) -> None:
    run.trainer.optimizer.zero_grad()
    sum(run.model.calculate_loss(batch)).backward()
    run.trainer.optimizer.step()


def _config(millions: str, model: str) -> Any:
    from recbole_alibaba.experiment import build_config

    folder, name = worlds.CACHE, f"made-up-{millions}m"
    if not (folder / name / f"{name}.inter").is_file():
        worlds.write_atomic(folder, name, *worlds.world(millions))
        os.execv(sys.executable, sys.orig_argv)  # The writing's memory must not count.
    settings = {
        "data_path": str(folder), "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "show_progress": False,
        "checkpoint_dir": str(Path("saved")), "topk": [20], "metrics": ["Recall", "NDCG"], "valid_metric": "NDCG@20",
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "full"},
    }  # fmt: skip
    return build_config(model, name, config_dict=settings)
