"""What the tests of the plugin share: an empty working folder, RecBole without argv."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs, checkpoints and relative data paths are under `tmp_path`."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """RecBole's `run_recbole` reads the arguments of the program, here pytest's."""
    monkeypatch.setattr(sys, "argv", ["test"])
