"""Workarounds that let RecBole 1.2.1 run on today's packages, each with its reason and when it can go.

All are idempotent and change only packages that need it. `apply()` must run before the first `import recbole`.
"""

import errno
import importlib
import importlib.util
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from dataset_prep.writing.whole_file import written
from recbole_alibaba.host import ray_stub


def apply() -> None:
    """Apply every workaround that the installed packages need. Safe to call again."""
    restore_numpy_aliases()
    stub_ray_if_broken()
    restore_dok_update()
    allow_own_checkpoints()
    name_checkpoints_apart()
    fit_bars_to_the_terminal()
    keep_settings_in_the_run()
    count_every_interaction()
    weigh_neighbours_of_the_target()
    search_with_todays_hyperopt()
    collect_counts()


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


def count_every_interaction() -> None:
    """RecBole's Pop counts an item once a batch, and counts sampled negatives. Can go when RecBole's Pop does neither.

    At `train_batch_size: 2048` a small log's counts are nearly all 1, and the baseline is nearly random.
    """
    pop: Any = importlib.import_module("recbole.model.general_recommender.pop").Pop
    if _counts_positives(pop):
        return
    inner = pop.__init__

    def __init__(self: Any, config: Any, dataset: Any) -> None:
        inner(self, config, dataset)
        self.LABEL = config["LABEL_FIELD"]

    pop.__init__, pop.calculate_loss = __init__, _count_positives


def _counts_positives(pop: Any) -> bool:
    import torch

    model = SimpleNamespace(ITEM_ID="item", LABEL="label", item_cnt=torch.zeros(3, 1, dtype=torch.long), device="cpu")
    pop.calculate_loss(model, {"item": torch.tensor([1, 1, 2]), "label": torch.tensor([1.0, 1.0, 0.0])})
    return bool(model.item_cnt.view(-1).tolist() == [0, 2, 0])


def _count_positives(self: Any, interaction: Any) -> Any:
    import torch

    items = interaction[self.ITEM_ID]
    if self.LABEL in interaction:  # a sampled negative has label 0
        items = items[interaction[self.LABEL] > 0]
    self.item_cnt.index_put_((items, torch.zeros_like(items)), torch.ones_like(items), accumulate=True)
    self.max_cnt = torch.max(self.item_cnt, dim=0)[0]
    return torch.nn.Parameter(torch.zeros(1)).to(self.device)


def weigh_neighbours_of_the_target() -> None:
    """RecBole's AsymKNN raises scores to `q`, not similarities, and with `knn_method: item` takes norms of wrong rows.

    Its defaults (`q: 1`, `beta: 1`) rank as they should. Aiolli's formulas: a similarity w becomes w^q, and the norm
    is that of the target item's similarities, a column of `w`. Can go when RecBole's `__init__` does this.
    """
    knn: Any = importlib.import_module("recbole.model.general_recommender.asymknn").AsymKNN
    inner = knn.__init__
    if inner.__module__ == __name__:
        return

    def __init__(self: Any, config: Any, dataset: Any) -> None:
        inner(self, config, dataset)
        self.pred_mat = _asymmetric_scores(self.w, self.interaction_matrix, self.method, self.beta, self.q).tolil()

    knn.__init__ = __init__


def _asymmetric_scores(similarity: Any, log: Any, method: str, beta: float, q: int) -> Any:
    """Scores (users, items) as a sparse matrix: a user's weight to the power `beta`, an item's to `1 - beta`."""
    from scipy.sparse import csr_matrix

    near = similarity.power(q)
    left, right = (near, log) if method == "user" else (log, near)
    rows, columns = (np.asarray(part.power(2).sum(axis=axis)) for part, axis in ((left, 1), (right, 0)))
    return csr_matrix(left.dot(right) / (rows**beta * columns ** (1 - beta) + 1e-6))


def collect_counts() -> None:
    """RecBole's collector calls `.cpu()` on its own counts: ItemCoverage, GiniIndex and AveragePopularity fail.

    This plugin's evaluation does not use it. Can go when RecBole moves tensors only.
    """
    collector: Any = importlib.import_module("recbole.evaluator.collector").Collector
    inner = collector.get_data_struct
    if inner.__module__ == __name__:
        return

    def get_data_struct(self: Any) -> Any:
        held = self.data_struct._data_dict
        counts = {name: held.pop(name) for name in list(held) if not hasattr(held[name], "cpu")}
        struct = inner(self)
        struct._data_dict.update(counts)
        held.update(counts)
        return struct

    collector.get_data_struct = get_data_struct
