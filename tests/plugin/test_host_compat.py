"""RecBole 1.2.1 runs on the installed numpy, scipy, torch and setuptools once the plugin is imported."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import dok_matrix

import recbole_alibaba
from recbole_alibaba.host import registry
from recbole_alibaba.host.compat import ray_stub, todays_packages, trainer_files


def test_import_is_idempotent() -> None:
    from recbole.config import Config
    from recbole.model.general_recommender.pop import Pop

    trainer = importlib.import_module("recbole.trainer.trainer")
    before = (Config._load_internal_config_dict, trainer.torch, Pop.__init__)
    importlib.reload(recbole_alibaba)
    assert before == (Config._load_internal_config_dict, trainer.torch, Pop.__init__)


@pytest.mark.parametrize(
    ("message", "full"),
    [("inline_container.cc: unexpected pos", True), ("PytorchStreamWriter failed", True), ("something else", False)],
)
def test_what_torch_says_of_a_full_disk(message: str, full: bool, tmp_path: Path) -> None:
    def save(*_: Any, **__: Any) -> None:
        raise RuntimeError(message)

    writer = trainer_files._TrustingTorch(SimpleNamespace(save=save))
    with pytest.raises(OSError if full else RuntimeError, match="No space left" if full else message):
        writer.save({}, str(tmp_path / "x.pth"))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(np.__version__ < "2", reason="RecBole imports on numpy 1")
def test_recbole_alone_fails_where_the_plugin_helps() -> None:
    """Ends a workaround: once RecBole imports on these packages by itself, `compat` has lost its reason."""
    code = (
        "try:\n    from recbole.quick_start import run_recbole\nexcept Exception as error:\n    print(type(error))\n"
        "import recbole_alibaba\nfrom recbole.quick_start import run_recbole\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Error" in done.stdout


def test_numpy_names_recbole_reads() -> None:
    assert np.float_ is np.float64
    assert np.unicode_ is np.str_


def test_dok_update() -> None:
    matrix = dok_matrix((2, 2), dtype=np.float32)
    matrix._update({(0, 1): 3.0})
    assert matrix.tocsr()[0, 1] == 3.0


@pytest.fixture
def other_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package `ray` that is imported in place of the installed one."""
    for name in [name for name in sys.modules if name.split(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [one for one in sys.meta_path if not isinstance(one, ray_stub.StubFinder)])
    (tmp_path / "ray").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "ray"


def test_a_broken_ray_is_replaced_by_a_silent_one(other_ray: Path) -> None:
    (other_ray / "__init__.py").write_text("import numpy\nnumpy.no_such_name\n")
    todays_packages.stub_ray_if_broken()
    from ray import tune

    assert tune.report(**{"recall@10": 0.5}) is None
    from ray.tune.schedulers import ASHAScheduler  # run_hyper.py imports it, also for hyperopt

    with pytest.raises(ImportError, match=r"ASHAScheduler needs ray.*no_such_name.*--tool=Hyperopt"):
        ASHAScheduler(metric="recall@10")


def test_a_ray_stays_whose_tune_lacks_a_package(other_ray: Path) -> None:
    (other_ray / "__init__.py").write_text("def init(): return 'a cluster'\n")
    (other_ray / "tune.py").write_text("import pyarrow_that_is_not_there\n")
    todays_packages.stub_ray_if_broken()
    import ray

    assert ray.init() == "a cluster"
    assert ray.tune.report(**{"recall@10": 0.5}) is None


@pytest.mark.parametrize("algo", ["exhaustive", "bayes"])
def test_hyperopt_searches(two_tastes: Path, tmp_path: Path, no_arguments: None, algo: str) -> None:
    pytest.importorskip("hyperopt")
    from recbole.quick_start import objective_function
    from recbole.trainer import HyperTuning

    fixed = tmp_path / "fixed.yaml"
    fixed.write_text(f"model: AlibabaLightGCN\ndataset: two-tastes\ndata_path: {two_tastes}\nepochs: 1\nstate: ERROR\n")
    space = {"choice": {"learning_rate": [0.01, 1e-8]}}
    files = [str(fixed)]
    tuning = HyperTuning(objective_function, params_dict=space, fixed_config_file_list=files, algo=algo, max_evals=6)
    tuning.run()
    assert len(tuning.params2result) == 2 or algo == "bayes"  # it draws, and may draw one value every time
    assert tuning.best_params["learning_rate"] in space["choice"]["learning_rate"]


def test_what_tuning_needs_is_named_before_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    from recbole.trainer import HyperTuning

    monkeypatch.setitem(sys.modules, "hyperopt", None)  # so the import system treats it as not installed
    with pytest.raises(ModuleNotFoundError, match="pip install hyperopt"):
        HyperTuning(lambda: None, params_dict={})


def test_names_imported_before_the_plugin_work(two_tastes: Path, tmp_path: Path) -> None:
    """Where ray works, `from recbole.quick_start import run_recbole` can stand above `import recbole_alibaba`."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "__init__.py").write_text("")
    (tmp_path / "ray" / "tune.py").write_text("def report(**metrics): pass\n")
    code = f"""
from recbole.quick_start import load_data_and_model, run_recbole
import recbole_alibaba
settings = {{"data_path": {str(two_tastes)!r}, "epochs": 1, "state": "ERROR", "show_progress": False}}
run_recbole("AlibabaLightGCN", "two-tastes", config_dict=settings)
import glob
print(type(load_data_and_model(glob.glob("saved/*.pth")[0])[1]).__name__)
"""
    paths = os.pathsep.join([str(tmp_path), str(Path(recbole_alibaba.__file__).parent.parent)])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.stdout.split()[-1:] == ["AlibabaLightGCN"], done.stderr


def test_only_the_trainer_trusts_pickles(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pth"
    torch.save({"config": registry.PLUGINS[0]}, file)
    trainer = importlib.import_module("recbole.trainer.trainer")
    assert trainer.torch.load(file)["config"] == registry.PLUGINS[0]
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(file)


def test_runs_of_one_second_keep_a_checkpoint_each(two_tastes: Path, tmp_path: Path) -> None:
    """RecBole's names end in the second: of three runs at once the last one's weights would be left."""
    settings = {"data_path": str(two_tastes), "checkpoint_dir": str(tmp_path), "state": "ERROR"}
    made = recbole_alibaba.prepare(recbole_alibaba.build_config("BPR", "two-tastes", config_dict=settings))
    trainer = importlib.import_module("recbole.trainer.trainer")
    names = {trainer.Trainer(made.config, made.model).saved_model_file for _ in range(20)}
    assert len(names) == 20


def test_processes_of_one_run_agree_on_the_checkpoint_s_name(tmp_path: Path) -> None:
    """Rank 0 writes it, and every rank reads it before testing."""
    trainer = importlib.import_module("recbole.trainer.trainer")
    assert re.fullmatch(r"\w{3}-\d\d-\d{4}_\d\d-\d\d-\d\d-\d{6}", trainer.get_local_time())
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    try:
        assert re.fullmatch(r"\w{3}-\d\d-\d{4}_\d\d-\d\d-\d\d", trainer.get_local_time())
    finally:
        torch.distributed.destroy_process_group()
