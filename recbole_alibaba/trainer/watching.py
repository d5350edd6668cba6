"""RecBole's own trainers, watched: each epoch gets a record and its signs are said, nothing else changes."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..diagnosis.checks.model_access import is_trained
from ..diagnosis.monitor.probe import Probe
from .speaker import Speaker

if TYPE_CHECKING:
    from ..experiment import Experiment


def watch(experiment: "Experiment") -> None:
    """Give `experiment.trainer` a `history` like that of this plugin's trainer, and let it warn of signs.

    A trainer that keeps a history, and a model that is counted and not trained, are left as they are.
    """
    trainer = experiment.trainer
    if hasattr(trainer, "history") or not is_trained(experiment.model):
        return
    inner = trainer._train_epoch
    speaker = Speaker(trainer)
    trainer.history = []

    def train_epoch(train_data: Any, epoch_idx: int, *args: Any, **kwargs: Any) -> Any:
        probe = Probe(experiment, len(train_data), ranking=False)
        probe.watcher.start_epoch()
        started = perf_counter()
        with probe.attached():
            result = inner(train_data, epoch_idx, *args, **kwargs)
        trainer.history.append(probe.record(epoch_idx, perf_counter() - started))
        speaker.say(trainer.history)
        return result

    trainer._train_epoch = train_epoch
