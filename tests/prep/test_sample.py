"""The made-up log: its promised counts, and a taste that can be learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from dataset_prep import EmptyDatasetError, Thresholds, convert, write_sample
from dataset_prep.sources import sample as made_up


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_sample(tmp_path_factory.mktemp("another"), seed=7)


@pytest.fixture(params=["sample", "another"])
def files(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    found: tuple[Path, Path] = request.getfixturevalue(request.param)
    return found


def test_before_is_refused_with_the_promised_counts(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(EmptyDatasetError) as caught:
        convert(
            "mobile", files[0], output=tmp_path, items=files[1], behaviors="buy", min_user=5, min_item=5, strict=True
        )
    stages = caught.value.funnel.stages
    rows = [stage.rows for stage in stages]
    assert rows[:3] == [made_up.ROWS, made_up.PURCHASES, made_up.PURCHASES_IN_SUBSET]
    assert rows[-1] == 0
    weak = stages[2].weak
    assert weak is not None and stages[2].size is not None
    # The line of the original report: users with fewer than 5 interactions: 622 / 622 (100.0 %)
    assert weak.users == stages[2].size.users == made_up.SUBSET_BUYERS


def test_after_is_a_healthy_data_set_whose_tastes_can_be_learnt(files: tuple[Path, Path], tmp_path: Path) -> None:
    result = convert("mobile", files[0], output=tmp_path, name="sample", items=files[1])
    assert result.used == result.asked == Thresholds(2, 2)
    assert result.size.pairs >= 5_000 and result.size.users >= 600 and result.size.items >= 1_000
    knn, popular = _recall_at_20(result.path / "sample.inter")
    assert popular < 0.06
    assert knn > 2 * popular


def _recall_at_20(inter: Path) -> tuple[float, float]:
    """Of neighbours and of popularity, on each user's last fifth by time."""
    rows = [line.split("\t") for line in inter.read_text().splitlines()[1:]]
    users = {u: n for n, u in enumerate(dict.fromkeys(r[0] for r in rows))}
    items = {i: n for n, i in enumerate(dict.fromkeys(r[1] for r in rows))}
    history: dict[int, list[int]] = {}
    for user_id, item_id, *_ in rows:
        history.setdefault(users[user_id], []).append(items[item_id])
    train = sp.lil_matrix((len(users), len(items)))
    held: dict[int, set[int]] = {}
    for user, seen in history.items():
        cut = max(1, round(0.8 * len(seen)))
        train[user, seen[:cut]] = 1
        if seen[cut:]:
            held[user] = set(seen[cut:])
    matrix = train.tocsr()
    degree = np.maximum(np.asarray(matrix.sum(0)).ravel(), 1)
    similar = (matrix.T @ matrix).toarray() / np.sqrt(degree[:, None] * degree[None, :])
    np.fill_diagonal(similar, 0)
    recalls = []
    for scores in (matrix @ similar, np.tile(degree, (len(users), 1))):
        scores[matrix.toarray() > 0] = -np.inf
        top = np.argsort(-scores, axis=1)[:, :20]
        recalls.append(float(np.mean([len(held[u] & set(top[u])) / len(held[u]) for u in held])))
    return recalls[0], recalls[1]


def test_the_format_is_the_real_one(files: tuple[Path, Path]) -> None:
    lines = files[0].read_text().splitlines()
    assert lines[0] == "user_id,item_id,behavior_type,user_geohash,item_category,time"
    body = lines[1:]
    assert len(body) == made_up.ROWS
    assert len(set(body)) < 0.9 * len(body)  # exact duplicates, as in the real log
    blank = sum(line.split(",")[3] == "" for line in body) / len(body)
    assert 0.6 < blank < 0.8


def test_it_is_of_the_days_of_the_real_one_and_its_folder_is_made(tmp_path: Path) -> None:
    users, _ = write_sample(tmp_path / "a" / "b")
    times = sorted(line.rsplit(",", 1)[1] for line in users.read_text().splitlines()[1:])
    assert (times[0][:10], times[-1][:10]) == ("2014-11-18", "2014-12-18")


def test_same_seed_same_bytes(sample: tuple[Path, Path], another: tuple[Path, Path], tmp_path: Path) -> None:
    again = write_sample(tmp_path)
    for first, second, other in zip(sample, again, another, strict=True):
        assert first.read_bytes() == second.read_bytes() != other.read_bytes()
