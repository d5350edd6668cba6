"""Workarounds that let RecBole 1.2.1 run on today's packages, each with its reason and when it can go.

All are idempotent and change only packages that need it. `apply()` must run before the first `import recbole`.
"""

import importlib
import sys
from datetime import datetime
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np


def apply() -> None:
    """Apply every workaround that the installed packages need. Safe to call again."""
    restore_numpy_aliases()
    stub_ray_if_broken()
    restore_dok_update()
    allow_own_checkpoints()
    name_checkpoints_apart()


def restore_numpy_aliases() -> None:
    """numpy >= 2 removed names that RecBole's Config reads. Can go with `Config.compatibility_settings`."""
    for alias, name in {"float_": "float64", "complex_": "complex128", "unicode_": "str_"}.items():
        if not hasattr(np, alias):
            setattr(np, alias, getattr(np, name))


def stub_ray_if_broken() -> None:
    """ray <= 2.6.3, which RecBole pins, fails on numpy >= 2 and setuptools >= 82. Can go with that pin.

    RecBole needs `ray.tune` only to report tuning trials, so a `tune.report` that does nothing replaces it.
    """
    if "ray" in sys.modules:
        return
    path = list(sys.path)
    try:
        importlib.import_module("ray.tune")
    except Exception:  # a broken ray raises many kinds of errors
        sys.path[:] = path  # ray prepends its own copies of libraries
        for name in [name for name in sys.modules if name.split(".")[0] == "ray"]:
            del sys.modules[name]
        ray, tune = ModuleType("ray"), ModuleType("ray.tune")
        ray.__spec__, tune.__spec__ = ModuleSpec("ray", None), ModuleSpec("ray.tune", None)
        tune.report = lambda *_, **__: None  # type: ignore[attr-defined]
        ray.tune = tune  # type: ignore[attr-defined]
        sys.modules.update({"ray": ray, "ray.tune": tune})


def restore_dok_update() -> None:
    """scipy >= 1.13: `dok_matrix` is no longer a dict. Can go when RecBole's graph models stop calling `_update`."""
    from scipy.sparse import dok_matrix

    if not hasattr(dok_matrix, "_update"):
        dok_matrix._update = lambda self, data: self._dict.update(data)


class _TrustingTorch:
    """torch for RecBole's trainer: `load` unpickles, because the trainer reads only files that this program wrote."""

    def __init__(self, torch: ModuleType) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._torch, name)

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """`torch.load` with `weights_only=False` unless the caller sets it."""
        kwargs.setdefault("weights_only", False)
        return self._torch.load(*args, **kwargs)


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
    """RecBole's time with microseconds, but without them in a distributed run: its processes must agree on the name."""
    import torch

    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    return datetime.now().strftime("%b-%d-%Y_%H-%M-%S" + ("" if together else "-%f"))
