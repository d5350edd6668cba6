"""A run that was stopped goes on with --resume as if it had never stopped: every number is the same to the bit."""

import json
import logging
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import Result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.optim.optimizer import register_optimizer_step_pre_hook

from recbole_alibaba import run
from recbole_alibaba.experiment import build_config, prepare
from recbole_alibaba.host.errors import CannotResumeError
from recbole_alibaba.saved.run_folder import held, latest_run
from recbole_alibaba.trainer import continued
from tests.conftest import two_taste_rows, write_inter

ROOT = Path(__file__).resolve().parent.parent.parent
BATCHES = 8
DYNAMIC = {"train_neg_sample_args": {"dynamic": True, "candidate_num": 3}}
SAMPLED = {"eval_args": {"mode": {"valid": "uni20", "test": "uni20"}}}


def train(data_path: Path, model: str = "AlibabaLightGCN", resume: Any = False, **settings: Any) -> dict[str, Any]:
    known = {"data_path": str(data_path), "train_batch_size": 100, "embedding_size": 8, "epochs": 6, "preflight": False}
    return run(model, "two-tastes", config_dict=known | settings, resume=resume)


@contextmanager
def stops(*, step: int = -1, line: str = "") -> Iterator[None]:
    """Ctrl-C at a step of the optimiser, or at a line of the log: that of an epoch comes after its validation."""
    taken = [0]

    def at_step(*_: Any) -> None:
        taken[0] += 1
        if taken[0] == step:
            raise KeyboardInterrupt

    class AtLine(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if line and line in record.getMessage():
                raise KeyboardInterrupt

    handler, hook = AtLine(), register_optimizer_step_pre_hook(at_step)
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        hook.remove()
        logging.getLogger().removeHandler(handler)


def bits(value: Any) -> Any:
    """The same value with bytes for tensors, without what may differ: seconds, file names."""
    if isinstance(value, torch.Tensor):
        return value.cpu().numpy().tobytes()
    if isinstance(value, dict):
        return {key: bits(inner) for key, inner in value.items() if key not in ("seconds", "model_file", "tensorboard")}
    return [bits(inner) for inner in value] if isinstance(value, list | tuple) else value


def in_order(folder: Path) -> Path:
    """A copy whose event files sort as they were written: the names of one process and second end in 9 and in 10."""
    copies = Path("in_order") / folder.name
    copies.mkdir(parents=True)
    for file in folder.iterdir():
        name, _, number = file.name.rpartition(".")
        shutil.copy(file, copies / f"{name}.{int(number):06}")
    return copies


def everything(result: dict[str, Any]) -> tuple[Any, ...]:
    """The last state, RecBole's file of the best weights, the curves, and what `run` returns."""
    state = torch.load(Path(result["run"]) / "state.pt", weights_only=True)
    best = torch.load(result["model_file"], weights_only=False)
    events = EventAccumulator(str(in_order(Path("log_tensorboard") / state["tensorboard"]))).Reload()
    curves = {tag: [(at.step, at.value) for at in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    returned = {key: value for key, value in result.items() if key != "run"}
    return bits(state), bits(best["state_dict"]), best["epoch"], curves, bits(returned)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("AlibabaLightGCN", {"learning_rate_schedule": "linear", "positive_sampling": "users"}),
        ("AlibabaLightGCN", {"shared_propagation": 3, "eval_step": 2}),
        ("AlibabaLightGCN", {**DYNAMIC, "epochs": 9, "stopping_step": 1, "learning_rate": 0.05}),
        ("BPR", SAMPLED),
        ("MultiVAE", {"eval_step": 0}),
    ],
    ids=["schedule and draws by user", "shared propagation", "dynamic negatives, stops early", "BPR", "MultiVAE"],
)
def test_a_run_that_was_stopped_four_times_is_the_run_that_was_not(
    two_tastes: Path, model: str, settings: dict[str, Any]
) -> None:
    whole = everything(train(two_tastes, model, checkpoint_dir="whole", **settings))
    in_the_third = {"step": 2 * BATCHES + 1}
    places: list[dict[str, Any]] = [{"step": 3}, in_the_third, {"line": "epoch 3 training"}, in_the_third]
    if model == "MultiVAE":
        places = [{"line": f"epoch {epoch} training"} for epoch in (0, 2, 3)]  # its epochs have one batch
    for number, place in enumerate(places):
        with stops(**place):
            train(two_tastes, model, resume=number > 0, checkpoint_dir="stopped", **settings)
    assert len(list(Path("stopped").glob("*/config.yaml"))) == 1
    stopped = everything(train(two_tastes, model, resume=True, checkpoint_dir="stopped", **settings))
    for mine, other in zip(stopped, whole, strict=True):
        assert mine == other


@pytest.fixture(scope="module")
def finished(two_tastes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run of two epochs; tests work on copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("finished"))
        result = train(two_tastes, checkpoint_dir="saved", epochs=2)
        return {**result, "home": Path.cwd()}


@pytest.fixture
def copied(finished: dict[str, Any], tmp_path: Path) -> Path:
    """The folder of the finished run, copied into the test's own working folder."""
    shutil.copytree(finished["home"], tmp_path, dirs_exist_ok=True)
    return tmp_path / finished["run"]


@pytest.mark.parametrize(("share", "epochs"), [(0.02, [0, 5, 10, 11]), (1.0, list(range(12)))])
def test_states_take_their_share_of_the_time(
    two_tastes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, epochs: list[int]
) -> None:
    """On this clock an epoch takes a second and a state a tenth: 2 % of the time is a state after each fifth epoch."""
    clock, kept = [0.0], list[int]()

    def write(_: Any, state: dict[str, Any]) -> None:
        clock[0] += 0.1
        kept.append(state["epoch"])

    monkeypatch.setattr(continued, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(continued.StateWriter, "write", write)
    settings = {"data_path": str(two_tastes), "checkpoint_dir": str(tmp_path), "epochs": 12, "show_progress": False}
    made = prepare(build_config("AlibabaLightGCN", "two-tastes", config_dict=settings))
    train_epoch = made.trainer._train_epoch

    def in_a_second(*args: Any, **kwargs: Any) -> Any:
        clock[0] += 1.0
        return train_epoch(*args, **kwargs)

    made.trainer._train_epoch = in_a_second
    continued.fit(made, tmp_path, None, {}, share)
    assert kept == epochs


def test_a_finished_run_is_trained_further(two_tastes: Path, copied: Path) -> None:
    whole = everything(train(two_tastes, epochs=5, checkpoint_dir="whole"))
    longer = train(two_tastes, epochs=5, resume=copied)
    assert Path(longer["run"]) == copied
    assert yaml.safe_load((copied / "config.yaml").read_text())["epochs"] == 5
    for mine, other in zip(everything(longer), whole, strict=True):
        assert mine == other


def test_a_warning_is_given_once(two_tastes: Path) -> None:
    def warnings(result: dict[str, Any]) -> Any:
        return json.loads((Path(result["run"]) / "run.json").read_text())["warnings"]

    still = {"learning_rate": 1e-8, "init": "normal", "init_std": 0.01}
    whole = warnings(train(two_tastes, epochs=4, checkpoint_dir="whole", **still))
    train(two_tastes, epochs=2, **still)
    assert whole
    assert warnings(train(two_tastes, epochs=4, resume=True, **still)) == whole


def test_with_nothing_left_to_train_the_result_is_the_same(
    two_tastes: Path, finished: dict[str, Any], copied: Path
) -> None:
    again = train(two_tastes, epochs=2, resume=True)
    for key in ("best_valid_score", "best_valid_result", "test_result", "popularity_result", "history"):
        assert again[key] == finished[key]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"learning_rate": 0.5}, "learning_rate was 0.001 and is 0.5"),
        ({"clip_grad_norm": {"max_norm": 2.0}}, "clip_grad_norm was {'max_norm': 1.0, 'norm_type': 2}"),
        ({"epochs": 1}, "2 epochs are finished, and epochs is 1"),
        ({"stopping_step": 3}, "stopping_step was 50 and is 3"),
        ({"resume": "nothing"}, "nothing is no folder of a run"),
        ({"model": "BPR"}, "saved has no run of BPR on two-tastes"),
    ],
)
def test_what_counts_may_not_change(two_tastes: Path, copied: Path, changes: dict[str, Any], sentence: str) -> None:
    before = (copied / "state.pt").read_bytes()
    with pytest.raises(CannotResumeError) as refused:
        train(two_tastes, **{"resume": True, "epochs": 2, "checkpoint_dir": "saved", **changes})
    assert sentence in str(refused.value)
    assert (copied / "state.pt").read_bytes() == before


def test_a_model_of_more_than_tensors_and_plain_values_keeps_no_states(two_tastes: Path) -> None:
    """It is trained as RecBole trains it, and leaves RecBole's file."""
    for odd, kept in ((1.5, True), (object(), False)):
        settings = {
            "data_path": str(two_tastes),
            "epochs": 1,
            "checkpoint_dir": f"saved-{kept}",
            "show_progress": False,
        }
        made = prepare(build_config("BPR", "two-tastes", config_dict=settings))
        made.model.other_parameter_name, made.model.odd = ["odd"], odd
        continued.fit(made, Path(f"saved-{kept}"), None, {})
        assert Path(f"saved-{kept}", "state.pt").is_file() is kept
        assert Path(made.trainer.saved_model_file).is_file()


def test_a_run_without_states_cannot_go_on(two_tastes: Path, copied: Path) -> None:
    (copied / "state.pt").unlink()
    with pytest.raises(CannotResumeError, match=r"trained without states, so it cannot go on\. Start a new one"):
        train(two_tastes, resume=True, epochs=3, checkpoint_dir="saved")


def test_a_run_whose_settings_are_damaged_cannot_go_on(two_tastes: Path, copied: Path) -> None:
    (copied / "config.yaml").write_text("[")
    with pytest.raises(CannotResumeError, match=r"config\.yaml is missing or damaged\. Start a new run"):
        train(two_tastes, resume=str(copied), epochs=3, checkpoint_dir="saved")


def test_the_latest_run_is_a_folder(tmp_path: Path) -> None:
    day = "AlibabaLightGCN-log-20260101"
    for name in (f"{day}-000000", f"{day}-000001", f"{day}-000001-2", f"{day}-000001-10", f"{day}-00000", "BPR-log-1"):
        (tmp_path / name).mkdir()
    (tmp_path / f"{day}-000002").touch()  # a file
    assert latest_run(tmp_path, "AlibabaLightGCN", "log") == tmp_path / f"{day}-000001-10"
    assert latest_run(tmp_path, "BPR", "log") is None and latest_run(tmp_path / "absent", "BPR", "log") is None


def test_a_run_of_another_machine_goes_on_with_a_warning(
    two_tastes: Path, copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(two_tastes, resume=copied, epochs=3)
    assert not [one.message for one in caplog.records if "The run goes on, but" in one.message or not one.message]
    state = torch.load(copied / "state.pt", weights_only=True)
    state["machine"]["threads"] += 1
    torch.save(state, copied / "state.pt")
    train(two_tastes, resume=copied, epochs=4)
    (warning,) = [one.message for one in caplog.records if "The run goes on, but" in one.message]
    assert re.match(r"threads was \d+ and is \d+\.", warning)


def test_more_epochs_of_a_schedule_are_another_run(two_tastes: Path) -> None:
    train(two_tastes, epochs=1, learning_rate_schedule="linear")
    with pytest.raises(CannotResumeError, match="changes the learning rate of every epoch"):
        train(two_tastes, epochs=2, learning_rate_schedule="linear", resume=True)


def test_other_data_are_refused(tmp_path: Path, two_tastes: Path) -> None:
    data = shutil.copytree(two_tastes, tmp_path / "data")
    train(data, epochs=1)
    write_inter(data, "two-tastes", two_taste_rows(seed=1))
    with pytest.raises(CannotResumeError, match="the data set has changed"):
        train(data, epochs=2, resume=True)


class Writes:
    """Unpickling it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("executed"),)


def test_a_state_is_read_without_executing_it(two_tastes: Path, copied: Path) -> None:
    damaged = (copied / "state.pt").read_bytes()[:-100]
    for spoil in (
        lambda file: torch.save({"format": 1, "epoch": Writes()}, file),
        lambda file: file.write_bytes(damaged),
    ):
        spoil(copied / "state.pt")
        with pytest.raises(CannotResumeError, match="damaged, or no state of a run"):
            train(two_tastes, resume=True)
    assert not Path("executed").exists()


def test_a_checkpoint_is_not_read_but_written_anew(two_tastes: Path, finished: dict[str, Any], copied: Path) -> None:
    torch.save(Writes(), finished["model_file"])
    assert train(two_tastes, epochs=2, resume=True)["test_result"] == finished["test_result"]
    assert not Path("executed").exists()


def test_ctrl_c_says_how_to_go_on(two_tastes: Path, command: Callable[..., Result]) -> None:
    words = ["run", "--dataset=two-tastes", f"--data_path={two_tastes}", "--epochs=3", "--embedding_size=8"]
    inner = logging.Logger.info

    def interrupted(logger: logging.Logger, message: object, *args: Any, **kwargs: Any) -> None:
        inner(logger, message, *args, **kwargs)
        if "epoch 2 training" in str(message):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.Logger, "info", interrupted)
        patch.setattr(sys, "argv", ["run.py", *words[1:], "--resume", "RUN"])
        stopped = command(*words)
    assert stopped.exit_code == 130
    folder = next(Path("saved").glob("*/config.yaml")).parent
    told = shlex.join(["python", "run.py", *words[1:], f"--resume={folder}"])
    assert stopped.output.strip().splitlines()[-1] == f"Stopped. 2 epochs are kept. Go on with: {told}"
    for resume in ("--resume", f"--resume={folder.name}"):
        result = command(*words, resume)
        assert result.exit_code == 0, result.output
    assert len(list(Path("saved").glob("*/config.yaml"))) == 1
    assert torch.load(folder / "state.pt", weights_only=True)["epoch"] == 2


def test_a_killed_process_leaves_a_state_to_go_on_with(two_tastes: Path) -> None:
    """SIGKILL in the fourth epoch. While this process holds the run, no other one may train it."""
    whole = everything(train(two_tastes, checkpoint_dir="whole"))
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from torch.optim.optimizer import register_optimizer_step_pre_hook
from tests.plugin.test_resume import BATCHES, train
steps = []
def kill(*_):
    steps.append(1)
    if len(steps) == 4 * BATCHES:
        os.kill(os.getpid(), signal.SIGKILL)
register_optimizer_step_pre_hook(kill)
train(Path({str(two_tastes)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder = next(Path("saved").glob("*/config.yaml")).parent
    (folder / ".state.pt.half-written").touch()
    with held(folder), pytest.raises(CannotResumeError, match="another process is training this run"):
        train(two_tastes, resume=True)
    for mine, other in zip(everything(train(two_tastes, resume=True)), whole, strict=True):
        assert mine == other
    assert not list(folder.glob(".*"))
