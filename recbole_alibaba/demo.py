"""What `make demo` shows: the report's settings refused, the mended ones trained, on a made-up log."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import dataset_prep
from dataset_prep.sample import write_sample

from .experiment import Experiment, build_config, prepare
from .host.properties import properties_folder, read_mapping

NAME = "demo"
METRICS = ("recall@10", "recall@20", "ndcg@20", "hit@20")


def demo(output: Path, epochs: int = 60) -> dict[str, Mapping[str, float]]:
    """Make the log, refuse `before.yaml`, convert and train `after.yaml`; returns each model's test metrics.

    Args:
        output: folder of data sets; the log goes to `<output>/demo-log`, the data set to `<output>/demo`.
        epochs: passes over the training interactions.
    """
    users, items = write_sample(output / f"{NAME}-log")
    before, after = (properties_folder() / "experiment" / f"{name}.yaml" for name in ("before", "after"))
    _say(f"BEFORE: {_asked(before)} on {users}")
    try:
        _convert(before, users, items, output)
    except dataset_prep.EmptyDatasetError as error:
        _say(f"refused: {error.message}\n{error.advice()}")
    _say(f"\nAFTER: {_asked(after)}")
    _convert(after, users, items, output)
    _say(f"\nTraining AlibabaLightGCN (guessing stands at a BPR loss of ln 2 = {math.log(2):.4f})")
    results = {model: _train(model, output, after, epochs) for model in ("AlibabaLightGCN", "Pop")}
    _say(f"\n{'test':<16}" + "".join(f"{metric:>11}" for metric in METRICS))
    for model, result in results.items():
        _say(f"{model:<16}" + "".join(f"{result[metric]:>11.4f}" for metric in METRICS))
    _say(
        f"\nNext: python run.py --dataset={NAME} --data_path={output}"
        f"\n      your own log: python -m dataset_prep mobile --users FILE [--items FILE] --name NAME"
        f"\nThe funnel as a picture: {output / NAME / 'funnel.html'}"
    )
    return results


def _asked(file: Path) -> str:
    asked = ", ".join(f"{key} {value}" for key, value in read_mapping(file)["prep"].items())
    return f"{asked} (properties/experiment/{file.name})"


def _convert(file: Path, users: Path, items: Path, output: Path) -> None:
    asked = read_mapping(file)["prep"]
    dataset_prep.convert("mobile", users, output=output, name=NAME, items=items, force=True, **asked)


def _train(model: str, output: Path, file: Path, epochs: int) -> Mapping[str, float]:
    ours = model == "AlibabaLightGCN"
    settings = {"data_path": str(output), "epochs": epochs, "topk": [10, 20], "metrics": ["Recall", "NDCG", "Hit"]}
    settings |= {"valid_metric": "NDCG@20", "learning_rate": 0.005}
    made = prepare(build_config(model, NAME, [file] if ours else [], settings))
    made.trainer.fit(made.train_data, made.valid_data, verbose=False, callback_fn=_line(made) if ours else None)
    result: Mapping[str, float] = made.trainer.evaluate(made.test_data)
    return result


def _line(made: Experiment) -> Any:
    def show(epoch: int, score: float) -> None:
        if epoch < 5 or epoch % 10 == 0:
            record = made.trainer.history[-1]
            line = made.trainer._generate_train_loss_output(epoch, 0.0, record["seconds"], None)
            _say(f"{click.unstyle(line)}  valid ndcg@20 {score:.4f}")

    return show


def _say(text: str) -> None:
    click.echo(text)
