"""One measurement a process: `python -m benchmarks.measure NAME ARGUMENTS` prints its numbers as a line of JSON."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")
import numpy as np  # noqa: E402
import torch  # noqa: E402

import recbole_alibaba  # noqa: E402, F401  (makes RecBole importable)
from benchmarks import contestants as field  # noqa: E402
from benchmarks import worlds  # noqa: E402

Numbers = dict[str, Any]


def seconds(task: Callable[[], Any]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def in_turns(tasks: Mapping[str, Callable[[int], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each task; in a round every task runs once, so that a slow minute hits them all."""
    for task in tasks.values():
        task(0)
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds):
        for name, task in tasks.items():
            times[name].append(seconds(lambda task=task, number=number: task(number + 1)))
    return {name: statistics.median(taken) for name, taken in times.items()}


def held_gb() -> float:
    """Resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e9


def peak_gb() -> float:
    """Resident at the most, since the process began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def step(world: str, threads: str, rounds: str, batch: str = "2048", *, names: tuple[str, ...] = ()) -> Numbers:
    """Seconds a training step, all contestants in turns, and the plain reading of as many rows."""
    torch.set_num_threads(int(threads))
    users, items = worlds.world(world)
    made = field.batches(users, items, int(batch), int(rounds) + 1)
    steps = {name: build(users, items) for name, build in field.CONTESTANTS.items() if not names or name in names}
    tasks: dict[str, Callable[[int], Any]] = {
        name: (lambda number, do=do: do(made[number])) for name, do in steps.items()
    }
    n_nodes, edges = int(users.max()) + int(items.max()) + 2, len(users)
    tasks["bound"] = _bound(n_nodes)
    taken = in_turns(tasks, int(rounds))
    share = _edges_of(made[0], users, items) / (2 * edges)
    # 2 (K - 1) whole layers and twice the part of the last one; a layer gathers a row for each end of each edge.
    rows = 2 * edges * (4 + 2 * share)
    taken["bound"] = taken["bound"] * rows / BOUND_ROWS + _adam(n_nodes)
    return {"pairs": edges, "share of the last layer": share, **taken}


BOUND_ROWS = 1 << 20


def _bound(n_nodes: int) -> Callable[[int], Any]:
    """Reading 2**20 random rows of 64 floats, by index_select."""
    table, out = torch.randn(n_nodes, 64), torch.empty(8192, 64)
    rows = torch.randint(n_nodes, (BOUND_ROWS,)).split(len(out))

    def gather(_: int) -> None:
        for part in rows:
            torch.index_select(table, 0, part, out=out)

    return gather


def _adam(n_nodes: int) -> float:
    """Seconds to move 7 tables, 4 read and 3 written, at the rate of `a = b + c`."""
    tables = [torch.randn(n_nodes, 64) for _ in range(3)]
    taken = statistics.median(seconds(lambda: torch.add(*tables[:2], out=tables[2])) for _ in range(9))
    return taken * 7 / 3


def _edges_of(batch: Any, users: np.ndarray, items: np.ndarray) -> int:
    both = torch.cat((batch["item_id"], batch["neg_item_id"])).unique().numpy()
    return int(np.isin(users, batch["user_id"].unique().numpy()).sum() + np.isin(items, both).sum())


def graph(world: str, whose: str) -> Numbers:
    """Seconds and gigabytes to build the graph from the pairs."""
    users, items = worlds.world(world)
    data = worlds.as_dataset(users, items)
    before = held_gb()
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

    from recbole_alibaba.sampling import NegativeSampler, item_weights

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


def evaluation(threads: str, n_items: str, n_users: str) -> Numbers:
    """Seconds of one full-sort evaluation: RecBole's default, RecBole with its largest sensible batch, ours."""
    from recbole.data import data_preparation
    from recbole.data.dataset import Dataset
    from recbole.trainer import Trainer

    from recbole_alibaba.evaluation import install_fast_evaluation
    from recbole_alibaba.experiment import build_config

    torch.set_num_threads(int(threads))
    users, items = _evaluated(int(n_items), int(n_users))
    taken: Numbers = {"users": len(np.unique(users)), "items": len(np.unique(items))}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        worlds.write_atomic(Path(folder), "evaluated", users, items)
        settings: Numbers = {
            "data_path": folder, "load_col": {"inter": ["user_id", "item_id"]}, "topk": [20],
            "metrics": ["Recall", "NDCG"], "valid_metric": "NDCG@20", "show_progress": False, "checkpoint_dir": folder,
            "eval_args": {"split": {"RS": [0.8, 0.0, 0.2]}, "order": "RO", "group_by": "user", "mode": "full"},
        }  # fmt: skip
        results = {}
        for name, size in (("RecBole, default", 4096), ("RecBole, large batch", 200 * int(n_items)), ("ours", 4096)):
            config = build_config("BPR", "evaluated", config_dict={**settings, "eval_batch_size": size})
            torch.manual_seed(0)  # The order is random: the same split each time.
            train, _, test = data_preparation(config, Dataset(config))
            model = _vectors(config, train._dataset)
            trainer = Trainer(config, model)
            trainer.eval_collector.data_collect(train)
            if name == "ours":
                install_fast_evaluation(trainer)
                trainer.evaluate(test, load_best_model=False)  # Takes RecBole's per-user lists apart, once.
            before = held_gb()
            taken[name] = seconds(
                lambda t=trainer, n=name, d=test: results.update({n: t.evaluate(d, load_best_model=False)})
            )
            taken[f"{name}, GB more"] = peak_gb() - before
    assert len({tuple(result.values()) for result in results.values()}) == 1, results
    return taken


def _evaluated(n_items: int, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    if n_items == 40_981 and worlds.GOWALLA.is_dir():
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


def _vectors(config: Any, dataset: Any) -> torch.nn.Module:
    from recbole.model.general_recommender.bpr import BPR

    torch.manual_seed(0)
    return BPR(config, dataset)


def loading(millions: str, whose: str) -> Numbers:
    """Seconds and gigabytes from an atomic file to a data set, and from there to the three loaders."""
    from recbole.data import data_preparation
    from recbole.data.dataset import Dataset

    from recbole_alibaba.experiment import build_config
    from recbole_alibaba.loaders import prepare_loaders
    from recbole_alibaba.loading import AlibabaLightGCNDataset

    folder, name = worlds.CACHE, f"made-up-{millions}m"
    if not (folder / name / f"{name}.inter").is_file():
        worlds.write_atomic(folder, name, *worlds.world(millions))
        os.execv(sys.executable, sys.orig_argv)  # The writing's memory must not count.
    settings = {
        "data_path": str(folder), "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "show_progress": False,
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "full"},
    }  # fmt: skip
    ours = whose == "ours"
    config = build_config("AlibabaLightGCN" if ours else "BPR", name, config_dict=settings)
    kind, prepare = (AlibabaLightGCNDataset, prepare_loaders) if ours else (Dataset, data_preparation)
    before = held_gb()
    made: Numbers = {}
    taken = seconds(lambda: made.update(dataset=kind(config)))
    pairs = len(made["dataset"])
    split = seconds(lambda: made.update(parts=prepare(config, made["dataset"])))
    return {"pairs": pairs, "loading": taken, "loaders": split, "GB": peak_gb() - before}


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    sys.argv[1:] = []
    numbers = {"step": step, "graph": graph, "negatives": negatives, "evaluation": evaluation, "loading": loading}
    print(json.dumps(numbers[name](*arguments)))
