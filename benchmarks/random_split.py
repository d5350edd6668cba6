"""Is the test part of a split a random share of every user's interactions? How far the counts are from that."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

EDGES = (0, 20, 50, 200, np.inf)
Pairs = tuple[np.ndarray, np.ndarray]
Group = tuple[str, int, float, float]


def measure(data: Path, seed: int) -> dict[str, list[Group]]:
    """The split's own test part, and a fifth of its training pairs drawn at random: see ``spread``."""
    train, test = (_pairs(data / f"{part}.txt.gz") for part in ("train", "test"))
    held = np.random.default_rng(seed).random(len(train[0])) < 0.2
    drawn = spread((train[0][~held], train[1][~held]), (train[0][held], train[1][held]))
    return {"test": spread(train, test), "drawn": drawn}


def section(measured: Mapping[str, Sequence[Group]]) -> list[str]:
    """What ``measure`` found as lines of the page."""
    pairs = zip(measured["test"], measured["drawn"], strict=True)
    worth = "more" if measured["test"][-1][2] > 1 else "less"
    return [
        "",
        "## The test part is not a random share",
        "",
        "If it were, an item would be in it as often as its users' own shares of test pairs say, give or take the",
        "deviation of such draws. Found over expected pairs, and the mean squared deviation (1 if drawn at random):",
        "",
        "| interactions of the item | items | test: found / expected | squared deviation "
        "| a random fifth of train: found / expected | squared deviation |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {items:,} | {share:.2f} | {squared:.2f} | {drawn[2]:.2f} | {drawn[3]:.2f} |"
            for (name, items, share, squared), drawn in pairs
        ),
        "",
        "So pairs held out of train at random, as for the curve above, do not foretell the test, where popular items",
        f"are worth {worth}. `positive_sampling: users` is the authors' way to draw, taken from them, not chosen on",
        "pairs held out.",
    ]


def spread(train: Pairs, test: Pairs) -> list[Group]:
    """For groups of items by interactions: (name, items, found / expected test pairs, mean squared deviation).

    Expected under the null that each user's test pairs are drawn from its own at random; pairs are distinct.
    """
    users, items = np.concatenate((train[0], test[0])), np.concatenate((train[1], test[1]))
    share = np.bincount(test[0], minlength=users.max() + 1) / np.maximum(np.bincount(users), 1)
    expected = np.bincount(items, share[users])
    variance = np.bincount(items, (share * (1 - share))[users])
    found, total = np.bincount(test[1], minlength=len(expected)), np.bincount(items)
    groups = []
    for low, high in itertools.pairwise(EDGES):
        here = (total >= low) & (total < high) & (variance > 0)
        if here.any():
            name = f"{low} or more" if high == np.inf else f"{low} to {high - 1}" if low else f"below {high}"
            squared = ((found - expected)[here] ** 2 / variance[here]).mean()
            groups.append((name, int(here.sum()), float(found[here].sum() / expected[here].sum()), float(squared)))
    return groups


def _pairs(file: Path) -> Pairs:
    with gzip.open(file, "rt") as lines:
        lists = [np.array(line.split(), dtype=np.int64) for line in lines]
    users = np.repeat([ids[0] for ids in lists], [len(ids) - 1 for ids in lists])
    return users, np.concatenate([ids[1:] for ids in lists])
