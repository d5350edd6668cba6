"""What a raw log would leave under the asked conversion: the empty core is named before any training."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_alibaba.diagnosis.findings import Finding


def recommended(users: Path, items: Path | None) -> str | None:
    """The conversion that leaves enough to learn from, weighed on this log; None when nothing does."""
    from dataset_prep import inspect

    return inspect([str(users)], [str(items)] if items else []).command


def convert_or_explain(
    source: str, users: Path, items: Path | None, asked: Mapping[str, Any], output: Path, name: str
) -> Finding | None:
    """Convert the log into ``output/name``; the finding when its core is empty or too thin, else None.

    The finding's remedy is a converter command line that was tried on this very log.

    Raises:
        dataset_prep.PrepError: the log cannot be read at all.
    """
    import dataset_prep

    try:
        dataset_prep.convert(source, users, output=output, name=name, items=items, force=True, **asked)
    except dataset_prep.ThinDatasetError as error:
        last = error.funnel.stages[-1] if error.funnel.stages else None
        pairs = last.size.pairs if last is not None and last.size is not None else 0
        options = error.remedies[0].command_line if error.remedies else ""
        leaves = str(error.remedies[0]) if error.remedies else ""
        words = ["python", "-m", "dataset_prep", source, "--users", str(users)]
        words += ["--items", str(items)] if items else []
        for key, value in asked.items():
            option = f"--{key.replace('_', '-')}"
            words += [option] if value is True else [option, str(value)] if value not in (False, None) else []
        command = f"{shlex.join(words)} {options}".strip()
        return Finding(
            "raw-log-leaves-too-little",
            "error",
            pairs,
            int(asked.get("min_interactions", 1000)),
            {"why": error.message, "command": command, "leaves": leaves.strip()},
            wording="message" if options else "hopeless",
            causes=("empty-core" if isinstance(error, dataset_prep.EmptyDatasetError) else "thin-data",),
        )
    return None
