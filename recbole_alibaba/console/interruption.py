"""What does Ctrl-C leave of a training?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recbole_alibaba.host.errors import Interrupted


@contextmanager
def says_what_is_kept(trainer: Any, saved: bool) -> Iterator[None]:
    """Give a KeyboardInterrupt in the block the sentence of `what_is_kept`."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted(what_is_kept(trainer, saved)) from None


def what_is_kept(trainer: Any, saved: bool) -> str:
    """One sentence: how far the training came, and which file holds its weights.

    Args:
        trainer: a RecBole trainer.
        saved: whether it writes checkpoints.
    """
    epochs, file = len(trainer.train_loss_dict), Path(trainer.saved_model_file)
    came = f"Stopped after {epochs:,} finished epoch{'' if epochs == 1 else 's'}"
    if saved and file.is_file():
        return f"{came}. Kept: {file} with the weights of the best validated epoch."
    return f"{came}. No weights were saved yet."
