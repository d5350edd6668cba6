"""The data that is timed: Gowalla where it is at hand, and seeded worlds of any size in its shape."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

GOWALLA = Path(__file__).resolve().parents[2] / "shared" / "data" / "gowalla"


def gowalla(part: str = "train", folder: Path = GOWALLA) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of LightGCN's split; ids from 1, as in RecBole. Raises FileNotFoundError where it is absent."""
    users, items = [], []
    with gzip.open(folder / f"{part}.txt.gz", "rt") as lines:
        for line in lines:
            user, *taken = map(int, line.split())
            users += [user + 1] * len(taken)
            items += [item + 1 for item in taken]
    return np.array(users), np.array(items)


def made_up(pairs: int, n_users: int | None = None, n_items: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Distinct pairs, at most so many, by power laws: 27 a user and 20 an item on average, as in Gowalla."""
    rng = np.random.default_rng(pairs)
    n_users, n_items = n_users or pairs // 27, n_items or pairs // 20
    # A few more than asked for, because repeats are dropped.
    drawn = int(pairs * 1.25)
    users = (n_users * rng.random(drawn) ** 1.6).astype(np.int64) + 1
    items = (n_items * rng.random(drawn) ** 2.2).astype(np.int64) + 1
    keys = np.unique(users * (n_items + 1) + items)
    keys = rng.permutation(keys)[:pairs]
    return np.divmod(np.sort(keys), n_items + 1)


CACHE = Path(tempfile.gettempdir()) / "recbole-alibaba-benchmarks"


def world(name: str) -> tuple[np.ndarray, np.ndarray]:
    """`gowalla`, `ml-100k` (a world of its numbers), or millions of pairs: `3` is 3 M. Made once, then read."""
    file = CACHE / f"{name}.npy"
    if not file.is_file():
        CACHE.mkdir(exist_ok=True)
        np.save(file, np.stack(_world(name)))
        # What the making took would count as memory of what is measured next.
        os.execv(sys.executable, sys.orig_argv)
    users, items = np.load(file)
    return users, items


def _world(name: str) -> tuple[np.ndarray, np.ndarray]:
    if name == "gowalla":
        return gowalla() if GOWALLA.is_dir() else made_up(810_128, 29_858, 40_981)
    if name == "ml-100k":
        return made_up(100_000, 943, 1_682)
    return made_up(int(float(name) * 1e6))


def as_dataset(users: np.ndarray, items: np.ndarray) -> Any:
    """As much of a RecBole data set as a model asks for."""
    from recbole.data.interaction import Interaction
    from scipy.sparse import coo_matrix

    counts = {"user_id": int(users.max()) + 1, "item_id": int(items.max()) + 1}
    feat = Interaction({"user_id": torch.from_numpy(users), "item_id": torch.from_numpy(items)})
    matrix = coo_matrix((np.ones(len(users)), (users, items)), shape=tuple(counts.values()))
    return SimpleNamespace(
        uid_field="user_id",
        iid_field="item_id",
        user_num=counts["user_id"],
        item_num=counts["item_id"],
        inter_feat=feat,
        num=counts.__getitem__,
        inter_matrix=lambda form: matrix.asformat(form),
    )


def write_atomic(folder: Path, name: str, users: np.ndarray, items: np.ndarray) -> None:
    """`<folder>/<name>/<name>.inter` with a time column, in a seeded order."""
    import pandas as pd

    rng = np.random.default_rng(0)
    order = rng.permutation(len(users))
    (folder / name).mkdir(parents=True, exist_ok=True)
    # Ids as logs have them: long numbers, not counted from 1.
    columns = {
        "user_id:token": users[order] * 7 + 100_000_000,
        "item_id:token": items[order] * 13 + 100_000_000,
        "timestamp:float": rng.integers(1_500_000_000, 1_510_000_000, len(users)),
    }
    pd.DataFrame(columns).to_csv(folder / name / f"{name}.inter", sep="\t", index=False)
