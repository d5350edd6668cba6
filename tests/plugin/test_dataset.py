"""The data set and its splits against RecBole's Dataset, and the loaders against RecBole's loaders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_alibaba import build_config
from recbole_alibaba.data.dataset import AlibabaLightGCNDataset
from recbole_alibaba.data.loaders import prepare_loaders
from recbole_alibaba.data.negatives import NoNegativeError
from recbole_alibaba.data.ranking_loader import RankingLoader, RankingTask
from recbole_alibaba.data.train_loader import TrainLoader
from recbole_alibaba.host.errors import BadSettingError

from recbole.data import data_preparation  # isort: skip
from recbole.data.dataloader import FullSortEvalDataLoader, TrainDataLoader  # isort: skip
from recbole.data.dataset import Dataset  # isort: skip
from recbole.utils import init_seed  # isort: skip

HEAD = "user_id:token\titem_id:token\ttimestamp:float\tbehavior_type:token\tweight:float"
COLUMNS = ["user_id", "item_id", "timestamp", "behavior_type"]


@pytest.fixture(scope="module")
def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with what a log has: repeats, blank ids, ids with leading zeros, users of one row, item features."""
    folder = tmp_path_factory.mktemp("loading")
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(900):
        user, item = int(rng.pareto(1) * 6) % 70, int(rng.pareto(1) * 8) % 90
        rows.append(
            f"{user:03d}\t{item}\t{rng.integers(100)}.{rng.integers(10)}\t{rng.integers(1, 5)}\t{rng.random():.17g}"
        )
    rows += ["once\t5\t3\t1\t0.5", "NaN\t5\t3\t1\t", "\t5\t3\t1\t0.1", "7\t007\t4\t2\t0.1"]
    for name in ("log", "log-with-items"):
        (folder / name).mkdir()
        (folder / name / f"{name}.inter").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    items = [f"{item}\tc{item % 7}\t{item / 7!r}" for item in range(95)] + ["new\tc9\t0.5"]
    (folder / "log-with-items" / "log-with-items.item").write_text(
        "\n".join(["item_id:token\tcategory:token\tprice:float", *items]) + "\n", encoding="utf-8"
    )
    for number, part in enumerate(("train", "valid", "test")):
        (folder / "log" / f"log.{part}.inter").write_text(
            "\n".join([HEAD, *rows[number * 300 : number * 300 + 300]]) + "\n", encoding="utf-8"
        )
    return folder


def config(data_path: Path, dataset: str = "log", **settings: Any) -> Any:
    split = settings.pop("split", {"RS": [0.7, 0.1, 0.2]})
    known = {
        "data_path": str(data_path), "load_col": {"inter": COLUMNS}, "show_progress": False, "seed": 11,
        "eval_args": {"split": split, "order": settings.pop("order", "TO"), "group_by": settings.pop("group", "user"),
                      "mode": "full"},
    }  # fmt: skip
    if dataset == "log-with-items":
        known["load_col"] = {"inter": COLUMNS, "item": ["item_id", "category", "price"]}
    return build_config("AlibabaLightGCN", dataset, config_dict=known | settings)


def same(ours: Any, theirs: Any) -> None:
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours.columns == theirs.columns
        for column in theirs.columns:
            assert ours[column].dtype == theirs[column].dtype
            torch.testing.assert_close(ours[column], theirs[column], rtol=0, atol=0, equal_nan=True)


CASES: dict[str, dict[str, Any]] = {
    "ratio by user": {},
    "ratio, four uneven": {"split": {"RS": [3, 1, 1]}},
    "ratio, no groups": {"group": "none"},
    "ratio, shuffled": {"order": "RO"},
    "leave one out": {"split": {"LS": "valid_and_test"}},
    "leave one out for validation": {"split": {"LS": "valid_only"}},
    "leave one out for the test": {"split": {"LS": "test_only"}},
    "by time": {"split": {"TS": [0.8, 0.1, 0.1]}},
    "first of each pair": {"rm_dup_inter": "first"},
    "core": {"user_inter_num_interval": "[4,inf)", "item_inter_num_interval": "[3,inf)"},
    "bounded core": {"user_inter_num_interval": "[2,60]", "item_inter_num_interval": "(1,inf)"},
    "an upper bound": {"user_inter_num_interval": "[1,50]"},
    "an upper bound with a gap": {"user_inter_num_interval": "[1,5];[20,inf)"},
    "some behaviours": {"val_interval": {"behavior_type": ["3", "4"], "timestamp": "[10,90)"}},
    "all columns": {"load_col": None},
    "ids alone": {"load_col": {"inter": ["user_id", "item_id"]}, "order": "RO"},
    "columns to leave out": {"load_col": None, "unload_col": {"inter": ["weight"]}},
    "three files": {"benchmark_filename": ["train", "valid", "test"]},
    "item features": {"dataset": "log-with-items"},
    "item features and a core": {"dataset": "log-with-items", "item_inter_num_interval": "[3,inf)"},
    "a label": {"threshold": {"timestamp": 50}, "order": "RO"},
    "normalised": {"normalize_all": True},
}


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_ids_statistics_and_splits_are_recboles(data_path: Path, settings: dict[str, Any]) -> None:
    made = config(data_path, **settings)
    built = []
    for kind in (AlibabaLightGCNDataset, Dataset):
        init_seed(3, True)
        dataset = kind(made)
        text = str(dataset)
        built.append((dataset, text, dataset.build()))
    (ours, our_text, our_parts), (theirs, their_text, their_parts) = built
    assert our_text == their_text
    assert ours.field2type == theirs.field2type and ours.field2source == theirs.field2source
    assert ours.field2seqlen == theirs.field2seqlen and ours.field2bucketnum == theirs.field2bucketnum
    for field, tokens in theirs.field2id_token.items():
        assert ours.field2id_token[field].tolist() == tokens.tolist()
        assert ours.field2token_id[field] == theirs.field2token_id[field]
    same(ours.item_feat, theirs.item_feat)
    assert len(our_parts) == len(their_parts)
    for mine, other in zip(our_parts, their_parts, strict=True):
        same(mine.inter_feat, other.inter_feat)


class NoReader(Dataset):  # type: ignore[misc]
    """Stands between our data set and RecBole's."""

    def _load_feat(self, *_: Any) -> Any:
        pytest.fail("RecBole's reader was called")


class OwnReader(AlibabaLightGCNDataset, NoReader):
    pass


def test_the_fast_reader_is_used(data_path: Path) -> None:
    """Else the test above would compare RecBole with RecBole."""
    assert OwnReader(config(data_path)).inter_num == 902


@pytest.mark.parametrize("by", ["timestamp", ["timestamp", "user_id"]])
def test_sorting_is_recboles(data_path: Path, by: Any) -> None:
    made = config(data_path)
    ours, theirs = AlibabaLightGCNDataset(made), Dataset(made)
    for dataset in (ours, theirs):
        dataset.build()
        dataset.sort(by)
        with pytest.raises(ValueError, match="negative"):  # RecBole gives torch a reversed view
            dataset.sort(by, ascending=False)
    same(ours.inter_feat, theirs.inter_feat)


def test_blank_users_and_blank_items_lose_their_own_rows(data_path: Path) -> None:
    """RecBole takes row labels for positions after the first of the two, so it drops a good row and keeps a blank."""
    folder = data_path / "blank"
    folder.mkdir(exist_ok=True)
    rows = ["u1\ti1\t1", "\ti1\t2", "u2\t\t3", "u2\ti2\t4", "u3\ti1\t5"]
    head = "user_id:token\titem_id:token\ttimestamp:float"
    (folder / "blank.inter").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    dataset = AlibabaLightGCNDataset(config(data_path, "blank", load_col=None))
    assert dataset.inter_feat["timestamp"].tolist() == [1, 4, 5]
    assert dataset.field2id_token["user_id"].tolist() == ["[PAD]", "u1", "u2", "u3"]


def test_sequence_columns_are_read_by_recbole(data_path: Path) -> None:
    folder = data_path / "with-a-sequence"
    folder.mkdir(exist_ok=True)
    (folder / "with-a-sequence.inter").write_text(
        "user_id:token\titem_id:token\ttags:token_seq\nu1\ti1\ta b\nu1\ti2\tb\n", encoding="utf-8"
    )
    dataset = AlibabaLightGCNDataset(config(data_path, "with-a-sequence", load_col=None))
    assert dataset.num("tags") == 3 and dataset.num("user_id") == 2


@pytest.mark.parametrize("order", ["TO", "RO"])
def test_loaders_ask_what_recboles_ask(data_path: Path, order: str) -> None:
    made = config(data_path, order=order, train_batch_size=64)
    init_seed(3, True)
    train, *evaluations = prepare_loaders(made, AlibabaLightGCNDataset(made))
    init_seed(3, True)
    their_train, *their_evaluations = data_preparation(made, Dataset(made))
    assert isinstance(train, TrainLoader) and isinstance(their_train, TrainDataLoader)
    assert len(train) == len(their_train) and sum(map(len, train)) == sum(map(len, their_train))
    for mine, theirs in zip(evaluations, their_evaluations, strict=True):
        assert isinstance(mine, RankingLoader) and isinstance(theirs, FullSortEvalDataLoader)
        expected = RankingTask.from_loader(theirs)
        assert torch.equal(mine.task.users["user_id"], expected.users["user_id"])
        for one, other in ((mine.task.positives, expected.positives), (mine.task.hidden, expected.hidden)):
            assert np.array_equal(one.start, other.start) and np.array_equal(one.items, other.items)
        blocks = list(mine)
        assert len(blocks) == len(mine) and sum(len(users) for users, *_ in blocks) == len(mine.uid_list)
        assert sum(len(items) for *_, items in blocks) == len(mine.task.positives.items)


@pytest.mark.parametrize(
    "settings",
    [
        {"fast_loader": False},
        {"fast_eval": False},
        {"repeatable": True},
        {"train_neg_sample_args": {"distribution": "uniform", "sample_num": 1, "dynamic": True, "candidate_num": 2}},
        {"eval_args": {"split": {"RS": [8, 1, 1]}, "order": "TO", "group_by": "user", "mode": "uni5"}},
        {"save_dataloaders": True},
    ],
    ids=["asked", "asked for evaluation", "repeatable", "dynamic", "sampled", "saved"],
)
def test_recboles_loaders_where_ours_would_differ(data_path: Path, settings: dict[str, Any]) -> None:
    made = config(data_path, **settings)
    train, *_ = prepare_loaders(made, AlibabaLightGCNDataset(made))
    assert isinstance(train, TrainDataLoader)
    with pytest.raises(BadSettingError, match="'users' works with this plugin's loader only"):
        prepare_loaders(config(data_path, **settings, positive_sampling="users"), AlibabaLightGCNDataset(made))


def test_a_way_to_leave_one_out_that_nobody_knows_is_refused_by_recbole(data_path: Path) -> None:
    made = AlibabaLightGCNDataset(config(data_path))
    made._change_feat_format()
    with pytest.raises(NotImplementedError, match="leave_one_mode"):
        made.leave_one_out("user_id", "sometimes")
    with pytest.raises(ValueError, match="leave one out strategy require a group field"):
        made.leave_one_out(None, "valid_and_test")


def test_an_unknown_way_to_draw_positives(data_path: Path) -> None:
    made = config(data_path, positive_sampling="items")
    with pytest.raises(BadSettingError, match="positive_sampling: 'items'; use 'interactions' or 'users'"):
        prepare_loaders(made, AlibabaLightGCNDataset(made))


def test_a_user_with_all_items_is_named_before_training(data_path: Path) -> None:
    folder = data_path / "all"
    folder.mkdir(exist_ok=True)
    rows = [f"u1\ti{item}\t0" for item in range(4)] + ["u2\ti1\t0"]
    (folder / "all.inter").write_text(
        "\n".join(["user_id:token\titem_id:token\ttimestamp:float", *rows]) + "\n", encoding="utf-8"
    )
    made = config(data_path, "all", load_col=None, split={"RS": [1, 0, 0]}, topk=[1], valid_metric="NDCG@1")
    with pytest.raises(NoNegativeError, match="user 1 has interacted with all items"):
        prepare_loaders(made, AlibabaLightGCNDataset(made))
