"""What the tests of the plugin share: an empty working folder, RecBole without argv."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs, checkpoints and relative data paths are under `tmp_path`."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def started_as(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the words and, by name, the interpreter that the program was started with."""

    def started(*words: str, executable: str = sys.executable) -> None:
        for name, value in (("argv", list(words)), ("executable", executable)):
            monkeypatch.setattr(sys, name, value)

    return started


@pytest.fixture
def no_arguments(started_as: Callable[..., None]) -> None:
    """RecBole's `run_recbole` reads the arguments of the program, here pytest's."""
    started_as("test")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `run` returns after a short training on ml-100k; the paths are absolute."""
    from recbole_alibaba import run

    folder = tmp_path_factory.mktemp("trained")
    settings = {"epochs": 3, "embedding_size": 16, "learning_rate": 0.01, "show_progress": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run("AlibabaLightGCN", "ml-100k", config_dict={**settings, "checkpoint_dir": str(folder / "saved")})


@pytest.fixture(scope="session")
def model(trained: dict[str, Any]) -> Any:
    """The same run, loaded."""
    from recbole_alibaba import load

    return load(trained["run"])
