"""Logs as found in the wild: every wrapping of the same rows gives the same data set."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dataset_prep import InputError, TooManyRejectsError, UsageError, convert

ANY = {"behaviors": "1,2,3,4", "min_user": 1, "min_item": 1, "min_interactions": 1, "min_users": 1, "min_items": 1}
HEADER = "user_id,item_id,behavior_type,user_geohash,item_category,time"
ROWS = [
    "10001082,285259775,1,97lk14c,4076,2014-12-08 18",
    "10001082,4368907,4,,5503,2014-12-12 12",
    "98047837,285259775,3,9.9019999999999996E+37,4076,2014-11-18 00",
    "98047837,53616768,2,,9762,2014-12-18 23",
    "98047837,53616768,2,,9762,2014-12-18 23",
]


def inter(users: Path | list[Path] | str, output: Path, name: str = "x", **words: object) -> str:
    result = convert("mobile", users, output, name, **(ANY | words))  # type: ignore[arg-type]
    return (result.path / f"{name}.inter").read_text()


@pytest.fixture
def expected(tmp_path: Path) -> str:
    log = tmp_path / "plain.csv"
    log.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return inter(log, tmp_path / "plain")


def test_by_hand(expected: str) -> None:
    # 2014-11-18 00:00 in Beijing is 1416240000.
    assert expected == (
        "user_id:token\titem_id:token\ttimestamp:float\tbehavior_type:token\n"
        "10001082\t285259775\t1418032800\t1\n"
        "10001082\t4368907\t1418356800\t4\n"
        "98047837\t285259775\t1416240000\t3\n"
        "98047837\t53616768\t1418914800\t2\n"
    )


TAB = "\t"
FORMS: dict[str, bytes] = {
    "no header": ("\n".join(ROWS) + "\n").encode(),
    "no last line end": "\n".join([HEADER, *ROWS]).encode(),
    "CRLF": ("\r\n".join([HEADER, *ROWS]) + "\r\n").encode(),
    "mixed line ends": (HEADER + "\r\n" + "\n".join(ROWS) + "\r\n").encode(),
    "tabs": ("\n".join([HEADER, *ROWS]) + "\n").replace(",", TAB).encode(),
    "byte order mark": b"\xef\xbb\xbf" + ("\n".join([HEADER, *ROWS]) + "\n").encode(),
    "byte order mark, no header": b"\xef\xbb\xbf" + ("\n".join(ROWS) + "\n").encode(),
    "quotes": "\n".join('"' + line.replace(",", '","') + '"' for line in [HEADER, *ROWS]).encode(),
    "blank lines": ("\n".join([HEADER, *ROWS[:2], "", *ROWS[2:]]) + "\n\n").encode(),
    "upper case header": ("\n".join([HEADER.upper(), *ROWS]) + "\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
def test_every_wrapping_gives_the_same_rows(form: str, packed: str, expected: str, tmp_path: Path) -> None:
    log = tmp_path / f"log.txt{packed}"
    if packed == ".gz":
        log.write_bytes(gzip.compress(FORMS[form]))
    elif packed == ".zip":
        with zipfile.ZipFile(log, "w") as archive:
            archive.writestr("inner/log.csv", FORMS[form])
            archive.writestr("__MACOSX/._log.csv", b"\0\1\2")
    else:
        log.write_bytes(FORMS[form])
    assert inter(log, tmp_path / "out") == expected
    assert not (tmp_path / "out" / "x" / "rejects.csv").exists()


def test_parts_of_which_one_has_the_header(expected: str, tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text("\n".join([HEADER, *ROWS[:2]]) + "\n")
    (tmp_path / "part-2.csv").write_text("\r\n".join(ROWS[2:4]) + "\r\n")
    (tmp_path / "part-3.csv.gz").write_bytes(gzip.compress(ROWS[4].replace(",", TAB).encode()))
    assert inter(str(tmp_path / "part-*.csv*"), tmp_path / "out") == expected
    listed = [tmp_path / "part-1.csv", tmp_path / "part-2.csv", tmp_path / "part-3.csv.gz"]
    assert inter(listed, tmp_path / "listed") == expected


def test_ids_stay_exact(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    ids = ["007", "7", "0", "9007199254740993", "123456789012345678901234567890"]
    log.write_text("".join(f"{u},{u},1,,1,2014-12-01 00\n" for u in ids))
    written = inter(log, tmp_path / "out")
    assert [line.split("\t")[0] for line in written.splitlines()[1:]] == sorted(ids, key=lambda u: (len(u), u))


DIRT = {
    b"1,2,3,,5": "5 fields, 6 expected",
    b"1,2,3,,5,2014-12-06 02,": "7 fields, 6 expected",
    b"abc,2,3,,5,2014-12-06 02": "user_id 'abc' is no whole number",
    b"1,2.0,3,,5,2014-12-06 02": "item_id '2.0' is no whole number",
    b",2,3,,5,2014-12-06 02": "blank user_id",
    b"1, ,3,,5,2014-12-06 02": "blank item_id",
    b"1,2,7,,5,2014-12-06 02": "unknown behaviour '7'",
    b"1,2,3,,5,2014-02-30 02": "impossible time '2014-02-30 02'",
    b"1,2,3,,5,1899-12-06 02": "impossible time '1899-12-06 02'",
    b"1,2,3,,5,2014-12-0": "impossible time '2014-12-0'",
    b"1,2,3,a\0b,5,2014-12-06 02": "NUL byte",
    b"1,2,3,\xff\xfe,5,2014-12-06 02": "broken UTF-8",
    b'1,2,3,"x,5,2014-12-06 02': "stray quote",
    b'1,2,3,"x""y",5,2014-12-06 02': "a quote or a control character inside user_geohash",
    b"1,2,3,a\x0bb,5,2014-12-06 02": "a quote or a control character inside user_geohash",
    HEADER.encode(): "a second header",
}


@pytest.mark.parametrize("dirt", DIRT, ids=DIRT.values())
def test_dirt_goes_to_rejects_with_file_line_and_reason(dirt: bytes, expected: str, tmp_path: Path) -> None:
    log = tmp_path / "dirty.csv"
    log.write_bytes("\n".join([HEADER, *ROWS[:3]]).encode() + b"\n" + dirt + b"\n" + "\n".join(ROWS[3:]).encode())
    assert inter(log, tmp_path / "out", max_bad=0.2) == expected
    with (tmp_path / "out/x/rejects.csv").open() as file:
        assert list(csv.DictReader(file)) == [{"file": "dirty.csv", "line": "5", "reason": DIRT[dirt]}]


def test_a_last_line_cut_mid_field(expected: str, tmp_path: Path) -> None:
    log = tmp_path / "cut.csv"
    log.write_text("\n".join([*ROWS, ROWS[0][:-6]]))
    assert inter(log, tmp_path / "out", max_bad=0.2) == expected


def test_more_dirt_than_allowed_stops_with_the_first_ten_reasons(tmp_path: Path) -> None:
    log = tmp_path / "dirty.csv"
    log.write_text("\n".join([*ROWS, *["1,2,3"] * 12]))
    with pytest.raises(TooManyRejectsError) as caught:
        inter(log, tmp_path / "out")
    text = str(caught.value)
    assert "12 of 17 rows" in text and "dirty.csv, line 6: 3 fields, 6 expected" in text
    assert text.count("\n  ") == 10
    assert not (tmp_path / "out").exists()


def unreadable(tmp_path: Path, content: bytes, name: str = "log.csv") -> str:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        inter(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    return str(caught.value)


def test_files_that_are_no_log(tmp_path: Path) -> None:
    assert "is empty" in unreadable(tmp_path, b"")
    assert "no rows" in unreadable(tmp_path, (HEADER + "\n").encode())
    assert "none of the 2 rows" in unreadable(tmp_path, b"hello\nworld\n")
    assert "none of the" in unreadable(tmp_path, bytes(range(256)) * 10)
    assert "cannot be read to its end" in unreadable(tmp_path, gzip.compress(b"x" * 10_000)[:-20], "log.csv.gz")
    assert "cannot be read to its end" in unreadable(tmp_path, b"PK\x03\x04 no archive", "log.zip")
    assert "none of the" in unreadable(tmp_path, "\n".join([HEADER, *ROWS]).encode("utf-16"))


def zipped(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        archive.writestr("log.csv", "\n".join([HEADER, *ROWS]))
    return held.getvalue()


def test_damaged_archives(tmp_path: Path) -> None:
    """A name cut to nothing does no harm; a changed byte of an LZMA stream does."""
    (tmp_path / "log.zip").write_bytes(zipped().replace(b"log.csv", b"\0og.csv"))
    assert inter(tmp_path / "log.zip", tmp_path / "nameless")
    broken = bytearray(zipped(zipfile.ZIP_LZMA))
    broken[broken.index(b"log.csv") + 60] ^= 0x55
    assert "log.zip" in unreadable(tmp_path, bytes(broken), "log.zip")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "user.csv").write_text("x")
    with pytest.raises(InputError, match=r"no file .*users\.csv\. Beside it: user\.csv"):
        inter(tmp_path / "users.csv", tmp_path / "out")
    with pytest.raises(InputError, match="no file matches"):
        inter(str(tmp_path / "nothing-*.csv"), tmp_path / "out")
    with pytest.raises(InputError, match="is a folder"):
        inter(tmp_path, tmp_path / "out")


def test_item_subset_with_dirt_and_repeats(log: Callable[..., Path], tmp_path: Path) -> None:
    users = log([(1, 5, 4, 9, "2014-12-01 00"), (1, 6, 4, 9, "2014-12-01 00")])
    items = tmp_path / "items.csv"
    items.write_text("item_id,item_geohash,item_category\n5,,9\n5,97lk14c,9\n5,zzz,9\n" + "7,,1\n" * 200 + "x,,9\n")
    written = inter(users, tmp_path / "out", items=items, item_geohash=True)
    assert [line.split("\t")[1] for line in written.splitlines()[1:]] == ["5"]
    assert (tmp_path / "out/x/x.item").read_text().splitlines()[1:] == ["5\t9\t97lk14c"]
    assert "items.csv,205,item_id 'x' is no whole number" in (tmp_path / "out/x/rejects.csv").read_text()
    items.write_text("item_id\n")
    with pytest.raises(InputError, match="lists no item"):
        inter(users, tmp_path / "other", items=items)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"behaviors": "by"}, "Did you mean 'buy'"),
        ({"behaviors": ""}, "no behaviour"),
        ({"min_user": 0}, "--min-user"),
        ({"name": "ml-100k"}, "knows 'ml-100k' as a data set to download"),
        ({"name": "../x"}, "--name"),
        ({"split": "sometimes"}, "--split"),
        ({"split": "ratio 0.8,0.2"}, "three shares"),
        ({"split": "date 2014-12-18,2014-12-17"}, "before the test"),
        ({"core_on": "train"}, "needs --split"),
        ({"since": "yesterday"}, "no moment"),
        ({"since": "2014-12-18", "until": "2014-12-01"}, "later than"),
        ({"protocol": "both"}, "--protocol"),
        ({"max_bad": 2}, "--max-bad"),
        ({"memory_limit": "lots"}, "--memory-limit"),
        ({"item_geohash": True}, "--items"),
    ],
)
def test_settings_that_cannot_be_meant(words: dict[str, object], told: str, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("\n".join(ROWS))
    with pytest.raises(UsageError) as caught:
        convert("mobile", log, tmp_path / "out", **({"name": "x"} | words))  # type: ignore[arg-type]
    assert told in str(caught.value)
