"""The worlds faults are planted in: two tastes, the bundled log, a slice of real data; as RecBole's atomic files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np


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
