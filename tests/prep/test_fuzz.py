"""Mutated files: whatever the bytes, the converter ends with exit 0 and a sound data set, or exit 2 and a sentence.

FUZZ_EXAMPLES=10000 pytest tests/prep/test_fuzz.py runs the full number; FUZZ_FIRST=n starts at another one.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dataset_prep import report
from dataset_prep.__main__ import main

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "120"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
LONGEST = 20.0
"""Seconds one file may take: far more than any does, far less than a hang."""

ODD = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b'"',
    b",",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b"-",
    b"e9",
    b"NaN",
    b"'",
    b"\\",
    b"\x1a",
]
ODD += [
    "零".encode(),
    b"99999999999999999999999",
    b"2014-02-30 25",
    b"1970-01-01 00",
    b",,,,,",
    b"\n\n\n",
    b"=1+1",
    b";",
]


def mobile(rng: random.Random) -> bytes:
    rows = [
        f"{rng.randrange(1, 12)},{rng.randrange(1, 15)},{rng.randrange(1, 5)},{rng.choice(['', '97lk14c'])},"
        f"{rng.randrange(1, 4)},2014-{rng.randrange(11, 13)}-{rng.randrange(18, 29)} {rng.randrange(24):02d}"
        for _ in range(rng.randrange(1, 60))
    ]
    header = ["user_id,item_id,behavior_type,user_geohash,item_category,time"] * rng.randrange(2)
    return (rng.choice(["\n", "\r\n"]).join(header + rows) + rng.choice(["", "\n"])).encode()


def userbehavior(rng: random.Random) -> bytes:
    kinds = ["pv", "fav", "cart", "buy"]
    rows = [
        f"{rng.randrange(1, 12)},{rng.randrange(1, 15)},7,{rng.choice(kinds)},{1511539200 + rng.randrange(800_000)}"
        for _ in range(rng.randrange(1, 60))
    ]
    return ("\r\n".join(rows) + "\r\n").encode()


def lists(rng: random.Random) -> bytes:
    return "".join(f"{u} {' '.join(str(rng.randrange(30)) for _ in range(5))}\n" for u in range(12)).encode()


def mutated(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice([0, 1, 1, 2, 3, 8, 30])):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice(ODD)
        elif kind == 2:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 200)]
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            data[at : at + 1] = rng.choice(ODD)
        else:
            data = data.replace(
                *rng.choice([(b",", b"\t"), (b"\n", b"\r"), (b",", b";"), (b"2014", b"14"), (b"1", b"01")])
            )
    return bytes(data)


def wrapped(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    kind = rng.choice(["csv"] * 8 + ["csv.gz", "zip"])
    if kind == "csv.gz":
        content = gzip.compress(content, mtime=0)
    elif kind == "zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("log.csv", content)
        content = held.getvalue()
    if kind != "csv" and rng.random() < 0.5:
        content = mutated(rng, content)
    return f"log.{kind}", content


LEAST = ["--min-interactions", "1", "--min-users", "1", "--min-items", "1"]


def words(rng: random.Random, kind: str, log: Path, folder: Path) -> list[str]:
    shared = ["--output", str(folder / "out"), "--name", "x", "--max-bad", rng.choice(["0.01", "1", "1"])]
    if kind == "split":
        (folder / "test.txt").write_bytes(lists(rng))
        return ["split", "--train", str(log), "--test", str(folder / "test.txt"), *shared]
    shared += [*LEAST, "--protocol", rng.choice(["novel", "repeat"])]
    shared += rng.choice([[], [], ["--split", "last"], ["--split", "ratio 0.6,0.2,0.2", "--core-on", "train"]])
    if kind == "csv":
        columns = ["--user-column", "1", "--item-column", "2", "--time-column", "6", "--time-format", "hour"]
        return ["csv", "--log", str(log), *columns, *shared]
    if kind == "mobile" and rng.random() < 0.3:
        items = folder / "items.csv"
        items.write_bytes(
            mutated(rng, b"item_id,item_geohash,item_category\n" + b"".join(b"%d,,1\n" % i for i in range(9)))
        )
        shared += ["--items", str(items)]
    shared += ["--level", rng.choice(["item", "item", "category"])]
    return [kind, "--log", str(log), *shared]


def check(folder: Path, digits: bool) -> None:
    """What was written is sound: no blank id, no odd line, every row accounted for."""
    told = json.loads((folder / "funnel.json").read_text())
    assert sum(told["dropped_rows"].values()) + told.get("rows", told["size"]["pairs"]) == told["funnel"][0]["rows"]
    rows = 0
    for path in folder.glob("*.inter"):
        header, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        for line in lines:
            fields = line.split("\t")
            assert len(fields) == len(header.split("\t")), line
            assert fields[0].strip() and fields[1].strip(), line
            assert not digits or re.fullmatch("[0-9]+", fields[0] + fields[1]), line
        rows += len(lines)
    assert rows == told.get("rows", told["size"]["pairs"])


@pytest.fixture(scope="module", autouse=True)
def without_the_plotting_script() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "get_plotlyjs", lambda: "")
        yield


def test_mutated_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    outcomes: Counter[int] = Counter()
    longest = 0.0
    for number in range(FIRST, FIRST + EXAMPLES):
        rng = random.Random(number)
        case = folder / str(number)
        case.mkdir()
        kind = rng.choice(["mobile", "mobile", "mobile", "userbehavior", "split", "csv"])
        content = {"userbehavior": userbehavior, "split": lists}.get(kind, mobile)(rng)
        name, content = wrapped(rng, mutated(rng, content))
        log = case / name
        log.write_bytes(content)
        command = words(rng, kind, log, case)
        began = time.monotonic()
        result = CliRunner().invoke(main, command)
        longest = max(longest, time.monotonic() - began)
        shown = f"case {number}: {command}\n{result.output[-2000:]}"
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            pytest.fail(shown + "".join(traceback.format_exception(result.exception)))
        assert result.exit_code in (0, 2), shown
        assert "Traceback" not in result.output, shown
        written = case / "out" / "x"
        assert written.exists() == (result.exit_code == 0), shown
        if result.exit_code == 0:
            check(written, digits=kind in ("mobile", "userbehavior"))
        outcomes[result.exit_code] += 1
    print(f"{EXAMPLES:,} files: {dict(outcomes)}, longest {longest:.2f} s")
    assert longest < LONGEST
    # A fuzzer that never gets through, or never fails, tests nothing.
    assert min(outcomes[0], outcomes[2]) > EXAMPLES // 10
