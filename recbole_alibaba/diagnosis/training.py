"""How does a short training go: a few epochs through the model's own trainer, watched from outside."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from recbole_alibaba.diagnosis.subject import Subject
from recbole_alibaba.diagnosis.watcher import Watcher

EPOCHS = 6
SLOW = 2.0  # seconds; an evaluation that takes longer is done once


class FirstBatches:
    """A loader that ends after ``count`` batches and is otherwise the loader it was made from."""

    def __init__(self, data: Any, count: int) -> None:
        self.data, self.count = data, count

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.data), self.count)

    def __len__(self) -> int:
        return min(self.count, len(self.data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)


class Probe:
    """Wraps a model's loss and hooks its optimiser to learn each batch's parts and gradient norm."""

    def __init__(self, subject: Subject, batches: int, ranking: bool, every_batch: bool = False) -> None:
        """``ranking``: the loss (or its first part) is a BPR or BCE mean, so it may be called ``bpr``.

        ``every_batch``: take the gradient's norm of each, which costs a pass over all of it, and not only
        of the few that the watcher looks at.
        """
        self.every_batch = every_batch
        self.model: Any = subject.model
        self.trainer = subject.trainer
        self.watcher = Watcher(self.model, batches)
        clip = subject.config["clip_grad_norm"]
        self.limit = float(clip["max_norm"]) if isinstance(clip, dict) else math.inf
        names = getattr(self.model, "loss_parts", None)
        self.names = tuple(names) if names else (("bpr",) if ranking else ())
        self._reset()

    def _reset(self) -> None:
        self.parts: list[list[float]] = []
        self.norms: list[float] = []
        self._squares: list[Tensor] = []
        self.batch: Any = None

    @contextmanager
    def attached(self) -> Iterator[Probe]:
        """Listen while the block runs."""
        inner, replaced = self.model.calculate_loss, "calculate_loss" in vars(self.model)

        def listening(interaction: Any, *args: Any, **kwargs: Any) -> Any:
            self.watcher.before_forward()
            result = inner(interaction, *args, **kwargs)
            parts = result if isinstance(result, tuple) else (result,)
            self.parts.append([float(part.detach().sum()) for part in parts])
            if self.batch is None or len(interaction) >= len(self.batch):
                self.batch = interaction  # the last full one: an epoch may end in a batch of a single row
            return result

        def before_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            if self._squares:
                self.norms.append(float(torch.stack(self._squares).sum().sqrt()))
                self._squares.clear()
            self.watcher.after_backward(self.model, optimizer)

        def gradient_arrived(parameter: Tensor) -> None:
            if parameter.grad is not None and (self.every_batch or self.watcher.looking):
                self._squares.append(parameter.grad.detach().float().pow(2).sum())

        self.model.calculate_loss = listening
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
                del self.model.calculate_loss  # the class's own shows again
            for handle in handles:
                handle.remove()

    def record(self, epoch: int, seconds: float) -> dict[str, Any]:
        """The epoch's record, of what was heard since the last one."""
        count = max(len(self.parts), 1)
        width = max((len(parts) for parts in self.parts), default=0)
        means = [sum(parts[at] for parts in self.parts) / count for at in range(width)]
        record: dict[str, Any] = {"epoch": epoch, "batches": len(self.parts), "seconds": seconds, "loss": sum(means)}
        record |= dict(zip(self.names, means, strict=False))
        if self.norms:
            record["grad_norm"] = sum(self.norms) / len(self.norms)
            record["clipped"] = sum(norm > self.limit for norm in self.norms) / len(self.norms)
        for batch, parts in enumerate(self.parts):
            wrong = [at for at, value in enumerate(parts) if not math.isfinite(value)]
            if wrong:
                part = self.names[wrong[0]] if wrong[0] < len(self.names) else "loss"
                record["not_finite"] = {"batch": batch, "part": part}
                break
        record |= self.watcher.end_epoch(self.batch)
        self._reset()
        return record


def train_briefly(
    subject: Subject, batches: int, *, epochs: int = EPOCHS, ranking: bool = True, evaluate: bool = True
) -> list[dict[str, Any]]:
    """Train ``epochs`` epochs of at most ``batches`` batches and return their records.

    The trainer's own loop, optimiser, clipping and evaluation are used, so their faults show. A loss that
    is no number ends it early. The model is left trained.
    """
    history: list[dict[str, Any]] = []
    data = FirstBatches(subject.train_data, batches)
    probe = Probe(subject, len(data), ranking, every_batch=True)
    evaluate = evaluate and subject.valid_data is not None
    with probe.attached():
        for epoch in range(epochs):
            probe.watcher.start_epoch()
            started = time.perf_counter()
            stopped = False
            try:
                subject.trainer._train_epoch(data, epoch, show_progress=False)
            except (
                ValueError,
                ArithmeticError,
            ) as error:  # RecBole's "Training loss is nan" and this plugin's NotFiniteLossError
                if "nan" not in str(error).lower() and "inf" not in str(error).lower():
                    raise
                stopped = True
            history.append(probe.record(epoch, time.perf_counter() - started))
            if stopped:
                history[-1].setdefault("not_finite", {"batch": history[-1]["batches"] - 1, "part": "loss"})
                break
            if evaluate:
                started = time.perf_counter()
                result = subject.trainer.evaluate(subject.valid_data, load_best_model=False)
                history[-1]["valid"] = {name: float(value) for name, value in result.items()}
                evaluate = time.perf_counter() - started < SLOW
    return history
