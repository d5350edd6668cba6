"""Why can a data set not be loaded? What its file holds, and what RecBole's filters and split leave of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_alibaba.diagnosis.causes.evidence import explained
from recbole_alibaba.diagnosis.checks.data_checks import ONCE, enough, nothing_held_out, swapped, thin_data
from recbole_alibaba.diagnosis.checks.negative_checks import OWNS
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.readings import Settings
from recbole_alibaba.diagnosis.settings_lint import length_of_interval
from recbole_alibaba.host.errors import BadSettingError, NothingHeldOutError, UnknownModelError


def interaction_file(settings: Settings) -> Path:
    """``<data_path>/<dataset>/<dataset>.inter``. RecBole may have added the name to ``data_path`` already."""
    name, folder = str(settings.get("dataset")), Path(str(settings.get("data_path") or "dataset"))
    beside = folder / f"{name}.inter"
    return beside if beside.is_file() else folder / name / f"{name}.inter"


def read_ids(file: Path, settings: Settings, *keys: str) -> pd.DataFrame:
    """The id columns of an atomic file as text, called ``user`` and ``item``; ``keys`` are the settings for them."""
    fields = [str(settings.get(key) or key[:4].lower() + "_id") for key in keys]
    table = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    table.columns = [column.partition(":")[0] for column in table.columns]
    return table[fields].set_axis([key[:4].lower() for key in keys], axis=1)


def why_not_loaded(settings: Settings, error: Exception) -> list[Finding]:
    """Findings that explain ``error``. If the data do not explain it, ``cannot-start`` gives the error's message."""
    plain = Finding("cannot-start", "error", 0, 0, {"error": str(error)}, causes=("cannot-start",))
    file, setting = interaction_file(settings), isinstance(error, BadSettingError | UnknownModelError)
    try:
        rows = read_ids(file, settings, "USER_ID_FIELD", "ITEM_ID_FIELD")
        features = file.with_suffix(".item")
        described = read_ids(features, settings, "ITEM_ID_FIELD")["item"] if features.is_file() else ()
    except (OSError, KeyError, ValueError):
        return [plain]
    if not len(rows):
        return [Finding("empty-data", "error", 0, 1, {"file": file.name}, causes=("empty-data",))]
    exchanged, well = swapped(set(rows["user"]), set(rows["item"]), set(described))
    if not well:
        return [exchanged]
    pairs = rows.drop_duplicates()
    if setting:  # the error says what is wrong with it; very thin data come first all the same
        return [thin_data(len(pairs), "error"), plain] if len(pairs) < enough().pairs // 2 else [plain]
    users, items = (pd.factorize(pairs[side])[0] for side in ("user", "item"))
    if found := _of_pairs(users, items, settings):
        return found
    return [nothing_held_out(0) if isinstance(error, NothingHeldOutError) else plain]


def _of_pairs(users: np.ndarray, items: np.ndarray, settings: Settings) -> list[Finding]:
    emptied = empty_core(users, items, settings)
    if emptied is not None:
        return [emptied]
    degree, n_items = np.bincount(users), int(items.max()) + 1
    once, least = float((degree == 1).mean()), enough().pairs
    thin = thin_data(len(users), "error")
    if len(users) < least // 10:
        return [thin]
    if degree.max() == n_items:
        return [Finding("owns-everything", "error", 1.0, OWNS, causes=("owns-everything",))]
    if once > ONCE:
        return [Finding("users-seen-once", "error", once, ONCE, causes=("users-seen-once",))]
    return [thin] if len(users) < least else []


def sizes_of_file(settings: Settings) -> dict[str, int]:
    """The number of ``items`` in the interaction file; empty if there are none or the file cannot be read."""
    try:
        items = read_ids(interaction_file(settings), settings, "ITEM_ID_FIELD")["item"].nunique()
    except (OSError, KeyError, ValueError):
        return {}
    return {"items": items} if items else {}


def empty_core(users: np.ndarray, items: np.ndarray, settings: Settings) -> Finding | None:
    """The finding that the (user, item)-core of RecBole's filters is empty, with the strictest one that is not."""
    from dataset_prep.pairs.core import Thresholds, core_of, strictest_core

    intervals = (settings.get(key) for key in ("user_inter_num_interval", "item_inter_num_interval"))
    asked = Thresholds(*(max(1, int(length_of_interval(interval))) for interval in intervals))
    n_users, n_items = int(users.max()) + 1, int(items.max()) + 1

    def core(user: int, item: int) -> Any:
        return core_of(users, items, Thresholds(user, item), n_users, n_items)

    if core(*asked).size.pairs:
        return None
    strictest = strictest_core(users, items, asked, enough(), n_users, n_items)
    even = max((k for k in range(1, min(asked) + 1) if enough().met_by(core(k, k).size)), default=0)
    found = "no lower thresholds leave enough either"
    known = dict(settings)
    if strictest is not None:
        known["leaves_enough"] = [(even, even), strictest.thresholds] if even else [strictest.thresholds]
        found = f"{strictest.thresholds} would leave {strictest.size.pairs:,} pairs of {strictest.size.users:,} users"
    return Finding(
        "empty-core",
        "error",
        len(users),
        enough().pairs,
        {"user": asked.user, "item": asked.item, "found": found},
        **explained(("empty-core",), known),
    )
