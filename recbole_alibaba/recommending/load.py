"""A saved model from a run's folder, from the latest run, or from a trusted checkpoint of RecBole."""

from __future__ import annotations

from pathlib import Path

from recbole_alibaba.host.errors import SavedRunError, UntrustedFileError
from recbole_alibaba.recommending.model import SavedModel
from recbole_alibaba.recommending.ranking import VectorRanker
from recbole_alibaba.saved.read_run import read_run
from recbole_alibaba.saved.run_folder import RECORD

LATEST = "latest"
SAVED = Path("saved")


def load(run: str | Path, trust: bool = False) -> SavedModel:
    """The model of a run, ready to recommend. The data set's files are not needed, and nothing is executed.

    Args:
        run: the folder of a finished run; `latest` for the newest one in `saved/`; or a `.pth` file of RecBole.
        trust: whether to read a `.pth` file. It is a pickle, and a pickle can run any code while it is read. Such a
            file also needs the data set where it was at the training.

    Raises:
        SavedRunError: no such run, an unfinished one, a missing or altered file, another version.
        UntrustedFileError: a `.pth` file without `trust`.
    """
    path = latest_run(SAVED) if str(run) == LATEST and not Path(run).exists() else Path(run)
    if path.is_dir():
        saved = read_run(path)
        return SavedModel(saved, VectorRanker(saved.tables["user"], saved.tables["item"]))
    if not path.exists():
        raise SavedRunError(f"There is no {path}: name the folder of a run, or `{LATEST}`, or a .pth file.")
    if path.name == RECORD:
        raise SavedRunError(f"{path}: name its folder, {path.parent}.")
    if not trust:
        raise UntrustedFileError(
            f"{path} is a pickle, which can run any code while it is read. If you made it yourself or trust whoever "
            "did, add --trust (trust=True in Python). The folder of a run needs no trust."
        )
    from recbole_alibaba.recommending.checkpoint import load_checkpoint

    return load_checkpoint(path)


def latest_run(parent: Path) -> Path:
    """The folder in `parent` of the run that ended last."""
    records = sorted(parent.glob(f"*/{RECORD}"), key=lambda file: file.stat().st_mtime)
    if not records:
        raise SavedRunError(f"There is no finished run in {parent.resolve()}: train first, or name the run's folder.")
    return records[-1].parent
