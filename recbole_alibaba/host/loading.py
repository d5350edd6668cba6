"""What RecBole drops without a word while it loads: rows of unknown users or items, and repeated features."""

from logging import getLogger
from typing import Any

from recbole.data.dataset import Dataset

from recbole_alibaba.host.errors import UnusableDatasetError


def install() -> None:
    """Let RecBole's Dataset say how many rows it drops. Idempotent."""
    if hasattr(Dataset, "_recbole_filter_inter"):
        return
    Dataset._recbole_filter_inter = Dataset._filter_inter_by_user_or_item
    Dataset._filter_inter_by_user_or_item = _filter_inter
    Dataset._recbole_load_features = Dataset._load_user_or_item_feat
    Dataset._load_user_or_item_feat = _load_features


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
