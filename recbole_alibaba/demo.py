"""What `make demo` shows: the report's settings are refused and explained, the repaired ones are trained."""

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import torch

import dataset_prep
from recbole_alibaba.diagnosis.signs import find_signs
from recbole_alibaba.experiment import Experiment, build_config, prepare
from recbole_alibaba.host.properties import properties_folder, read_mapping

NAME = "demo"
METRICS = ("recall@10", "recall@20", "ndcg@20", "hit@20")
BEFORE, AFTER = "before.yaml", "after.yaml"


def demo(output: Path, epochs: int = 60) -> dict[str, Mapping[str, float]]:
    """Make the log, show why `before.yaml` is refused, then convert and train with `after.yaml`.

    Args:
        output: folder of data sets; the log goes to `<output>/demo-log`, the data set to `<output>/demo`.
        epochs: passes over the training interactions.

    Returns:
        The test metrics of each model.
    """
    torch.set_num_threads(1)  # a second thread only costs time on so small a log
    users, items = dataset_prep.write_sample(output / f"{NAME}-log")
    click.echo(f"1. The report's data ({_asked(BEFORE)}) from the made-up log {users}\n")
    try:
        _convert(BEFORE, users, items, output)
    except dataset_prep.EmptyDatasetError as error:
        click.echo(_indented(*error.funnel.lines(), f"Refused. {error.message}", error.advice()))
    click.echo(f"\n2. The repaired data ({_asked(AFTER)})\n")
    click.echo(_indented(*_convert(AFTER, users, items, output).funnel.lines()))
    click.echo(f"\n3. The report's training on it: Adam, weight_decay 1e-4 (guessing is ln 2 = {math.log(2):.4f})\n")
    stuck = _trained("AlibabaLightGCN", output, 5, _training(BEFORE))
    history = stuck.trainer.history
    seen = {it.id: it for last in range(len(history), 0, -1) for it in find_signs(history[:last], stuck.config)}
    for finding in seen.values():
        click.echo(_indented(f"{finding.id}: {finding.message}", finding.remedy))
    click.echo("\n4. The repaired training: AdamW, weight_decay 1e-5\n")
    ours = _trained("AlibabaLightGCN", output, epochs, _training(AFTER))
    made = {"AlibabaLightGCN": ours, "Pop": _trained("Pop", output, 1, {})}
    results = {model: it.trainer.evaluate(it.test_data) for model, it in made.items()}
    click.echo(f"\n5. On the test part, against popularity\n\n   {'':<16}" + "".join(f"{m:>11}" for m in METRICS))
    for model, result in results.items():
        click.echo(f"   {model:<16}" + "".join(f"{result[metric]:>11.4f}" for metric in METRICS))
    click.echo(
        f"\nThe funnel as a picture: {output / NAME / 'funnel.html'}"
        f"\nTrain it yourself:       python run.py --dataset={NAME} --data_path={output}"
        f"\nYour own log:            python -m dataset_prep mobile --users FILE [--items FILE] --name NAME"
    )
    return results


def _settings(file: str) -> dict[str, Any]:
    return read_mapping(properties_folder() / "experiment" / file)


def _asked(file: str) -> str:
    return ", ".join(f"{key}: {value}" for key, value in _settings(file)["prep"].items())


def _training(file: str) -> dict[str, Any]:
    """The settings of an experiment file for training, without those for the data: the core is applied already."""
    return {key: value for key, value in _settings(file).items() if key != "prep" and "interval" not in key}


def _convert(file: str, users: Path, items: Path, output: Path) -> dataset_prep.Conversion:
    asked = _settings(file)["prep"]
    return dataset_prep.convert("mobile", users, output=output, name=NAME, items=items, force=True, **asked)


def _trained(model: str, output: Path, epochs: int, training: Mapping[str, Any]) -> Experiment:
    """A model trained with the shipped settings and `training`. Warnings are off: the caller shows the findings."""
    settings = {"data_path": str(output), "epochs": epochs, "topk": [10, 20], "metrics": ["Recall", "NDCG", "Hit"]}
    logging.disable(logging.WARNING)
    try:
        made = prepare(build_config(model, NAME, config_dict=settings | {"valid_metric": "NDCG@20"} | dict(training)))
        made.trainer.fit(made.train_data, made.valid_data, verbose=False, callback_fn=_epoch_printer(made))
    finally:
        logging.disable(logging.NOTSET)
    return made


def _epoch_printer(made: Experiment) -> Callable[[int, float], None] | None:
    if not hasattr(made.trainer, "history"):
        return None

    def show(epoch: int, score: float) -> None:
        if epoch < 5 or epoch % 10 == 9:
            record = made.trainer.history[-1]
            line = click.unstyle(made.trainer._generate_train_loss_output(epoch, 0.0, record["seconds"], None))
            click.echo(_indented(f"{line} valid ndcg@20: {score:.4f}"))

    return show


def _indented(*texts: str) -> str:
    return "\n".join(f"   {line}" for text in texts for line in text.splitlines())
