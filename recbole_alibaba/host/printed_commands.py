"""How does the reader type a command of this project, from the folder where he is?"""

import shutil
import sys
from pathlib import Path


def python_here() -> str:
    """How to call the running interpreter from this folder, where its virtual environment need not be active."""
    own, here = Path(sys.executable), Path.cwd()
    return str(own.relative_to(here)) if own.is_relative_to(here) else "python"


def run_command() -> str:
    """`python run.py` in a clone; elsewhere `recbole-alibaba run`, by its path where the shell does not find it."""
    if (Path.cwd() / "run.py").is_file() and (Path.cwd() / "recbole_alibaba").is_dir():
        return f"{python_here()} run.py"
    own = Path(sys.executable).with_name("recbole-alibaba")
    found = shutil.which(own.name) or not own.is_file()
    return f"{own.name if found else own} run"
