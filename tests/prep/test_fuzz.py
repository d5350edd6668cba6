"""Mutated files: whatever the bytes, the converter ends with exit 0 and a sound data set, or exit 2 and a sentence.

FUZZ_EXAMPLES=10000 pytest tests/prep/test_fuzz.py runs the full number; FUZZ_FIRST=n starts at another one.
"""

from __future__ import annotations

import json
import os
import random
import re
import traceback
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from prep_damage import lists, mobile, mutated, userbehavior, wrapped

from dataset_prep.__main__ import main

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "120"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))


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
    record = json.loads((folder / "funnel.json").read_text())
    kept = record.get("rows", record["size"]["pairs"])
    assert sum(record["dropped_rows"].values()) + kept == record["funnel"][0]["rows"]
    rows = 0
    for path in folder.glob("*.inter"):
        header, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        for line in lines:
            fields = line.split("\t")
            assert len(fields) == len(header.split("\t")), line
            assert fields[0].strip() and fields[1].strip(), line
            assert not digits or re.fullmatch("[0-9]+", fields[0] + fields[1]), line
        rows += len(lines)
    assert rows == kept


def test_mutated_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    outcomes: Counter[int] = Counter()
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
        result = CliRunner().invoke(main, command)
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
    # A fuzzer that never gets through, or never fails, tests nothing.
    assert min(outcomes[0], outcomes[2]) > EXAMPLES // 10
