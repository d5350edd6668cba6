"""What is refused before RecBole reads anything, and what becomes of the errors with which RecBole stops."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recbole_alibaba.host.errors import (
    BadInput,
    BadSettingError,
    DatasetNotFoundError,
    NothingHeldOutError,
    UnusableDatasetError,
)
from recbole_alibaba.host.guards import check_words, find_dataset, split
from recbole_alibaba.settings.old_names import refuse_old


def test_words_of_the_python_functions() -> None:
    assert check_words("BPR", "log", None, None) == [] == check_words(None, None, [], {})
    assert check_words("BPR", "log", "my.yaml", {}) == ["my.yaml"] == check_words("BPR", "log", Path("my.yaml"), {})
    assert check_words("BPR", "log", [Path("a.yaml"), "b.yaml"], {"a": 1}) == ["a.yaml", "b.yaml"]
    for words, sentence in (
        ((1, "log", None, None), "model is a int; needed is the name of a .* RecBole or this plugin has"),
        (("BPR", {}, None, None), "dataset is a dict; .* dataset_prep.convert"),
        (("BPR", "log", None, [1]), "config_dict is a list; needed is a dictionary"),
        (("BPR", "log", [1], None), "config_file_list: .*; needed is a list of property files"),
    ):
        with pytest.raises(BadSettingError, match=sentence):
            check_words(*words)


def make(*files: str) -> None:
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()


def test_data_sets_by_name() -> None:
    make("data/log/log.inter", "data/parts/parts.train.inter", "data/empty/notes.txt", "data/lone.inter")
    assert find_dataset("log", "data") == "log" and find_dataset("parts", "data") == "parts"
    assert find_dataset("ml-100k", "nowhere") == "ml-100k"
    assert find_dataset("ml-1m", "data") == "ml-1m"  # RecBole downloads it
    for name, sentence in (
        (None, r"No data set was named. In data there are: log, parts\."),
        ("lgo", r"There is no data set 'lgo': no data/lgo/lgo\.inter\. Did you mean 'log'\?"),
        ("empty", r"There is no data/empty/empty\.inter; data/empty has notes\.txt"),
        ("lone", r"There is a data/lone\.inter.* mkdir data/lone && mv data/lone\.inter data/lone/"),
    ):
        with pytest.raises(DatasetNotFoundError, match=sentence):
            find_dataset(name, "data")
    Path("data/ml-1m").mkdir()  # an empty folder keeps RecBole from downloading
    with pytest.raises(DatasetNotFoundError, match="There is no data set 'ml-1m'"):
        find_dataset("ml-1m", "data")
    with pytest.raises(
        DatasetNotFoundError, match=r"There are no data sets in bare\. Make one: python -m dataset_prep"
    ):
        find_dataset("log", "bare")


def test_at_most_twenty_data_sets_are_named() -> None:
    make(*(f"data/log{n:02}/log{n:02}.inter" for n in range(22)))
    with pytest.raises(DatasetNotFoundError, match="log19 and 2 more"):
        find_dataset(None, "data")
    make(*(f"more/log{n:02}/log{n:02}.inter" for n in range(21)))
    with pytest.raises(DatasetNotFoundError, match="log19 and 1 more"):
        find_dataset(None, "more")
    make(*(f"some/log{n:02}/log{n:02}.inter" for n in range(20)))
    with pytest.raises(DatasetNotFoundError, match=r"log19\.$"):
        find_dataset(None, "some")


def parts(*sizes: int) -> Callable[..., Any]:
    return lambda config, dataset: tuple(SimpleNamespace(_dataset=range(size)) for size in sizes)


def failing(message: str) -> Callable[..., Any]:
    def data_preparation(config: Any, dataset: Any) -> Any:
        raise ValueError(message)

    return data_preparation


CONFIG: Any = {"dataset": "log", "eval_args": "{split}"}
DATASET = SimpleNamespace(inter_num=1200, user_num=31, item_num=41)


def test_what_recbole_says_of_the_parts() -> None:
    assert [len(part._dataset) for part in split(parts(3, 2, 1), CONFIG, DATASET)] == [3, 2, 1]
    counted = "log: 1,200 interactions of 30 users"
    for data_preparation, kind, sentence in (
        (failing("num_samples should be positive"), UnusableDatasetError, f"{counted} leave the training part empty"),
        (failing("user 7 has interacted with all items"), UnusableDatasetError, f"{counted} on 40 items: some user"),
        (parts(0, 1, 1), UnusableDatasetError, "leave the training part empty"),
        (parts(1, 0, 1), NothingHeldOutError, "leave the validation part empty"),
        (parts(1, 1, 0), NothingHeldOutError, "leave the test part empty"),
    ):
        with pytest.raises(kind, match=sentence):
            split(data_preparation, CONFIG, DATASET)
    with pytest.raises(ValueError, match=r"^something else$"):
        split(failing("something else"), CONFIG, DATASET)


def replaced(layer: dict[str, Any], where: str = "settings") -> str:
    with pytest.raises(BadInput) as refused:
        refuse_old(layer, frozenset(), where)
    return str(refused.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"neg_sampling": {"uniform": 2, "dynamic": 5}}, "sample_num: 2, dynamic: true, candidate_num: 5}"),
        ({"neg_sampling": "none"}, "--train_neg_sample_args=None"),
        ({"neg_sampling": {}}, "--train_neg_sample_args=None"),
        ({"neg_sampling": 0}, "--train_neg_sample_args=None"),
        ({"neg_sampling": {"popularity": 3}}, "{distribution: popularity, sample_num: 3}"),
        ({"neg_sampling": {"uniform": 3, "dynamic": 0}}, "{distribution: uniform, sample_num: 3}"),
        ({"neg_sampling": 7}, "{distribution: uniform, sample_num: 1}"),
        ({"training_neg_sample_num": 0}, "--train_neg_sample_args=None"),
        ({"training_neg_sample_num": 4}, "{distribution: uniform, sample_num: 4}"),
        ({"train_neg_sample_num": "x"}, "{distribution: uniform, sample_num: 1}"),
        ({"training_neg_sample_distribution": "odd"}, "{distribution: uniform}"),
        ({"eval_setting": "TO_RS, uni50"}, "{order: TO, split: {RS: [0.8, 0.1, 0.1]}, mode: uni50}"),
        ({"eval_setting": ("full",)}, "{mode: full}"),
        ({"eval_setting": "uniform"}, "{order: RO, split: {RS: [0.8, 0.1, 0.1]}, mode: full}"),
        ({"split_ratio": [8, 1, 1]}, "{split: {RS: [8, 1, 1]}}"),
        ({"split_ratio": "x"}, "{split: {RS: [0.8, 0.1, 0.1]}}"),
        ({"leave_one_num": 1}, "{split: {LS: valid_and_test}}"),
        ({"leave_one_num": "2"}, "{split: {LS: valid_and_test}}"),
        ({"lowest_val": {"rating": 3, "price": 4}}, "{rating: '[3,inf)', price: '[4,inf)'}"),
        ({"lowest_val": 3}, "{timestamp: '[0,inf)'}"),
        ({"min_item_inter_num": 5}, "--item_inter_num_interval=\"[5,inf)\""),
        ({"max_item_inter_num": "x"}, "[0,1]"),
        ({"fields_in_same_space": [["a", "b"], ["x", "item_id"]]}, "--alias_of_item_id=\"[x]\""),
        ({"load_checkpoint": "x"}, "leave load_checkpoint away: a training goes on with --resume=FOLDER"),
        ({"training_neg_sample_distribution": "popularity"}, "{distribution: popularity}"),
        ({"eval_setting": ["RO_LS", "pop100"]}, "{order: RO, split: {LS: valid_and_test}, mode: pop100}"),
        ({"eval_setting": "nonsense"}, "{order: RO, split: {RS: [0.8, 0.1, 0.1]}, mode: full}"),
        ({"group_by_user": True}, "{group_by: user}"),
        ({"leave_one_num": 7}, "{split: {LS: valid_and_test}}"),
        ({"highest_val": {"rating": 3}}, "{rating: '(-inf,3]'}"),
        ({"equal_val": {"rating": 3}}, "{rating: '[3,3]'}"),
        ({"not_equal_val": {"rating": 3}}, "{rating: '(-inf,3);(3,inf)'}"),
        ({"max_user_inter_num": 9}, "[0,9]"),
        ({"min_user_inter_num": -1}, "[1,inf)"),
        ({"fields_in_same_space": [["buddy_id", "user_id"]]}, "--alias_of_user_id=\"[buddy_id]\""),
        ({"fields_in_same_space": ["a", "b", "c"]}, "--alias_of_a=\"[b, c]\""),
        ({"fields_in_same_space": "a"}, "--alias_of_item_id=\"[other_item_id]\""),
        ({"drop_filter_field": True}, "leave drop_filter_field away: unused_col"),
    ],
)  # fmt: skip
def test_an_old_setting_is_refused_with_what_does_the_same(old: dict[str, Any], new: str) -> None:
    said = replaced(old)
    assert new in said and "is a setting of older versions" in said


def test_several_old_settings_are_replaced_together() -> None:
    said = replaced({"split_ratio": [8, 1, 1], "group_by_user": False, "epochs": 3}, "old.yaml")
    assert said.startswith("old.yaml: split_ratio and group_by_user are settings of older versions")
    assert "`eval_args: {split: {RS: [8, 1, 1]}, group_by: none}`" in said
    both = replaced({"min_user_inter_num": 5, "max_user_inter_num": 9}, "old.yaml")
    assert "are settings" in both and both.endswith("Instead, write `user_inter_num_interval: '[5,9]'`.")
    refuse_old({"epochs": 3}, frozenset(), "settings")
    refuse_old({"group_by_user": True}, frozenset({"group_by_user"}), "settings")  # a setting of the model's own
    assert "RecBole computes 'device' itself; choose a GPU with gpu_id" in replaced({"device": "cpu"})
