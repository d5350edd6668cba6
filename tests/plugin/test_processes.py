"""Several processes train as one does; one that dies ends them all with a sentence."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from safetensors.torch import load_file

from recbole_alibaba.cli import trains
from recbole_alibaba.host.errors import BadInput, DeadProcessError
from recbole_alibaba.processes import group
from recbole_alibaba.processes.launch import Layout, _work, launch, layout

RUN = ["run", "--dataset=two-tastes", "--epochs=3", "--embedding_size=8", "--preflight=False", "--n_layers=2"]


def test_two_processes_train_as_one(two_tastes: Path, command: Callable[..., Result]) -> None:
    """Batches of 41 pairs cannot be halved, and the last one has a single pair: the second process has none of it."""
    words = [*RUN, f"--data_path={two_tastes}", "--train_batch_size=41", "--learning_rate=0.01"]
    folders = []
    for more in ([], ["--nproc=2"]):
        result = command(*words, *more, f"--checkpoint_dir=saved{len(more)}")
        assert result.exit_code == 0, result.output
        folders += Path(f"saved{len(more)}").glob("AlibabaLightGCN-two-tastes-*/")
    one, two = (json.loads((folder / "run.json").read_text()) for folder in folders)
    assert one["history"][0]["batches"] == 20
    for mine, other in zip(one["history"], two["history"], strict=True):
        names = ("loss", "bpr", "reg", "grad_norm")
        assert [other[name] for name in names] == pytest.approx([mine[name] for name in names], rel=1e-5)
        assert other["valid"] == mine["valid"]
    assert two["test_result"] == one["test_result"] and two["popularity_result"] == one["popularity_result"]
    tables = [load_file(folder / "model.safetensors") for folder in folders]
    for name, table in tables[0].items():
        torch.testing.assert_close(tables[1][name], table, rtol=1e-4, atol=1e-6)


def _second_is_killed(gpu: str) -> None:
    if group.rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    group.add_up([torch.ones(1)])


def test_a_process_that_is_killed_ends_the_others() -> None:
    with pytest.raises(DeadProcessError, match="Process 1 of 2 was ended by SIGKILL, so the others were ended, too"):
        launch(_second_is_killed, (), layout(2, -1, "localhost", None, 0, ""))


def _second_has_a_fault(gpu: str) -> None:
    if group.rank() == 1:
        raise ZeroDivisionError("of the second")
    group.add_up([torch.ones(1)])


def test_the_first_fault_is_named_and_not_what_follows_from_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeadProcessError, match=r"Process 1 of 2 failed.*: ZeroDivisionError: of the second"):
        launch(_second_has_a_fault, (), layout(2, -1, "localhost", None, 0, ""))
    assert "Traceback" in capfd.readouterr().err


def _refuses(gpu: str) -> None:
    raise BadInput("No such thing.")


def test_what_a_process_refuses_is_refused() -> None:
    with pytest.raises(BadInput, match="No such thing"):
        launch(_refuses, (), layout(1, -1, "localhost", None, 0, ""))


def test_a_dead_process_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    @trains
    def dies() -> None:
        raise DeadProcessError("Process 1 of 2 failed.")

    with pytest.raises(SystemExit, match="1"):
        dies()
    assert capsys.readouterr().err == "Error: Process 1 of 2 failed.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--nproc=99999"], "--nproc=99999 needs a core for each process, and this machine has"),
        (["--nproc=2", "--model=BPR"], "--nproc trains this plugin's models; BPR is RecBole's"),
        (["--nproc=2", "--resume"], "leave --nproc away"),
        (["--nproc=2", "--loss=softmax"], "each process has only a share of it. Use one process."),
        (["--nproc=1", "--world_size=2"], "several machines need --ip and --port of the first one"),
        (["--nproc=1", "--world_size=2", "--port=1", "--group_offset=2"], "have the numbers 2 to 2, and there are 2"),
    ],
)
def test_what_cannot_start_is_one_sentence(
    two_tastes: Path, command: Callable[..., Result], words: list[str], sentence: str
) -> None:
    result = command(*RUN, f"--data_path={two_tastes}", *words)
    assert result.exit_code == 2, result.output
    assert re.search(re.escape(sentence), result.stderr) and "Traceback" not in result.output


def test_a_process_has_its_gpu_before_it_joins_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA reads which GPUs it may see when the group asks for their number. RecBole would say it later."""
    seen = []

    @contextmanager
    def joined(rank: int, size: int, address: str, backend: str) -> Iterator[None]:
        seen.append((rank, size, address, backend, os.environ["CUDA_VISIBLE_DEVICES"]))
        yield

    monkeypatch.setattr(group, "joined", joined)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    said, says = Pipe(duplex=False)
    _work(lambda gpu: seen.append(gpu), (), Layout(2, 4, 2, "first", "29500", ("5", "3")), 0, says)
    assert seen == [(2, 4, "first:29500", "nccl", "5"), "5"] and not said.poll()


def test_numbers_of_processes_that_do_not_fit_are_named_with_what_was_asked() -> None:
    for world_size, asked in ((1, "--nproc=1 --world_size=1 --group_offset=1"), (-1, "--nproc=1 --group_offset=1")):
        with pytest.raises(BadInput, match=f"^{asked}: .* and there are 1 in all"):
            layout(1, world_size, "localhost", "1", 1, "")


def test_gpus_for_fewer_processes_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine with GPUs would say, without one."""
    values: dict[str, Any] = {"is_available": True, "device_count": 2}
    for name, value in values.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    with pytest.raises(BadInput, match="needs 2 GPUs, and gpu_id names 1"):
        layout(2, -1, "localhost", None, 0, "0")
    with pytest.raises(BadInput, match="needs 3 GPUs on this machine, and it has 2"):
        layout(3, -1, "localhost", None, 0, "0,1,2")
    assert layout(2, -1, "localhost", None, 0, "1,0").gpus == ("1", "0")
