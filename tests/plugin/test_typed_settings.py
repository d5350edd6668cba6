"""Settings of RecBole and of the models: a wrong one is refused with one that would do; old names have successors."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from recbole_alibaba import build_config
from recbole_alibaba.host.errors import BadInput, UnknownModelError
from recbole_alibaba.host.known_settings import check_layer, lines_of, parse_overrides
from recbole_alibaba.host.registry import find_model, model_names
from recbole_alibaba.settings.property_files import parse_value
from recbole_alibaba.settings.values import as_yaml, check_values
from tests.conftest import write_inter

CASES: list[tuple[str, Any, str]] = [
    ("epochs", "many", "--epochs=300"),
    ("epochs", 20.0, "--epochs=20"),
    ("epochs", True, "--epochs=300"),
    ("topk", ["10 20"], '--topk="[10, 20]"'),
    ("topk", [10, 0], '--topk="[10, 20]"'),
    ("n_layers", -1, "--n_layers=3"),
    ("train_batch_size", 0, "--train_batch_size=2048"),
    ("learning_rate", 0, "--learning_rate=0.001"),
    ("learning_rate", float("nan"), "--learning_rate=0.001"),
    ("learner", "adma", "--learner=adam"),
    ("user_inter_num_interval", 5, '--user_inter_num_interval="[5,inf)"'),
    ("user_inter_num_interval", "[9,5]", '--user_inter_num_interval="[0,inf)"'),
    ("gpu_id", [0], "--gpu_id=0"),
    ("seed", -1, "--seed=2020"),
    ("enable_amp", 1, "--enable_amp=True"),
    ("shuffle", "yes please", "--shuffle=True"),
    ("eval_args", {"split": {"RS": [0.8, 0.2]}}, '--eval_args="{split: {RS: [0.8, 0.1, 0.1]}}"'),
    ("eval_args", {"order": "to"}, '--eval_args="{order: TO}"'),
    ("eval_args", {"mode": "uni"}, '--eval_args="{mode: full}"'),
    ("train_neg_sample_args", {"sample_num": 0}, '--train_neg_sample_args="{sample_num: 1}"'),
    ("clip_grad_norm", 1.0, '--clip_grad_norm="{max_norm: 1.0, norm_type: 2}"'),
    ("load_col", ["user_id"], '--load_col="{inter: [user_id, item_id]}"'),
    ("benchmark_filename", ["train", "test"], "--benchmark_filename=None"),
    ("rm_dup_inter", True, "--rm_dup_inter=None"),
]


@pytest.mark.parametrize(("key", "value", "remedy"), CASES)
def test_a_wrong_value_is_refused_with_one_that_is_accepted(key: str, value: Any, remedy: str) -> None:
    model = find_model("AlibabaLightGCN")
    with pytest.raises(BadInput, match="must be") as refused:
        check_layer({key: value}, model)
    assert f"Write {remedy}." in str(refused.value)
    check_layer(parse_overrides(shlex.split(remedy)), model)


OLD_NAMES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"neg_sampling": None}, {"train_neg_sample_args": None}),
    ({"neg_sampling": {"popularity": 2}}, {"train_neg_sample_args": {"distribution": "popularity", "sample_num": 2}}),
    ({"training_neg_sample_num": 0}, {"train_neg_sample_args": None}),
    ({"training_neg_sample_num": 5}, {"train_neg_sample_args": {"distribution": "uniform", "sample_num": 5}}),
    (
        {"eval_setting": "TO_RS,uni100", "split_ratio": [0.7, 0.1, 0.2], "group_by_user": False},
        {"eval_args": {"order": "TO", "split": {"RS": [0.7, 0.1, 0.2]}, "mode": "uni100", "group_by": "none"}},
    ),
    ({"leave_one_num": 2}, {"eval_args": {"split": {"LS": "valid_and_test"}}}),
    ({"min_user_inter_num": 5}, {"user_inter_num_interval": "[5,inf)"}),
    ({"min_item_inter_num": 5, "max_item_inter_num": 99}, {"item_inter_num_interval": "[5,99]"}),
    ({"lowest_val": {"timestamp": 1418000000}}, {"val_interval": {"timestamp": "[1418000000,inf)"}}),
    ({"split_ratio": "some"}, {"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}}}),
]


@pytest.mark.parametrize(("old", "new"), OLD_NAMES)
def test_an_old_name_gets_its_true_successor(old: dict[str, Any], new: dict[str, Any]) -> None:
    """RecBole 1.2.1 stores these settings and reads them nowhere."""
    model = find_model("BPR")
    with pytest.raises(BadInput, match="older versions") as refused:
        check_layer(old, model)
    said = str(refused.value).partition("Instead, write ")[2].rstrip(".")
    assert parse_overrides(shlex.split(said)) == new
    check_layer(new, model)
    with pytest.raises(BadInput, match=r"^old\.yaml: .*`") as in_a_file:
        check_layer(old, model, "old.yaml")
    key, _, text = str(in_a_file.value).split("`")[1].partition(": ")
    assert parse_value(text) == new[key]


@pytest.mark.parametrize("word", ["real_time_process", "load_checkpoint", "device"])
def test_a_setting_without_successor_says_why(word: str) -> None:
    with pytest.raises(BadInput, match=r"away|gpu_id"):
        check_layer({word: 1}, find_model("BPR"))


@pytest.mark.parametrize(("word", "meant"), [("lr", "learning_rate"), ("batch_size", "train_batch_size")])
def test_words_of_other_libraries(word: str, meant: str) -> None:
    with pytest.raises(BadInput, match=f"Did you mean '{meant}'"):
        check_layer({word: 1}, find_model("BPR"))


def test_every_default_of_every_model_is_accepted() -> None:
    """A rule that is read from a comment must not refuse what RecBole ships."""
    for name in model_names():
        try:
            lines = lines_of(find_model(name))
        except UnknownModelError:  # lightgbm is not installed
            continue
        check_values({key: line.default for key, line in lines.items()}, lines, name)


CONTRADICTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("AlibabaLightGCN", {"train_neg_sample_args": None}, "learns from pairs"),
    ("SASRec", {}, "--train_neg_sample_args=None"),
    ("SASRec", {"train_neg_sample_args": None, "repeatable": False}, "--repeatable=True"),
    ("BPR", {"metrics": ["Recall", "NDGC"]}, "Did you mean 'NDCG'"),
    ("BPR", {"metrics": ["Recall", "AUC"]}, "only one of the two kinds"),
    ("BPR", {"metrics": ["AUC"], "valid_metric": "AUC"}, "mode: uni100"),
    ("BPR", {"clip_grad_norm": {"norm_type": 2}}, "{max_norm: 1.0}"),
    ("BPR", {"valid_metric": "Recall"}, "--valid_metric=Recall@10"),
    ("BPR", {"train_neg_sample_args": {"dynamic": True}}, "candidate_num: 5"),
]


@pytest.mark.parametrize(("model", "settings", "sentence"), CONTRADICTIONS)
def test_settings_that_contradict_each_other(
    two_tastes: Path, model: str, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        build_config(model, "two-tastes", config_dict={"data_path": str(two_tastes), **settings})
    assert sentence in str(refused.value)


def test_the_data_sets_own_file_is_checked(tmp_path: Path) -> None:
    write_inter(tmp_path, "tiny", [("u1", "i1", 1)])
    (tmp_path / "tiny" / "tiny.yaml").write_text("topk: ten\n")
    with pytest.raises(BadInput, match=r"tiny\.yaml: topk is 'ten'.*`topk: "):
        build_config("BPR", "tiny", config_dict={"data_path": str(tmp_path)})


@pytest.mark.parametrize("value", [None, True, 1e-5, "a b", "[5,inf)", {"a": [1, {"b": None}]}])
def test_what_is_printed_reads_back(value: Any) -> None:
    assert parse_value(as_yaml(value)) == value


RUN = ["--dataset=two-tastes", "--epochs=3", "--preflight=False"]


def test_a_loss_of_nan_in_a_model_of_recbole(two_tastes: Path, command: Callable[..., Result]) -> None:
    result = command("run", *RUN, f"--data_path={two_tastes}", "--model=LightGCN", "--learning_rate=1e20")
    assert result.exit_code == 1
    assert "Error: The training loss of LightGCN is nan with learning_rate 1e+20. Try a smaller" in result.stderr


def test_an_unforeseen_error_names_the_settings(two_tastes: Path, command: Callable[..., Result]) -> None:
    words = ["--model=SASRec", "--train_neg_sample_args=None", "--n_heads=7"]
    result = command("run", *RUN, f"--data_path={two_tastes}", *words)
    assert result.exit_code == 2
    assert "not a multiple of the number of attention heads" in result.stderr
    assert "Traceback" in next(Path("log").glob("traceback-*")).read_text()


@pytest.mark.parametrize("kind", ["float", "token"])
def test_rows_of_label_0_are_named_and_the_advice_drops_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    from recbole_alibaba import prepare

    rows = [f"u{user}\ti{(user + item) % 12}\t{int(item < 6)}" for user in range(20) for item in range(9)]
    file = tmp_path / "rated" / "rated.inter"
    file.parent.mkdir()
    file.write_text("\n".join([f"user_id:token\titem_id:token\tlabel:{kind}", *rows]) + "\n")
    settings = {"data_path": str(tmp_path), "topk": [3], "valid_metric": "Hit@3"}
    assert prepare(build_config("BPR", "rated", config_dict=settings)).dataset.inter_num == 180
    (warning,) = [record.message for record in caplog.records if "negatives-as-positives" in record.message]
    assert "60 rows have label 0" in warning
    advised = parse_overrides(shlex.split(warning.partition("with --")[2].rstrip(".").join(("--", ""))))
    caplog.clear()
    assert prepare(build_config("BPR", "rated", config_dict={**settings, **advised})).dataset.inter_num == 120
    assert "negatives-as-positives" not in caplog.text


@pytest.mark.parametrize("words", [["run"], ["prep"], ["doctor"], ["demo"], []])
def test_version_everywhere(command: Callable[..., Result], words: list[str]) -> None:
    from recbole_alibaba import __version__

    result = command(*words, "--version")
    assert result.exit_code == 0
    assert __version__ in result.output


def test_help_names_common_settings_and_exit_codes(command: Callable[..., Result]) -> None:
    text = command("run", "--help").output
    for word in ("--epochs=300", "--learning_rate=0.001", "--topk=", "Exit code 0", " 1: ", " 2: "):
        assert word in text
