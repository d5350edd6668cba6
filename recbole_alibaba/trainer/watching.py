"""RecBole's own trainers, watched: each epoch gets a record and its signs are said, nothing else changes."""

from time import perf_counter
from typing import Any

from ..diagnosis.examination import is_trained
from ..diagnosis.subject import Subject
from ..diagnosis.training import Probe
from .speaker import Speaker


def watch(subject: Subject) -> None:
    """Give `subject.trainer` a `history` like that of this plugin's trainer, and let it warn of signs.

    A trainer that keeps a history, and a model that is counted and not trained, are left as they are.
    """
    trainer = subject.trainer
    if hasattr(trainer, "history") or not is_trained(subject):
        return
    inner = trainer._train_epoch
    speaker = Speaker(trainer)
    trainer.history = []

    def train_epoch(train_data: Any, epoch_idx: int, *args: Any, **kwargs: Any) -> Any:
        probe = Probe(subject, len(train_data), ranking=False)
        probe.watcher.start_epoch()
        started = perf_counter()
        with probe.attached():
            result = inner(train_data, epoch_idx, *args, **kwargs)
        trainer.history.append(probe.record(epoch_idx, perf_counter() - started))
        speaker.say(trainer.history)
        return result

    trainer._train_epoch = train_epoch
