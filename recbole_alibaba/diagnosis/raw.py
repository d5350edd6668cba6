"""Why a data set cannot be loaded at all: what its file holds, and what the asked filters leave of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_alibaba.diagnosis.causes import explained
from recbole_alibaba.diagnosis.checks.settings import length_of_interval
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import Settings


def interaction_file(settings: Settings) -> Path:
    """``<data_path>/<dataset>/<dataset>.inter``, whether or not RecBole has joined the two already."""
    name, folder = str(settings.get("dataset")), Path(str(settings.get("data_path") or "dataset"))
    beside = folder / f"{name}.inter"
    return beside if beside.is_file() else folder / name / f"{name}.inter"


def read_codes(settings: Settings) -> tuple[np.ndarray, np.ndarray, int]:
    """Codes of the distinct (user, item) pairs of the file, and its number of rows."""
    fields = [str(settings.get(key) or key[:4].lower() + "_id") for key in ("USER_ID_FIELD", "ITEM_ID_FIELD")]
    table = pd.read_csv(interaction_file(settings), sep="\t", dtype=str, keep_default_na=False)
    table.columns = [column.partition(":")[0] for column in table.columns]
    pairs = table[fields].drop_duplicates()
    users, items = (pd.factorize(pairs[field])[0] for field in fields)
    return users, items, len(table)


def why_not_loaded(settings: Settings, error: Exception) -> list[Finding]:
    """Findings that explain ``error``; ``cannot-start`` with its own words when the data do not."""
    plain = Finding("cannot-start", "error", 0, 0, {"error": str(error)}, causes=("cannot-start",))
    try:
        users, items, rows = read_codes(settings)
    except (OSError, KeyError, ValueError):
        return [plain]
    if not rows:
        file = interaction_file(settings).name
        return [Finding("empty-data", "error", 0, 1, {"file": file}, causes=("empty-data",))]
    emptied = empty_core(users, items, settings)
    if emptied is not None:
        return [emptied]
    n_items = int(items.max()) + 1
    share = float(np.bincount(users).max()) / n_items
    if share >= 1 and n_items > 1:
        return [Finding("owns-everything", "error", share, 0.9, causes=("owns-everything",))]
    if len(users) < 1000:
        return [Finding("thin-data", "error", len(users), 1000, causes=("thin-data",)), plain]
    degree = np.bincount(users)
    once = float((degree == 1).sum()) / len(degree)
    if once > 0.5:
        return [Finding("users-seen-once", "error", once, 0.5, causes=("users-seen-once",)), plain]
    return [plain]


def empty_core(users: np.ndarray, items: np.ndarray, settings: Settings) -> Finding | None:
    """The finding that the asked (user, item)-core of the pairs is empty, with the strictest one that is not."""
    from dataset_prep.core import Enough, Thresholds, core_of, strictest_core  # brings DuckDB: seldom needed

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
    found = "no lower thresholds leave enough either"
    known = dict(settings)
    if core is not None:
        known["leaves_enough"] = core.thresholds
        found = f"{core.thresholds} would leave {core.size.pairs:,} pairs of {core.size.users:,} users"
    return Finding(
        "empty-core",
        "error",
        len(users),
        1000,
        {"user": asked.user, "item": asked.item, "found": found},
        **explained(("empty-core",), known),
    )
