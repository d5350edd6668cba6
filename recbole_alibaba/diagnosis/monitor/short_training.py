"""How does a short training go? A few epochs of a few batches through the model's own trainer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from recbole_alibaba.diagnosis.monitor.probe import Probe
from recbole_alibaba.diagnosis.progress import step

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

EPOCHS = 6
SLOW = 2.0  # seconds; an evaluation that takes longer is not repeated


class FirstBatches:
    """A loader that ends after ``count`` batches. In everything else it is the loader ``data``."""

    def __init__(self, data: Any, count: int) -> None:
        self.data, self.count = data, count

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.data), self.count)

    def __len__(self) -> int:
        return min(self.count, len(self.data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)


def train_briefly(
    experiment: Experiment, batches: int, *, epochs: int = EPOCHS, ranking: bool = True, evaluate: bool = True
) -> list[dict[str, Any]]:
    """Train a few epochs with the trainer's own loop, optimiser, clipping and evaluation, so that their faults show.

    The model is left trained.

    Args:
        experiment: what is trained.
        batches: number of batches in each epoch, at most.
        epochs: number of epochs. A loss that is NaN or infinite ends the training early.
        ranking: whether the loss is a mean of BPR or cross-entropy.
        evaluate: whether to evaluate after each epoch.

    Returns:
        One record for each epoch (see ``readings.py``).
    """
    history: list[dict[str, Any]] = []
    data = FirstBatches(experiment.train_data, batches)
    probe = Probe(experiment, len(data), ranking, every_batch=True)
    evaluate = evaluate and experiment.valid_data is not None
    experiment.trainer.eval_collector.data_collect(experiment.train_data)  # as `fit` does
    cluster: Any = getattr(experiment.model, "e_step", None)
    if cluster is not None:  # NCL's clusters, which its trainer's own `fit` makes
        cluster()
    with probe.attached():
        for epoch in range(epochs):
            step(f"short training, epoch {epoch + 1} of {epochs}")
            probe.start_epoch()
            started = time.perf_counter()
            stopped = False
            try:
                experiment.trainer._train_epoch(data, epoch, show_progress=False)
            except (ValueError, ArithmeticError) as error:
                # RecBole raises "Training loss is nan", this plugin's trainer NotFiniteLossError.
                if "nan" not in str(error).lower() and "inf" not in str(error).lower():
                    raise
                stopped = True
            history.append(probe.record(epoch, time.perf_counter() - started))
            if stopped:
                history[-1].setdefault("not_finite", {"batch": history[-1]["batches"] - 1, "part": "loss"})
                break
            if evaluate:
                started = time.perf_counter()
                result = experiment.trainer.evaluate(experiment.valid_data, load_best_model=False)
                history[-1]["valid"] = {name: float(value) for name, value in result.items()}
                evaluate = time.perf_counter() - started < SLOW
    return history
