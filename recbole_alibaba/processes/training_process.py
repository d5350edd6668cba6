"""What does one of several processes do? It trains and tests as a run of one process does, on its own device."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def run_in_group(
    model: str | None, dataset: str | None, files: Sequence[str | Path], settings: Mapping[str, Any], gpu: str
) -> None:
    """`training.run` on this GPU, or on the CPU where `gpu` is empty; `launch` calls it in every process."""
    from recbole_alibaba.host.activation import activate

    activate()  # RecBole can be imported only now
    warnings.filterwarnings("ignore", category=FutureWarning, module="recbole")  # as the command line does
    from recbole_alibaba.training import run

    run(model, dataset, files, {**settings, "gpu_id": gpu})
