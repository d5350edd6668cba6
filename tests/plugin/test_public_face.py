"""What `import recbole_alibaba` offers, and what `--help` does not import."""

import subprocess
import sys
from pathlib import Path

import pytest

import recbole_alibaba

ROOT = Path(recbole_alibaba.__file__).parent.parent
HEAVY = {"torch", "recbole", "pandas", "scipy", "sklearn", "duckdb", "numpy"}


def test_the_public_names() -> None:
    public = ["Experiment", "__version__", "build_config", "examine", "load", "prepare", "run"]
    assert sorted(recbole_alibaba.__all__) == public
    assert all(getattr(recbole_alibaba, name) for name in public)
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        recbole_alibaba.train()


def test_the_packages_are_typed() -> None:
    for package in ("recbole_alibaba", "dataset_prep"):
        assert (ROOT / package / "py.typed").is_file()


def test_a_users_own_run_py_gets_the_model_by_importing(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import recbole_alibaba\n"
        "from recbole.trainer import AlibabaLightGCNTrainer\n"
        "from recbole.utils import get_model\n"
        "print(get_model('AlibabaLightGCN'))\n"
    )
    done = python(tmp_path / "run.py")
    assert "recbole_alibaba.model.alibabalightgcn.AlibabaLightGCN" in done.stdout, done.stderr


@pytest.mark.parametrize("words", [(), ("run",), ("doctor",), ("demo",), ("board",), ("prep",)], ids=" ".join)
def test_help_imports_neither_torch_nor_recbole(script: Path, words: tuple[str, ...]) -> None:
    done = python("-X", "importtime", script, *words, "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: recbole-alibaba"), done.stderr
    assert "click" in imported(done) and not imported(done) & HEAVY


def test_help_of_run_py_imports_neither_torch_nor_recbole() -> None:
    if not (ROOT / "run.py").is_file():
        pytest.skip("run.py is in the repository, not in the package")
    done = python("-X", "importtime", ROOT / "run.py", "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: run.py"), done.stderr
    assert "click" in imported(done) and not imported(done) & HEAVY


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_the_commands_register_the_model_themselves(script: Path, two_tastes: Path, command: str) -> None:
    """They build the Config of the registered model before they look at the name of the data set."""
    done = python(script, command, "--dataset=two-taste", f"--data_path={two_tastes}")
    assert done.returncode == 2 and "Did you mean 'two-tastes'" in done.stderr, done.stderr


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The console script, as pip writes it."""
    file = tmp_path / "recbole-alibaba"
    file.write_text("import sys\nfrom recbole_alibaba.cli import main\nsys.exit(main())\n")
    return file


def python(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True)


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules that `python -X importtime` lists."""
    return {line.split("|")[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
