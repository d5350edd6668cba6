"""How is any RecBole trainer watched from outside? Its model's loss is wrapped, and its optimiser gets a hook."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from recbole_alibaba.diagnosis.causes.evidence import max_norm
from recbole_alibaba.diagnosis.monitor.epoch_record import epoch_record, gradient_means, mean_losses
from recbole_alibaba.diagnosis.monitor.watcher import Watcher

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

T = TypeVar("T")


class Probe:
    """Records each batch's loss parts and gradient norm.

    Args:
        experiment: its model and its trainer are watched.
        batches: number of batches in an epoch.
        ranking: whether the loss (or its first part) is a mean of BPR or cross-entropy; then it is named ``bpr``.
        every_batch: whether every gradient's norm is computed. By default only the batches that the watcher reads
            are measured, since a norm costs a pass over the whole gradient.

    Attributes:
        failed: the first error of a reading, or empty. Nothing is read after it; the training goes on.
    """

    def __init__(self, experiment: Experiment, batches: int, ranking: bool, every_batch: bool = False) -> None:
        self.model: Any = experiment.model
        self.trainer = experiment.trainer
        self.watcher = Watcher(self.model, batches)
        self.failed = ""
        self._every_batch = every_batch
        self._limit = max_norm(experiment.settings)
        names = getattr(self.model, "loss_parts", None)
        self._names = tuple(names) if names else (("bpr",) if ranking else ())
        self._reset()

    def _reset(self) -> None:
        self._parts: list[list[float]] = []
        self._norms: list[float] = []
        self._squares: list[Tensor] = []
        self.batch: Any = None

    def _read(self, look: Callable[..., T], *arguments: Any) -> T | None:
        if self.failed:
            return None
        try:
            return look(*arguments)
        except Exception as error:  # of a model or an optimiser of another kind
            self.failed = f"{type(error).__name__}: {error}"
            return None

    def start_epoch(self) -> None:
        """Read where the tables stand."""
        self._read(self.watcher.start_epoch)

    def _keep(self, interaction: Any, result: Any) -> None:
        parts = result if isinstance(result, tuple) else (result,)
        self._parts.append([float(part.detach().sum()) for part in parts])
        if self.batch is None or len(interaction) >= len(self.batch):
            self.batch = interaction  # the last full batch: an epoch may end in a batch of a single row

    @contextmanager
    def attached(self) -> Iterator[Probe]:
        """Watch the trainer while the block runs."""
        inner, replaced = self.model.calculate_loss, "calculate_loss" in vars(self.model)

        def watched_loss(interaction: Any, *args: Any, **kwargs: Any) -> Any:
            self._read(self.watcher.before_forward)
            result = inner(interaction, *args, **kwargs)
            self._read(self._keep, interaction, result)
            return result

        def before_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            if self._squares:
                self._norms.append(float(torch.stack(self._squares).sum().sqrt()))
                self._squares.clear()
            self._read(self.watcher.after_backward, self.model, optimizer)

        def gradient_arrived(parameter: Tensor) -> None:
            if parameter.grad is not None and (self._every_batch or self.watcher.looking):
                self._squares.append(parameter.grad.detach().float().pow(2).sum())

        self.model.calculate_loss = watched_loss
        handles: list[Any] = [self.trainer.optimizer.register_step_pre_hook(before_step)]
        handles += [
            parameter.register_post_accumulate_grad_hook(gradient_arrived)
            for parameter in self.model.parameters()
            if parameter.requires_grad
        ]
        try:
            yield self
        finally:
            if replaced:
                self.model.calculate_loss = inner
            else:
                del self.model.calculate_loss  # the class's method is used again
            for handle in handles:
                handle.remove()

    def record(self, epoch: int, seconds: float) -> dict[str, Any]:
        """The epoch's record, from everything since the last one."""
        batches = len(self._parts)
        width = max(map(len, self._parts), default=0)
        totals = [sum(parts[at] for parts in self._parts) for at in range(width)]
        means = mean_losses(self._names, totals, batches)
        if self._norms:
            clipped = sum(norm > self._limit for norm in self._norms)
            means |= gradient_means(sum(self._norms), clipped, len(self._norms))
        readings = self._read(self.watcher.end_epoch, self.batch) or {}
        record = epoch_record(epoch, batches, seconds, means, readings)
        for batch, parts in enumerate(self._parts):
            wrong = [at for at, value in enumerate(parts) if not math.isfinite(value)]
            if wrong:
                part = self._names[wrong[0]] if wrong[0] < len(self._names) else "loss"
                record["not_finite"] = {"batch": batch, "part": part}
                break
        self._reset()
        return record
