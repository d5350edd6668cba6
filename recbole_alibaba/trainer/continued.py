"""RecBole's `fit` with a state after each epoch: a run that was stopped goes on as if it never had been."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from recbole.trainer import Trainer

from recbole_alibaba.console.next_steps import training_command
from recbole_alibaba.diagnosis.checks.model_access import is_trained
from recbole_alibaba.host.errors import CannotResumeError, Interrupted
from recbole_alibaba.saved.earlier_run import EarlierRun, other_machine
from recbole_alibaba.saved.run_folder import RECORD, held, write_settings
from recbole_alibaba.saved.state_file import NAME, StateWriter
from recbole_alibaba.saved.training_state import put_back, stored, take, weights


@contextmanager
def same_curves(earlier: EarlierRun | None) -> Iterator[None]:
    """Let a trainer that is built in the block write to the TensorBoard folder of the earlier run.

    Points of epochs that were not finished are dropped (`purge_step`). Only the name `get_tensorboard` in
    `recbole.trainer.trainer` is replaced.
    """
    if earlier is None or earlier.state is None:
        yield
        return
    trainer: Any = importlib.import_module("recbole.trainer.trainer")
    utils: Any = importlib.import_module("recbole.utils.utils")
    folder = Path("log_tensorboard") / Path(earlier.state["tensorboard"]).name
    step, made = earlier.state["epoch"] + 1, trainer.get_tensorboard
    trainer.get_tensorboard = lambda logger: utils.SummaryWriter(str(folder), purge_step=step)
    try:
        yield
    finally:
        trainer.get_tensorboard = made


class StateKeeper:
    """Writes the state of a run between two epochs, and after the last one.

    Args:
        made: an `Experiment`; two methods of its trainer are wrapped.
        folder: the run's folder.
        best: `epoch` and `weights` of the best epoch so far.
        share: of the run's time that states may take; the epochs between two of them are as many as that needs.

    Attributes:
        kept: number of epochs in the last state.
    """

    def __init__(self, made: Any, folder: Path, best: dict[str, Any] | None, share: float) -> None:
        trainer = made.trainer
        self._share, self._due = share, perf_counter()
        self._made, self._writer, self._best, self._step = made, StateWriter(folder), best, _step(made.config)
        self._train_epoch, self._save_checkpoint = trainer._train_epoch, trainer._save_checkpoint
        trainer._train_epoch, trainer._save_checkpoint = self.train_epoch, self.save_checkpoint
        self.kept = self._finished = trainer.start_epoch

    def train_epoch(self, train_data: Any, epoch: int, *args: Any, **kwargs: Any) -> Any:
        """The trainer's own, after the state of the epoch before it."""
        self._finished = epoch
        if epoch > self.kept and epoch % self._step == 0 and perf_counter() >= self._due:
            self.keep()
        result = self._train_epoch(train_data, epoch, *args, **kwargs)
        self._finished = epoch + 1  # counts only where `fit` returns or the next epoch starts
        return result

    def save_checkpoint(self, epoch: int, *args: Any, **kwargs: Any) -> None:
        """The trainer's own, called when `epoch` is the best; its weights are kept."""
        self._save_checkpoint(epoch, *args, **kwargs)
        self._best = {"epoch": epoch, "weights": weights(self._made.model)}

    def keep(self) -> None:
        """Write the state after the last finished epoch."""
        clock = perf_counter()
        self._made.trainer.tensorboard.flush()
        self._writer.write(take(self._made, self._finished - 1, self._best))
        self.kept = self._finished
        now = perf_counter()
        self._due = now + (now - clock) * (1 / self._share - 1)


def fit(
    made: Any, folder: Path | None, earlier: EarlierRun | None, asked: dict[str, Any], share: float = 1.0
) -> tuple[float, Any]:
    """Train as RecBole's `fit` does, and return what it returns.

    Args:
        made: an `Experiment`.
        folder: the run's folder; None keeps nothing.
        earlier: the run to go on with; `folder` is its folder.
        asked: the settings of this run, for `config.yaml`.
        share: of the time that states may take; 1.0 writes one after each epoch, or as `state_step` says.

    Raises:
        Interrupted: Ctrl-C; the message says how to go on.
    """
    if folder is None:
        return _fit(made)
    if earlier is None:
        with held(folder):
            return _fit_and_keep(made, folder, None, share)
    trainer, best = made.trainer, _put_back(made, earlier)
    done = trainer.start_epoch >= trainer.epochs or trainer.cur_step > trainer.stopping_step
    rest = "nothing is left to train" if done else "the run goes on"
    trainer.logger.info(f"{folder}: {trainer.start_epoch:,} epochs are finished; {rest}.")
    if done:
        trainer.eval_collector.data_collect(made.train_data)  # as RecBole's `fit` does first
        return trainer.best_valid_score, trainer.best_valid_result
    (folder / RECORD).unlink(missing_ok=True)  # the run is unfinished again
    write_settings(folder, asked)
    return _fit_and_keep(made, folder, best, share)


def _fit(made: Any, saved: bool = False) -> tuple[float, Any]:
    options = {"saved": saved, "show_progress": made.config["show_progress"]}
    return made.trainer.fit(made.train_data, made.valid_data, **options)


def _fit_and_keep(made: Any, folder: Path, best: dict[str, Any] | None, share: float) -> tuple[float, Any]:
    if not _can_be_kept(made):
        return _fit(made, saved=True)
    keeper = StateKeeper(made, folder, best, share)
    try:
        result = _fit(made, saved=True)
        keeper.keep()
    except KeyboardInterrupt:
        if keeper.kept:
            raise Interrupted(f"Stopped. {keeper.kept:,} epochs are kept. {_way_on(folder)}") from None
        raise
    finally:
        made.trainer.tensorboard.flush()
    return result


def _put_back(made: Any, earlier: EarlierRun) -> dict[str, Any] | None:
    """Put the state back; the best epoch so far."""
    state, earlier.state = earlier.state, None  # its tensors are not needed twice
    if state is None:
        return None
    try:
        put_back(made, state)
    except (LookupError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise CannotResumeError(
            f"{earlier.folder / NAME} does not fit this model. Start a new run without --resume."
        ) from error
    if warning := other_machine(made.config, state):
        made.trainer.logger.warning(warning)
    return dict(stored(state["best"])) if state["best"] else None


def _can_be_kept(made: Any) -> bool:
    """Whether the loop is RecBole's own, gradients train the model, and its weights are tensors and plain values."""
    if not _step(made.config) or type(made.trainer).fit is not Trainer.fit or not is_trained(made.model):
        return False
    try:
        weights(made.model)
    except TypeError:
        return False
    return True


def _step(config: Any) -> int:
    """Epochs between two states; RecBole's models have no such setting of their own."""
    return 1 if config["state_step"] is None else int(config["state_step"])


def _way_on(folder: Path) -> str:
    words = training_command("--resume")
    if words is None:
        return f"Go on with resume={str(folder)!r}."
    return f"Go on with: {shlex.join([*words, f'--resume={folder}'])}"
