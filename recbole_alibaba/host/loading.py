"""RecBole's loading: it says what it drops (rows of unknown users or items, repeated features), and reads faster."""

import contextlib
import importlib
import mmap
import os
import re
from collections import defaultdict
from logging import getLogger
from pathlib import Path
from typing import Any

import pandas as pd
from recbole.data.dataset import Dataset

from recbole_alibaba.host.errors import UnusableDatasetError


def install() -> None:
    """Let RecBole's Dataset say how many rows it drops, and read by pandas' parser in C. Idempotent."""
    if hasattr(Dataset, "_recbole_filter_inter"):
        return
    module: Any = importlib.import_module("recbole.data.dataset.dataset")
    module.pd = _Pandas()  # the name in this module only
    Dataset._recbole_filter_inter = Dataset._filter_inter_by_user_or_item
    Dataset._filter_inter_by_user_or_item = _filter_inter
    Dataset._recbole_load_features = Dataset._load_user_or_item_feat
    Dataset._load_user_or_item_feat = _load_features


def read_csv(path: str, **options: Any) -> pd.DataFrame:
    """`pandas.read_csv` by the parser in C where that gives the same table, else as asked.

    RecBole asks for the parser in Python, which takes several times as long. The two differ on quotes, on bytes
    of 0, on carriage returns inside a line, on lines of another length than the header's, and on blank ones.
    """
    if options.get("engine") == "python" and len(options["delimiter"]) == 1 and _is_plain(path):
        with contextlib.suppress(ValueError):  # then RecBole's parser refuses the file, or reads it
            # With `usecols` the parser in C accepts longer lines, so every column is read.
            text: dict[str, Any] = defaultdict(lambda: str, options["dtype"])
            faster = {"engine": "c", "low_memory": False, "usecols": None, "dtype": text}
            table = pd.read_csv(path, **options | faster)
            # A longer first line makes an index. A line of one field, which may be blank, leaves the others empty.
            if isinstance(table.index, pd.RangeIndex) and table.shape[1] > 1 and table.iloc[:, -1].notna().all():
                return table[[name for name in table.columns if name in options["usecols"]]]
    return pd.read_csv(path, **options)


def _is_plain(path: str) -> bool:
    with Path(path).open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return all(text.find(mark) < 0 for mark in (b'"', b"\0")) and not re.search(rb"\r(?!\n)", text)


class _Pandas:
    """pandas with this `read_csv`."""

    read_csv = staticmethod(read_csv)

    def __getattr__(self, name: str) -> Any:
        return getattr(pd, name)


def _filter_inter(dataset: Any) -> None:
    """Drop the interactions of users or items that their feature file does not have.

    Raises:
        UnusableDatasetError: none is left.
    """
    before = len(dataset.inter_feat)
    some = dataset.inter_feat.iloc[:1].to_dict("records")
    dataset._recbole_filter_inter()
    lost = before - len(dataset.inter_feat)
    files = " or ".join(
        f"{dataset.dataset_name}.{side}" for side in ("user", "item") if getattr(dataset, f"{side}_feat") is not None
    )
    if before and lost == before:
        raise UnusableDatasetError(
            f"{dataset.dataset_name}.inter: no row has a user and an item that stand in {files}; the first row is "
            f"{some[0]}. Write the ids the same way in all files, or set filter_inter_by_user_or_item: False."
        )
    if lost:
        getLogger().warning(
            f"{lost:,} of {before:,} interactions are dropped: their user or item does not stand in {files}. With "
            "filter_inter_by_user_or_item: False they stay."
        )


def _load_features(dataset: Any, token: str, path: str, source: Any, field: str) -> Any:
    features = dataset._recbole_load_features(token, path, source, field)
    if features is not None and len(features) and (repeated := int(features.index[-1]) + 1 - len(features)) > 0:
        getLogger().warning(
            f"{token}.{source.value}: {repeated:,} rows repeat the {getattr(dataset, field)} of an earlier row and are "
            "dropped."
        )
    return features
