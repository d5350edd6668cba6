"""How does the reader type a command of this project, from the folder where he is?"""

import shutil
import sys
from pathlib import Path

SCRIPT = "recbole-alibaba"


def python_here() -> str:
    """How to call the running interpreter from this folder, where its virtual environment need not be active."""
    own, here = Path(sys.executable), Path.cwd()
    return str(own.relative_to(here)) if own.is_relative_to(here) else "python"


def script() -> str:
    """How to call `recbole-alibaba` from this folder, where its virtual environment need not be active."""
    own = Path(sys.executable).parent / SCRIPT
    if shutil.which(SCRIPT) or not own.is_file():
        return SCRIPT
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)


def run_command() -> str:
    """How to start a training: `python run.py` in a clone of the project, `recbole-alibaba run` elsewhere."""
    here = Path.cwd()
    in_clone = (here / "run.py").is_file() and (here / "recbole_alibaba").is_dir()
    return f"{python_here()} run.py" if in_clone else f"{script()} run"
