"""What decides how a run goes on after an epoch? Taken from it as tensors and plain values, and put back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FORMAT = 1
PROGRESS = ("cur_step", "best_valid_score", "best_valid_result", "train_loss_dict")


def take(made: Any, epoch: int, best: Mapping[str, Any] | None) -> dict[str, Any]:
    """The state of a run whose last finished epoch is `epoch`, counted from 0: copies on the CPU.

    A GradScaler is not part of it, because each epoch has a new one. Nor are the negatives of this plugin's loader,
    which depend on the seed and on the number of the epoch.

    Args:
        made: an `Experiment`.
        best: `epoch` and `weights` of the best epoch; None before the first.

    Raises:
        TypeError: the model has a parameter that is neither a tensor nor a plain value.
    """
    trainer = made.trainer
    return {
        "format": FORMAT,
        "epoch": epoch,
        "machine": machine(made.config),
        # The best epoch is often the last one: then the same tensors are written once.
        "weights": best["weights"] if best and best["epoch"] == epoch else weights(made.model),
        "best": best,
        "numbers": {path: _numbers(module) for path, module in made.model.named_modules()},
        "optimizers": {name: stored(part.state_dict()) for name, part in _optimizers(trainer)},
        "random": _random_states(),
        "loaders": [_position(loader) for loader in _loaders(made)],
        "progress": {name: stored(getattr(trainer, name)) for name in PROGRESS},
        "history": stored(getattr(trainer, "history", [])),
        "zero_metrics": dict(getattr(trainer, "zero_metrics", {})),
        "model_file": Path(trainer.saved_model_file).name,
        "tensorboard": Path(trainer.tensorboard.log_dir).name,
    }


def put_back(made: Any, state: Mapping[str, Any]) -> None:
    """Make `made` the run that `take` saw, and write RecBole's file of the best weights anew.

    That file is not read, because reading it would execute what is in it.
    """
    trainer, model, best = made.trainer, made.model, state["best"]
    trainer.start_epoch = state["epoch"] + 1
    for name in PROGRESS:
        setattr(trainer, name, state["progress"][name])
    for name, part in _optimizers(trainer):
        part.load_state_dict(state["optimizers"][name])
    trainer.saved_model_file = str(Path(trainer.checkpoint_dir) / Path(state["model_file"]).name)
    if best:
        _load(model, best["weights"])
        trainer._save_checkpoint(best["epoch"], verbose=False)
    _load(model, state["weights"])
    for path, module in model.named_modules():
        for name, value in state["numbers"][path].items():
            setattr(module, name, value)
    if hasattr(trainer, "history"):
        trainer.history[:] = state["history"]
        trainer.epoch_warnings.replay(trainer.history)
    getattr(trainer, "zero_metrics", {}).update(state["zero_metrics"])
    for loader, position in zip(_loaders(made), state["loaders"], strict=True):
        _set_position(loader, position)
    _set_random_states(state["random"])


def weights(model: Any) -> dict[str, Any]:
    """Copies of what RecBole's checkpoint holds of a model."""
    other = {name: value for name, value in model.other_parameter().items() if not isinstance(value, nn.Module)}
    return {"model": stored(model.state_dict()), "other": stored(other)}


def machine(config: Any) -> dict[str, str | int]:
    """What decides the last bits of a number beside settings and data."""
    return {
        "torch": str(torch.__version__),
        "threads": torch.get_num_threads(),
        "device": str(config["device"]),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def stored(value: Any) -> Any:
    """The same value as tensors on the CPU and plain values, none of them shared with `value`.

    Raises:
        TypeError: it holds something else.
    """
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: stored(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(stored(inner) for inner in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a {type(value).__name__} is neither a tensor nor a plain value")


def _load(model: Any, saved: Mapping[str, Any]) -> None:
    model.load_state_dict(saved["model"])
    model.load_other_parameter(saved["other"])


def _numbers(module: nn.Module) -> dict[str, int | float]:
    """Counters and the like, which are no part of the weights."""
    return {name: value for name, value in vars(module).items() if isinstance(value, int | float)}


def _optimizers(trainer: Any) -> Iterator[tuple[str, Any]]:
    for name, part in vars(trainer).items():
        if hasattr(part, "load_state_dict") and not isinstance(part, nn.Module):
            yield name, part


def _loaders(made: Any) -> tuple[Any, ...]:
    return made.train_data, made.valid_data, made.test_data


def _position(loader: Any) -> dict[str, Any]:
    """Where the draws of a loader are: RecBole's have a generator, this plugin's number their passes."""
    generator = getattr(loader, "generator", None)
    drawn = generator.get_state() if isinstance(generator, torch.Generator) else None
    return {"generator": drawn, "epoch": getattr(loader, "_epoch", None)}


def _set_position(loader: Any, position: Mapping[str, Any]) -> None:
    if position["generator"] is not None:
        loader.generator.set_state(position["generator"].cpu())
    if position["epoch"] is not None:
        loader.set_epoch(position["epoch"])


def _random_states() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": [kind, np.asarray(keys).tolist(), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_random_states(states: Mapping[str, Any]) -> None:
    random.setstate(states["python"])
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), *rest))
    torch.set_rng_state(states["torch"].cpu())
    if len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])
