"""Is a published split read in its own form: lists, pairs, triples, with a header, a label or commas?"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from dataset_prep import InputError, UsageError, convert_published

RNG = random.Random(5)
PAIRS = sorted({(RNG.randrange(30), RNG.randrange(100, 160)) for _ in range(400)})
RNG.shuffle(PAIRS)
TRAIN, TEST = PAIRS[:300], PAIRS[300:]


def lists(pairs: list[tuple[int, int]]) -> list[str]:
    return [
        " ".join(map(str, [user, *(i for u, i in pairs if u == user)])) for user in dict.fromkeys(u for u, _ in pairs)
    ]


def cells(pairs: list[tuple[int, int]], sep: str, *more: str) -> list[str]:
    return [sep.join([str(u), str(i), *(m or str(RNG.randrange(1, 6)) for m in more)]) for u, i in pairs]


def published(
    folder: Path, train: list[str], test: list[str], valid: list[str] | None = None, **words: Any
) -> set[str]:
    """The pairs of training and test as written."""
    parts = {"train": train, "test": test} | ({"valid": valid} if valid else {})
    for name, lines in parts.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    files = {name: folder / f"{name}.txt" for name in parts}
    done = convert_published(**files, name="x", output=folder / "out", force=True, **words)
    return {
        f"{part} {line}"
        for part in ("train", "test")
        for line in (done.path / f"x.{part}.inter").read_text().splitlines()[1:]
    }


EXPECTED = {f"{part} {u}\t{i}" for part, pairs in (("train", TRAIN), ("test", TEST)) for u, i in pairs}
FORMS = {
    "lists": (lists(TRAIN), lists(TEST)),
    "pairs": (cells(TRAIN, "\t"), cells(TEST, "\t")),
    "pairs with commas": (cells(TRAIN, ","), cells(TEST, ", ")),
    "triples": (cells(TRAIN, "\t", ""), cells(TEST, "\t", "")),
    "triples with commas": (cells(TRAIN, ",", ""), cells(TEST, ",", "")),
    "four fields": (cells(TRAIN, "::", "", "978300760"), cells(TEST, "::", "", "978300761")),
    "a label": (cells(TRAIN, " ", "click"), cells(TEST, " ", "click")),
    "a header": (["uid\tsid", *cells(TRAIN, "\t")], ["uid\tsid", *cells(TEST, "\t")]),
    "a header of triples": (["user item rating", *cells(TRAIN, " ", "")], ["user item rating", *cells(TEST, " ", "")]),
    "a header in another order": (
        ["item_id,user_id", *(f"{i},{u}" for u, i in TRAIN)],
        ["user_id,item_id", *cells(TEST, ",")],
    ),
    "types of RecBole": (["user_id:token\titem_id:token", *cells(TRAIN, "\t")], cells(TEST, "\t")),
    "one test pair a user": (
        cells(TRAIN, " ", ""),
        cells([next(p for p in TEST if p[0] == u) for u in sorted({u for u, _ in TEST})], " ", ""),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_pairs(form: str, tmp_path: Path) -> None:
    train, test = FORMS[form]
    found = published(tmp_path, train, test)
    if form == "one test pair a user":
        assert {line for line in found if line.startswith("train")} < EXPECTED and found < EXPECTED
        assert len([line for line in found if line.startswith("test")]) == len(test)
    else:
        assert found == EXPECTED


def test_what_cannot_be_told_is_refused(tmp_path: Path) -> None:
    triples, short = cells(TRAIN, " ", ""), cells(TEST, " ", "")
    with pytest.raises(InputError, match="--form lists"):
        published(tmp_path, [*triples, "3 4"], short)
    with pytest.raises(InputError, match="is a label"):
        published(tmp_path, [f"{line} train" for line in lists(TRAIN)], lists(TEST))
    with pytest.raises(InputError, match="0 or 1"):
        published(tmp_path, [f"{u} {i} {i % 2}" for u, i in TRAIN], [f"{u} {i} 1" for u, i in TEST])
    with pytest.raises(InputError, match="the same number in each"):
        published(tmp_path, lists(TRAIN), lists(TEST), form="triples")
    with pytest.raises(UsageError, match="--form"):
        published(tmp_path, lists(TRAIN), lists(TEST), form="quads")
    assert not (tmp_path / "out").exists()


def test_the_form_as_asked(tmp_path: Path) -> None:
    """Items that look as weights are items where the user says so."""
    train, test = cells(TRAIN, " ", "7"), cells(TEST, " ", "7")
    found = published(tmp_path, train, test, form="lists", protocol="repeat")
    assert found > EXPECTED and any(line.endswith("\t7") for line in found)


def test_validation_pairs_that_stand_in_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match="--valid-share"):
        published(tmp_path, lists(TRAIN), lists(TEST), lists(TRAIN[:50]))
    assert published(tmp_path, lists(TRAIN), lists(TEST), valid_share=0.1) < EXPECTED
    new = [pair for pair in ((u, i) for u in range(30) for i in range(100, 160)) if pair not in PAIRS]
    for known, told in ((30, False), (31, True)):  # of 60
        caplog.clear()
        published(tmp_path, lists(TRAIN), lists(TEST), lists(TRAIN[:known] + new[: 60 - known]))
        assert ("31 of 60 pairs of --valid stand in --train as well" in caplog.text) is told


def test_columns_by_name_in_any_order(tmp_path: Path) -> None:
    for head, order in (
        ("item,user", (1, 0)),
        ("user,item", (0, 1)),
        ("item_id,who", (1, 0)),
        ("what,user_id", (1, 0)),
    ):
        train, test = ([head, *(",".join(str(pair[n]) for n in order) for pair in part)] for part in (TRAIN, TEST))
        assert published(tmp_path, train, test) == EXPECTED
