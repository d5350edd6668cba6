"""Tmall: the log of IJCAI-15 (repeat buyers; day as MMDD of 2014) and that of IJCAI-16 (day as YYYYMMDD)."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_prep.sources.base import BEHAVIOR, BRAND, CATEGORY, ITEM, SELLER, TIME, USER, Behavior, Source
from dataset_prep.sources.names import ROLES, is_header, plain

IJCAI15 = Source(
    name="tmall",
    title="Tmall IJCAI-15, user_log_format1.csv",
    columns=(USER, ITEM, CATEGORY, SELLER, BRAND, TIME, BEHAVIOR),
    behaviors=(
        Behavior("0", ("click", "pv", "view")),
        Behavior("3", ("favourite", "fav", "favorite", "collect")),
        Behavior("1", ("cart",)),
        Behavior("2", ("buy", "purchase")),
    ),
    default_behaviors=("3", "1", "2"),
    time="mmdd",
    names=("user_id", "item_id", "cat_id", "seller_id", "brand_id", "time_stamp", "action_type"),
    item_features=(CATEGORY, SELLER, BRAND),
)

IJCAI16 = Source(
    name="tmall-ijcai16",
    title="Tmall IJCAI-16, ijcai2016_taobao.csv",
    columns=(USER, SELLER, ITEM, CATEGORY, BEHAVIOR, TIME),
    behaviors=(Behavior("0", ("click", "pv", "view")), Behavior("1", ("buy", "purchase"))),
    default_behaviors=("0", "1"),
    time="yyyymmdd",
    names=("use_ID", "sel_ID", "ite_ID", "cat_ID", "act_ID", "time_ID"),
    item_features=(CATEGORY, SELLER),
)


def edition(rows: Sequence[Sequence[str]]) -> Source:
    """Which of the two a log is, by its first rows: IJCAI-16 has no brand; without a header it has one field less."""
    if is_header(rows):
        return IJCAI15 if BRAND in {ROLES.get(plain(name)) for name in rows[0]} else IJCAI16
    return IJCAI16 if len(rows[0]) == len(IJCAI16.columns) else IJCAI15
