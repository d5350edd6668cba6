"""Taobao User Behavior: Tianchi data set 649. It has no header; its times are Unix seconds, some of them impossible."""

from __future__ import annotations

from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER, Behavior, Source

USERBEHAVIOR = Source(
    name="userbehavior",
    title="Taobao User Behavior (Tianchi 649)",
    columns=(USER, ITEM, CATEGORY, BEHAVIOR, TIME),
    behaviors=(
        Behavior("pv", ("click", "view")),
        Behavior("fav", ("favourite", "favorite", "collect")),
        Behavior("cart"),
        Behavior("buy", ("purchase",)),
    ),
    default_behaviors=("pv", "fav", "cart", "buy"),
    time="unix",
    names=("user_id", "item_id", "category_id", "behavior_type", "timestamp"),
    # Timestamps from -2134949234 to 2122867355 occur in the full file.
    period=("2017-11-25", "2017-12-03"),
)
