"""An atomic file that RecBole would misread or fail on is refused: where, what was there, what is needed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import recbole_alibaba
from recbole_alibaba.data.atomic.atomic_check import absent
from recbole_alibaba.data.atomic.atomic_header import read_header
from recbole_alibaba.data.atomic.atomic_lines import is_regular
from recbole_alibaba.host.errors import BadInput, UnusableDatasetError
from recbole_alibaba.host.guards import loaded
from tests.conftest import two_taste_rows

from recbole.data import create_dataset  # isort: skip  (importing the plugin first makes RecBole import)

HEAD = ["user_id:token", "item_id:token", "timestamp:float"]
ROWS = [(str(100_000 + int(user[1:])), str(int(item[1:])), str(time)) for user, item, time in two_taste_rows(20, 20, 8)]
ALL = {"load_col": None, "eval_args": {"order": "TO"}}
ITEM_HEAD = ["item_id:token", "title:token", "price:float"]
ITEMS = [(str(item), 'a 12" vinyl, NA', "" if item % 3 else "1.5") for item in range(20)]
TRIPLE = ["user_id", "item_id", "timestamp"]
WIDER = [(*row, "1") for row in ROWS]
PARTS = {"benchmark_filename": ["train", "valid", "test"]}


def text(head: list[str] | None = HEAD, rows: Any = ROWS, sep: str = "\t", end: str = "\n") -> str:
    return "".join(sep.join(line) + end for line in ([head] if head else []) + list(rows))


def put(row: tuple[str, ...], at: int = 50) -> str:
    """The file with one more row, in line `at` + 2."""
    return text(rows=[*ROWS[:at], row, *ROWS[at:]])


def load(files: dict[str, str | bytes], **settings: Any) -> Any:
    """The data set of `dataset/log/` with these files; the file names stand without `log.`."""
    folder = Path("dataset/log")
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, content in files.items():
        name = f"log.{suffix}" if not suffix.startswith("/") else suffix[1:]
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return loaded(create_dataset, recbole_alibaba.build_config("BPR", "log", config_dict=ALL | settings))


ASIA = [("用户" + user, item, time) for user, item, time in ROWS]
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "blanks between": (text(sep=" "), 'line 1: .* separated by blanks, .*`field_separator: " "`'),
    "several blanks": (text(sep="   "), "line 1: .*separated by blanks, .*'user_id:token<tab>item_id:token<tab>"),
    "commas, no types": (text(["user_id", "item_id", "timestamp"], sep=","), "separated by commas.*timestamp:float"),
    "no types": (text(["user_id", "item_id", "timestamp"]), "line 1: the column 'user_id' has no type"),
    "no header": (text(None), "line 1: '100000<tab>.*' is a row, and a header is needed"),
    "unknown type": (text(["user_id:int", *HEAD[1:]]), "the type 'int'"),
    "byte order mark": ("\ufeff" + text(), "byte order mark.*--encoding=utf-8-sig"),
    "UTF-16": (text().encode("utf-16"), "--encoding=utf-16,"),
    "UTF-16 without a mark": (text().encode("utf-16-le"), "--encoding=utf-16-le,"),
    "GBK": ((text() + "\t".join(ASIA[0]) + "\n").encode("gbk"), "line 162: the bytes d3 c3.*--encoding=gb18030"),
    "index of pandas": (text(["", *HEAD], [("1", *row) for row in ROWS]), "first column has no name.*index=False"),
    "index of R": (text(rows=[("1", *row) for row in ROWS]), "line 2: the number of fields is 4 .*row.names=FALSE"),
    "other names": (text(["uid:token", "iid:token", HEAD[2]]), "no column 'user_id'; .*`USER_ID_FIELD: uid`"),
    "ids with decimals": (text(rows=[(row[0] + ".0", *row[1:]) for row in ROWS]), "line 2: user_id is '100000.0'"),
    "id of a spreadsheet": (put(("1.0E+08", "5", "5")), "line 52: user_id is '1.0E.08', which a spreadsheet"),
    "ids as floats": (text(["user_id:float", *HEAD[1:]]), "'user_id' has the type float, and token is needed"),
    "empty": ("", "log.inter is empty"),
    "only a header": (text(rows=[]), "a header and no row"),
    "stray quotation mark": (put(('"100000', "5", "5")), "line 52: a quotation mark .* goes on to line 162"),
    "quotation mark in a line": (put(('"100000', '5"', "5")), "line 52: .*joins two fields"),
    "time as text": (text(rows=[(*row[:2], "2014-12-06 02") for row in ROWS]), "is '2014-12-06 02', .*seconds"),
    "one time as text": (put(("100000", "5", "noon")), "line 52: timestamp is 'noon'"),
    "one time missing": (put(("100000", "5", "")), "line 52: timestamp is missing"),
    "time of type token": (text([*HEAD[:2], "timestamp:token"]), "has the type token, and float is needed"),
    "no time": (text(HEAD[:2], [row[:2] for row in ROWS]), "no column 'timestamp'.*order: RO"),
    "too few fields": (put(("100000", "5")), "line 52: the number of fields is 2"),
    "too many fields": (put(("100000", "5", "5", "5")), "line 52: the number of fields is 4"),
    "separator at the end": (text(rows=[(*row, "") for row in ROWS]), "line 2: .*separator at the end"),
    "user missing": (put(("", "5", "5")), "line 52: user_id is missing"),
    "item NaN": (put(("100000", "NaN", "5")), "line 52: item_id is missing .'NaN'"),
    "padded id": (put(("100000 ", "5", "5")), "line 52: user_id is '100000 ', with blanks"),
    "one name twice": (text([HEAD[0], HEAD[0], HEAD[2]]), "two columns are called 'user_id'"),
    "quoted header": (text([f'"{name}"' for name in HEAD]), "line 1: there are quotation marks"),
    "separator behind the header": (text([*HEAD, ""], WIDER), "line 1: there is a separator after the last column"),
    "blank in a name": (text(["user_id:token ", *HEAD[1:]]), "line 1: the column 'user_id:token ' has a blank"),
    "no name": (text([*HEAD, ":float"], WIDER), "line 1: the column ':float' has a blank or no name"),
    "rows by commas": (text(None, sep=","), "line 1: '1000.*' is a row, and a header is needed"),
    "zero bytes": (b"user_id:token\titem_id:token\n\x00\x01\x02\n", "bytes that are zero.*Write the data as text"),
    "no encoding": (text().encode() + b"\xff\xff\xff\n", "line 162: the bytes ff ff ff .*Save it as UTF-8"),
    "other names, no user among them": (text(["a:token", "b:token", HEAD[2]]), "or set USER_ID_FIELD, ITEM_ID_FIELD"),
    "packed": (b"\x1f\x8b\x08\x00", "is a gzip file"),
    "web page": ("<!DOCTYPE html><html></html>", "this is a web page"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_interaction_file(name: str) -> None:
    content, message = REFUSED[name]
    with pytest.raises(UnusableDatasetError, match=message) as raised:
        load({"inter": content})
    assert "dataset/log/log.inter" in str(raised.value)


READ: dict[str, tuple[dict[str, str | bytes], dict[str, Any]]] = {
    "plain": ({"inter": text()}, {}),
    "CRLF": ({"inter": text(end="\r\n")}, {}),
    "CR": ({"inter": text(end="\r")}, {}),
    "no last newline": ({"inter": text().rstrip("\n")}, {}),
    "blank line": ({"inter": put(("",))}, {}),
    "blanks, as told": ({"inter": text(sep=" ")}, {"field_separator": " "}),
    "mark, as told": ({"inter": "\ufeff" + text()}, {"encoding": "utf-8-sig"}),
    "UTF-16, as told": ({"inter": text().encode("utf-16")}, {"encoding": "utf-16"}),
    "UTF-16 without a mark, as told": ({"inter": text().encode("utf-16-le")}, {"encoding": "utf-16-le"}),
    "GBK, as told": ({"inter": text(rows=ASIA).encode("gbk")}, {"encoding": "gb18030"}),
    "UTF-8": ({"inter": text(rows=ASIA)}, {}),
    "names, as told": (
        {"inter": text(["uid:token", "iid:token", HEAD[2]])},
        {"USER_ID_FIELD": "uid", "ITEM_ID_FIELD": "iid"},
    ),
    "time as text that is not loaded": (
        {"inter": put(("100000", "5", "noon"))},
        {"load_col": {"inter": ["user_id", "item_id"]}, "eval_args": {"order": "RO"}},
    ),
    "items with blank prices": ({"inter": text(), "item": text(ITEM_HEAD, ITEMS)}, {}),
    "items that are not loaded": ({"inter": text(), "item": "junk"}, {"load_col": {"inter": TRIPLE}}),
    "parts": ({f"{part}.inter": text() for part in PARTS["benchmark_filename"]}, PARTS),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_file_that_recbole_reads_right(name: str) -> None:
    """Among them the settings that the messages advise."""
    files, settings = READ[name]
    dataset = load(files, **settings)
    extra = int(name == "time as text that is not loaded")
    assert dataset.inter_num == (3 if name == "parts" else 1) * len(ROWS) + extra
    assert dataset.user_num == 21


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        ({"item": text(ITEM_HEAD, ITEMS, sep=",")}, {}, r"log\.item, line 1: .*commas"),
        ({"item": text(["iid:token", *ITEM_HEAD[1:]], ITEMS)}, {}, r"log\.item, line 1: there is no column 'item_id'"),
        ({"item": text(ITEM_HEAD, [*ITEMS, ("20", "x", "dear")])}, {}, r"log\.item, line 22: price is 'dear'"),
        ({"item": text(ITEM_HEAD, [*ITEMS, ("", "x", "1")])}, {}, r"log\.item, line 22: item_id is missing"),
        ({"user": ""}, {}, r"log\.user is empty"),
        ({}, {"threshold": {"rating": 3}}, "threshold names the column 'rating'"),
        ({}, {"load_col": {"inter": ["user_id", "item_id"]}}, r"load_col leaves out .*\[user_id, item_id, timestamp\]"),
        ({}, {"benchmark_filename": ["train", "test"]}, "three names"),
        ({}, {"encoding": "utf-16"}, r"log\.inter.* cannot be read as utf-16\. If it is Chinese text in GBK"),
        ({"train.inter": text(), "test.inter": text()}, PARTS, r"no dataset/log/log\.valid\.inter"),
        (
            {"train.inter": text(), "valid.inter": text(rows=[]), "test.inter": text()},
            PARTS,
            r"log\.valid\.inter has a header and no row",
        ),
        (
            {"train.inter": text(), "valid.inter": text(), "test.inter": text([*HEAD, "x:float"], WIDER)},
            PARTS,
            r"log\.test\.inter, line 1: .*the same columns",
        ),
    ],
)  # fmt: skip
def test_other_files_and_settings(files: dict[str, str | bytes], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load({"inter": text(), **files}, **settings)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/Log.inter", "Rename it: mv 'dataset/log/Log.inter' 'dataset/log/log.inter'"),
        ("/log.inter.txt", "Rename it"),
        ("/log.csv", "prep csv"),
        ("/../log.inter", "mv dataset/log.inter dataset/log/"),
    ],
)
def test_a_file_under_another_name(name: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load({name: text()})


@pytest.mark.parametrize(
    ("there", "suffix", "sentence"),
    [
        ([], "inter", "x has no file."),
        (["log.train.inter", "log.test.inter"], "inter", "For parts of a split made before, set benchmark_filename"),
        (["log.a.item", "log.b.item"], "inter", "x has log.a.item, log.b.item."),
        (["log.train.inter"], "inter", "Did you mean 'log.train.inter'?"),
        (["log.train.inter", "log.test.inter"], "item", "x has log.test.inter, log.train.inter."),
        (["a.tsv"], "inter", "`recbole-alibaba prep csv` makes an atomic file of a CSV file."),
        (["a.tsv"], "item", "x has a.tsv."),
        (["log.items.item"], "item", "Did you mean 'log.items.item'?"),
    ],
)
def test_a_missing_file_and_what_its_folder_has(there: list[str], suffix: str, sentence: str) -> None:
    Path("x").mkdir()
    for name in there:
        Path("x", name).touch()
    assert sentence in absent(Path("x") / f"log.{suffix}")


def test_a_long_line_is_shown_by_its_beginning(tmp_path: Path) -> None:
    for length, shown in ((60, "1" * 54 + "<tab>2"), (61, "1" * 55 + "<t...")):
        (tmp_path / "x.inter").write_text("1" * (length - 6) + "\t2\n")
        with pytest.raises(BadInput, match=f"line 1: '{re.escape(shown)}' is a row"):
            read_header(tmp_path / "x.inter", "\t", "utf-8")


def test_a_folder_in_place_of_a_file() -> None:
    Path("dataset/log/log.inter").mkdir(parents=True)
    with pytest.raises(BadInput, match="is a folder"):
        load({})


@pytest.mark.parametrize("words", [("run",), ("doctor",)])
def test_both_commands_answer_with_the_sentence(command: Callable[..., Result], words: tuple[str, ...]) -> None:
    Path("dataset/log").mkdir(parents=True)
    Path("dataset/log/log.inter").write_text(text(sep=","))
    result = command(*words, "--dataset=log")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: dataset/log/log.inter, line 1: the columns are separated by commas")


def test_ids_that_no_feature_file_has() -> None:
    """RecBole drops these interactions without a word."""
    with pytest.raises(BadInput, match=r"no row has a user and an item that stand in log\.item"):
        load({"inter": text(), "item": text(ITEM_HEAD, [("i" + item, *rest) for item, *rest in ITEMS])})


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize(
    ("body", "regular"),
    [
        ("1\t2\t3\n4\t5\t6\n", True),
        ("1\t2\t3\n4\t5\t6", True),
        ("a\tö\t-3.5\nb\tc\t0\n", True),
        ("1\t2\n4\t5\t6\t7\n", False),  # as many separators as in two right lines
        ("1\t2\t3\n4\t5\n", False),
        ("1\t\t3\n", False),
        ("1\t2\t\n", False),
        ("1\t2\tNaN\n", False),
        ('1\t"2\t3\n', False),
        ("1\t2 \t3\n", False),
        ("1\t1.0E+05\t3\n", False),
    ],
)
def test_the_proof_that_no_line_is_wrong(tmp_path: Path, body: str, regular: bool, block_bytes: int) -> None:
    file = tmp_path / "log.inter"
    file.write_text("\t".join(HEAD) + "\n" + body, encoding="utf-8")
    assert is_regular(file, "\t", "utf-8", 3, block_bytes) == regular
