"""Is a log read in the forms in which people have it, and is every other form refused with a sentence?"""

from __future__ import annotations

import bz2
import datetime as dt
import lzma
import pickle
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataset_prep import InputError, PrepError, TooManyRejectsError, UsageError, convert, inspect
from dataset_prep.writing.lock import locked

LEAST: dict[str, Any] = {
    "min_user": 1,
    "min_item": 1,
    "min_interactions": 1,
    "min_users": 1,
    "min_items": 1,
    "force": True,
}
HEADER = "user_id,item_id,behavior_type,user_geohash,item_category,time"
CHINESE = "用户ID,商品ID,行为类型,地理位置,商品类目,时间"
RNG = random.Random(3)
ROWS = [
    (RNG.randrange(100, 160), RNG.randrange(5000, 5060), RNG.choice("1234"), "", RNG.randrange(9),
     dt.datetime(2014, 12, 1) + dt.timedelta(hours=RNG.randrange(400)))
    for _ in range(400)
]  # fmt: skip


def text(moment: Callable[[dt.datetime], object] = lambda t: f"{t:%Y-%m-%d %H}", header: str = HEADER) -> str:
    return "\n".join([header, *(",".join(map(str, (*row[:5], moment(row[5])))) for row in ROWS)]) + "\n"


def seconds(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=8))).timestamp())


def excel(t: dt.datetime) -> str:
    return f"{t.year}/{t.month}/{t.day} {t.hour}:{t.minute:02}"


PLAIN = text()
BARE = PLAIN.removeprefix(HEADER + "\n")
FORMS: dict[str, bytes] = {
    **{f"separator {sep!r}": PLAIN.replace(",", sep).encode() for sep in (";", "|", "\x01", "\t")},
    "separator \\x01, no header": BARE.replace(",", "\x01").encode(),
    "a separator at the end": PLAIN.replace("\n", ",\n").encode(),
    "a separator at the end, not of the header": f"{HEADER}\n{BARE}".replace("\n", ",\n")
    .replace(",\n", "\n", 1)
    .encode(),
    "a separator at the end, no header": BARE.replace("\n", ",\n").encode(),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16, CRLF, no mark": PLAIN.replace("\n", "\r\n").encode("utf-16-le"),
    "GBK": text(header=CHINESE).encode("gbk"),
    "Chinese in UTF-8": text(header=CHINESE).encode(),
    "xz": lzma.compress(PLAIN.encode()),
    "bz2": bz2.compress(PLAIN.encode()),
    "quotes": "\n".join('"' + line.replace(",", '","') + '"' for line in PLAIN.splitlines()).encode(),
    "index of pandas": "\n".join(f"{n or ''},{line}" for n, line in enumerate(PLAIN.splitlines())).encode(),
    "named index": "\n".join(f"{n or 'Unnamed: 0'},{line}" for n, line in enumerate(PLAIN.splitlines())).encode(),
    "row names of R": "\n".join(f'"{n}",{line}' if n else line for n, line in enumerate(PLAIN.splitlines())).encode(),
    "floats": (
        HEADER + "\n" + "".join(f"{u}.0,{i}.0,{b},{g},{c}.0,{t:%Y-%m-%d %H}\n" for u, i, b, g, c, t in ROWS)
    ).encode(),
    "table of R": "\n".join(
        [" ".join(f'"{name}"' for name in HEADER.split(","))]
        + [f'"{n}" {u} {i} {b} "" {c} "{t:%Y-%m-%d %H}"' for n, (u, i, b, _, c, t) in enumerate(ROWS, 1)]
    ).encode(),
    "datetime of pandas": text(str).encode(),
    "spreadsheet's time": text(excel).encode(),
    "ISO with a zone": text(lambda t: f"{t.isoformat()}+08:00").encode(),
    "ISO with Z": text(lambda t: f"{(t - dt.timedelta(hours=8)).isoformat()}.000Z").encode(),
    "no seconds": text(lambda t: f"{t:%Y-%m-%d %H:%M}").encode(),
    "Unix seconds": text(seconds).encode(),
    "milliseconds": text(lambda t: seconds(t) * 1000).encode(),
}
READERS = ("auto", "engine", "careful")


def mobile(log: Path | str, output: Path, **more: Any) -> dict[str, str]:
    result = convert("mobile", str(log), name="x", output=output, **LEAST | {"behaviors": "1,2,3,4"} | more)
    return {path.suffix: path.read_text() for path in result.path.iterdir() if path.suffix in (".inter", ".item")}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "plain.csv").write_text(PLAIN)
    return mobile(tmp_path / "plain.csv", tmp_path / "plain")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_data_set(form: str, expected: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(FORMS[form])
    for reader in READERS:
        assert mobile(log, tmp_path / reader, reader=reader) == expected
    found = inspect([str(log)])
    assert found.source.name == "mobile" and found.rows == len(ROWS)


def test_parquet(expected: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    (tmp_path / "times.csv").write_text(text(str))
    duckdb.sql(f"COPY (FROM read_csv('{tmp_path / 'times.csv'}')) TO '{log}' (FORMAT parquet)")
    assert mobile(log, tmp_path / "out") == expected
    assert inspect([str(log)]).rows == len(ROWS)
    with pytest.raises(InputError, match="Parquet file"):
        convert("mobile", [str(log), str(tmp_path / "times.csv")], name="y", output=tmp_path, **LEAST)


NO_LOGS: dict[str, tuple[bytes, str]] = {
    "log.rar": (b"Rar!\x1a\x07\x01\x00....", "RAR archive"),
    "log.7z": (b"7z\xbc\xaf\x27\x1c....", "7z archive"),
    "log.pkl": (pickle.dumps([1, 2]), "pickle"),
    "lfs.csv": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
    "login.csv": (b"\n<!DOCTYPE html><html></html>", "web page"),
    "code.csv": (b"import pandas as pd\nprint(pd.read_csv('x'))\n", "source code"),
    "log.json": (b'{"user_id": 1, "item_id": 2}\n', "JSON"),
    "log.h5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "lost.csv": (
        f"{HEADER}\n1.0E+08,5,1,,3,2014-12-01 00\n1.0E+08,6,1,,3,2014-12-01 00\n".encode(),
        "by a spreadsheet",
    ),
}


@pytest.mark.parametrize("name", NO_LOGS)
def test_what_is_no_log_is_named(name: str, tmp_path: Path) -> None:
    content, told = NO_LOGS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        mobile(tmp_path / name, tmp_path / "out")
    with pytest.raises(InputError, match=told):
        inspect([str(tmp_path / name)])
    assert not (tmp_path / "out").exists()


def test_spreadsheet_and_archive_with_two_files(expected: dict[str, str], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "log.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    with pytest.raises(InputError, match="save it as CSV"):
        mobile(tmp_path / "log.xlsx", tmp_path / "out")
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as archive:
        archive.writestr("user.csv", PLAIN)
        archive.writestr("item.csv", ",item_category,item_id\n0,3,5001\n1,3,5002.0\n")
    for read in (lambda: mobile(both, tmp_path / "out"), lambda: inspect([str(both)])):
        with pytest.raises(InputError, match=r"several files .*both\.zip/item\.csv, .*both\.zip/user\.csv\.$"):
            read()
    assert mobile(both / "user.csv", tmp_path / "out") == expected
    found = mobile(both / "user.csv", tmp_path / "subset", items=str(both / "item.csv"), min_known=0)
    assert {line.split("\t")[1] for line in found[".inter"].splitlines()[1:]} == {"5001", "5002"}
    with pytest.raises(InputError, match=r"holds no log\.csv"):
        mobile(both / "log.csv", tmp_path / "out")


def test_tmall_without_zeros_and_with_month_and_day(tmp_path: Path) -> None:
    rows = [(u, i, c, 3, 4, f"{t:%m%d}", int(b) - 1) for u, i, b, _, c, t in ROWS]
    rows = [(*row[:5], row[5].replace("12", "08"), row[6]) for row in rows]
    header = "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"
    forms = {
        "right": header + "".join(",".join(map(str, row)) + "\n" for row in rows),
        "no zero": header + "".join(",".join(map(str, (*row[:5], int(row[5]), row[6]))) + "\n" for row in rows),
        "apart": "user_id,item_id,cat_id,merchant_id,brand_id,month,day,action\n"
        + "".join(",".join(map(str, (*row[:5], row[5][:2], row[5][2:], row[6]))) + "\n" for row in rows),
    }
    found = []
    for name, content in forms.items():
        (tmp_path / f"{name}.csv").write_text(content)
        done = convert("tmall", tmp_path / f"{name}.csv", name="x", output=tmp_path / name, **LEAST)
        found.append((done.path / "x.inter").read_text())
    assert found[0] == found[1] == found[2]


# Written as, the option that reads it, and what a refusal without the option says.
TIMES: dict[str, tuple[Callable[[dt.datetime], object], str, str]] = {
    "days": (lambda t: f"{t:%Y%m%d}", "yyyymmdd", "--time-format yyyymmdd"),
    "milliseconds": (lambda t: seconds(t) * 1000, "ms", "--time-format ms"),
    "microseconds": (lambda t: seconds(t) * 10**6, "us", "--time-format us"),
    "all in 1970": (lambda t: seconds(t) // 1000, "order", "--time-format order"),
    "datetime": (str, "datetime", "--time-format datetime"),
    "excel": (excel, "iso", "--time-format iso"),
    "ISO": (lambda t: t.isoformat() + "Z", "iso", "--time-format iso"),
    "day first": (lambda t: f"{t:%d/%m/%Y %H:%M}", "%d/%m/%Y %H:%M", "--time-format '%d/%m/%Y %H:%M'"),
    "month and day": (lambda t: f"{t.month}-{t.day}", "month-day", "--time-format month-day"),
}


@pytest.mark.parametrize("kind", TIMES)
def test_a_time_of_another_form_is_refused_with_the_option_that_reads_it(kind: str, tmp_path: Path) -> None:
    written, option, told = TIMES[kind]
    (tmp_path / "log.csv").write_text(text(written))
    words = {
        "user_column": "user_id",
        "item_column": "item_id",
        "time_column": "time",
        **LEAST,
        "output": tmp_path / "out",
    }
    with pytest.raises(PrepError) as caught:
        convert("csv", tmp_path / "log.csv", name="x", **words)
    assert told in str(caught.value) and not (tmp_path / "out").exists()
    assert convert("csv", tmp_path / "log.csv", name="x", time_format=option, **words).rows > 0


def test_time_zone(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("u,i,t\n1,2,2020-07-01 12:00:00\n")
    words = {
        "user_column": "u",
        "item_column": "i",
        "time_column": "t",
        "time_format": "datetime",
        **LEAST,
        "min_known": 0,
        "output": tmp_path,
    }
    for zone, hour in (("", 4), ("UTC", 12), ("Europe/Berlin", 10)):
        done = convert("csv", tmp_path / "log.csv", name="x", timezone=zone, **words)
        moment = int(dt.datetime(2020, 7, 1, hour, tzinfo=dt.timezone.utc).timestamp())
        assert (done.path / "x.inter").read_text().splitlines()[1] == f"1\t2\t{moment}"
    with pytest.raises(UsageError, match="no time zone"):
        convert("csv", tmp_path / "log.csv", name="x", timezone="Mars", **words)


def test_encoding_and_delimiter_by_name(expected: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(text(header=CHINESE).replace(",", "~").encode("gbk"))
    assert mobile(tmp_path / "log.csv", tmp_path / "out", encoding="gbk", delimiter="~") == expected
    for words in ({"encoding": "klingon"}, {"delimiter": "::"}):
        with pytest.raises(UsageError, match=f"--{next(iter(words))}"):
            mobile(tmp_path / "log.csv", tmp_path / "out", **words)


LATE: dict[str, tuple[str, str, str]] = {
    "GBK": ("1,2,4,\u676d\u5dde,1,2014-12-01 00", "gb18030", "--encoding gb18030"),
    "floats": ("1.0,2,4,,1,2014-12-01 00", "utf-8", r"Ids such as '1\.0' .* sed -E"),
}


@pytest.mark.parametrize("kind", LATE)
def test_another_form_behind_the_lines_that_are_looked_at(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line, encoding, advice = LATE[kind]
    (tmp_path / "log.csv").write_bytes((PLAIN + "1,2,4,,1,2014-12-01 00\n" * 4_000 + f"{line}\n" * 50).encode(encoding))
    with pytest.raises(TooManyRejectsError, match=advice):
        mobile(tmp_path / "log.csv", tmp_path / "out")
    assert "not counted: 50 rows that do not parse" in inspect([str(tmp_path / "log.csv")]).lines()
    assert re.search(advice, caplog.text)
    (tmp_path / "one.csv").write_bytes((PLAIN + f"{line}\n").encode(encoding))
    caplog.clear()
    mobile(tmp_path / "one.csv", tmp_path / "out")
    assert not re.search(advice, caplog.text)


def test_one_id_of_csv_in_two_forms_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("u,i\n" + "7,x\n" * 20_000 + "7.0,x\n")
    with pytest.raises(InputError, match=r"The id '7' is written as '7\.0', too\. .* sed -E"):
        convert("csv", tmp_path / "log.csv", name="x", user_column="u", item_column="i", output=tmp_path, **LEAST)


def test_the_second_converter_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(PLAIN)
    command = [
        sys.executable,
        "-m",
        "dataset_prep",
        "mobile",
        "--log",
        "log.csv",
        "--name",
        "x",
        "--min-interactions",
        "1",
    ]
    with locked(tmp_path / "dataset" / "x"):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2 and "another converter" in done.stderr
        assert not (tmp_path / "dataset").exists()
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
