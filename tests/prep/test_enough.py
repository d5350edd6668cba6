"""Is a conversion taken only if a model can learn from it, and does every advice that is printed work?"""

from __future__ import annotations

import json
import math
import random
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from prep_data import real

from dataset_prep.__main__ import main
from dataset_prep.choices.heldout import RECBOLE, held_out
from dataset_prep.pairs.kept import Rows as KeptRows
from dataset_prep.pairs.split import TEST, VALID

Rows = Sequence[tuple[object, ...]]
SMALL = "--min-interactions 200 --min-users 20 --min-items 20"


def tail(users: int, each: int, rng: random.Random, behavior: int = 4) -> list[tuple[object, ...]]:
    """Users whose items nobody else has, day after day."""
    return [
        (u, 10_000 + u * each + k, behavior, rng.randrange(8), f"2014-12-{k + 1:02} 10")
        for u in range(1, users + 1)
        for k in range(each)
    ]


def shared(users: int, items: int, each: int, rng: random.Random, behavior: int = 1) -> list[tuple[object, ...]]:
    """Users with items out of a small catalogue."""
    return [
        (u, i, behavior, i % 8, f"2014-12-{day + 1:02} 12")
        for u in range(1, users + 1)
        for day, i in enumerate(rng.sample(range(1, items + 1), each))
    ]


def thin_logs() -> dict[str, Rows]:
    rng = random.Random(15)
    return {
        "purchases seen once, clicks shared": [*tail(60, 8, rng), *shared(60, 40, 9, rng)],
        "everything seen once": tail(60, 8, rng),
        "users of two rows": shared(150, 40, 2, rng, behavior=4),
        "users of two rows and some of ten": [*shared(150, 40, 2, rng, 4), *[
            (1000 + u, *rest) for u, *rest in shared(30, 40, 10, rng, 4)]],
        "too few rows": shared(10, 20, 3, rng),
    }  # fmt: skip


def run(words: str | list[str]) -> tuple[int, str]:
    result = CliRunner().invoke(main, shlex.split(words) if isinstance(words, str) else words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def accepted(command: str, folder: Path) -> str:
    """Run a printed command, under another name -> its output."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "dataset_prep"]
    code, output = run([*words[3:], "--output", str(folder)])
    assert code == 0, f"{command}\n{output}"
    return output


@pytest.mark.parametrize("name", list(thin_logs()))
def test_every_advice_is_accepted(name: str, log: Callable[..., Path], tmp_path: Path) -> None:
    raw = log(thin_logs()[name])
    code, output = run(f"mobile --users {raw} --output {tmp_path / 'out'} --name x {SMALL}")
    advice = re.findall(r"^  (python .*)   leaves (.*)$", output, re.MULTILINE)
    if code == 0:
        assert not advice
        return
    assert code == 2 and (advice or "too thin to learn from" in output), output
    for number, (command, promised) in enumerate(advice):
        assert promised in accepted(command, tmp_path / str(number)).splitlines()[-1]


@pytest.mark.parametrize("options", ["", "--items", "--behaviors 3,4 --items", "--behaviors 4"])
def test_every_advice_on_the_slice_is_accepted(options: str, tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    typed = options.replace("--items", f"--items {tianchi[1]}")
    code, output = run(f"mobile --users {tianchi[0]} {typed} --output {tmp_path / 'out'} --name x")
    if "--behaviors" not in options:  # nothing that was typed stands in the way
        assert code == 0 and "--behaviors was not given, so more are used: 1,2,3,4 in place of 3,4" in output
        return
    advice = re.findall(r"^  (python .*)   leaves (.*)$", output, re.MULTILINE)
    assert code == 2 and advice
    for number, (command, promised) in enumerate(advice):
        assert promised in accepted(command, tmp_path / str(number)).splitlines()[-1]


@pytest.mark.parametrize("with_items", [True, False])
def test_inspect_prints_what_is_accepted(with_items: bool, tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    _, output = run(f"inspect {tianchi[0]}" + f" --items {tianchi[1]}" * with_items)
    command = output.splitlines()[-1].removeprefix("Recommended: ")
    assert ("--items" in command) == with_items
    assert "wrote" in accepted(command, tmp_path)


def test_what_was_typed_is_not_widened(log: Callable[..., Path], tmp_path: Path) -> None:
    raw = log(thin_logs()["purchases seen once, clicks shared"])
    code, output = run(f"mobile --users {raw} --output {tmp_path} --name x {SMALL} --behaviors 3,4")
    assert code == 2 and "training knows user and item of 0.0% of the held-out rows; needed are 50%" in output
    code, output = run(f"mobile --users {raw} --output {tmp_path} --name x {SMALL}")
    assert code == 0 and "1,2,3,4 in place of 3,4" in output
    record = json.loads((tmp_path / "x" / "funnel.json").read_text())
    assert (record["settings"]["behaviors"], record["behaviors_used"]) == (["3", "4"], ["1", "2", "3", "4"])
    again, _ = run(f"mobile --users {raw} --output {tmp_path} --name x {SMALL}")
    assert again == 0, "the same command replaces its own data set"


def test_any_share_is_taken_where_it_is_asked_for(log: Callable[..., Path], tmp_path: Path) -> None:
    raw = log(thin_logs()["everything seen once"])
    words = f"mobile --users {raw} --output {tmp_path} --name x {SMALL}"
    assert run(words)[0] == 2
    assert run(f"{words} --min-known 0")[0] == 0


def test_a_small_part_is_refused(log: Callable[..., Path], tmp_path: Path) -> None:
    """2,000 rows in training and 5 that can be predicted in test."""
    rng = random.Random(3)
    old = shared(100, 60, 20, rng, 4)
    new = [(u, 59 + u % 2, 4, 1, f"2014-12-{29 + u % 2} 12") for u in range(1, 11)]
    raw = log([*old, *new])
    how = f"mobile --users {raw} --output {tmp_path} --name x --split 'date 2014-12-29,2014-12-30'"
    code, output = run(how)
    assert code == 2 and re.search(r"part has \d rows that training can predict; needed are 50", output), output


def test_random_split_without_time(log: Callable[..., Path], tmp_path: Path) -> None:
    """RecBole will split at random: what is known is expected, not drawn."""
    for name, code in (("everything seen once", 2), ("shared", 0)):
        rows = shared(60, 40, 9, random.Random(1)) if name == "shared" else thin_logs()[name]
        raw = tmp_path / f"{code}.csv"
        raw.write_text("u,i\n" + "\n".join(f"{u},{i}" for u, i, *_ in rows) + "\n")
        words = f"csv --log {raw} --user-column u --item-column i --output {tmp_path} --name x{code} {SMALL}"
        assert run(words)[0] == code


def test_the_source_is_kept_beside_the_data(log: Callable[..., Path], tmp_path: Path) -> None:
    raw = log(shared(60, 40, 9, random.Random(1), 4))
    assert run(f"mobile --users {raw} --output {tmp_path} --name x {SMALL}")[0] == 0
    kept = json.loads((tmp_path / "x" / "source.json").read_text())
    assert kept["source"] == "mobile" and kept["options"]["users"] == [str(raw)]
    assert kept["options"]["min_interactions"] == 200 and "output" not in kept["options"]


def test_the_bank_of_real_thin_slices(tmp_path: Path) -> None:
    """One day, two days, purchases only, fifty users: converted, or refused with advice that is accepted."""
    (source,) = real("userbehavior/UserBehavior.csv")
    lines = source.read_text().splitlines()
    users = sorted({line.split(",")[0] for line in lines})[:50]
    day = {n: 1511539200 + n * 86_400 for n in range(4)}
    slices = {
        "one day": [line for line in lines if day[0] <= int(line.split(",")[4]) < day[1]],
        "two days": [line for line in lines if day[0] <= int(line.split(",")[4]) < day[2]],
        "purchases": [line for line in lines if ",buy," in line],
        "fifty users": [line for line in lines if line.split(",")[0] in users],
    }
    for name, kept in slices.items():
        raw, out = tmp_path / f"{name.replace(' ', '-')}.csv", tmp_path / name.replace(" ", "-")
        raw.write_text("\n".join(kept) + "\n")
        code, output = run(f"userbehavior --log {raw} --output {out} --name x")
        advice = re.findall(r"^  (python .*)   leaves (.*)$", output, re.MULTILINE)
        assert code == 0 or advice or "too thin to learn from" in output, output
        for number, (command, promised) in enumerate(advice):
            assert promised in accepted(command, tmp_path / f"{name}-{number}").splitlines()[-1]
        _, looked = run(f"inspect {raw}")
        last = looked.splitlines()[-1]
        assert last.startswith("Recommended: ") == (code == 0 or bool(advice)), (name, last, output)


@given(st.lists(st.sets(st.integers(0, 6), min_size=1), min_size=1, max_size=8))
def test_what_a_random_split_holds_out_is_the_expected_number(items_of_users: list[set[int]]) -> None:
    """Row by row: the chance that it is held out, times that another row of its item is in training."""
    pairs = [(u, i) for u, items in enumerate(items_of_users) for i in sorted(items)]
    u, i = (np.array(side, dtype=np.int32) for side in zip(*pairs, strict=True))
    rows = KeptRows(u, i, np.zeros(len(u), dtype=np.int64), np.zeros(len(u), dtype=np.int8))
    part, n = RECBOLE.part_of(rows), [len(items) for items in items_of_users]
    sizes = {number: [int((part[u == user] == number).sum()) for user in range(len(n))] for number in (VALID, TEST)}
    held = [(sizes[VALID][user] + sizes[TEST][user]) / n[user] for user in range(len(n))]
    expected = {VALID: 0.0, TEST: 0.0}
    for user, item in pairs:
        unknown = math.prod(held[other] for other, its in pairs if its == item and other != user)
        for number in expected:
            expected[number] += sizes[number][user] / n[user] * (1 - unknown)
    found = held_out(rows, timed=False, split=None)
    assert found.valid == pytest.approx(expected[VALID]) and found.test == pytest.approx(expected[TEST])
    assert found.known == pytest.approx(sum(expected.values()) / max(sum(map(sum, sizes.values())), 1e-9))
    assert held_out(rows, timed=True, split=None, whole_parts=part).known == 1.0  # its own share says nothing
    assert found.once == sum(count - sizes[VALID][k] - sizes[TEST][k] == 1 for k, count in enumerate(n)) / len(n)
