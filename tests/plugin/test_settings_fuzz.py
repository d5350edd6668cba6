"""Wrong settings at random: each run is refused in one sentence, or it runs.

`SETTINGS_FUZZ=2000 pytest tests/plugin/test_settings_fuzz.py` tries more pairs of a key and a value.
"""

import os
import random
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from recbole_alibaba.host.known_settings import lines_of
from recbole_alibaba.host.registry import find_model
from recbole_alibaba.settings.old_names import COMPUTED, OLD
from recbole_alibaba.settings.rules import RULES
from recbole_alibaba.settings.values import as_yaml

PAIRS = int(os.environ.get("SETTINGS_FUZZ", "60"))
MODELS = {
    "AlibabaLightGCN": {},
    "LightGCN": {},
    "BPR": {},
    "NeuMF": {},
    "MultiVAE": {},
    "ItemKNN": {},
    "SASRec": {"train_neg_sample_args": None, "MAX_ITEM_LIST_LENGTH": 5},
    "GRU4Rec": {"train_neg_sample_args": None, "MAX_ITEM_LIST_LENGTH": 5},
}
QUICK = {"epochs": 1, "preflight": False, "watch": False, "train_batch_size": 512}
VALUES: list[Any] = [
    *(-1, 0, 1, 3, 2.5, -0.5, 1e-3, 1e30, 10**12, float("nan"), float("inf"), True, False, None),
    *("", "many", "10", "None", "True", "[5,inf)", "5", "[1", "user_id", "a b", "*", "~", "0.5"),
    *([], [1], [0], [-1], [2, 3], [0.5, 0.5], [1, "x"], ["x"], [None], [[1]], ["10 20"], [0.8, 0.1, 0.1]),
    *({}, {"a": 1}, {"inter": ["user_id"]}, {"x": None}, {1: 2}, {"timestamp": "[5,inf)"}, {"timestamp": 5}),
]


def nested(path: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(path[1:]):
        value = {key: value}
    return {path[0]: value}


def near(default: Any) -> list[Any]:
    """Values of the type of `default`, most of them unusual."""
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, int):
        return [-1, 0, 1, 2, 7, 1000]
    if isinstance(default, float):
        return [-1.0, 0.0, 0.5, 1.0, 100.0, 1e20]
    if isinstance(default, str):
        return ["", "x", default.upper(), default.lower(), f"{default} "]
    if isinstance(default, list):
        return [[], default * 2, default[:1], [default], [*default, None]]
    return [{}, "x", [], 1]


def random_setting(draw: random.Random, model: str) -> dict[str, Any]:
    """One key, or a key inside a mapping, with a value that is mostly wrong for it."""
    lines = lines_of(find_model(model))
    names = [name for name in {*RULES, *lines, *OLD, *COMPUTED} if name not in ("epochs", "pretrain_epochs")]
    path = draw.choice(sorted(names)).split(".")
    default = lines[path[0]].default if path[0] in lines else None
    for key in path[1:]:
        default = default.get(key) if isinstance(default, Mapping) else None
    return nested(path, draw.choice(draw.choice([VALUES, near(default)])))


def fault(result: Result) -> str:
    """What is wrong with the end of a run; empty if nothing is."""
    if result.exit_code == 0:
        return ""
    said = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return "".join(traceback.format_exception(result.exception)[-3:])
    if result.exit_code == 1 and "Try a smaller learning_rate" in result.stderr:
        return ""
    return "" if result.exit_code == 2 and len(said) == 1 else f"exit {result.exit_code}: {result.stderr[-300:]}"


def words(settings: Mapping[str, Any]) -> list[str]:
    return [f"--{key}={as_yaml(value)}" for key, value in settings.items()]


def test_a_wrong_setting_is_a_sentence(two_tastes: Path, command: Callable[..., Result]) -> None:
    draw, faults = random.Random(0), []
    for _ in range(PAIRS):
        model = draw.choice(sorted(MODELS))
        setting = random_setting(draw, model)
        base = {**QUICK, **MODELS[model], "data_path": str(two_tastes)}
        given = {key: value for key, value in base.items() if key not in setting}
        result = command("run", f"--model={model}", "--dataset=two-tastes", *words(given), *words(setting))
        if said := fault(result):
            faults.append(f"{model} {setting}: {said}")
        if "SETTINGS_FUZZ" in os.environ:
            print(result.exit_code, model, setting, result.stderr[-400:] if result.exit_code else "", flush=True)
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_default_of_each_line_is_accepted(two_tastes: Path, model: str) -> None:
    from recbole_alibaba import build_config

    lines = {key: line.default for key, line in lines_of(find_model(model)).items()}
    given = {**lines, **MODELS[model], "data_path": str(two_tastes), "topk": [5], "valid_metric": "Hit@5"}
    if model in ("SASRec", "GRU4Rec"):
        given["repeatable"] = True
    assert build_config(model, "two-tastes", config_dict=given)["epochs"] == 300
