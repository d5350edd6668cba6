"""Published splits in LightGCN's form."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import yaml
from dataset_prep.core import Size
from prep_data import real

from dataset_prep import InputError, PublishedSettings, TooManyRejectsError, UsageError, convert_published
from dataset_prep.published import hold_out


def test_gowalla_as_the_paper_counts_it(tmp_path: Path) -> None:
    train, test = real("gowalla/train.txt.gz", "gowalla/test.txt.gz")
    result = convert_published(PublishedSettings(str(train), str(test), tmp_path, "gowalla-lightgcn"))
    assert result.pairs == {"train": 810_128, "test": 217_242}
    assert result.size == Size(1_027_370, 29_858, 40_981)
    settings = yaml.safe_load((result.path / "gowalla-lightgcn.yaml").read_text())
    assert settings["benchmark_filename"] == ["train", "test", "test"]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def test_by_hand(tmp_path: Path) -> None:
    train, test = tmp_path / "train.txt", tmp_path / "test.txt.gz"
    train.write_bytes(b"\xef\xbb\xbf0 10 11 11\r\n1 10\r\n2\r\n\r\n")
    test.write_bytes(gzip.compress(b"0 12 10\n7 11"))
    result = convert_published(PublishedSettings(str(train), str(test), tmp_path, "x"))
    assert lines(result.path / "x.train.inter") == ["0\t10", "0\t11", "1\t10"]
    # 0-10 stands in training already.
    assert lines(result.path / "x.test.inter") == ["0\t12", "7\t11"]
    assert result.funnel.dropped() == {"a repeat within its part": 1, "a pair of an earlier part": 1}
    kept = convert_published(PublishedSettings(str(train), str(test), tmp_path, "repeat", protocol="repeat"))
    assert lines(kept.path / "repeat.test.inter") == ["0\t12", "0\t10", "7\t11"]
    with pytest.raises(InputError, match="test part is empty"):
        convert_published(PublishedSettings(str(train), str(test), tmp_path, "cold", cold="drop"))


def test_a_validation_part_is_held_out_of_training(tmp_path: Path) -> None:
    pairs = [(str(u), str(i)) for u in range(50) for i in range(20)] + [("lonely", "1")]
    kept, held = hold_out(pairs, 0.1, seed=3)
    assert sorted(kept + held) == sorted(pairs)
    assert 60 < len(held) < 140
    assert {u for u, _ in kept} == {u for u, _ in pairs}
    assert hold_out(pairs, 0.1, seed=3) == (kept, held) != hold_out(pairs, 0.1, seed=4)
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("\n".join(f"{u} " + " ".join(map(str, range(20))) for u in range(50)))
    test.write_text("0 20\n")
    result = convert_published(PublishedSettings(str(train), str(test), tmp_path, "x", valid_share=0.1))
    assert set(lines(result.path / "x.train.inter")).isdisjoint(lines(result.path / "x.valid.inter"))
    assert result.pairs["train"] + result.pairs["valid"] == 1_000
    settings = yaml.safe_load((result.path / "x.yaml").read_text())
    assert settings["benchmark_filename"] == ["train", "valid", "test"]


def test_what_is_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("0 1 2\n")
    for content, error in [
        (b"", InputError),
        (b"0,1,2\n", InputError),
        (b"0 1\n1 \xff\n", TooManyRejectsError),
        (b'0 1\n1 "2"\n', TooManyRejectsError),
        (b"0 1\n1 nan\n", TooManyRejectsError),
    ]:
        bad.write_bytes(content)
        with pytest.raises(error):
            convert_published(PublishedSettings(str(good), str(bad), tmp_path, "x"))
    with pytest.raises(UsageError, match="--valid-share"):
        PublishedSettings(str(good), str(good), tmp_path, "x", valid_share=1.5)
