"""Published splits in LightGCN's form."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from prep_data import PARTS, columns, files, lines, real

from dataset_prep import InputError, OutputError, Published, Size, TooManyRejectsError, UsageError, convert_published


def test_gowalla_as_the_paper_counts_it(tmp_path: Path) -> None:
    train, test = real("gowalla/train.txt.gz", "gowalla/test.txt.gz")
    result = convert_published(train, test, output=tmp_path, name="gowalla-lightgcn")
    assert result.pairs == {"train": 810_128, "test": 217_242}
    assert result.size == Size(1_027_370, 29_858, 40_981)
    settings = yaml.safe_load((result.path / "gowalla-lightgcn.yaml").read_text())
    assert settings["benchmark_filename"] == ["train", "test", "test"]


Content = str | bytes | None


@pytest.fixture
def split(tmp_path: Path) -> Any:
    """Convert the texts of train, test and, if given, valid; None for a file that stays as it is."""

    def made(
        train: str | bytes | None, test: str | bytes | None, valid: str | None = None, **options: Any
    ) -> Published:
        for name, content in (("train", train), ("test", test), ("valid", valid)):
            if content is not None:
                content = content if isinstance(content, bytes) else content.encode()
                (tmp_path / f"{name}.txt").write_bytes(content)
        if valid is not None:
            options["valid"] = tmp_path / "valid.txt"
        options = {"name": "x", "output": tmp_path / "out", "force": True, **options}
        return convert_published(tmp_path / "train.txt", tmp_path / "test.txt", **options)

    return made


def parts(result: Published) -> dict[str, list[str]]:
    made = {part: result.path / f"x.{part}.inter" for part in PARTS}
    return {part: lines(path) for part, path in made.items() if path.exists()}


def test_by_hand(split: Any) -> None:
    train, test = b"\xef\xbb\xbf0 10 11 11\r\n1 10\r\n2\r\n\r\n", gzip.compress(b"0 12 10\n7 11")
    result = split(train, test)
    # 0-10 is in training already.
    assert parts(result) == {"train": ["0\t10", "0\t11", "1\t10"], "test": ["0\t12", "7\t11"]}
    assert result.funnel.dropped() == {"a repeat within its part": 1, "a pair of an earlier part": 1}
    assert [stage.rows for stage in result.funnel.stages] == [7, 6, 5]
    assert (result.size, result.pairs) == (Size(5, 3, 3), {"train": 3, "test": 2})
    kept = split(train, test, protocol="repeat")
    assert parts(kept)["test"] == ["0\t12", "0\t10", "7\t11"]
    assert kept.funnel.dropped() == {"a repeat within its part": 1}
    assert kept.size == Size(5, 3, 3) and kept.pairs["test"] == 3
    with pytest.raises(InputError, match="test part is empty"):
        split(train, test, cold="drop")


def test_what_training_never_saw(split: Any) -> None:
    words = ("0 10 11\n1 10\n", "0 12\n1 11\n7 11 12\n", "9 10\n1 13\n")
    kept = split(*words)
    record = json.loads((kept.path / "funnel.json").read_text())
    assert record["parts"]["test"] == {
        "rows": 4, "users": 3, "items": 2, "cold_rows": 3, "cold_users": 1, "cold_items": 1
    }  # fmt: skip
    assert {part: record["parts"][part]["cold_rows"] for part in PARTS} == {"train": 0, "valid": 2, "test": 3}
    with pytest.raises(InputError, match="valid part is empty"):
        split(*words, cold="drop")
    dropped = split(words[0], words[1], "9 10\n1 11\n", protocol="repeat", cold="drop")
    assert parts(dropped) == {"train": ["0\t10", "0\t11", "1\t10"], "valid": ["1\t11"], "test": ["1\t11"]}
    assert dropped.funnel.dropped() == {"a repeat within its part": 0, "new to training": 4}
    assert dropped.size == Size(4, 2, 2)


def test_a_test_part_that_serves_as_validation_is_warned_of(split: Any, caplog: pytest.LogCaptureFixture) -> None:
    split("0 1 2\n1 1\n", "0 3 4\n1 2\n")
    assert "the test part serves as one" in caplog.text and "--valid-share 0.1" in caplog.text
    caplog.clear()
    split("0 1 2\n1 1\n", "0 3 4\n1 2\n", "0 3\n1 2\n", name="y")
    split("0 1 2\n1 1 2 3\n", "0 3 4\n1 4\n", valid_share=0.5, name="z")
    assert "serves as one" not in caplog.text


def test_three_parts(split: Any) -> None:
    result = split("0 1 2\n1 1\n", "0 3 4\n1 2\n", "0 3\n1 2\n")
    # Of an item in validation and test the pair stays in validation.
    assert parts(result) == {"train": ["0\t1", "0\t2", "1\t1"], "valid": ["0\t3", "1\t2"], "test": ["0\t4"]}
    settings = yaml.safe_load((result.path / "x.yaml").read_text())
    assert settings["benchmark_filename"] == ["train", "valid", "test"]
    assert (settings["repeatable"], settings["eval_args"]["order"]) == (False, "RO")
    assert settings["load_col"] == {"inter": ["user_id", "item_id"]}
    assert "TIME_FIELD" not in settings


def test_a_validation_part_is_held_out_of_training(split: Any) -> None:
    train = "".join(f"{u} {' '.join(map(str, range(20)))} 0 1\n" for u in range(50)) + "lonely 1\nlonely 1\n"
    result = split(train, "0 20\n", valid_share=0.1)
    train_part, valid_part = (columns(result.path / f"x.{part}.inter") for part in ("train", "valid"))
    every = [[str(u), str(i)] for u in range(50) for i in range(20)] + [["lonely", "1"]]
    assert [pair for pair in every if pair in train_part] == train_part
    assert [pair for pair in every if pair not in train_part] == valid_part
    assert 60 < len(valid_part) < 140
    # Nobody loses his last pair.
    assert {u for u, _ in train_part} == {u for u, _ in every}
    again, other, more = (split(None, None, **words) for words in (
        {"valid_share": 0.1}, {"valid_share": 0.1, "seed": 4}, {"valid_share": 0.99, "name": "y"}
    ))  # fmt: skip
    assert again.fingerprint == result.fingerprint != other.fingerprint
    assert lines(other.path / "x.valid.inter") != ["\t".join(pair) for pair in valid_part]
    assert {u for u, _ in columns(more.path / "y.train.inter")} == {u for u, _ in every}
    # With this share most users keep one pair: the one that was drawn last.
    assert len(columns(more.path / "y.train.inter")) < 75


def test_the_share_is_one_of_each_pair(split: Any) -> None:
    train = "".join(f"{u} {' '.join(map(str, range(100)))}\n" for u in range(100))
    for share in (0.05, 0.5, 0.95):
        held = split(train, "0 100\n", valid_share=share).pairs["valid"]
        assert abs(held - share * 10_000) < 300  # six standard deviations at most


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (b"", InputError, "the file is empty"),
        (b"0\n1\n", InputError, "holds no line"),
        (b"0 1\n1 2,3\n", TooManyRejectsError, r"--test: 1 of 2 lines do not parse(?s:.*)'2,3'"),
        (b"0 1\n1 \xff\n", TooManyRejectsError, "broken UTF-8"),
        (b'"user_id" "item_id"\n"1" "5"\n"2" "6"\n', InputError, "a table and no split.* csv --user-column user_id"),
        (b'0 1\n1 "2"\n', TooManyRejectsError, "a quote or a control character"),
        (b"0 1\n1 nan\n", TooManyRejectsError, "'nan' would be read as a missing value"),
        (b"0 1\n1 2\x7f\n", TooManyRejectsError, "a quote or a control character"),
    ],
)
def test_lines_that_are_refused(
    content: bytes, error: type[Exception], sentence: str, split: Any, tmp_path: Path
) -> None:
    with pytest.raises(error, match=sentence):
        split("0 1 2\n", content, max_bad=0.49)
    assert not (tmp_path / "out").exists()


def test_the_allowed_share_of_bad_lines_is_still_allowed(split: Any) -> None:
    result = split("0 1 2\n\n1 3\n", "0 3\n1 a,b\n", max_bad=0.5)
    assert parts(result)["test"] == ["0\t3"]
    assert lines(result.path / "rejects.csv") == ["test.txt,2,\"'a,b': ids are separated by blanks, not commas\""]
    assert json.loads((result.path / "funnel.json").read_text())["rejected_lines"] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"valid_share": 1.0}, "--valid-share: 1 is no share below 1"),
        ({"valid_share": -0.1}, "--valid-share"),
        ({"valid_share": 0.1, "valid": "x"}, "there is a validation part already"),
        ({"name": "ml-1m"}, "RecBole knows 'ml-1m'"),
    ],
)
def test_options_without_a_meaning(options: dict[str, Any], sentence: str, split: Any) -> None:
    with pytest.raises(UsageError, match=sentence):
        split("0 1\n", "0 2\n", **options)


def test_what_decides_the_data_set(split: Any) -> None:
    first = split("0 1\n", "0 2\n")
    same = split(None, None, max_bad=0.5, force=False)
    assert first.fingerprint == same.fingerprint and files(first.path) == files(same.path)
    with pytest.raises(OutputError, match="--force"):
        split(None, None, force=False, cold="drop", protocol="repeat")
    others = [
        split("0 1 3\n", None),
        split(None, "0 2 4\n"),
        split(None, None, seed=1),
        split(None, None, protocol="repeat"),
    ]
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 5
