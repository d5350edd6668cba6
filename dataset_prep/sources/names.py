"""Which column is which: the names under which a header, or a table, writes a column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataset_prep.errors import InputError
from dataset_prep.sources.base import BEHAVIOR, BRAND, CATEGORY, DAY, ITEM, MONTH, SELLER, TIME, USER, Source

SYNONYMS: dict[str, frozenset[str]] = {
    role: frozenset(names.split())
    for role, names in {
        USER: "userid user uid useid usernumber userno 用户 用户id 用户编号 用户号",
        ITEM: "itemid item iid iteid sku skuid productid product pid goodsid goods "
        "商品 商品id 商品编号 物品 物品id 宝贝id",
        CATEGORY: "itemcategory category categoryid cat catid cateid cate itemcategoryid itemcat "
        "类目 类目id 商品类目 商品类目id 类别 类别id 商品类别 商品类别id 品类 品类id 商品分类",
        BEHAVIOR: "behaviortype behavior behaviour behaviourtype type action actiontype actid event eventtype "
        "行为 行为类型 用户行为 用户行为类型",
        TIME: "timestamp time ts timestamps timeid date datetime visitdatetime eventtime "
        "时间 时间戳 行为时间 行为时间戳 时间点 日期",
        "user_geohash": "usergeohash geohash 地理位置 用户位置 空间标识",
        SELLER: "sellerid seller selid merchantid merchant shopid shop 商家 商家id 卖家 卖家id 店铺 店铺id",
        BRAND: "brandid brand 品牌 品牌id",
        MONTH: "month 月 月份",
        DAY: "day 日 天",
    }.items()
}
ROLES = {name: role for role, names in SYNONYMS.items() for name in names}
NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")


def plain(name: str) -> str:
    """A name without case, blanks, quotes, '_' and '-', and without RecBole's type behind a colon."""
    return re.sub(r'[\s"\'_\-\ufeff]+', "", name.split(":")[0]).lower()


def is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds names: known ones, or words above a column of numbers."""
    first, body = rows[0], rows[1:]
    known = {ROLES[plain(field)] for field in first if plain(field) in ROLES}
    if len(known) >= 2:
        return True
    if len(first) < 2 or any(NUMBER.fullmatch(field.strip()) for field in first):
        return False
    body = [row for row in body if len(row) >= len(first)]
    words = [place for place, field in enumerate(first) if re.fullmatch(r"[^\W\d][\w .-]*", field.strip())]
    numbers = [place for place in words if body and all(NUMBER.fullmatch(row[place].strip()) for row in body)]
    repeated = any(plain(row[place]) == plain(first[place]) for row in body for place in words)
    if numbers and (known or not repeated):
        return True
    return bool(known) and len(words) == len(first) and not repeated


def roles_of(header: Sequence[str], source: Source, name: str) -> tuple[str, ...]:
    """The role of each column of a fixed source's file; '' for one that is not needed.

    Args:
        name: of the file, for the message.

    Raises:
        InputError: a needed column is missing or named twice.
    """
    columns = [""] * len(header)
    names = [plain(field) for field in header]
    others = {ROLES.get(field) for field in names} & {SELLER, BRAND}
    if others and not {SELLER, BRAND} & set(source.item_features) and source.name in ("mobile", "userbehavior"):
        raise InputError(
            f"{name}: the header {','.join(header)} is that of a Tmall log, whose behaviours have other numbers. "
            f"Convert it with: python -m dataset_prep tmall --log {name}"
        )
    for role in source.columns:
        own = {plain(role)} | ({plain(source.names[source.columns.index(role)])} if source.names else set())
        places = [place for place, field in enumerate(names) if field in SYNONYMS.get(role, frozenset()) | own]
        if role == TIME and len(places) != 1:
            exact = [place for place in places if names[place] in own]
            places = exact if len(exact) == 1 else places or _day(names)
        if len(places) == 1:
            columns[places[0]] = role
        elif places or role in source.needed:
            raise InputError(_refusal(role, [header[place] for place in places], header, source, name))
    return tuple(columns)


def _day(names: Sequence[str]) -> list[int]:
    """The month of a time in two columns, month and day."""
    found = [place for place, field in enumerate(names) if ROLES.get(field) == MONTH]
    return found if any(ROLES.get(field) == DAY for field in names) else []


def _refusal(role: str, twice: Sequence[str], header: Sequence[str], source: Source, name: str) -> str:
    there = ",".join(field.strip() or "''" for field in header)
    own = source.names[source.columns.index(role)] if source.names else role
    what = f"two columns for {own}, {' and '.join(map(repr, twice))}" if twice else f"no column for {own}"
    needed = ", ".join(dict(zip(source.columns, source.names or source.columns, strict=True))[r] for r in source.needed)
    return (
        f"{name}: the header {there} has {what}; {source.name} needs {needed}. Rename the columns of the file, or name "
        "them with csv: --user-column, --item-column, --time-column, --behavior-column."
    )
