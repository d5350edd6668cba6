"""What RecBole needs of numpy, ray, scipy and hyperopt, which their present versions lack."""

import importlib
import importlib.util
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from recbole_alibaba.host.compat import ray_stub


def restore_numpy_aliases() -> None:
    """numpy >= 1.24 and 2 removed names that RecBole reads. Can go with `Config.compatibility_settings`.

    RecBole sets `np.float` and its like when a Config is made, and not when one is read from a checkpoint.
    """
    aliases = {"float_": "float64", "complex_": "complex128", "unicode_": "str_"}
    aliases |= {"bool": "bool_", "int": "int_", "float": "float64", "complex": "complex128", "object": "object_"}
    aliases |= {"str": "str_", "long": "int_", "unicode": "str_"}
    for alias, name in aliases.items():
        if alias not in vars(np):  # `hasattr` would warn
            setattr(np, alias, getattr(np, name))


def stub_ray_if_broken() -> None:
    """ray <= 2.6.3, which RecBole pins, fails on numpy >= 2, setuptools >= 82 and Python >= 3.12. Can go with that pin.

    RecBole needs `ray.tune` only to report tuning trials. A stub replaces it (ray_stub.py). A current ray whose tune
    lacks a package (pyarrow) stays, for `board --ray`; only its tune is replaced.
    """
    if "ray.tune" in sys.modules:
        return
    path = list(sys.path)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
            importlib.import_module("ray.tune")
    except Exception as error:  # a broken ray raises many kinds of errors
        broken = "ray.tune" if "ray" in sys.modules else "ray"
        if broken == "ray":
            sys.path[:] = path  # ray prepends its own copies of libraries
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{broken}.")]:
            del sys.modules[name]
        ray_stub.install(f"{type(error).__name__}: {error}", broken)
        importlib.import_module("ray.tune")


def restore_dok_update() -> None:
    """scipy >= 1.13: `dok_matrix` is no longer a dict. Can go when RecBole's graph models stop calling `_update`."""
    from scipy.sparse import dok_matrix

    if not hasattr(dok_matrix, "_update"):
        dok_matrix._update = lambda self, data: self._dict.update(data)


class _RandomState(np.random.RandomState):
    """numpy's old generator with the one method of the new one that hyperopt calls."""

    def integers(self, low: int, high: int | None = None, size: Any = None) -> Any:
        """Random integers from `low` to below `high`."""
        return self.randint(low, high, size)


class _NumpyForTuning:
    """numpy for RecBole's hyper_tuning, with `_RandomState` as `random.RandomState`."""

    random = SimpleNamespace(RandomState=_RandomState)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def search_with_todays_hyperopt() -> None:
    """hyperopt >= 0.2.7 calls `integers`, which RecBole's exhaustive search lacks. Can go when RecBole has it.

    Where hyperopt is missing, HyperTuning says so before it reads anything.
    """
    tuning: Any = importlib.import_module("recbole.trainer.hyper_tuning")
    if isinstance(tuning.np, _NumpyForTuning):
        return
    tuning.np = _NumpyForTuning()
    inner = tuning.HyperTuning.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        for package in ("hyperopt", *(["plotly"] if kwargs.get("display_file") else [])):
            if importlib.util.find_spec(package) is None:
                raise ModuleNotFoundError(f"RecBole's HyperTuning needs {package}: pip install {package}", name=package)
        inner(self, *args, **kwargs)

    tuning.HyperTuning.__init__ = __init__
