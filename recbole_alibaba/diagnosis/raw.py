"""Why a data set cannot be loaded at all: what its file holds, and what the asked filters leave of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_alibaba.diagnosis.causes import explained
from recbole_alibaba.diagnosis.checks.data import INTERACTIONS, ONCE, swapped
from recbole_alibaba.diagnosis.checks.negatives import OWNS
from recbole_alibaba.diagnosis.checks.settings import length_of_interval
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import Settings


def interaction_file(settings: Settings) -> Path:
    """``<data_path>/<dataset>/<dataset>.inter``, whether or not RecBole has joined the two already."""
    name, folder = str(settings.get("dataset")), Path(str(settings.get("data_path") or "dataset"))
    beside = folder / f"{name}.inter"
    return beside if beside.is_file() else folder / name / f"{name}.inter"


def read_ids(file: Path, settings: Settings, *keys: str) -> pd.DataFrame:
    """The id columns of an atomic file, as text; ``keys`` are ``USER_ID_FIELD`` and ``ITEM_ID_FIELD``."""
    fields = [str(settings.get(key) or key[:4].lower() + "_id") for key in keys]
    table = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    table.columns = [column.partition(":")[0] for column in table.columns]
    return table[fields].set_axis([key[:4].lower() for key in keys], axis=1)


def why_not_loaded(settings: Settings, error: Exception) -> list[Finding]:
    """Findings that explain ``error``; ``cannot-start`` with its own words when the data do not."""
    plain = Finding("cannot-start", "error", 0, 0, {"error": str(error)}, causes=("cannot-start",))
    file = interaction_file(settings)
    try:
        rows = read_ids(file, settings, "USER_ID_FIELD", "ITEM_ID_FIELD")
        features = file.with_suffix(".item")
        described = read_ids(features, settings, "ITEM_ID_FIELD")["item"] if features.is_file() else ()
    except (OSError, KeyError, ValueError):
        return [plain]
    if not len(rows):
        return [Finding("empty-data", "error", 0, 1, {"file": file.name}, causes=("empty-data",))]
    exchanged, well = swapped(set(rows["user"]), set(rows["item"]), set(described))
    if len(described) and not well:
        return [exchanged]
    pairs = rows.drop_duplicates()
    users, items = (pd.factorize(pairs[side])[0] for side in ("user", "item"))
    return [*(_of_pairs(users, items, settings) or [plain])]


def _of_pairs(users: np.ndarray, items: np.ndarray, settings: Settings) -> list[Finding]:
    emptied = empty_core(users, items, settings)
    if emptied is not None:
        return [emptied]
    degree, n_items = np.bincount(users), int(items.max()) + 1
    thin = Finding("thin-data", "error", len(users), INTERACTIONS, causes=("thin-data",))
    once = float((degree == 1).mean())
    if len(users) < INTERACTIONS // 10:
        return [thin]
    if degree.max() == n_items:
        return [Finding("owns-everything", "error", 1.0, OWNS, causes=("owns-everything",))]
    if once > ONCE:
        return [Finding("users-seen-once", "error", once, ONCE, causes=("users-seen-once",))]
    return [thin] if len(users) < INTERACTIONS else []


def sizes_of_file(settings: Settings) -> dict[str, int]:
    """How many items the interaction file names; empty where it names none or cannot be read."""
    try:
        items = read_ids(interaction_file(settings), settings, "ITEM_ID_FIELD")["item"].nunique()
    except (OSError, KeyError, ValueError):
        return {}
    return {"items": items} if items else {}


def empty_core(users: np.ndarray, items: np.ndarray, settings: Settings) -> Finding | None:
    """The finding that the asked (user, item)-core of the pairs is empty, with the strictest one that is not."""
    from dataset_prep.pairs.core import Enough, Thresholds, core_of, strictest_core

    asked = Thresholds(
        *(
            max(1, int(length_of_interval(settings.get(key))))
            for key in ("user_inter_num_interval", "item_inter_num_interval")
        )
    )
    n_users, n_items = int(users.max()) + 1, int(items.max()) + 1
    if asked == (1, 1) or core_of(users, items, asked, n_users, n_items).size.pairs:
        return None
    core = strictest_core(users, items, asked, Enough(), n_users, n_items)
    even = max((k for k in range(1, min(asked) + 1) if _leaves_enough(users, items, k, n_users, n_items)), default=0)
    found = "no lower thresholds leave enough either"
    known = dict(settings)
    if core is not None:
        known["leaves_enough"] = [(even, even), core.thresholds] if even else [core.thresholds]
        found = f"{core.thresholds} would leave {core.size.pairs:,} pairs of {core.size.users:,} users"
    return Finding(
        "empty-core",
        "error",
        len(users),
        1000,
        {"user": asked.user, "item": asked.item, "found": found},
        **explained(("empty-core",), known),
    )


def _leaves_enough(users: np.ndarray, items: np.ndarray, least: int, n_users: int, n_items: int) -> bool:
    from dataset_prep.pairs.core import Enough, Thresholds, core_of

    return Enough().met_by(core_of(users, items, Thresholds(least, least), n_users, n_items).size)
