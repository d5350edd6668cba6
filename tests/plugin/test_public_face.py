"""What `import recbole_alibaba` offers, and what `--help` does not import."""

import subprocess
import sys
from pathlib import Path

import pytest

import recbole_alibaba

ROOT = Path(recbole_alibaba.__file__).parent.parent
HEAVY = {"torch", "recbole", "pandas", "scipy", "sklearn"}
SCRIPT = "import sys\nfrom recbole_alibaba.cli import main\nsys.exit(main())\n"  # as pip writes it


def test_the_public_names() -> None:
    public = ["Experiment", "__version__", "build_config", "examine", "prepare", "run"]
    assert sorted(recbole_alibaba.__all__) == public
    assert all(getattr(recbole_alibaba, name) for name in public)
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        recbole_alibaba.train


def test_the_packages_are_typed() -> None:
    for package in ("recbole_alibaba", "dataset_prep"):
        assert (ROOT / package / "py.typed").is_file()


def test_importing_registers_the_model() -> None:
    code = (
        "import recbole_alibaba\nfrom recbole.utils import get_model, get_trainer\nprint(get_model('AlibabaLightGCN'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "recbole_alibaba.model.alibabalightgcn.AlibabaLightGCN" in done.stdout, done.stderr


@pytest.mark.parametrize("words", [(), ("run",), ("doctor",), ("demo",), ("prep",)], ids=" ".join)
def test_help_imports_neither_torch_nor_recbole(tmp_path: Path, words: tuple[str, ...]) -> None:
    script = tmp_path / "recbole-alibaba"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", script, *words, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("Usage: recbole-alibaba"), done.stderr[-2000:]
    assert not imported(done.stderr) & HEAVY


def test_help_of_run_py_imports_neither_torch_nor_recbole() -> None:
    if not (ROOT / "run.py").is_file():
        pytest.skip("run.py is in the repository, not in the package")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "run.py", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("Usage: run.py"), done.stderr[-2000:]
    assert not imported(done.stderr) & HEAVY


def test_a_script_of_another_name_gets_the_model_by_importing(tmp_path: Path) -> None:
    """A user's run.py is not this project's."""
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, recbole_alibaba\nprint('recbole.model.general_recommender.alibabalightgcn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout.split() == ["True"], done.stderr


def imported(importtime: str) -> set[str]:
    """The modules that `python -X importtime` lists."""
    return {line.split("|")[-1].strip() for line in importtime.splitlines() if line.startswith("import time:")}
