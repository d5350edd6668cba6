"""LightGCN's published figures: split files -> data set -> training -> one reading of the test, as a record and a page.

    python -m benchmarks.lightgcn_table [gowalla|gowalla-softmax|yelp2018|...] [--data FOLDER] [--seed 2020] [--render]

The word names a file of properties/experiment, which is trained through the plugin's own loaders and trainer. A few
training pairs are held out to show the curve; the test part is read once, when training is over, with the weights of
the last epoch.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from benchmarks import random_split
from benchmarks.lightgcn_page import EXPERIMENTS, ROOT, mark_of, page_of, probes_of, records_of, split_of
from dataset_prep.machine import cpu_name

TUNED = ("loss", "temperature", "popularity_exponent", "learning_rate", "learning_rate_schedule")
TUNED += ("adam_betas", "adam_eps", "train_batch_size", "positive_sampling", "epochs", "reg_weight", "init", "init_std")
EXPONENTS = (0.5, 0.65, 0.75, 1.0)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("experiment", default="gowalla", type=click.Choice(list(EXPERIMENTS)))
@click.option("--data", type=click.Path(path_type=Path), help="The split's folder; else ../shared/data/NAME.")
@click.option("--seed", default=2020, show_default=True)
@click.option("--valid-share", default=0.0025, show_default=True, help="Share of the training pairs for the curve.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Over the property file.")
@click.option("--probe", metavar="NAME", help="Compare settings on the validation pairs: the test stays unread.")
@click.option("--render", is_flag=True, help="Only write the page again, from the records.")
def main(
    experiment: str,
    data: Path | None,
    seed: int,
    valid_share: float,
    changes: Sequence[str],
    probe: str | None,
    render: bool,
) -> None:
    """Train LightGCN on its published split, read the test once, and write results/<data set>.md."""
    dataset = EXPERIMENTS[experiment]
    if not render:
        data = data or ROOT.parent / "shared" / "data" / dataset
        if not (data / "train.txt.gz").is_file():
            raise click.BadParameter(f"no train.txt.gz in {data}; it holds LightGCN's split", param_hint="--data")
        record = run(experiment, data, seed, valid_share, changes, probe)
        split_of(dataset).write_text(json.dumps(random_split.measure(data, seed), indent=1) + "\n", encoding="utf-8")
        with (probes_of(dataset) if probe else records_of(experiment)).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
    page, text = page_of(dataset)
    page.write_text(text, encoding="utf-8")


def run(
    experiment: str, data: Path, seed: int, valid_share: float, changes: Sequence[str], probe: str | None
) -> dict[str, Any]:
    """One run; the record of it."""
    from dataset_prep import convert_published
    from recbole_alibaba.experiment import build_config, prepare
    from recbole_alibaba.host.known_settings import parse_overrides
    from recbole_alibaba.trainer.freed_memory import keep_freed_memory

    keep_freed_memory()
    name, settings = EXPERIMENTS[experiment], ROOT / "properties" / "experiment" / f"{experiment}.yaml"

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        files = [str(data / f"{part}.txt.gz") for part in ("train", "test")]
        made = convert_published(*files, output=folder, name=name, valid_share=valid_share, seed=seed)
        changed = parse_overrides([f"--{change}" for change in changes])
        places = {"data_path": folder, "checkpoint_dir": folder, "show_progress": False, "seed": seed}
        config = build_config(config_file_list=[settings], config_dict={**places, **changed})
        prepared_run = prepare(config)
        trainer, ranking = prepared_run.trainer, prepared_run.model.loss_parts[0]
        prepared, training, cpu = time.perf_counter() - started, time.perf_counter(), time.process_time()
        curve: list[dict[str, float]] = []

        def note(epoch: int, _: float) -> None:
            minutes = (time.perf_counter() - training) / 60
            last = trainer.history[-1]
            curve.append({"epoch": epoch + 1, "minutes": minutes, **last["valid"]})
            click.echo(f"{minutes:6.2f} min, epoch {epoch + 1}: {ranking} {last[ranking]:.4f}, {last['valid']}")

        trainer.fit(prepared_run.train_data, prepared_run.valid_data, saved=False, callback_fn=note)
        minutes, cpu_minutes = (time.perf_counter() - training) / 60, (time.process_time() - cpu) / 60
        exponents = {}
        if probe and ranking == "softmax":  # it changes the lists only, so that one training shows several
            for exponent in EXPONENTS:
                prepared_run.model.popularity_exponent = exponent
                found = trainer.evaluate(prepared_run.valid_data, load_best_model=False)
                exponents[str(exponent)] = {metric: float(value) for metric, value in found.items()}
        test = None if probe else trainer.evaluate(prepared_run.test_data, load_best_model=False)
        click.echo(f"{minutes:.1f} minutes of training ({cpu_minutes:.1f} of CPU); test {test} {exponents or ''}")
        return {
            "name": probe,
            "experiment": experiment,
            "seed": seed,
            "settings": mark_of(experiment),
            "changes": changed,
            "used": {key: config[key] for key in TUNED},
            "valid_share": valid_share,
            "data": made.fingerprint,
            "pairs": made.pairs,
            "prepare_seconds": prepared,
            "training_minutes": minutes,
            "cpu_minutes": cpu_minutes,
            "epochs": len(trainer.history),
            "curve": curve,
            "exponents": exponents,
            "tested_epoch": len(trainer.history),
            "test": test and {metric: float(value) for metric, value in test.items()},
            "machine": _machine(),
        }


def _machine() -> dict[str, Any]:
    packages = {name: version(name) for name in ("recbole-alibaba", "recbole", "torch", "numpy", "scipy")}
    return {"cpu": cpu_name(), "cores": os.cpu_count(), **packages}


if __name__ == "__main__":
    main()
