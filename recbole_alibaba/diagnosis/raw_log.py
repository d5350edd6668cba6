"""What does a raw log leave under the asked conversion? An empty core is found before any training."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_alibaba.diagnosis.checks.data_checks import enough
from recbole_alibaba.diagnosis.findings import Finding


def recommended(users: Path, items: Path | None) -> str | None:
    """The command of a conversion that leaves enough of this log to learn from; None if there is none."""
    from dataset_prep import inspect

    return inspect([str(users)], [str(items)] if items else []).command


def convert_or_explain(
    source: str, users: Path, items: Path | None, asked: Mapping[str, Any], output: Path, name: str
) -> Finding | None:
    """Convert the log into ``output/name``.

    Args:
        source: kind of raw log, as ``mobile``.
        users: the log's file of actions.
        items: the log's item file, if only its items count.
        asked: options of ``dataset_prep.convert``.
        output: folder of data sets.
        name: name of the data set.

    Returns:
        The finding that the core is empty or too thin, or None. Its remedy is a command that was run on this log.

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
        command = ["python", "-m", "dataset_prep", source, "--users", str(users)]
        command += ["--items", str(items)] if items else []
        for key, value in asked.items():
            option = f"--{key.replace('_', '-')}"
            command += [option] if value is True else [option, str(value)] if value not in (False, None) else []
        return Finding(
            "raw-log-leaves-too-little",
            "error",
            pairs,
            int(asked.get("min_interactions", enough().pairs)),
            {"why": error.message, "command": f"{shlex.join(command)} {options}".strip(), "leaves": leaves.strip()},
            wording="message" if options else "hopeless",
            causes=("empty-core" if isinstance(error, dataset_prep.EmptyDatasetError) else "thin-data",),
        )
    return None
