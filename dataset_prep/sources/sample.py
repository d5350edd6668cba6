"""A seeded, made-up Tianchi log with planted tastes, for trying everything without downloading anything.

Every user has one taste and mostly meets items of that taste, so a working recommender must beat popularity. The
counts below hold for every seed, because they are built in, not searched for: bought alone, the item subset's pairs
leave nothing after a (5, 5)-core, since no user buys more than four different items of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROWS = 50_000
PURCHASES = 5_037
PURCHASES_IN_SUBSET = 3_783
SUBSET_BUYERS = 622
MOST_ITEMS_A_BUYER = 4

CARTS_IN_SUBSET, CARTS_ELSEWHERE = 9_000, 2_000
FAVOURITES = 4_000
USERS, TASTES = 700, 12
ITEMS_IN_SUBSET, ITEMS_ELSEWHERE = 1_200, 2_400
CATEGORIES_A_TASTE = 8
FAITHFUL = 0.85
DUPLICATE_CLICKS = 0.4
GEOHASH_SHARE = 0.3

CLICK, FAVOURITE, CART, BUY = 1, 2, 3, 4
FIRST_HOUR, HOURS = dt.datetime(2014, 11, 18), 31 * 24

USERS_FILE = "tianchi_mobile_recommend_train_user.csv"
ITEMS_FILE = "tianchi_mobile_recommend_train_item.csv"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Who likes what. Items below ITEMS_IN_SUBSET are the subset P."""

    user_taste: Ints
    item_taste: Ints
    item_weight: npt.NDArray[np.floating]
    activity: npt.NDArray[np.floating]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> World:
        n_items = ITEMS_IN_SUBSET + ITEMS_ELSEWHERE
        item_taste = rng.permutation(np.arange(n_items)) % TASTES
        weight = 1.0 / (rng.permutation(n_items) % 100 + 8.0) ** 0.7
        activity = rng.lognormal(0.0, 0.5, USERS)
        return cls(rng.integers(0, TASTES, USERS), item_taste, weight, activity / activity.sum())

    def items_for(self, rng: np.random.Generator, users: Ints, low: int, high: int) -> Ints:
        """One item of [low, high) for every user of the array: of the user's taste, or, seldom, of any."""
        taste = np.where(rng.random(len(users)) < FAITHFUL, self.user_taste[users], -1)
        items = np.empty(len(users), dtype=np.int64)
        pool = np.arange(low, high)
        for t in range(-1, TASTES):
            here = np.flatnonzero(taste == t)
            known = pool if t < 0 else pool[self.item_taste[pool] == t]
            weight = self.item_weight[known]
            items[here] = rng.choice(known, len(here), p=weight / weight.sum())
        return items


def _purchases(rng: np.random.Generator, world: World) -> tuple[Ints, Ints]:
    """PURCHASES_IN_SUBSET rows by SUBSET_BUYERS users, each of at most MOST_ITEMS_A_BUYER different items."""
    buyers = rng.choice(USERS, SUBSET_BUYERS, replace=False)
    users = np.repeat(buyers, MOST_ITEMS_A_BUYER)
    users, items = np.unique([users, world.items_for(rng, users, 0, ITEMS_IN_SUBSET)], axis=1)
    again = rng.integers(0, len(users), PURCHASES_IN_SUBSET - len(users))
    return np.concatenate([users, users[again]]), np.concatenate([items, items[again]])


def _rows(rng: np.random.Generator, world: World) -> Ints:
    """All rows as an array (ROWS, 4): user, item, behaviour, hour."""
    end = ITEMS_IN_SUBSET + ITEMS_ELSEWHERE
    blocks: list[tuple[int, Ints, Ints]] = [(BUY, *_purchases(rng, world))]
    unique_clicks = ROWS - PURCHASES - CARTS_IN_SUBSET - CARTS_ELSEWHERE - FAVOURITES
    repeats = int(unique_clicks * DUPLICATE_CLICKS)
    for behavior, n, low, high in (
        (BUY, PURCHASES - PURCHASES_IN_SUBSET, ITEMS_IN_SUBSET, end),
        (CART, CARTS_IN_SUBSET, 0, ITEMS_IN_SUBSET),
        (CART, CARTS_ELSEWHERE, ITEMS_IN_SUBSET, end),
        (FAVOURITE, FAVOURITES, 0, end),
        (CLICK, unique_clicks - repeats, 0, end),
    ):
        users = rng.choice(USERS, n, p=world.activity)
        blocks.append((behavior, users, world.items_for(rng, users, low, high)))
    rows = np.concatenate(
        [np.stack([u, i, np.full(len(u), b), rng.integers(0, HOURS, len(u))], axis=1) for b, u, i in blocks]
    )
    clicks = rows[rows[:, 2] == CLICK]
    return np.concatenate([rows, clicks[rng.integers(0, len(clicks), repeats)]])


def _geohash(rng: np.random.Generator, n: int) -> list[str]:
    """Encrypted places as the real log has them, mostly blank."""
    letters = rng.choice(list("0123456789abcdefghijklmnopqrstuv"), (n, 5))
    known = rng.random(n) < GEOHASH_SHARE
    return ["9" + "".join(row) + "4" if k else "" for row, k in zip(letters, known, strict=True)]


def write_sample(directory: str | Path, seed: int = 2014) -> tuple[Path, Path]:
    """Write the log and its item subset in the Tianchi format -> (users file, items file). Same seed, same bytes."""
    rng = np.random.default_rng(seed)
    world = World.draw(rng)
    user_ids = rng.choice(np.arange(10_000_000, 142_500_000, 211), USERS, replace=False)
    n_items = ITEMS_IN_SUBSET + ITEMS_ELSEWHERE
    item_ids = rng.choice(np.arange(50_000, 404_500_000, 997), n_items, replace=False)
    category_ids = rng.permutation(np.arange(2, 14_080, 7))[: TASTES * CATEGORIES_A_TASTE]
    category = category_ids[world.item_taste * CATEGORIES_A_TASTE + rng.integers(0, CATEGORIES_A_TASTE, n_items)]

    rows = _rows(rng, world)
    rows = rows[rng.permutation(len(rows))]
    # As the real log: users in the order of their digits, a user's rows in no order.
    rows = rows[np.argsort(user_ids.astype(str)[rows[:, 0]], kind="stable")]
    hours = [f"{FIRST_HOUR + dt.timedelta(hours=h):%Y-%m-%d %H}" for h in range(HOURS)]
    # The place belongs to user, item and hour, so that repeated clicks stay exact duplicates.
    place = dict(zip(sorted({(u, i, h) for u, i, _, h in rows.tolist()}), _geohash(rng, len(rows)), strict=False))

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    users_file, items_file = directory / USERS_FILE, directory / ITEMS_FILE
    with users_file.open("w", newline="\n") as file:
        file.write("user_id,item_id,behavior_type,user_geohash,item_category,time\n")
        for u, i, b, h in rows.tolist():
            file.write(f"{user_ids[u]},{item_ids[i]},{b},{place[u, i, h]},{category[i]},{hours[h]}\n")
    listed = np.concatenate([np.arange(ITEMS_IN_SUBSET), rng.integers(0, ITEMS_IN_SUBSET, 60)])
    with items_file.open("w", newline="\n") as file:
        file.write("item_id,item_geohash,item_category\n")
        for i, where in zip(rng.permutation(listed).tolist(), _geohash(rng, len(listed)), strict=True):
            file.write(f"{item_ids[i]},{where},{category[i]}\n")
    return users_file, items_file
