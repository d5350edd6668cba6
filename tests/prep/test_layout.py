"""The form of a file: both sides of each rule that decides about encoding, separator, header and times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dataset_prep import SOURCES, InputError
from dataset_prep.files.layout import (
    LOOKED_AT,
    adapted,
    decoded,
    encoding_of,
    fields,
    layout_of,
    opened,
    sample_lines,
    separator,
)
from dataset_prep.files.streams import FIRST, Block
from dataset_prep.files.survey import has_long_line, survey
from dataset_prep.reading.fields import NUMBER, OPTIONAL, SKIP, compiled, read_lines
from dataset_prep.settings import Settings
from dataset_prep.sources.columns import Columns, csv_command, named_by_header
from dataset_prep.sources.names import is_header, roles_of
from dataset_prep.sources.part import LONGEST_LINE
from dataset_prep.sources.times import day_of, form, recognised, timestamp
from dataset_prep.sources.tmall import edition

CHINESE = "用户,商品\n"


@pytest.mark.parametrize(
    ("first", "encoding"),
    [
        (b"", "utf-8"),
        (b"1,2\n", "utf-8"),
        (CHINESE.encode(), "utf-8"),
        (CHINESE.encode("gbk"), "gb18030"),
        (CHINESE.strip().encode("gbk"), "gb18030"),  # one line without an end
        (b"1,2\n" + CHINESE.encode("gbk"), "gb18030"),  # half of the lines
        (b"1,2\n" * 28 + CHINESE.encode("gbk"), "gb18030"),  # one of 29
        (b"1,2\n" * 29 + CHINESE.encode("gbk"), "utf-8"),  # one of 30 may be damaged
        (CHINESE.encode("gbk") + b"1,2\n" * 99, "gb18030"),  # a header counts alone
        (CHINESE.encode("gbk") + CHINESE.encode(), "utf-8"),  # one line is UTF-8
        (CHINESE.encode("gbk") + b"\xff,2\n", "utf-8"),  # one line is neither
        ("é,1\n".encode("latin-1") * 9, "utf-8"),
        (CHINESE.encode("utf-16"), "utf-16"),
        ("1,2\n".encode("utf-16-le"), "utf-16-le"),
        ("1,2\n".encode("utf-16-be"), "utf-16-be"),
        (b"1,\x002\n", "utf-8"),  # one zero byte is damage
    ],
)
def test_encodings_by_the_beginning(first: bytes, encoding: str) -> None:
    assert encoding_of(first) == encoding


def test_the_first_lines_are_whole_lines() -> None:
    assert decoded(b"a,b\r\n\n \nc,d\n") == (["a,b", "c,d"], "utf-8")
    assert decoded(b"a\n\nb") == (["a", "b"], "utf-8")
    assert decoded(b"\xef\xbb\xbfa\nb") == (["a", "b"], "utf-8")  # the file ends without a line feed
    assert decoded(b"a\n" * (FIRST // 2 - 1) + b"bc")[0][-1] == "a"
    assert decoded(b"a" * (FIRST - 4) + b"\nbcd")[0] == ["a" * (FIRST - 4)]  # the second line may go on
    assert len(decoded(b"1\n" * 999)[0]) == LOOKED_AT
    assert decoded("ä\n".encode("latin-1"), "latin-1") == (["ä"], "latin-1")


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["1,2"], ","),
        (["1\t2"], "\t"),
        (["a;b;c,d"], ";"),
        (["1 2", "3 4"], " "),
        (["1 2"], " "),
        (["1 2 3", "4 5"], " "),  # the header may have a name less
        (["1 2", "3 4", "5 6 7"], ","),  # fields of different numbers: the line is one text
        (["12"], ","),
        ([], ","),
        (["2014-12-01 10,5"], ","),
    ],
)
def test_separators_by_the_first_line(lines: list[str], delimiter: str) -> None:
    assert separator(lines) == delimiter


@pytest.mark.parametrize(
    ("line", "delimiter", "found"),
    [
        ("a,b,", ",", ["a", "b", ""]),
        ('"a","b"', ",", ["a", "b"]),
        ('"a,b",c', ",", ["a,b", "c"]),
        ('"a ""b""",c', ",", ['a "b"', "c"]),
        ('a"b,c', ",", ['a"b', "c"]),  # a quote inside a field is text
        ('"a"b,c', ",", ['"a"b', "c"]),
        ('"", "x y"', " ", ["", ",", "x y"]),
        ('"1" 2  "x y"', " ", ["1", "2", "x y"]),
        ('1|"2|3"', "|", ["1", "2|3"]),
    ],
)
def test_fields_of_a_line(line: str, delimiter: str, found: list[str]) -> None:
    assert fields(line, delimiter) == found


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["user_id", "item_id"]], True),
        ([["user_id", "item_id"], ["ann", "film"]], True),
        ([["Unnamed: 0", "user_id", "item_id"], ["0", "ann", "film"]], True),  # two known names are enough
        ([["user_id", "1"], ["ann", "2"]], False),  # a number is no name
        ([["user_id"], ["7"]], False),
        ([["who", "what"], ["1", "2"]], True),  # words above numbers
        ([["who", "what"], ["ann", "film"]], False),
        ([["who", "what"], ["1", "film"]], True),  # one column of numbers is enough
        ([["who", "what"], ["1", "what"]], False),  # the word comes again
        ([["user", "what"], ["1", "what"]], True),  # but a known name above numbers decides
        ([["user", "what"], ["ann", "film"]], True),
        ([["user", "what"], ["user", "film"]], False),
        ([["user", "what?"], ["ann", "film"]], False),  # not a word
        ([["who", "what"], ["1"]], False),  # no row is as long
        ([["who", "what"]], False),
    ],
)
def test_headers_and_rows(rows: list[list[str]], header: bool) -> None:
    assert is_header(rows) is header


@pytest.mark.parametrize(
    ("texts", "expected", "name"),
    [
        ([], "unix", "unix"),
        (["1417392000"], "unix", "unix"),
        (["", "1417392000"], "unix", "unix"),
        (["20141202"] * 2, "unix", "yyyymmdd"),
        (["1417392000000"], "unix", "ms"),
        (["141739200000"], "unix", "ms"),
        (["1417392000000000"], "unix", "us"),
        (["829", "1111"], "mmdd", "monthday"),
        (["0829", "1111"], "mmdd", "mmdd"),
        (["2014-12-01 10"], "unix", "hour"),
        (["2014-12-01 10:00:00"], "hour", "datetime"),
        (["2014-12-01"], "unix", "date"),
        (["2014/12/1 7:00"], "unix", "iso"),
        (["6-4", "6月4日"], "unix", "month-day"),
        (["12345678"], "mmdd", None),  # too few digits for seconds, and no day
        (["123456789"], "mmdd", "unix"),
        (["12345"] * 2, "mmdd", None),
        (["noon"], "unix", None),
        (["2014-12-01 10", "x", "y"], "unix", None),  # a third is not most
        (["2014-12-01 10", "2014-12-01 11", "y"], "unix", "hour"),
        (["1417392000", "1417392001", "1417392000123"], "unix", "unix"),  # one of too many digits is damage
        (["1417392000", "x"], "unix", None),  # a half is not, either
    ],
)
def test_times_by_their_texts(texts: list[str], expected: str, name: str | None) -> None:
    assert recognised(texts, expected) == name


def beijing(*moment: int) -> int:
    return int(dt.datetime(*moment, tzinfo=dt.timezone(dt.timedelta(hours=8))).timestamp())  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("month-day", "6-4", beijing(2014, 6, 4)),
        ("month-day", "12月31日", beijing(2014, 12, 31)),
        ("month-day", "2-29", None),
        ("monthday", "829", beijing(2014, 8, 29)),
        ("monthday", "1231", beijing(2014, 12, 31)),
        ("monthday", "29", None),
        ("monthday", "12310", None),
        ("iso", "2014/12/2 7:05", beijing(2014, 12, 2, 7, 5)),
        ("iso", "2014-12-02T07:05:09.5Z", beijing(2014, 12, 2, 15, 5, 9)),
        ("iso", "2014.1.2 UTC", beijing(2014, 1, 2, 8)),
        ("iso", "2014-12-02 07-02:00", beijing(2014, 12, 2, 17)),
        ("iso", "829", None),
        ("month-day", "829", None),
        ("iso", "1899-12-31", None),
        ("iso", "1900-01-01", beijing(1900, 1, 1)),
        ("iso", "2099-12-31", beijing(2099, 12, 31)),
        ("iso", "2100-01-01", None),
        ("ms", "1417392000999", 1_417_392_000),
        ("ms", "123456789", None),
        ("ms", "1234567890", 1_234_567),
        ("us", "1417392000999999", 1_417_392_000),
        ("us", "123456789012", None),
        ("us", "1234567890123", 1_234_567),
        ("order", "17", 17),
        ("order", "017", None),
        ("%d.%m.%Y", "02.12.2014", beijing(2014, 12, 2)),
        ("%d.%m.%Y", "2014", None),
    ],
)
def test_times_in_loose_forms(name: str, text: str, seconds: int | None) -> None:
    assert form(name)(text) == seconds


def test_moments_of_the_command_line() -> None:
    assert timestamp("2014-12-18", "--to") == beijing(2014, 12, 18)
    assert timestamp("2014-12-18", "--to", end=True) == beijing(2014, 12, 18, 23, 59, 59)
    assert timestamp(" 2014-12-18T20:00:00", "--to", end=True) == beijing(2014, 12, 18, 20)
    assert day_of(beijing(2014, 12, 18)) == day_of(beijing(2014, 12, 18, 23, 59, 59)) == "2014-12-18"


MOBILE, TMALL = SOURCES["mobile"], SOURCES["tmall"]
NAMES = ",".join(MOBILE.names or MOBILE.columns)


def rewritten(first: str, source: str = "mobile") -> list[bytes]:
    kind = adapted(SOURCES[source], first.encode(), "x")
    return sample_lines(first.encode(), layout_of(first.encode(), "x", kind))


def test_lines_are_rewritten_with_quotes_where_a_field_needs_them() -> None:
    row = "1;2;1;{};4;2014-12-01 00"
    assert rewritten(row.format("a\tb")) == [b'1\t2\t1\t"a\tb"\t4\t2014-12-01 00']
    assert rewritten(row.format('"a ""b"""')) == [b'1\t2\t1\t"a ""b"""\t4\t2014-12-01 00']
    assert rewritten(row.format("")) == [b"1\t2\t1\t\t4\t2014-12-01 00"]
    assert rewritten(row.format("").replace(";", ",")) == [b"1,2,1,,4,2014-12-01 00"]  # nothing to do


def test_month_and_day_become_the_time_of_the_source() -> None:
    header = "user_id,item_id,behavior_type,user_geohash,item_category,month,day"
    assert rewritten(f"{header}\n1,2,1,,4,6,4\n") == [b"1\t2\t1\t\t4\t2014-06-04 00\t4"]


@pytest.mark.parametrize(
    ("ids", "whole"),
    [(["7.0", "8.00", ""], True), (["7.0", "8"], False), (["7.0", "8.0", "9"], True), (["7.0", "x"], False)],
)
def test_ids_written_as_floats(ids: Sequence[str], whole: bool) -> None:
    """Most of those that are there must be floats, and none may be a text."""
    first = "".join(f"{name},2,1,,4,2014-12-01 00\n" for name in ids)
    assert bool(layout_of(first.encode(), "x", MOBILE).fixes) is whole


def test_only_ids_that_are_whole_lose_their_zeros() -> None:
    (fix,) = layout_of(b"7.0,2,1,,4,2014-12-01 00\n" * 9, "x", MOBILE).fixes
    rows = [[text, "2"] for text in ("7.00", "7.5", "x.0", "7", "7.", ".0")]
    for row in rows:
        fix(row)
    assert [row[0] for row in rows] == ["7", "7.5", "x.0", "7", "7.", ".0"]


@pytest.mark.parametrize(("lost", "kept"), [(1, 1), (2, 2), (2, 9)])
def test_a_few_ids_of_a_spreadsheet_are_damage(lost: int, kept: int) -> None:
    row = "{},2,1,,4,2014-12-01 00\n"
    first = (row.format("1.0E+08") * lost + row.format("7") * kept).encode()
    assert not layout_of(first, "x", MOBILE).fixes
    with pytest.raises(InputError, match=r"user_id '1\.0E\+08' was written by a spreadsheet"):
        layout_of(first + row.format("1.0E+08").encode() * (3 - lost), "x", MOBILE)


def test_row_numbers_under_no_name_are_a_column() -> None:
    for numbers, columns in ((("1", "2"), ("", *MOBILE.columns)), (("1", "1"), MOBILE.columns)):
        rows = "".join(f"{number},1,2,1,a,4,2014-12-01 00\n" for number in numbers)
        found = layout_of(f"{NAMES}\n{rows}".encode(), "x", MOBILE)
        assert found.header and tuple(filter(None, found.columns)) == tuple(filter(None, columns))
        assert len(found.columns) == len(columns)
    half = f"{NAMES}\n1,1,2,1,a,4,2014-12-01 00\n1,2,1,a,4,2014-12-01 00\n"  # a half is not most
    assert layout_of(half.encode(), "x", MOBILE).columns == MOBILE.columns


def test_a_survey_counts_lines_and_says_what_an_engine_may_read(tmp_path: Path) -> None:
    row = "1,2,1,,4,2014-12-01 00\n"
    settings = Settings(MOBILE, (), tmp_path, "x")
    shapes = {
        "plain": (f"{NAMES}\n{row * 3}".encode(), 4, True, "\n"),
        "CRLF": ((row * 3).replace("\n", "\r\n").encode(), 3, True, "\r\n"),
        "mixed": (f"{row}{row.replace(chr(10), chr(13) + chr(10))}".encode(), 2, False, "\r\n"),
        "quotes": (row.replace("1,2", '"1",2').encode(), 1, False, "\n"),
        "no end": (f"{row}{row.strip()}".encode(), 2, True, "\n"),
        "marked": (b"\xef\xbb\xbf" + row.encode(), 1, False, "\n"),
    }
    for name, (content, lines, plain, newline) in shapes.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
        (part,) = survey(tmp_path / f"{name}.csv", tmp_path, settings)
        assert (name, part.lines, part.plain, part.newline) == (name, lines, plain, newline)
        assert part.header is (name == "plain")


def test_lines_too_long_for_an_engine() -> None:
    for before in (b"", b"1,2\n"):
        assert not has_long_line(before + b"x" * (LONGEST_LINE - 1) + b"\n1,2\n")
        assert has_long_line(before + b"x" * LONGEST_LINE + b"\n1,2\n")


def test_a_file_is_read_to_its_end_in_any_pieces(tmp_path: Path) -> None:
    row = "1;2;1;{};4;2014-12-01 00"
    (tmp_path / "log.csv").write_text("\n".join([row.format(n) for n in range(20_000)]))
    expected = "".join(f"{row.format(n)}\n" for n in range(20_000)).replace(";", "\t").encode()
    for file in opened(tmp_path / "log.csv", MOBILE):
        found = b""
        while piece := file.stream.read(12_345):
            found += piece
        assert file.copied and found == expected


def test_a_blank_last_field_is_read_and_no_odd_line() -> None:
    if compiled() is None:
        pytest.skip("no C compiler")
    for end in ("\n", "\r\n"):
        text = f"1,5,x,{end}2,6,,7{end}x,7,,8{end}".encode()
        lines = read_lines(Block(text + bytes(32), len(text), text), ",", [NUMBER, NUMBER, SKIP, OPTIONAL])
        assert [column.tolist() for column in lines.values] == [[1, 2], [5, 6], [], [-1, 7]]
        assert lines.count == 3 and lines.odd == [(2, b"x,7,,8")]
        assert lines.values[0].dtype == np.int64


def test_columns_of_csv_by_name_and_by_number() -> None:
    rows = [["who", "what", "when"], ["1", "2", "3"]]
    for chosen in (Columns("who", "what", "when"), Columns("1", "2", "3")):
        source = chosen.source(rows)
        assert source.columns == ("user_id", "item_id", "timestamp")
        assert dict(source.asked) == {"user_id": "who", "item_id": "what", "timestamp": "when"}


def test_a_header_without_a_needed_column_or_with_two_is_refused_by_the_logs_own_names() -> None:
    names = MOBILE.names
    assert roles_of([*names, "ts"], MOBILE, "x")[-2:] == ("timestamp", "")  # of two times the log's own
    with pytest.raises(InputError, match=r"x: the header .* has no column for time; mobile needs user_id, .*, time\."):
        roles_of(names[:-1], MOBILE, "x")
    with pytest.raises(InputError, match=r"two columns for item_id, 'item_id' and 'sku'"):
        roles_of([*names, "sku"], MOBILE, "x")
    with pytest.raises(InputError, match=r"that of a Tmall log.* tmall --log x"):
        roles_of([*names, "seller_id"], MOBILE, "x")


def test_the_command_for_a_log_of_no_known_source() -> None:
    start = "python -m dataset_prep csv"
    for rows, command in (
        ([["uid", "sku"], ["1", "2"]], f"{start} --user-column uid --item-column sku --log f --name my-log"),
        (
            [["1", "2"]],
            f"{start} --user-column 1 --item-column 2 --log f --name my-log, with the numbers of your columns",
        ),
        (
            [["uid", "what"], ["1", "2"]],
            f"{start} --user-column uid --item-column ITEM --log f --name my-log, with the names of your columns for "
            "item_id",
        ),
        (
            [["who", "what"], ["1", "2"]],
            f"{start} --user-column USER --item-column ITEM --log f --name my-log, with the names of your columns for "
            "user_id and item_id",
        ),
    ):
        assert csv_command("f", rows) == command
    assert named_by_header([["uid", "brand_id", "month", "day"], ["1", "2", "6", "4"]]) == {
        "user_column": "uid", "item_column": "brand_id", "time_column": "month,day"
    }  # fmt: skip
    assert named_by_header([["uid", "sku", "brand_id", "time"], ["1", "2", "3", "noon"]])["time_format"] == "PATTERN"
    assert "time_format" not in named_by_header([["uid", "sku", "time"], ["1", "2", "1417392000"]])


def test_the_editions_of_tmall() -> None:
    """By the names, or by the number of fields of one row."""
    older, newer = SOURCES["tmall"], SOURCES["tmall-ijcai16"]
    assert edition([["1", "2", "3", "4", "5", "0829", "0"]]) is older
    assert edition([["1", "2", "3", "4", "0", "20150826"]]) is newer
    assert edition([["user_id", "item_id", "brand_id", "time_stamp", "action_type"]]) is older
    assert edition([["user_id", "item_id", "cat_id", "seller_id", "time_stamp", "action_type", "x"]]) is newer


def test_a_month_and_a_day_of_csv() -> None:
    source = Columns("u", "i", "m,d").source([["u", "i", "m", "d"], ["1", "2", "6", "4"]])
    first = b"u,i,m,d\n1,2,6,4\n"
    found = layout_of(first, "x", source)
    assert sample_lines(first, found) == [b"1\t2\t%d\t4" % beijing(2014, 6, 4)]
    assert adapted(source, first, "x") is source
