"""What is measured of a model on the test, against RecBole's own evaluation and against slow counts."""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from recbole_alibaba import Experiment, build_config, prepare
from recbole_alibaba.board.measures.competition import check_competition, competition_score
from recbole_alibaba.board.measures.data_notes import data_notes
from recbole_alibaba.board.measures.measured import Measured, measured
from recbole_alibaba.board.measures.outside_lists import OutsideListsError, outside_measured
from recbole_alibaba.board.measures.ranked_lists import ranked_lists
from recbole_alibaba.host.errors import BadInput, BadSettingError
from tests.conftest import write_inter

from recbole.evaluator import Evaluator  # isort: skip
from recbole.evaluator.collector import DataStruct  # isort: skip
from recbole.trainer import Trainer  # isort: skip

DAY, NOON = 86_400, 1_418_529_600  # 2014-12-14, 12:00 in Beijing
METRICS = ["Recall", "NDCG", "MRR", "Hit", "Precision", "MAP"]
QUICK = {"show_progress": False, "epochs": 1, "metrics": METRICS, "topk": [3, 10], "valid_metric": "NDCG@10"}
SETTINGS = {"metric_decimal_place": 10, "embedding_size": 8, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data path with `days`: parts by date; some users and items come only after training."""
    folder, rng = tmp_path_factory.mktemp("days"), np.random.default_rng(1)
    wanted = 1 / np.arange(1, 41)
    parts: dict[str, list[tuple[str, str, int]]] = {"train": [], "valid": [], "test": []}
    for user in range(50):
        items = rng.choice(40, size=rng.integers(6, 20), replace=False, p=wanted / wanted.sum())
        cuts = {"train": items[:-4], "valid": items[-4:-2], "test": items[-2:]}
        for day, (part, some) in enumerate(cuts.items()):
            if part != "train" or user >= 5:
                cold = [40 + user % 4] if part == "test" else []
                parts[part] += [(f"u{user}", f"i{item}", NOON + DAY * day) for item in [*some, *cold]]
    for part, rows in parts.items():
        write_inter(folder, "days", rows, f".{part}")
    (folder / "days" / "days.yaml").write_text(
        "load_col: {inter: [user_id, item_id, timestamp]}\nbenchmark_filename: [train, valid, test]\n"
        "eval_args: {split: {RS: [0.8, 0.1, 0.1]}, order: TO, group_by: user, mode: full}\n"
    )
    return folder


def fitted(model: str, dataset: str, **settings: Any) -> Experiment:
    made = prepare(build_config(model, dataset, config_dict={**QUICK, **SETTINGS, **settings}))
    made.trainer.fit(made.train_data, made.valid_data, saved=False, verbose=False)
    made.model.eval()
    return made


@pytest.fixture(scope="module")
def bpr(days: Path) -> Experiment:
    return fitted("BPR", "days", data_path=str(days), epochs=20)


@pytest.fixture(scope="module")
def found(bpr: Experiment) -> Measured:
    return measured(bpr, [3, 10], 10)


@pytest.fixture(scope="module")
def hundred() -> Experiment:
    return fitted("BPR", "ml-100k", epochs=1)


def is_recbole_s(made: Experiment, evaluate: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    expected = evaluate(made.trainer, made.test_data, load_best_model=False)
    torch.manual_seed(0)
    found = measured(made, [3, 10], 10)
    assert list(found.test) == list(expected) and len(found.test) == 12
    assert found.test == pytest.approx({name: float(value) for name, value in expected.items()}, abs=1e-6)
    for name in ("recall@10", "ndcg@10"):
        assert found.per_user[name].dtype == np.float32
        assert found.per_user[name].mean() == pytest.approx(found.test[name], abs=1e-6)
    assert made.config["topk"] == [3, 10] and isinstance(made.trainer.evaluator, Evaluator)


def test_every_metric_is_recbole_s_on_real_data(hundred: Experiment) -> None:
    is_recbole_s(hundred, Trainer.evaluate)


@pytest.mark.parametrize("model", ["ItemKNN", "MacridVAE", "NeuMF", "AlibabaLightGCN"])
def test_every_metric_is_recbole_s_however_the_model_ranks(days: Path, model: str) -> None:
    """By scores, with random numbers, pair by pair, by vectors from this plugin's loader."""
    own = {"train_neg_sample_args": None} if model == "MacridVAE" else {}
    made = fitted(model, "days", data_path=str(days), **own)
    is_recbole_s(made, type(made.trainer).evaluate if model != "AlibabaLightGCN" else _installed)


def _installed(trainer: Any, *args: Any, **kwargs: Any) -> Any:
    """RecBole's own loop does not know this plugin's loader."""
    return trainer.evaluate(*args, **kwargs)


def test_users_and_their_activity(bpr: Experiment, found: Measured) -> None:
    train = Counter(bpr.train_data._dataset.inter_feat["user_id"].tolist())
    test = sorted(set(bpr.test_data._dataset.inter_feat["user_id"].tolist()))
    assert found.users.tolist() == test and found.activity.tolist() == [train[user] for user in test]
    assert 0 in found.activity


def slow(hits: list[bool], wanted: int) -> tuple[float, float]:
    """Recall and NDCG of one list."""
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
    return sum(hits) / wanted, gain / sum(1 / math.log2(place + 2) for place in range(min(wanted, len(hits))))


def thirds(counts: dict[int, int]) -> list[list[int]]:
    order = sorted((one for one in counts if counts[one]), key=lambda one: (counts[one], one))
    sizes = [len(order) // 3 + (part < len(order) % 3) for part in range(3)]
    return [[order.pop(0) for _ in range(size)] for size in sizes] + [[one for one in counts if not counts[one]]]


def test_groups_are_those_of_a_slow_count(bpr: Experiment, found: Measured) -> None:
    lists = ranked_lists(bpr, bpr.test_data, 10)
    rows, tested = (part._dataset.inter_feat for part in (bpr.train_data, bpr.test_data))
    best = dict(zip(lists.users.tolist(), lists.items.tolist(), strict=True))
    wanted: dict[int, set[int]] = {user: set() for user in best}
    for user, item in zip(tested["user_id"].tolist(), tested["item_id"].tolist(), strict=True):
        wanted[user].add(item)
    of_user, of_item = (Counter(rows[side].tolist()) for side in ("user_id", "item_id"))
    sizes = [{user: of_user[user] for user in wanted}, {item: of_item[item] for item in range(1, bpr.dataset.item_num)}]
    names = list(found.groups)
    parts = [(kind, members) for kind in (0, 1) for members in thirds(sizes[kind])]
    for at, (kind, members) in enumerate(parts):
        scores = []
        for user, items in wanted.items():
            chosen = items if kind == 0 else items & set(members)
            if chosen and (kind or user in members):
                scores.append(slow([item in chosen for item in best[user]], len(chosen)))
        row = found.groups[names[at]]
        assert (row["users"], row["members"]) == (len(scores), len(members)), names[at]
        assert (row["least"], row["most"]) == tuple(pick(sizes[kind][one] for one in members) for pick in (min, max))
        assert [row["recall@10"], row["ndcg@10"]] == pytest.approx(np.mean(scores, axis=0).tolist())
    assert names[3] == "users: cold" and names[7] == "items: cold"
    assert found.groups[names[3]]["users"] == 5 and found.groups[names[7]]["members"] == 4


def test_a_group_without_users_has_no_metric(hundred: Experiment) -> None:
    row = measured(hundred, [10], 10).groups["users: cold"]
    assert row == {"users": 0, "members": 0, "least": None, "most": None, "recall@10": None, "ndcg@10": None}


def test_coverage_gini_and_popularity_are_recbole_s(bpr: Experiment, found: Measured) -> None:
    names = {"ItemCoverage": "coverage", "GiniIndex": "gini", "AveragePopularity": "average_popularity"}
    struct = DataStruct()
    struct.set("rec.items", torch.from_numpy(ranked_lists(bpr, bpr.test_data, 10).items))
    struct.set("data.num_items", bpr.dataset.item_num)
    struct.set("data.count_items", bpr.train_data.dataset.item_counter)
    result = Evaluator({"metrics": list(names), "topk": [3, 10], "metric_decimal_place": 12}).evaluate(struct)
    expected = {
        f"{ours}@{k}": float(result[f"{theirs.lower()}@{k}"]) for theirs, ours in names.items() for k in (3, 10)
    }
    assert found.beyond == pytest.approx(expected)


Pairs = set[tuple[int, int]]


def parts_of(made: Experiment) -> list[Pairs]:
    """User and item of the interactions of training, validation and test."""
    parts = [part._dataset.inter_feat for part in (made.train_data, made.valid_data, made.test_data)]
    return [set(zip(part["user_id"].tolist(), part["item_id"].tolist(), strict=True)) for part in parts]


def f1_by_hand(made: Experiment, allowed: set[int], hidden: list[Pairs], days: list[Pairs], k: int) -> dict[str, float]:
    """The competition from the whole table of scores: what is hidden and bought on the day before, on the last day."""
    from recbole.data.interaction import Interaction

    users = made.dataset.user_num
    scores = made.model.full_sort_predict(Interaction({"user_id": torch.arange(users)})).view(users, -1).tolist()

    def ranked(had: Pairs) -> list[tuple[int, int]]:
        lists: list[tuple[float, int, int]] = []
        for user in range(1, users):
            lists += sorted((-scores[user][item], user, item) for item in allowed if (user, item) not in had)[:k]
        return [pair[1:] for pair in sorted(lists)]

    def f1(some: list[tuple[int, int]], day: Pairs) -> float:
        return 2 * len(set(some) & day) / (len(some) + len(day))

    first = ranked(hidden[0])
    number = max(range(1, len(first) + 1), key=lambda n: f1(first[:n], days[0]))
    handed, day = ranked(hidden[1])[:number], days[1]
    hits = len(set(handed) & day)
    known = {"precision": hits / number, "recall": hits / len(day), "f1": f1(handed, day)}
    return known | {"pairs": number, "truth": len(day)}


def test_the_competition_is_that_of_a_slow_count(bpr: Experiment, tmp_path: Path) -> None:
    """By the pairs of the data, and by files of purchases, which may be of hidden items and of unknown users."""
    subset = {f"i{item}" for item in range(0, 44, 2)}
    asked = {name: tmp_path / f"{name}.csv" for name in ("items", "before", "truth")}
    asked["items"].write_text("item_id\n" + "\n".join([*subset, "unknown"]))
    dataset, (train, valid, test) = bpr.dataset, parts_of(bpr)
    allowed = {int(dataset.token2id("item_id", token)) for token in subset}
    days = [{pair for pair in day if pair[1] in allowed} for day in (valid, test)]
    found = measured(bpr, [3], 10, {"items": asked["items"]}).competition
    assert found is not None and found["f1"] > 0
    assert found == pytest.approx(f1_by_hand(bpr, allowed, [train, train | valid], days, 10))

    for name, day in zip(("before", "truth"), days, strict=True):
        tokens = [(dataset.id2token("user_id", user), dataset.id2token("item_id", item)) for user, item in sorted(day)]
        asked[name].write_text(
            "user,item\n" + "\n".join(f"{user},{item}" for user, item in [*tokens, ("nobody", "i0")])
        )
        day.add((-1, -1))
    assert competition_score(bpr, asked, 10) == pytest.approx(f1_by_hand(bpr, allowed, [set(), set()], days, 10))


def test_the_number_of_pairs_does_not_depend_on_the_test(bpr: Experiment, days: Path, tmp_path: Path) -> None:
    file = tmp_path / "subset.csv"
    file.write_text("\n".join(f"i{item}" for item in range(40)))
    before = competition_score(bpr, {"items": file}, 10)
    rows, items = bpr.test_data._dataset.inter_feat, bpr.test_data._dataset.inter_feat["item_id"].clone()
    rows.interaction["item_id"] = items.flip(0)
    after = competition_score(bpr, {"items": file}, 10)
    rows.interaction["item_id"] = items
    assert before["pairs"] == after["pairs"] and before["f1"] != after["f1"]


def test_a_competition_that_cannot_be_scored_is_refused_before_the_training(
    bpr: Experiment, hundred: Experiment, tmp_path: Path
) -> None:
    (tmp_path / "subset.csv").write_text("1\n2\n3\n")
    with pytest.raises(BadSettingError, match="Split the data by date"):
        check_competition(hundred, {"items": tmp_path / "subset.csv"})
    with pytest.raises(BadSettingError, match=r"2014-12-15 .*: no pair of an item in .*subset.csv"):
        check_competition(bpr, {"items": tmp_path / "subset.csv"})
    with pytest.raises(BadInput, match="There is no file"):
        check_competition(bpr, {"items": tmp_path / "nothing.csv"})


def test_lists_made_elsewhere_score_what_the_model_scores(bpr: Experiment, found: Measured, tmp_path: Path) -> None:
    lists, dataset = ranked_lists(bpr, bpr.test_data, 10), bpr.dataset
    users, items = (dataset.field2id_token[field] for field in ("user_id", "item_id"))
    rows = [
        (items[item], users[user], -place)
        for user, best in zip(lists.users, lists.items, strict=True)
        for place, item in enumerate(best)
    ]
    had = bpr.train_data._dataset.inter_feat
    rows += [
        (items[int(had["item_id"][0])], users[int(had["user_id"][0])], 5),
        ("i1", "nobody", 1),
        ("nothing", "u9", 9),
    ]
    file = tmp_path / "lists.tsv"
    pd.DataFrame(rows, columns=["item", "user", "score"]).sample(frac=1, random_state=0).to_csv(
        file, sep="\t", index=False
    )
    theirs, notes = outside_measured(bpr, file, [3, 10], 10)
    assert theirs.test == found.test and theirs.groups == found.groups and theirs.beyond == found.beyond
    assert all((theirs.per_user[name] == found.per_user[name]).all() for name in found.per_user)
    assert notes == [
        "1 unknown users are left out: nobody.",
        "1 unknown items are left out: nothing.",
        "1 rows have an item that the test hides: the user had it before.",
    ]


def test_short_and_missing_lists_find_less(bpr: Experiment, tmp_path: Path) -> None:
    rows = bpr.test_data._dataset.inter_feat
    user, item = (bpr.dataset.id2token(side, rows[side][0]) for side in ("user_id", "item_id"))
    (tmp_path / "one.csv").write_text(f"user_id,item_id,score\n{user},{item},0.5\n")
    found, notes = outside_measured(bpr, tmp_path / "one.csv", [3], 3)
    assert found.test["hit@3"] == pytest.approx(1 / len(found.users)) and found.beyond["coverage@3"] == 1 / 45
    assert notes == ["49 of 50 test users have no list and find nothing.", "1 lists have fewer than 3 items."]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "user,item,score\nu1,i1,1\nu1,i1,2\n",
            "a second row of the same pair, in 1 of 2 rows; the first is of user u1",
        ),
        ("user,item,score\nu1,i1,1\nu2,i1,nan\n", "a score that is no finite number, in 1 of 2 rows"),
        ("user,item\nu1,i1\n", "names no column score"),
        ("user,item,score\nx,i1,1\n", "no row has a test user and an item of days. 1 unknown users"),
        ("user,item,score\n", "no row has a test user"),
    ],
)
def test_lists_that_cannot_be_evaluated(bpr: Experiment, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "lists.csv").write_text(text)
    with pytest.raises(BadInput, match=sentence) as caught:
        outside_measured(bpr, tmp_path / "lists.csv", [3], 3)
    assert isinstance(caught.value, OutsideListsError) or "column" in sentence


def test_notes_of_the_data(bpr: Experiment, hundred: Experiment, tmp_path: Path) -> None:
    assert data_notes(hundred) == []
    assert any("at least" in note for note in data_notes(bpr))
    rng = np.random.default_rng(0)
    rows = [(f"u{rng.integers(60)}", f"i{rng.integers(60)}", time) for time in range(4000)]
    write_inter(tmp_path, "repeats", rows)
    made = prepare(build_config("Pop", "repeats", config_dict={**QUICK, "data_path": str(tmp_path)}))
    notes = " ".join(data_notes(made))
    assert "rows repeat a (user, item) pair" in notes and "are in training as well" in notes
