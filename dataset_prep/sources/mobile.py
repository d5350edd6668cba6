"""Alibaba Mobile Recommendation: Tianchi data set 46 and the larger "fresh_comp" release of the same log."""

from __future__ import annotations

from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER, Behavior, Source

MOBILE = Source(
    name="mobile",
    title="Alibaba Mobile Recommendation (Tianchi 46, fresh_comp)",
    columns=(USER, ITEM, BEHAVIOR, "user_geohash", CATEGORY, TIME),
    behaviors=(
        Behavior("1", ("click", "pv", "view")),
        Behavior("2", ("favourite", "fav", "favorite", "collect")),
        Behavior("3", ("cart",)),
        Behavior("4", ("buy", "purchase")),
    ),
    default_behaviors=("3", "4"),
    time="hour",
    names=("user_id", "item_id", "behavior_type", "user_geohash", "item_category", "time"),
)
