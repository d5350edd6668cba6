"""RecBole's Trainer for a model whose loss has named parts: it shows the mean of each part per batch."""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import torch
from recbole.config import Config
from recbole.trainer import Trainer
from recbole.utils import set_color
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm

from recbole_alibaba.console.terminal import Bar
from recbole_alibaba.diagnosis.monitor.epoch_record import epoch_record
from recbole_alibaba.diagnosis.monitor.watcher import Watcher
from recbole_alibaba.processes import group
from recbole_alibaba.trainer.epoch_warnings import EpochWarnings
from recbole_alibaba.trainer.meter import EpochMeter, shown
from recbole_alibaba.trainer.optimizer import adamw, learning_rate


class AlibabaLightGCNTrainer(Trainer):
    """Replaces the loop over an epoch and the display of losses; `fit`, early stopping and checkpoints are RecBole's.

    `history` has one dictionary for each epoch: `epoch`, `batches`, `seconds`, `loss`, each loss part, `grad_norm`,
    `clipped`, the readings of the watcher and, if the epoch was validated, `valid`. The model names the parts of its
    loss in `loss_parts`.
    """

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        super().__init__(config, model)
        self.history: list[dict[str, Any]] = []
        self.epoch_warnings = EpochWarnings(self)

    def _build_optimizer(self, **kwargs: Any) -> torch.optim.Optimizer:
        """AdamW in one fused pass, without RecBole's warning: AdamW's decay is separate from the L2 loss."""
        if str(kwargs.get("learner", self.learner)).lower() != "adamw":
            return super()._build_optimizer(**kwargs)
        weights = kwargs.get("params", self.model.parameters())
        rate, decay = kwargs.get("learning_rate", self.learning_rate), kwargs.get("weight_decay", self.weight_decay)
        return adamw(weights, rate, decay, self.config["adam_betas"], self.config["adam_eps"])

    def _train_epoch(
        self,
        train_data: Any,
        epoch_idx: int,
        loss_func: Callable[..., tuple[Tensor, ...]] | None = None,
        show_progress: bool = False,
    ) -> tuple[float, ...]:
        """Train on every batch of `train_data` once; returns the mean of each loss part per batch.

        Raises:
            NotFiniteLossError: a part or the gradient norm is NaN or infinite.
        """
        self.model.train()
        loss_func = loss_func or self.model.calculate_loss
        rate = learning_rate(self.learning_rate, self.config["learning_rate_schedule"], epoch_idx, self.epochs)
        for settings in self.optimizer.param_groups:
            settings["lr"] = rate
        distributed = not self.config["single_spec"]
        if train_data.shuffle and hasattr(train_data.sampler, "set_epoch"):
            train_data.sampler.set_epoch(epoch_idx)
        clip = dict(self.clip_grad_norm or {"max_norm": float("inf")})
        meter = EpochMeter(self.model.loss_parts, epoch_idx, clip["max_norm"], self.device)
        scaler = torch.amp.GradScaler(self.device.type, enabled=self.enable_scaler)
        description = set_color(f"Train {epoch_idx:>5}", "pink")
        watcher = Watcher(self.model, batches=len(train_data))
        watcher.start_epoch()
        started = perf_counter()
        bar = Bar(train_data, total=len(train_data), desc=description, disable=not show_progress)
        for interaction in bar:
            interaction = interaction.to(self.device)
            self.optimizer.zero_grad()
            watcher.before_forward()
            if distributed:
                self.set_reduce_hook()
            with torch.autocast(device_type=self.device.type, enabled=self.enable_amp):
                parts = loss_func(interaction)
            loss = sum(parts[1:], parts[0])
            if distributed:
                loss = loss + self.sync_grad_loss()
            if group.size() > 1:
                # The mean over the batch is the sum of the processes' means, weighted by their shares of its rows.
                loss, parts = loss * train_data.share, tuple(part.detach() * train_data.share for part in parts)
            scaler.scale(loss).backward()
            if group.size() > 1:
                group.add_up([*parts, *(weight.grad for weight in self.model.parameters())])
            scaler.unscale_(self.optimizer)  # max_norm is for real gradients; RecBole clips scaled ones
            if self.clip_grad_norm:
                norm = clip_grad_norm_(self.model.parameters(), **clip)
            else:
                norm = get_total_norm([weight.grad for weight in self.model.parameters() if weight.grad is not None])
            watcher.after_backward(self.model, self.optimizer)
            scaler.step(self.optimizer)
            scaler.update()
            meter.add(parts, norm)
            if show_progress and meter.batches:  # on CUDA the first are read later
                bar.set_postfix(_postfix(meter.means(), self.model.loss_parts), refresh=False)
        meter.read()
        means, seconds = meter.means(), perf_counter() - started
        self.history.append(epoch_record(epoch_idx, meter.batches, seconds, means, watcher.end_epoch(interaction)))
        return tuple(means[part] for part in self.model.loss_parts)

    def _generate_train_loss_output(self, epoch_idx: int, s_time: float, e_time: float, losses: Any) -> str:
        record, decimals = self.history[-1], self.config["loss_decimal_place"] or 4
        fields = {"time": f"{e_time - s_time:.2f}s"}
        fields |= {name: shown(record[name], decimals) for name in ("loss", *self.model.loss_parts)}
        clipped = f" (clipped {record['clipped']:.0%})".replace("%", " %") if self.clip_grad_norm else ""
        fields["grad_norm"] = shown(record["grad_norm"], 2) + clipped
        inside = ", ".join(f"{set_color(name, 'blue')}: {value}" for name, value in fields.items())
        return f"{set_color(f'epoch {epoch_idx} training', 'green')} [{inside}]"

    def _add_train_loss_to_tensorboard(self, epoch_idx: int, losses: Any, tag: str = "Loss/Train") -> None:
        """Send the means to TensorBoard and W&B, then warn. RecBole calls this after it has logged the epoch."""
        record = self.history[-1]
        curves = {"Loss/Total": record["loss"], "Grad/Norm": record["grad_norm"]}
        curves |= {f"Loss/{_label(part)}": record[part] for part in self.model.loss_parts}
        for name, value in curves.items():
            self.tensorboard.add_scalar(name, value, epoch_idx)
        self.wandblogger.log_metrics({**curves, "train_step": epoch_idx}, head="")
        self.epoch_warnings.warn(self.history)

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> tuple[float, Mapping[str, float]]:
        score, result = super()._valid_epoch(valid_data, show_progress=show_progress)
        self.history[-1]["valid"] = {metric: float(value) for metric, value in result.items()}
        return score, result


def _label(part: str) -> str:
    """The name of a curve: `bpr` becomes `BPR`, `reg` becomes `Reg`."""
    return {"bpr": "BPR"}.get(part, part.capitalize())


def _postfix(means: Mapping[str, float], parts: tuple[str, ...]) -> dict[str, str]:
    return {"Loss": shown(means["loss"])} | {_label(part): shown(means[part]) for part in parts}
