"""RecBole's own trainers get a record of each epoch and warnings; nothing else about them changes."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

from recbole_alibaba.diagnosis.checks.model_access import is_known, is_trained
from recbole_alibaba.diagnosis.monitor.probe import Probe
from recbole_alibaba.trainer.epoch_warnings import EpochWarnings

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment


def watch(experiment: "Experiment") -> None:
    """Give `experiment.trainer` a `history` like that of this plugin's trainer, and warn of signs after each epoch.

    A trainer that has a history already is left as it is, and so is a model without gradients, such as Pop.
    """
    trainer = experiment.trainer
    if hasattr(trainer, "history") or not is_trained(experiment.model):
        return
    inner, logged = trainer._train_epoch, trainer._add_train_loss_to_tensorboard
    trainer.epoch_warnings = EpochWarnings(trainer)
    trainer.epoch_warnings.measured["another_model"] = not is_known(experiment.model)
    trainer.history = []

    def train_epoch(train_data: Any, epoch_idx: int, *args: Any, **kwargs: Any) -> Any:
        probe = Probe(experiment, len(train_data), ranking=False)
        probe.start_epoch()
        started = perf_counter()
        with probe.attached():
            result = inner(train_data, epoch_idx, *args, **kwargs)
        trainer.history.append(probe.record(epoch_idx, perf_counter() - started))
        if probe.failed:
            trainer.logger.info(f"The training is not watched any more: {probe.failed}")
            trainer._train_epoch, trainer._add_train_loss_to_tensorboard = inner, logged
        return result

    def add_then_warn(*args: Any, **kwargs: Any) -> None:
        """RecBole's `fit` calls this after it has logged the epoch."""
        logged(*args, **kwargs)
        trainer.epoch_warnings.warn(trainer.history)

    trainer._train_epoch, trainer._add_train_loss_to_tensorboard = train_epoch, add_then_warn
