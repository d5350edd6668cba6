"""Alibaba's Tianchi logs in RecBole: importing this package makes RecBole run and registers AlibabaLightGCN."""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_alibaba.host.activation import activate

if TYPE_CHECKING:
    from recbole_alibaba.diagnosis.examination import examine
    from recbole_alibaba.experiment import Experiment, build_config, prepare
    from recbole_alibaba.recommending.load import load
    from recbole_alibaba.training import run

__version__ = "0.1.0"
__all__ = ["Experiment", "__version__", "build_config", "examine", "load", "prepare", "run"]

_MODULES = {
    "Experiment": "recbole_alibaba.experiment",
    "build_config": "recbole_alibaba.experiment",
    "examine": "recbole_alibaba.diagnosis.examination",
    "load": "recbole_alibaba.recommending.load",
    "prepare": "recbole_alibaba.experiment",
    "run": "recbole_alibaba.training",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    if name != "load":  # a run's folder is read without RecBole
        activate()
    return getattr(import_module(_MODULES[name]), name)


def _is_command_line() -> bool:
    """Whether the running program is the script `recbole-alibaba` or this project's run.py."""
    program = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return program.stem == "recbole-alibaba" or program.resolve() == Path(__file__).resolve().parent.parent / "run.py"


# `--help` must not wait for torch and RecBole, and importing the command line imports this package first.
# So the command line activates the plugin itself, in the commands that need it (cli.py).
if not _is_command_line():
    activate()
