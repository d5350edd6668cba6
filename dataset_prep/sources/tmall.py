"""Tmall: the log of IJCAI-15 (repeat buyers; day as MMDD of 2014) and that of IJCAI-16 (day as YYYYMMDD)."""

from __future__ import annotations

from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER, Behavior, Source

SELLER, BRAND = "seller_id", "brand_id"

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
    headers=frozenset({USER}),
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
    headers=frozenset({"use_id", USER}),
    names=("use_ID", "sel_ID", "ite_ID", "cat_ID", "act_ID", "time_ID"),
    item_features=(CATEGORY, SELLER),
)

EDITIONS = (IJCAI15, IJCAI16)


def edition(fields: list[str]) -> Source:
    """Which of the two a log is. Their first lines differ in the number of fields."""
    return IJCAI16 if len(fields) == len(IJCAI16.columns) else IJCAI15
