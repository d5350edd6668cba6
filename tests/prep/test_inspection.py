"""A look at a raw log: its source, what every choice would leave, and a command that then converts."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable
from itertools import product
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from prep_data import HEADER

from dataset_prep import SOURCES, InputError, Size, inspect
from dataset_prep.__main__ import main

MOBILE, USERBEHAVIOR, IJCAI15, IJCAI16 = SOURCES.values()
TMALL15 = "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (f"{HEADER}\n1,2,3,,4,2014-12-01 00\n", MOBILE),
        ("1\t2\t3\tx\t4\t2014-12-01 00\n1\t2\t3\t\t4\t2014-12-01 00\n", MOBILE),
        ("1,2,3,,4,2014-12-01 00", MOBILE),
        ("1,2,3,,4,2014-12-01 00\n" * 2 + "1,2,3,,4\n" * 2, MOBILE),
        ("1,2,3,pv,1511544070\r\n1,2,3,pv,1511544070\r\n", USERBEHAVIOR),
        (f"{TMALL15}\n1,2,3,4,5,0829,0\n", IJCAI15),
        ("use_ID,sel_ID,ite_ID,cat_ID,act_ID,time\n1,2,3,4,0,20150826\n", IJCAI16),
    ],
)
def test_the_source_is_recognised(text: str, source: object, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(text.encode())
    assert inspect([str(path)]).source is source


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 1 2 3\n1 2 3\n", r"published split(?s:.*)split --train .*log\.txt --test"),
        ("1 2\n", r"published split"),
        ("1 2 3\n1 2 4\n", r"first line has 1 '1', 2 '2', 3 '3'"),
        ("a,b,c\n1,2,3\n", r"first line has 1 'a', 2 'b', 3 'c'(?s:.*)csv --user-column"),
        ("1,2,3,,4,2014-12-01 00\n" + "1,2,3,,4\n" * 3, "no known log has such rows"),
        ("a b,c\n", "userbehavior: user_id,item_id,category_id,behavior_type,timestamp\n"),
        ("", "no known log|is empty"),
        ("\n\n", "no known log"),
    ],
)
def test_something_else_is_refused_with_a_way_on(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        inspect([str(path)])


Log = Callable[..., Path]


def test_every_choice_by_hand(log: Log, tmp_path: Path) -> None:
    """Six users buy six items, put two more of the subset into their carts and click on one that is not in it."""
    rows: list[tuple[object, ...]] = [(u, i, 4, 1, "2014-12-01 00") for u in range(6) for i in range(6)]
    rows += [(u, i, 3, 1, "2014-12-02 00") for u in range(6) for i in (7, 8)]
    rows += [(u, 9, 1, 1, "2014-12-03 00") for u in range(3) for _ in range(2)]
    (tmp_path / "items.csv").write_text("".join(f"{i}\n" for i in (0, 1, 7, 8)))
    users = log(rows)
    found = inspect([str(users)], [str(tmp_path / "items.csv")])
    assert (found.rows, found.size) == (54, Size(51, 6, 9))
    items = [c for c in found.choices if c.level == "item"]
    table = {(c.behaviors, c.subset): (c.pairs, [core.size for core in c.cores]) for c in items}
    none = Size(0, 0, 0)
    assert list(table) == [
        (("4",), True), (("4",), False), (("3", "4"), True), (("3", "4"), False),
        (("2", "3", "4"), True), (("2", "3", "4"), False), (("1", "2", "3", "4"), True), (("1", "2", "3", "4"), False),
    ]  # fmt: skip
    assert table[("4",), True] == (12, [none, none, Size(12, 6, 2)])
    assert table[("4",), False] == (36, [Size(36, 6, 6)] * 3)
    assert table[("3", "4"), True] == (24, [none, Size(24, 6, 4), Size(24, 6, 4)])
    assert table[("1", "2", "3", "4"), False] == (51, [Size(48, 6, 8), Size(51, 6, 9), Size(51, 6, 9)])
    assert found.command is None and found.lines()[-1].startswith("Too thin") and not found.lines()[-2]
    text = found.lines()
    assert text[1:3] == [
        "days 2014-12-01 to 2014-12-03, Beijing time",
        "density 94.4444%; repeats of a pair: 3 / 54 (5.6%)",
    ]
    assert text[3:7] == [
        f"  {name:12s} {n}" for name, n in [("click", "6 / 54 (11.1%)"), ("favourite", "0 / 54 (0.0%)"),
                                            ("cart", "12 / 54 (22.2%)"), ("buy", "36 / 54 (66.7%)")]
    ]  # fmt: skip
    assert text[7:9] == [
        "partners of a user: half have at most 8, nine in ten at most 9, the most 9",
        "partners of an item: half have at most 6, nine in ten at most 6, the most 6",
    ]


def grid(users: int, items: int, behavior: str, partners: int = 0) -> list[str]:
    """Each user with each item, or, with *partners*, each item with that many users in turn."""
    pairs = [(u, i) for u in range(users) for i in range(items) if not partners or (u - i) % users < partners]
    return [f"{u},{i},7,{behavior},{1511600000 + (31 * u + 17 * i) % 101 * 60}" for u, i in pairs]


@pytest.mark.parametrize(
    ("rows", "behaviors", "thresholds"),
    [
        (
            grid(60, 50, "buy") + grid(60, 51, "cart"),
            "buy",
            (2, 2),
        ),  # enough to convert
        (grid(60, 50, "buy") + grid(101, 100, "cart"), "cart,buy", (5, 5)),
        (grid(60, 49, "buy") + grid(60, 55, "pv"), "pv,fav,cart,buy", (2, 2)),
        (grid(60, 600, "buy", 3), "buy", (2, 2)),
        (grid(60, 1200, "buy", 1), None, None),  # each item has one user only
    ],
    ids=["enough", "healthy", "wider", "lower", "too small"],
)
def test_the_recommended_command_converts(
    rows: list[str], behaviors: str | None, thresholds: tuple[int, int] | None, tmp_path: Path
) -> None:
    """The strongest behaviours that leave enough to learn from; failing that, enough to convert."""
    log = tmp_path / "a log.csv"
    log.write_text("\n".join(rows))
    command = inspect([str(log)]).command
    if behaviors is None or thresholds is None:
        assert command is None
        return
    assert command is not None
    words = shlex.split(command)
    user, item = map(str, thresholds)
    assert words == [
        "python", "-m", "dataset_prep", "userbehavior", "--log", str(log), "--behaviors", behaviors,
        "--min-user", user, "--min-item", item, "--name", "my-userbehavior",
    ]  # fmt: skip
    done = CliRunner().invoke(main, [*words[3:], "--output", str(tmp_path / "out"), "--strict"])
    assert done.exit_code == 0, done.output


def test_partners_are_counted_from_the_first_user(log: Log, tmp_path: Path) -> None:
    """Of ten users one has two items: half and nine in ten have one."""
    users = log([(u, u + 100 * k, 4, 1, "2014-12-01 00") for u in range(10) for k in range(1 + (u == 9))])
    assert "partners of a user: half have at most 1, nine in ten at most 1, the most 2" in inspect([str(users)]).lines()
    even = log([(u, u + 100 * k, 4, 1, "2014-12-01 00") for u in range(4) for k in range(1 + (u > 1))])
    assert "partners of a user: half have at most 1, nine in ten at most 2, the most 2" in inspect([str(even)]).lines()


def test_a_choice_is_judged_by_the_times_of_its_own_behaviours(tmp_path: Path) -> None:
    """Purchases of shared items are the latest, so training knows what is held out. Their clicks were the earliest."""
    rows = []
    for u in range(120):
        shared, own = [(u + k) % 40 for k in range(8)], [1000 + u // 2, 2000 + u // 2]
        for place, item in enumerate([*own, *shared]):
            rows.append(f"{u},{item},7,buy,{1511700000 + place * 60}")
        for place, item in enumerate([*shared, *own]):
            rows.append(f"{u},{item},7,pv,{1511600000 + place * 60}")
    log = tmp_path / "log.csv"
    log.write_text("\n".join(rows))
    purchases, *_, everything = inspect([str(log)]).choices
    assert purchases.behaviors == ("buy",) and purchases.enough is not None
    assert everything.behaviors == ("pv", "fav", "cart", "buy") and everything.enough is None


def test_parquet_has_a_page_too(tmp_path: Path) -> None:
    log, page = tmp_path / "log.parquet", tmp_path / "page.html"
    (tmp_path / "log.csv").write_text("user_id,item_id\n" + "\n".join(f"{u},{i}" for u in range(9) for i in range(9)))
    duckdb.sql(f"COPY (FROM read_csv('{tmp_path / 'log.csv'}')) TO '{log}' (FORMAT parquet)")
    found = inspect([str(log)], html=page)
    assert found.rows == 81 and "log.parquet: a log with named columns" in page.read_text()
    assert not any(choice.subset for choice in found.choices)


def test_dirt_does_not_stop_a_look(log: Log, tmp_path: Path) -> None:
    users = log([(u, i, 4, 1, "2014-12-01 00") for u in range(3) for i in range(3)])
    users.write_text(users.read_text() + "1,2,3\n" * 9)
    found = inspect([str(users)])
    assert [stage.rows for stage in found.funnel.stages[:2]] == [18, 9] and found.rows == 9


def test_rows_outside_the_dates_are_said(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("\n".join([*grid(9, 9, "buy"), "1,2,3,pv,1411600000"]))
    assert (
        "not counted: 1 rows that are outside the dates of this data set; --from '' --to '' keeps them"
        in inspect([str(log)]).lines()
    )


def test_a_log_of_no_known_source_is_read_by_the_names_of_its_header(tmp_path: Path) -> None:
    rows = [
        f"{n},{u},s{i},2020-01-{1 + (u + i) % 28:02} 00:00:00" for n, (u, i) in enumerate(product(range(60), repeat=2))
    ]
    log = tmp_path / "log.csv"
    log.write_text("\n".join([",uid,sku,time,event", *(f"{row},x" for row in rows)]))
    found = inspect([str(log)], html=tmp_path / "page.html")
    assert found.size == Size(3600, 60, 60) and found.lines()[0].startswith("No known log has these columns")
    assert found.command == (
        f"python -m dataset_prep csv --log {log} --user-column uid --item-column sku --time-column time "
        "--time-format datetime --min-user 2 --min-item 2 --name my-log"
    )
    assert html.escape(found.command) in (tmp_path / "page.html").read_text()
    assert found.lines()[-2].startswith("To tell behaviours apart add --behavior-column event --behavior-values")
    done = CliRunner().invoke(main, [*shlex.split(found.command)[3:], "--output", str(tmp_path / "out"), "--strict"])
    assert done.exit_code == 0, done.output


def test_the_command_of_a_tmall_log(tmp_path: Path) -> None:
    """Both editions are asked for by the name tmall."""
    log = tmp_path / "log.csv"
    log.write_text("".join(f"{u},9,{i},3,0,201508{1 + (u + i) % 28:02}\n" for u in range(60) for i in range(60)))
    found = inspect([str(log)])
    assert found.source is IJCAI16
    assert found.command is not None and " tmall --log " in found.command and found.command.endswith("my-tmall")
