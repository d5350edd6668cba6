"""Settings: the order of the layers, deep merging, typed values, and refusal of what nobody reads."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recbole.config import Config

from recbole_alibaba import build_config
from recbole_alibaba.host.config import deep_update
from recbole_alibaba.host.errors import (
    BadInput,
    BadSettingError,
    ConfigFileError,
    DatasetNotFoundError,
    UnknownModelError,
    UnknownSettingError,
)
from recbole_alibaba.host.known_settings import parse_overrides
from recbole_alibaba.host.registry import find_model
from recbole_alibaba.settings.property_files import parse_value


def config_of(data_path: Path, model: str = "AlibabaLightGCN", files: tuple[Path, ...] = (), **settings: Any) -> Config:
    return build_config(model, "two-tastes", files, {"data_path": str(data_path), **settings})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("0.5", 0.5),
        ("20", 20),
        ("[10, 20]", [10, 20]),
        ("{max_norm: 0.5}", {"max_norm": 0.5}),
        ("True", True),
        ("None", None),
        ("", ""),
        ("key", "key"),
        ("2014-12-18", "2014-12-18"),
        ("[0,inf)", "[0,inf)"),
    ],
)
def test_values_are_typed_without_eval(text: str, value: object) -> None:
    """RecBole evaluates them: its `--dataset=key` becomes "dataset", its `--tag=2014-12-18` 1984."""
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_both_spellings_of_a_setting() -> None:
    words = ["--learning_rate", "0.5", "--topk=[20]", "--gpu_id="]
    assert parse_overrides(words) == {"learning_rate": 0.5, "topk": [20], "gpu_id": ""}


@pytest.mark.parametrize("words", [["epochs=3"], ["--epochs"], ["--epochs", "--seed=1"], ["--"]])
def test_words_that_are_no_setting(words: list[str]) -> None:
    with pytest.raises(BadInput):
        parse_overrides(words)


def test_deep_update_changes_only_the_keys_it_names() -> None:
    base = {"clip_grad_norm": {"max_norm": 1.0, "norm_type": 2}, "topk": [10], "seed": 1}
    assert deep_update(base, {"clip_grad_norm": {"max_norm": 0.5}, "topk": [20]}) == {
        "clip_grad_norm": {"max_norm": 0.5, "norm_type": 2},
        "topk": [20],
        "seed": 1,
    }


def test_the_merged_settings_share_nothing_with_the_layer() -> None:
    layer = {"topk": [20], "clip_grad_norm": {"max_norm": 0.5}}
    merged = deep_update({}, layer)
    merged["topk"].append(50)
    merged["clip_grad_norm"]["max_norm"] = 1.0
    assert layer == {"topk": [20], "clip_grad_norm": {"max_norm": 0.5}}


def test_a_split_replaces_the_split_below() -> None:
    base = {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO"}}
    over = {"eval_args": {"split": {"LS": "valid_and_test"}}}
    assert deep_update(base, over) == {"eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO"}}


def test_order_of_the_layers(two_tastes: Path, tmp_path: Path) -> None:
    first, second, empty = tmp_path / "first.yaml", tmp_path / "second.yaml", tmp_path / "empty.yaml"
    first.write_text("learning_rate: 0.002\neval_args: {mode: uni100}\nreg_weight: 1e-3\n")
    second.write_text("learning_rate: 0.003\nembedding_size: 4\n")
    empty.write_text("")
    config = config_of(two_tastes, files=(first, second, empty), embedding_size=8)
    assert config["learner"] == "adamw"  # properties/overall.yaml over RecBole's
    assert config["n_layers"] == 3  # properties/model/AlibabaLightGCN.yaml
    assert config["topk"] == [5, 10]  # the data set's own file over both
    assert config["learning_rate"] == 0.003  # the later file over the earlier
    assert config["reg_weight"] == 1e-3
    assert config["embedding_size"] == 8  # the dictionary over the files
    # Part of eval_args leaves the rest: RecBole would silently go back to a random order.
    assert config["eval_args"]["order"] == "TO"
    assert config["eval_args"]["mode"] == {"valid": "uni100", "test": "uni100"}


def test_recbole_models_keep_recbole_settings(two_tastes: Path) -> None:
    config = config_of(two_tastes, model="LightGCN")
    assert (config["learner"], config["weight_decay"], config["clip_grad_norm"]) == ("adam", 0.0, None)
    assert config["n_layers"] == 2
    assert config["eval_args"]["order"] == "TO"


def test_argv_is_not_read(two_tastes: Path, started_as: Callable[..., None]) -> None:
    started_as("pytest", "--seed=7")
    assert config_of(two_tastes)["seed"] == 2020
    assert sys.argv == ["pytest", "--seed=7"]


def test_unknown_setting(two_tastes: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownSettingError, match=r"'lerning_rate'.*Did you mean 'learning_rate'"):
        config_of(two_tastes, lerning_rate=0.1)
    file = tmp_path / "mine.yaml"
    file.write_text("n_layer: 2\n")
    with pytest.raises(UnknownSettingError, match=r"mine\.yaml: nothing reads the setting 'n_layer'"):
        config_of(two_tastes, files=(file,))


def test_aliases_of_fields_are_settings(two_tastes: Path) -> None:
    """RecBole reads `alias_of_<field>` for any field, so no property file lists all of these keys."""
    assert config_of(two_tastes, alias_of_shop_id=["item_id"])["alias_of_shop_id"] == ["item_id"]


def test_a_setting_of_another_model_is_unknown(two_tastes: Path) -> None:
    assert config_of(two_tastes, model="NeuMF", mf_embedding_size=8)["mf_embedding_size"] == 8
    with pytest.raises(UnknownSettingError):
        config_of(two_tastes, mf_embedding_size=8)


def test_every_shipped_setting_is_known_to_some_reader(two_tastes: Path) -> None:
    """The property files hold no dead line: each key is one RecBole's or our code looks up."""
    from recbole_alibaba.host import known_settings as settings
    from recbole_alibaba.settings.property_files import PACKAGE, properties_folder, read_mapping

    root = Path(sys.modules["recbole"].__file__).parent
    read = settings._keys_read([*root.rglob("*.py"), *PACKAGE.rglob("*.py")])
    folder = properties_folder()
    for file in (folder / "overall.yaml", folder / "model" / "AlibabaLightGCN.yaml"):
        assert set(read_mapping(file)) <= read, file


@pytest.mark.parametrize("content", ["- a\n- b\n", "key: [1,\n"])
def test_bad_property_files(two_tastes: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(content)
    with pytest.raises(ConfigFileError, match=r"bad\.yaml"):
        config_of(two_tastes, files=(file,))


def test_missing_property_file(two_tastes: Path) -> None:
    with pytest.raises(ConfigFileError, match=r"no property file 'absent\.yaml'"):
        config_of(two_tastes, files=(Path("absent.yaml"),))


def test_missing_dataset_names_the_nearest(two_tastes: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="Did you mean 'two-tastes'"):
        build_config("BPR", "two-taste", config_dict={"data_path": str(two_tastes)})


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownModelError, match="Did you mean 'AlibabaLightGCN'"):
        find_model("AlibabaLightGNC")


def test_valid_metric_that_is_never_computed(two_tastes: Path) -> None:
    with pytest.raises(BadSettingError, match=r"'Recall@20', which is never computed"):
        config_of(two_tastes, valid_metric="Recall@20", topk=[10])
