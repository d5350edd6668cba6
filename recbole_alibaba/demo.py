"""What `make demo` shows: the report's settings are refused and explained, the repaired ones are trained."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import torch

import dataset_prep
from recbole_alibaba.console.printed_commands import python_here, run_command
from recbole_alibaba.diagnosis.findings import Finding
from recbole_alibaba.diagnosis.signs import find_signs
from recbole_alibaba.experiment import Experiment, build_config, prepare
from recbole_alibaba.settings.property_files import properties_folder, read_mapping

NAME = "demo"
METRICS = ("recall@10", "recall@20", "ndcg@20", "hit@20")
BEFORE, AFTER = "before.yaml", "after.yaml"
STRONGER = {"weight_decay": 1e-2}
SIMPLE = ("ItemKNN", "EASE", "Pop")
METRIC = "ndcg@20"
PARTING = """At 1e-4 the decay delays learning until the gradients outgrow it, here soon. At 1e-2 they never do.
The more users and items a batch is spread over, the smaller is a row's gradient, and the less decay is enough."""
EPOCHS = (0, 4, 9, 19, 39, 59)
EVERY = 5  # epochs between two validations


def demo(output: Path, epochs: int = 60) -> dict[str, Mapping[str, float]]:
    """Make the log, show why `before.yaml` is refused, then convert and train with `after.yaml`.

    Args:
        output: folder of data sets; the log goes to `<output>/demo-log`, the data set to `<output>/demo`.
        epochs: passes over the training interactions.

    Returns:
        The test metrics of each row of the table.
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
    made: dict[str, Experiment] = {}
    for number, (name, (intro, training)) in enumerate(trainings().items(), start=3):
        click.echo(f"\n{number}. {intro}: {name}\n")
        made[name] = _trained("AlibabaLightGCN", output, epochs, training)
        remedies: set[str] = set()
        for finding in _seen(made[name]):
            again = finding.remedy in remedies
            click.echo(_indented(f"{finding.id}: {finding.message}", *([] if again else [finding.remedy])))
            remedies.add(finding.remedy)
    click.echo(f"\n6. Where they part: the BPR loss after an epoch (guessing is ln 2 = {math.log(2):.4f})\n")
    shown = [epoch for epoch in EPOCHS if epoch < epochs]
    click.echo(_row("", (f"epoch {epoch}" for epoch in shown)))
    for name, it in made.items():
        click.echo(_row(name, (f"{it.trainer.history[epoch]['bpr']:.4f}" for epoch in shown)))
    click.echo(f"\n{_indented(PARTING)}")
    ours = list(made)[-1]
    made |= {model: _trained(model, output, 1, {}) for model in SIMPLE}
    results = {name: it.trainer.evaluate(it.test_data) for name, it in made.items()}
    click.echo("\n7. On the test part, each with its best validated epoch\n")
    click.echo(_row("", METRICS))
    for name, result in results.items():
        click.echo(_row(name, (f"{result[metric]:.4f}" for metric in METRICS)))
    click.echo(f"\n{_indented(_simple_model(results, ours))}")
    click.echo(
        f"\nThe funnel as a picture: {output / NAME / 'funnel.html'}"
        f"\nTrain it yourself:       {run_command()} --dataset={NAME} --data_path={output}"
        f"\nYour own log:            {python_here()} -m dataset_prep mobile --users FILE [--items FILE] --name NAME"
    )
    return results


def trainings() -> dict[str, tuple[str, Mapping[str, Any]]]:
    """What is trained: name -> how it is announced, and its settings. The last one is the repaired training."""
    reported, repaired = _training(BEFORE), _training(AFTER)
    return {
        "Adam, weight_decay 1e-4": ("The report's training on it", reported),
        "Adam, weight_decay 1e-2": ("The same with the decay that torch's AdamW has by default", reported | STRONGER),
        "AdamW, weight_decay 1e-5": ("The repaired training", repaired),
    }


def _seen(made: Experiment) -> list[Finding]:
    """The warnings of a training, each as it was first seen."""
    history = made.trainer.history
    first: dict[str, Finding] = {}
    for last in range(1, len(history) + 1):
        for finding in find_signs(history[:last], made.config):
            if finding.severity != "advice":
                first.setdefault(finding.id, finding)
    return list(first.values())


def _row(name: str, cells: Iterable[str]) -> str:
    return f"   {name:<26}" + "".join(f"{cell:>11}" for cell in cells)


def _simple_model(results: Mapping[str, Mapping[str, float]], ours: str) -> str:
    """A sentence: whether the repaired training ranks better than the models that need no training."""
    best = max(SIMPLE, key=lambda model: results[model][METRIC])
    (mine, theirs), pop = (results[name][METRIC] for name in (ours, best)), results["Pop"][METRIC]
    verdict = "better than" if mine > theirs else "NOT better than"
    return (
        f"On {METRIC} the repaired training has {mine:.4f}: {verdict} the best model without training, "
        f"{best} ({theirs:.4f}). Popularity has {pop:.4f}."
    )


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
    settings["eval_step"] = min(EVERY, epochs)
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
        if epoch in EPOCHS:
            record = made.trainer.history[-1]
            line = click.unstyle(made.trainer._generate_train_loss_output(epoch, 0.0, record["seconds"], None))
            click.echo(_indented(f"{line} valid ndcg@20: {score:.4f}"))

    return show


def _indented(*texts: str) -> str:
    return "\n".join(f"   {line}" for text in texts for line in text.splitlines())
