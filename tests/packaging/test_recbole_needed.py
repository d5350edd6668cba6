"""Without RecBole 1.2.1 the lines that install it are the answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LINES = "    pip install -c constraints.txt .\n    pip install --no-deps recbole==1.2.1\n"
IMPORT = ["-c", "import recbole_alibaba"]


def answer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What Python says, where `recbole` in `folder` hides the installed one."""
    paths = os.pathsep.join(map(str, (folder, ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with RecBole 1.2.0, which `pip install recbole` takes on Python 3.12 and later."""
    (tmp_path / "recbole").mkdir()
    (tmp_path / "recbole" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    return tmp_path


def test_another_version(earlier: Path) -> None:
    done = answer(earlier, *IMPORT)
    assert done.stderr.endswith(
        "RecBole 1.2.1 is needed, and 1.2.0 is installed. Install it in the folder of recbole-alibaba:\n" + LINES
    )


def test_none_at_all(tmp_path: Path) -> None:
    done = answer(tmp_path, "-c", "import sys; sys.modules['recbole'] = None; import recbole_alibaba")
    assert "RecBole 1.2.1 is not installed." in done.stderr
    assert done.stderr.endswith(LINES)


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_the_command_line_says_it_without_a_traceback(earlier: Path, command: str) -> None:
    main = (
        "import sys; sys.modules['__main__'].__file__ = 'recbole-alibaba'; from recbole_alibaba.cli import main; main()"
    )
    done = answer(earlier, "-c", main, command, "--dataset=x")
    assert done.returncode == 2
    assert done.stderr == (
        "Error: RecBole 1.2.1 is needed, and 1.2.0 is installed. Install it in the folder of recbole-alibaba:\n" + LINES
    )
