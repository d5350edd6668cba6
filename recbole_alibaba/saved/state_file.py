"""`state.pt` of a run's folder: written between two epochs, read without executing anything in it."""

from __future__ import annotations

import pickle
from logging import getLogger
from pathlib import Path
from typing import Any

import torch

from dataset_prep.writing.whole_file import written
from recbole_alibaba.host.errors import CannotResumeError
from recbole_alibaba.saved.training_state import FORMAT

NAME = "state.pt"


class StateWriter:
    """Writes the state of one run again and again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        for part in folder.glob(f".{NAME}.*"):  # of a process that was killed while it wrote
            part.unlink()

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file by this state before the next epoch begins. A full disk is warned of and ends nothing.

        It does not wait for the disk itself: the file outlives a killed process, and the next state comes soon.
        """
        try:
            with written(self._path, synced=False) as part:
                torch.save(state, str(part))
        except (OSError, RuntimeError) as error:  # torch's own writer raises RuntimeError
            getLogger().warning(
                f"{self._path} could not be written ({str(error).splitlines()[0]}). The training goes on; --resume "
                "would start from an earlier epoch. Free some space, or set state_step: 0."
            )


def read_state(folder: Path, device: Any) -> dict[str, Any] | None:
    """The state in `folder`, its tensors on `device`; None where no epoch was finished.

    Raises:
        CannotResumeError: the file is damaged, or of another version.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        version = state["format"]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise CannotResumeError(
            f"{path} is damaged, or no state of a run. Start a new run without --resume."
        ) from error
    if version != FORMAT:
        raise CannotResumeError(
            f"{path} has format {version}; this version of recbole-alibaba reads {FORMAT}. Go on with the version that "
            "wrote it, or start a new run without --resume."
        )
    return dict(state)
