"""What RecBole's trainer writes: checkpoints, their names, progress bars, TensorBoard's runs."""

import errno
import importlib
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from dataset_prep.writing.whole_file import written


class _TrustingTorch:
    """torch for RecBole's trainer: `load` unpickles, because the trainer reads only files that this program wrote.

    `save` leaves the earlier checkpoint whole where the disk is full.
    """

    def __init__(self, torch: ModuleType) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._torch, name)

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """`torch.load` with `weights_only=False` unless the caller sets it."""
        kwargs.setdefault("weights_only", False)
        return self._torch.load(*args, **kwargs)

    def save(self, state: Any, file: str, **kwargs: Any) -> None:
        """`torch.save` to a file that is whole or absent.

        Raises:
            OSError: the disk is full. torch itself raises a RuntimeError about positions.
        """
        try:
            with written(Path(file)) as part:
                self._torch.save(state, part, **kwargs)
        except RuntimeError as error:
            if "inline_container" not in str(error) and "PytorchStreamWriter" not in str(error):
                raise
            raise OSError(errno.ENOSPC, "No space left on device", file) from error


def allow_own_checkpoints() -> None:
    """torch >= 2.6 refuses the pickled Config in RecBole's checkpoints. Can go when RecBole sets `weights_only`.

    Only the name `torch` in `recbole.trainer.trainer` is replaced; `torch.load` stays strict everywhere else.
    """
    trainer: Any = importlib.import_module("recbole.trainer.trainer")
    if not isinstance(trainer.torch, _TrustingTorch):
        trainer.torch = _TrustingTorch(trainer.torch)


def name_checkpoints_apart() -> None:
    """Checkpoints of runs that start in the same second have one name in RecBole. Can go when RecBole tells them apart.

    Only the name `get_local_time` in `recbole.trainer.trainer` is replaced; only checkpoint names use it.
    """
    trainer: Any = importlib.import_module("recbole.trainer.trainer")
    trainer.get_local_time = _checkpoint_time


def _checkpoint_time() -> str:
    """RecBole's time with microseconds, but without them in RecBole's run of several processes: all must agree."""
    import torch

    from recbole_alibaba.processes import group

    together = torch.distributed.is_available() and torch.distributed.is_initialized() and group.size() == 1
    return datetime.now().strftime("%b-%d-%Y_%H-%M-%S" + ("" if together else "-%f"))


def fit_bars_to_the_terminal() -> None:
    """RecBole's bars are 100 columns wide: a narrower terminal gets a line for each step. Can go with `ncols=100`.

    Only the name `tqdm` in `recbole.trainer.trainer` is replaced.
    """
    trainer: Any = importlib.import_module("recbole.trainer.trainer")
    trainer.tqdm = importlib.import_module("recbole_alibaba.console.terminal").Bar


def keep_settings_in_the_run() -> None:
    """torch writes `add_hparams` to a run of its own, so TensorBoard lists each run twice. Can go when RecBole writes
    its settings to the run of the curves.

    Only the name `SummaryWriter` in `recbole.utils.utils` is replaced.
    """
    utils: Any = importlib.import_module("recbole.utils.utils")
    if utils.SummaryWriter.__module__ == __name__:
        return

    class OneRun(utils.SummaryWriter):  # type: ignore[misc]
        epochs = 0

        def add_scalar(self, tag: str, value: Any, global_step: int | None = None, *args: Any, **kwargs: Any) -> None:
            self.epochs = max(self.epochs, (global_step or 0) + 1)
            super().add_scalar(tag, value, global_step, *args, **kwargs)

        def add_hparams(self, hparam_dict: Any, metric_dict: Any, *_: Any, **__: Any) -> None:
            summary: Any = importlib.import_module("torch.utils.tensorboard.summary")
            for part in summary.hparams(hparam_dict, metric_dict):
                self.file_writer.add_summary(part)
            for name, value in metric_dict.items():
                super().add_scalar(name, value, self.epochs)  # a run that is trained further drops this point

    utils.SummaryWriter = OneRun
