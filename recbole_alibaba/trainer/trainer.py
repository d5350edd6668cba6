"""RecBole's Trainer for a model whose loss has named parts: means per batch in every place where losses are shown."""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import torch
from recbole.config import Config
from recbole.trainer import Trainer
from recbole.utils import set_color
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm
from tqdm import tqdm

from ..diagnosis.monitor.epoch_record import epoch_record
from ..diagnosis.monitor.watcher import Watcher
from .meter import EpochMeter, shown
from .optimizer import adamw
from .schedule import learning_rate
from .speaker import Speaker


class AlibabaLightGCNTrainer(Trainer):
    """Overrides the epoch's loop and how its losses are shown; `fit`, early stopping, checkpoints stay RecBole's.

    `history` holds one dictionary an epoch: `epoch`, `batches`, `seconds`, `loss`, each part, `grad_norm`, `clipped`,
    the watcher's readings and, where the epoch was validated, `valid`. The model names its parts in `loss_parts`.
    """

    def __init__(self, config: Config, model: torch.nn.Module) -> None:
        super().__init__(config, model)
        self.history: list[dict[str, Any]] = []
        self._speaker = Speaker(self)

    def _build_optimizer(self, **kwargs: Any) -> torch.optim.Optimizer:
        """AdamW in one fused pass, without RecBole's warning: its decay does not add to the loss's L2."""
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
        """One pass over `train_data`; returns each part's mean per batch.

        Raises:
            NotFiniteLossError: a part or the gradient norm is NaN or infinite.
        """
        self.model.train()
        loss_func = loss_func or self.model.calculate_loss
        rate = learning_rate(self.learning_rate, self.config["learning_rate_schedule"], epoch_idx, self.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
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
        bar = tqdm(train_data, total=len(train_data), ncols=110, desc=description, disable=not show_progress)
        for interaction in bar:
            interaction = interaction.to(self.device)
            self.optimizer.zero_grad()
            watcher.before_forward()
            if distributed:
                self.set_reduce_hook()
            with torch.autocast(device_type=self.device.type, enabled=self.enable_amp):
                parts = loss_func(interaction)
            loss = sum(parts, self.sync_grad_loss() if distributed else torch.zeros((), device=self.device))
            scaler.scale(loss).backward()
            scaler.unscale_(self.optimizer)  # RecBole clips the scaled gradients; max_norm means the real ones
            if self.clip_grad_norm:
                norm = clip_grad_norm_(self.model.parameters(), **clip)
            else:
                norm = get_total_norm([weight.grad for weight in self.model.parameters() if weight.grad is not None])
            watcher.after_backward(self.model, self.optimizer)
            scaler.step(self.optimizer)
            scaler.update()
            meter.add(parts, norm)
            if show_progress:
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
        """The named means for TensorBoard and W&B; then, since the epoch's line is out, what they are a sign of."""
        record = self.history[-1]
        curves = {"Loss/Total": record["loss"], "Grad/Norm": record["grad_norm"]}
        curves |= {f"Loss/{_label(part)}": record[part] for part in self.model.loss_parts}
        for name, value in curves.items():
            self.tensorboard.add_scalar(name, value, epoch_idx)
        self.wandblogger.log_metrics({**curves, "train_step": epoch_idx}, head="")
        self._speaker.say(self.history)

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> tuple[float, Mapping[str, float]]:
        score, result = super()._valid_epoch(valid_data, show_progress=show_progress)
        self.history[-1]["valid"] = {metric: float(value) for metric, value in result.items()}
        return score, result


def _label(part: str) -> str:
    """`bpr` -> `BPR`, `reg` -> `Reg`: how the original report names its curves."""
    return {"bpr": "BPR"}.get(part, part.capitalize())


def _postfix(means: Mapping[str, float], parts: tuple[str, ...]) -> dict[str, str]:
    return {"Loss": shown(means["loss"])} | {_label(part): shown(means[part]) for part in parts}
