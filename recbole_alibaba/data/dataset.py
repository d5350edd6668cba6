"""RecBole's Dataset without Python loops over rows: tokens are integer codes, core and splits are vectorised.

Ids, statistics and splits are those of RecBole's Dataset, row by row. RecBole's own methods handle the rest: sequence
columns, a split by time, and files that our reader cannot parse.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from pandas.api.types import union_categoricals
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureSource, FeatureType

from recbole_alibaba.data.atomic.atomic_file import DTYPES, read_atomic_file
from recbole_alibaba.data.sorting import stable_argsort


class AlibabaLightGCNDataset(Dataset):
    """RecBole's Dataset; the methods that loop over rows are replaced."""

    inter_feat: Any

    def _load_feat(self, filepath: str, source: Any) -> pd.DataFrame | None:
        """One atomic file as a table; the tokens of an interaction file are categories."""
        types = self._types(filepath)
        if source != FeatureSource.INTERACTION or not set(types.values()) <= DTYPES.keys():
            return super()._load_feat(filepath, source)
        load, unload = self._get_load_and_unload_col(source)
        fields = {f: kind for f, kind in types.items() if (load is None or f in load) and f not in (unload or ())}
        if not fields:
            return super()._load_feat(filepath, source)
        try:
            table = read_atomic_file(filepath, self.config["field_separator"], self.config["encoding"], fields)
        except (pd.errors.ParserError, ValueError) as error:
            self.logger.info(f"{filepath}: {error}; RecBole's reader takes over.")
            return super()._load_feat(filepath, source)
        for field, kind in fields.items():
            self.set_field_property(field, FeatureType(kind), source, 1)
            if kind == "float":
                self.field2bucketnum[field] = 2
        return table

    def _types(self, filepath: str) -> dict[str, str]:
        with open(filepath, encoding=self.config["encoding"]) as file:  # noqa: PTH123  (RecBole gives a str)
            head = file.readline().rstrip("\n").split(self.config["field_separator"])
        return {field: kind for field, _, kind in (column.partition(":") for column in head)}

    def _filter_nan_user_or_item(self) -> None:
        """Drop rows without a user or an item. RecBole confuses labels with positions and drops other rows."""
        for field, name in ((self.uid_field, "user"), (self.iid_field, "item")):
            for feat_name in (f"{name}_feat", "inter_feat"):
                feat = getattr(self, feat_name)
                if feat is not None and field is not None and (blank := feat[field].isnull()).any():
                    self.logger.warning(f"{feat_name}: {blank.sum():,} rows without {field} are dropped.")
                    setattr(self, feat_name, feat[~blank])

    def _filter_by_inter_num(self) -> None:
        """RecBole's k-core, on integer codes. With user or item features RecBole's own method runs."""
        bounds = {
            field: self._parse_intervals_str(self.config[f"{side}_inter_num_interval"])
            for field, side in ((self.uid_field, "user"), (self.iid_field, "item"))
        }
        if all(spans is None or any(map(self._allows_every_count, spans)) for spans in bounds.values()):
            return  # RecBole's default, [0, inf), filters nothing
        codes = {field: _codes(self.inter_feat[field]) for field in bounds if field is not None}
        if self.user_feat is not None or self.item_feat is not None or len(codes) < 2:
            return super()._filter_by_inter_num()
        kept = np.arange(len(self.inter_feat))
        while True:
            allowed = np.ones(len(kept), bool)
            for field, spans in bounds.items():
                if spans is not None:
                    counts = np.bincount(codes[field][kept])
                    allowed &= self._within_intervals(counts, spans)[codes[field][kept]]
            if allowed.all():
                break
            kept = kept[allowed]
        self.inter_feat = self.inter_feat.iloc[kept]
        return None

    def _allows_every_count(self, span: tuple[str, float, float, str]) -> bool:
        return span[2] == np.inf and bool(self._within_intervals(1, [span]))

    def _remap(self, remap_list: list[tuple[pd.DataFrame, str, FeatureType]]) -> None:
        """Tokens become ids in the order of first appearance, blanks become 0, as in RecBole."""
        kinds = {kind for _, _, kind in remap_list}
        if not remap_list or kinds != {FeatureType.TOKEN}:
            return super()._remap(_as_text(remap_list))
        columns = [_categories(feat[field]) for feat, field, _ in remap_list]
        codes = union_categoricals(columns, ignore_order=True) if len(columns) > 1 else columns[0]
        present = codes.codes >= 0
        ids = np.zeros(len(codes), np.int64)
        ids[present], first = pd.factorize(codes.codes[present])
        ids[present] += 1
        tokens = np.array(["[PAD]", *codes.categories[first]])
        token_id = {token: place for place, token in enumerate(tokens.tolist())}
        parts = np.split(ids, np.cumsum([len(column) for column in columns])[:-1])
        for (feat, field, _), part in zip(remap_list, parts, strict=True):
            self.field2id_token.setdefault(field, tokens)
            self.field2token_id.setdefault(field, token_id)
            feat[field] = part
        return None

    def sort(self, by: Any, ascending: Any = True) -> None:
        """RecBole's sort, faster for one ascending column, as a split in the order of time needs it."""
        if not isinstance(by, str) or ascending is not True or self.inter_feat[by].dim() != 1:
            return super().sort(by, ascending)
        self.inter_feat._reindex(torch.from_numpy(stable_argsort(self.inter_feat[by].numpy())))
        return None

    def split_by_ratio(self, ratios: Sequence[float], group_by: str | None = None) -> list[Dataset]:
        """RecBole's split; the rows of each part are in RecBole's order."""
        shares = [ratio / sum(ratios) for ratio in ratios]
        if group_by is None:
            edges = [0, *self._calcu_split_ids(len(self), shares), len(self)]
            return self._parts([slice(*pair) for pair in pairwise(edges)])
        rows, place, sizes = _groups(self.inter_feat[group_by].numpy())
        # The cuts depend on the size of a group alone, and there are few different sizes.
        different, which = np.unique(sizes, return_inverse=True)
        cuts = np.array([self._calcu_split_ids(int(size), shares) for size in different]).reshape(len(different), -1)
        part = np.zeros(len(rows), np.int8)
        for cut in cuts[which].T:
            part += place >= np.repeat(cut, sizes)
        return self._parts([rows[part == number] for number in range(len(ratios))])

    def leave_one_out(self, group_by: str | None, leave_one_mode: str) -> list[Dataset]:
        """RecBole's split: the last one or two of a group are held out, as long as one is left for training."""
        held = {"valid_and_test": (1, 2), "valid_only": (1,), "test_only": (2,)}.get(leave_one_mode)
        if held is None or group_by is None:
            return super().leave_one_out(group_by, leave_one_mode)
        rows, place, sizes = _groups(self.inter_feat[group_by].numpy())
        size = np.repeat(sizes, sizes)
        from_end = size - place - 1
        out = np.minimum(len(held), size - 1)
        part = np.zeros(len(rows), np.int64)
        for number, which in enumerate(reversed(held)):
            part[(from_end == number) & (number < out)] = which
        return self._parts([rows[part == number] for number in range(3)])

    def _parts(self, indices: Sequence[slice | np.ndarray]) -> list[Dataset]:
        self._drop_unused_col()
        columns = self.inter_feat.interaction
        at = [index if isinstance(index, slice) else torch.from_numpy(index) for index in indices]
        return [self.copy(Interaction({name: column[index] for name, column in columns.items()})) for index in at]


def _groups(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows, group by group in the order of first appearance; the place of each in its group; the sizes."""
    group, _ = pd.factorize(keys)
    rows = stable_argsort(group)
    sizes = np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    return rows, np.arange(len(rows)) - np.repeat(starts, sizes), sizes


def _categories(column: pd.Series) -> pd.Categorical:
    return column.array if isinstance(column.dtype, pd.CategoricalDtype) else pd.Categorical(column)


def _codes(column: pd.Series) -> np.ndarray:
    return np.asarray(_categories(column).codes, np.int64)


def _as_text(remap_list: list[tuple[pd.DataFrame, str, FeatureType]]) -> list[tuple[pd.DataFrame, str, FeatureType]]:
    """Categories back to strings: RecBole concatenates columns and does not handle categories."""
    for feat, field, _ in remap_list:
        if isinstance(feat[field].dtype, pd.CategoricalDtype):
            feat[field] = feat[field].astype(object)
    return remap_list
