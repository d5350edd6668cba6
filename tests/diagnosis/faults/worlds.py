"""The worlds faults are planted in: two tastes, the bundled log, a slice of real data; as RecBole's atomic files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


@dataclass(frozen=True)
class World:
    """A log in memory: user, item and time of each row, and a category for each item."""

    name: str
    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    categories: dict[int, int]

    def with_rows(self, users: Iterable[int], items: Iterable[int], times: Iterable[float] | None = None) -> World:
        """The same world with other rows."""
        users, items = np.asarray(list(users)), np.asarray(list(items))
        times = np.arange(len(users)) if times is None else np.asarray(list(times))
        return replace(self, users=users, items=items, times=times)

    def write(self, root: Path, name: str) -> None:
        """``root/name/name.inter`` and ``.item``."""
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        rows = (f"u{u}\ti{i}\t{t}\n" for u, i, t in zip(self.users, self.items, self.times, strict=True))
        (folder / f"{name}.inter").write_text("user_id:token\titem_id:token\ttimestamp:float\n" + "".join(rows))
        items = (f"i{item}\tc{category}\n" for item, category in sorted(self.categories.items()))
        (folder / f"{name}.item").write_text("item_id:token\titem_category:token\n" + "".join(items))


def two_tastes(seed: int = 7) -> World:
    """60 users of two tastes and 60 items of two kinds; everybody takes 26 of the 30 items of his taste."""
    draw = np.random.default_rng(seed)
    users, items = [], []
    for user in range(60):
        mine = draw.permutation(30)[:26] + 30 * (user % 2)
        users += [user] * len(mine)
        items += list(mine)
    times = draw.permutation(len(users)) + 1_416_240_000
    return World("two-tastes", np.array(users), np.array(items), times, {item: item // 30 for item in range(60)})


def core(world: World, least: int) -> World:
    """Only the pairs of users and items that keep ``least`` partners, and at most the first time of each pair."""
    keys = world.users.astype(np.int64) * (int(world.items.max()) + 1) + world.items
    first = np.unique(keys, return_index=True)[1]
    users, items, times = (column[first] for column in (world.users, world.items, world.times))
    while True:
        kept = (np.bincount(users)[users] >= least) & (np.bincount(items)[items] >= least)
        if kept.all():
            break
        users, items, times = users[kept], items[kept], times[kept]
    there = set(items.tolist())
    categories = {item: category for item, category in world.categories.items() if item in there}
    return World(world.name, users, items, times, categories)


def _read(name: str, file: Path, columns: list[str], **how: Any) -> World:
    table = pd.read_csv(file, usecols=columns, **how)[columns]
    user, item, category, when = (table[column] for column in columns)
    seconds = when if when.dtype.kind in "iu" else pd.to_datetime(when).astype("int64") // 10**9
    users, items = pd.factorize(user)[0], pd.factorize(item)[0]
    order = np.argsort(seconds.to_numpy(), kind="stable")
    categories = dict(zip(items.tolist(), category.tolist(), strict=True))
    return World(name, users[order], items[order], seconds.to_numpy()[order], categories)


def bundled_log() -> World:
    """The made-up Tianchi log of ``make demo``, every behaviour, its 5-core."""
    from dataset_prep.sources.sample import write_sample

    with tempfile.TemporaryDirectory() as folder:
        users, _ = write_sample(folder)
        world = _read("bundled-log", users, ["user_id", "item_id", "item_category", "time"])
    return core(world, 5)


def real_slice() -> World:
    """Taobao UserBehavior's first 100,001 rows, their 3-core; ``FileNotFoundError`` where the data are absent."""
    columns = ["user", "item", "category", "time"]
    names = ["user", "item", "category", "behaviour", "time"]
    return core(_read("real-slice", SHARED / "userbehavior" / "UserBehavior.csv", columns, names=names), 3)


WORLDS = {"two-tastes": two_tastes, "bundled-log": bundled_log, "real-slice": real_slice}
