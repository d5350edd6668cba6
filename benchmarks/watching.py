"""What does watching a training cost: whole epochs on Gowalla with and without the watcher, in turns, in one run.

python benchmarks/watching.py [--data ../shared/data/gowalla] [--batch 2048 --batch 8192] [--repeats 3]
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import torch

from dataset_prep import convert_published
from recbole_alibaba import experiment
from recbole_alibaba.diagnosis.monitor import probe as probe_module
from recbole_alibaba.diagnosis.monitor.watcher import Watcher
from recbole_alibaba.trainer import trainer as trainer_module
from recbole_alibaba.trainer.host_trainers import watch

warnings.filterwarnings("ignore", category=FutureWarning)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "gowalla"
CALLS = ("start_epoch", "before_forward", "after_backward", "end_epoch")


class Blind:
    """The watcher's calls, doing nothing."""

    def __init__(self, model: Any, batches: int) -> None: ...

    def start_epoch(self) -> None: ...

    def before_forward(self) -> None: ...

    def after_backward(self, model: Any, optimizer: Any) -> None: ...

    def end_epoch(self, batch: Any = None) -> dict[str, Any]:
        return {}


class Timed(Watcher):
    """The watcher, adding up the seconds spent inside it."""

    spent = 0.0


def _timed(name: str) -> Any:
    inner = getattr(Watcher, name)

    def call(self: Timed, *args: Any, **kwargs: Any) -> Any:
        started = time.process_time()
        try:
            return inner(self, *args, **kwargs)
        finally:
            Timed.spent += time.process_time() - started

    return call


for name in CALLS:
    setattr(Timed, name, _timed(name))


def prepared(folder: Path, model: str, batch: int) -> Any:
    settings = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "train_batch_size": batch,
        "gpu_id": "",
        "state": "ERROR",
        "show_progress": False,
    }
    return experiment.prepare(experiment.build_config(model, "gowalla", [], settings))


@contextmanager
def watching(kind: type) -> Iterator[None]:
    """Let the plugin's trainer, and the watch over RecBole's, use ``kind`` as their watcher."""
    trainer_module.Watcher = probe_module.Watcher = kind  # type: ignore[misc]
    try:
        yield
    finally:
        trainer_module.Watcher = probe_module.Watcher = Watcher  # type: ignore[misc]


def epoch(made: Any, number: int) -> float:
    """Seconds of processor time, which other programs on the machine do not change."""
    started = time.process_time()
    made.trainer._train_epoch(made.train_data, number)
    return time.process_time() - started


def ours(folder: Path, batch: int, repeats: int) -> tuple[list[float], list[float], float]:
    """Seconds of epochs without and with the watcher, and the share of time inside it."""
    made = prepared(folder, "AlibabaLightGCN", batch)
    plain, watched = [], []
    with watching(Blind):
        epoch(made, 0)
    Timed.spent = 0.0
    for repeat in range(repeats):
        with watching(Blind):
            plain.append(epoch(made, 2 * repeat + 1))
        with watching(Timed):
            watched.append(epoch(made, 2 * repeat + 2))
    return plain, watched, Timed.spent / sum(watched)


def stock(folder: Path, model: str, batch: int, repeats: int) -> tuple[list[float], list[float], float]:
    """The same for a model of RecBole's under RecBole's Trainer."""
    blind, seen = prepared(folder, model, batch), prepared(folder, model, batch)
    watch(seen)
    plain, watched = [], []
    epoch(blind, 0)
    Timed.spent = 0.0
    with watching(Timed):
        for repeat in range(repeats):
            plain.append(epoch(blind, repeat + 1))
            watched.append(epoch(seen, repeat + 1))
    return plain, watched, Timed.spent / sum(watched)


@click.command()
@click.option(
    "--data", default=SHARED, type=click.Path(path_type=Path), help="Folder with train.txt.gz and test.txt.gz."
)
@click.option("--batch", "batches", multiple=True, default=(2048, 8192), show_default=True)
@click.option("--repeats", default=3, show_default=True, help="Pairs of epochs.")
@click.option("--threads", default=1, show_default=True)
def main(data: Path, batches: tuple[int, ...], repeats: int, threads: int) -> None:
    """Print a table of ratios; medians of epochs run in turns, in processor seconds."""
    torch.set_num_threads(threads)
    if not (data / "train.txt.gz").is_file():
        raise click.UsageError(
            f"There is no {data / 'train.txt.gz'}: name the folder of the Gowalla split with --data."
        )
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print("| model | batch | epoch, plain | epoch, watched | ratio | inside the watcher |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [str(data / f"{part}.txt.gz") for part in ("train", "test")]
        convert_published(parts[0], parts[1], output=folder, name="gowalla")
        runs = [("AlibabaLightGCN", batch, ours(folder, batch, repeats)) for batch in batches]
        runs.append(("RecBole's BPR", 2048, stock(folder, "BPR", 2048, repeats)))
    for model, batch, (plain, watched, inside) in runs:
        medians = statistics.median(plain), statistics.median(watched)
        times = f"{medians[0]:.2f} s | {medians[1]:.2f} s | {medians[1] / medians[0]:.3f}"
        print(f"| {model} | {batch:,} | {times} | {inside:.2%} |")


if __name__ == "__main__":
    main()
