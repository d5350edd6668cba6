"""One part of `benchmarks.gpu` a process: `python -m benchmarks.gpu_part NAME DATA FOLDER DEVICE QUICK`.

Each number is printed as soon as it is known, a JSON object a line, so that an error later on does not take it away.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

warnings.filterwarnings("ignore")
import torch  # noqa: E402

import recbole_alibaba  # noqa: E402, F401  (makes RecBole importable)
from benchmarks import contestants, device_checks, gpu_products, worlds  # noqa: E402
from benchmarks.gpu_products import milliseconds, wait  # noqa: E402

BATCH, DIMENSIONS = 2048, 64
TIGHT, LOOSE = 2e-4, 1e-5


def say(**numbers: Any) -> None:
    """Hand numbers to the parent process."""
    print(json.dumps(numbers), flush=True)


def tried(name: str, task: Callable[[], Any]) -> Any:
    """What the task returns, said under its name; or the reason why there is nothing."""
    try:
        result = task()
    except Exception as error:  # of any library: the other numbers are still wanted
        say(**{name: {"reason": f"{type(error).__name__}: {error}"[:500]}})
        return None
    say(**{name: result})
    return result


class Part:
    """What the parts share: where the data is, the device, and how much time there is."""

    def __init__(self, data: str, folder: str, device: str, quick: str) -> None:
        self.data, self.folder, self.quick = Path(data), Path(folder), quick == "quick"
        self.device = torch.device(device, 0) if device != "cpu" else torch.device(device)

    def machine(self) -> None:
        """What this ran on."""
        import platform
        from importlib.metadata import PackageNotFoundError, version

        def known(name: str) -> str:
            try:
                return version(name)
            except PackageNotFoundError:
                return "not installed"

        names = ("torch", "triton", "numpy", "scipy", "pandas", "recbole", "torch_geometric")
        device = torch.cuda.get_device_name() if self.device.type == "cuda" else "the CPU"
        say(device=device, python=platform.python_version(), cuda=torch.version.cuda, threads=torch.get_num_threads())
        say(packages={name: known(name) for name in names})

    def checks(self) -> None:
        """Every part of a training on the device: it must wait for nothing, and give the CPU's numbers."""
        for name, check in device_checks.CHECKS.items():
            tried(name, lambda check=check: self._checked(check))

    def _checked(self, check: Callable[[torch.device], device_checks.Run]) -> dict[str, Any]:
        expected, run = check(torch.device("cpu"))(), check(self.device)
        run()  # libraries are loaded, kernels compiled
        first = self._without_waiting(check(self.device))
        again = check(self.device)()
        for one, right in zip(first, expected, strict=True):
            near = {"rtol": TIGHT, "atol": LOOSE} if one.is_floating_point() else {"rtol": 0, "atol": 0}
            torch.testing.assert_close(one.cpu(), right.to(one.dtype), **near)
        same = all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
        return {"result": "as on the CPU", "same each time": same}

    def _without_waiting(self, run: device_checks.Run) -> list[torch.Tensor]:
        if self.device.type != "cuda":
            return run()
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            return run()
        finally:
            torch.cuda.set_sync_debug_mode("default")

    def products(self) -> None:
        """The candidates for the sparse product, on a layer of Gowalla's graph."""
        from recbole_alibaba.model.graph import build_graph

        users, items = worlds.gowalla(folder=self.data)
        graph = build_graph(users, items, int(users.max()) + 1, int(items.max()) + 1, self.device)
        for name, numbers in gpu_products.compare(graph.inner, DIMENSIONS, self.device).items():
            say(**{name: numbers})

    def step(self) -> None:
        """A training step of each library on the same batches."""
        users, items = worlds.gowalla(folder=self.data)
        rounds = 5 if self.quick else 50
        made = contestants.batches(users, items, BATCH, rounds + 3, self.device)
        say(steps=-(-len(users) // BATCH))
        for name in ("RecBole LightGCN", "PyG LightGCN, CSR", "ours"):
            tried(name, lambda name=name: self._steps(contestants.CONTESTANTS[name], users, items, made))

    def _steps(self, build: Any, users: Any, items: Any, made: list[Any]) -> dict[str, Any]:
        self._forget_peak()
        step, batches = build(users, items, self.device), iter(made)
        single = milliseconds(lambda: step(next(batches)), self.device, len(made) - 3)
        wait(self.device)
        started = perf_counter()
        for batch in made:  # as a training does them: one after the other, without a wait between them
            step(batch)
        wait(self.device)
        return {"ms": 1000 * (perf_counter() - started) / len(made), "ms alone": single, "GB": self._peak()}

    def convert(self) -> None:
        """The split as RecBole reads it."""
        from dataset_prep import convert_published

        files = [str(self.data / f"{part}.txt.gz") for part in ("train", "test")]
        started = perf_counter()
        made = convert_published(*files, output=str(self.folder), name="gowalla")
        say(pairs=made.pairs, seconds=perf_counter() - started)

    def epoch(self) -> None:
        """Whole epochs through the trainers, with their own batches and negatives."""
        made = self._experiment("AlibabaLightGCN", self.device)
        self._forget_peak()
        first = self._trainer(made)
        tried("ours", lambda: self._epochs(first, made.train_data))
        tried("waits in an epoch", lambda: self._waits(self._trainer(made), made.train_data))
        tried("same each time", lambda: self._same_weights(made, first))
        amp = {"enable_amp": True, "enable_scaler": True}
        tried("half precision asked for", lambda: self._epochs(self._trainer(made, **amp), made.train_data))
        host = self._experiment("LightGCN", self.device)
        self._forget_peak()
        tried("RecBole LightGCN", lambda: self._epochs(host.trainer, host.train_data))

    def _epochs(self, trainer: Any, batches: Any) -> dict[str, Any]:
        seconds, losses = [], []
        for number in range(2):
            wait(self.device)
            started = perf_counter()
            found = trainer._train_epoch(batches, number)
            wait(self.device)
            seconds.append(perf_counter() - started)
            losses.append(list(found) if isinstance(found, tuple) else [float(found) / len(batches)])
        return {"seconds": seconds[-1], "first": seconds[0], "losses": losses, "GB": self._peak()}

    def _waits(self, trainer: Any, batches: Any) -> int:
        """How often the CPU waits for the GPU in an epoch."""
        if self.device.type != "cuda":
            return 0
        trainer._train_epoch(batches, 0)
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                trainer._train_epoch(batches, 1)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return sum("synchronizing" in str(one.message) for one in seen)

    def _same_weights(self, made: Any, first: Any) -> bool:
        second = self._trainer(made)
        self._epochs(second, made.train_data)
        pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
        return all(torch.equal(one, other) for one, other in pairs)

    def evaluation(self) -> None:
        """All test users ranked over all items, on the device: ours, and RecBole's with 200 users at once."""
        for name, settings in (("ours", {}), ("RecBole", {"fast_eval": False, "eval_batch_size": 200 * 40_982})):
            made = self._experiment("AlibabaLightGCN", self.device, **settings)
            made.trainer.eval_collector.data_collect(made.train_data)
            tried(name, lambda made=made: self._evaluated(made.trainer.evaluate, made.test_data))

    def _evaluated(self, evaluate: Any, part: Any) -> dict[str, Any]:
        self._forget_peak()
        for _ in range(2):
            wait(self.device)
            started = perf_counter()
            result = evaluate(part, load_best_model=False)
            wait(self.device)
            seconds = perf_counter() - started
        return {"seconds": seconds, "result": {key: float(value) for key, value in result.items()}, "GB": self._peak()}

    def sides(self) -> None:
        """The same few epochs on the GPU and on the CPU: same batches, so nearly the same numbers."""
        for name, device in (("GPU", self.device), ("CPU", torch.device("cpu"))):
            tried(name, lambda device=device: self._side(device))

    def _side(self, device: torch.device) -> dict[str, Any]:
        batch = 65_536 if self.quick else 8_192
        made = self._experiment("AlibabaLightGCN", device, train_batch_size=batch)
        started = perf_counter()
        made.trainer.eval_collector.data_collect(made.train_data)
        losses = [made.trainer._train_epoch(made.train_data, number) for number in range(1 if self.quick else 3)]
        result = made.trainer.evaluate(made.test_data, load_best_model=False)
        taken = perf_counter() - started
        return {"seconds": taken, "losses": losses, "result": {key: float(value) for key, value in result.items()}}

    def _experiment(self, model: str, device: torch.device, **settings: Any) -> Any:
        from recbole_alibaba.experiment import build_config, prepare

        chosen = {
            "data_path": str(self.folder), "checkpoint_dir": str(self.folder), "show_progress": False, "topk": [20],
            "metrics": ["Recall", "NDCG"], "valid_metric": "NDCG@20", "train_batch_size": BATCH, "n_layers": 3,
            "reg_weight": 1e-4, "gpu_id": "0" if device.type == "cuda" else "", "seed": 2020, **settings,
        }  # fmt: skip
        if model == "AlibabaLightGCN":
            chosen |= {"init": "normal", "learning_rate": 0.01, "weight_decay": 0.0, "clip_grad_norm": None}
        return prepare(build_config(model, "gowalla", config_dict=chosen))

    def _trainer(self, made: Any, **settings: Any) -> Any:
        """A new model and its trainer on the data of an experiment."""
        from recbole.utils import get_model, get_trainer, init_seed

        for name, value in settings.items():
            made.config[name] = value
        init_seed(made.config["seed"], True)
        model = get_model(made.config["model"])(made.config, made.train_data.dataset).to(self.device)
        return get_trainer(made.config["MODEL_TYPE"], made.config["model"])(made.config, model)

    def _forget_peak(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _peak(self) -> float:
        return torch.cuda.max_memory_allocated() / 1e9 if self.device.type == "cuda" else 0.0


if __name__ == "__main__":
    name, *words = sys.argv[1:]
    sys.argv[1:] = []  # RecBole's Config reads them.
    getattr(Part(*words), name)()
