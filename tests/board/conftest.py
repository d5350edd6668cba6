"""What the tests of boards share: one that has run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.board.tiny_boards import lay_out


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `recbole-alibaba board tiny.yaml WORDS...` in a folder."""
    from recbole_alibaba.cli import main

    def run(folder: Path, *words: object) -> Result:
        monkeypatch.chdir(folder)
        return CliRunner().invoke(main, ["board", "tiny.yaml", *map(str, words)], catch_exceptions=False)

    return run


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a board that has run with two jobs."""
    from recbole_alibaba.cli import main

    folder = lay_out(tmp_path_factory.mktemp("ran"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(main, ["board", "tiny.yaml", "--jobs=2"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder
