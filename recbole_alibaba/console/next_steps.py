"""Which commands come after a training: how to recommend from it, and how to go on with it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from recbole_alibaba.console.printed_commands import SCRIPT, script
from recbole_alibaba.saved.run_folder import RANKING_KINDS


def next_steps(run: str, checkpoint: str, has_tables: bool, kind: str, epochs: int) -> tuple[str, str]:
    """Two lines, with the program that the reader has just used.

    Args:
        run: the run's folder.
        checkpoint: RecBole's file, for a model that has no tables.
        kind: RecBole's kind of model.
        epochs: how many the run was asked for.
    """
    source = [run] if has_tables else [checkpoint, "--trust"]
    words = training_command("--resume", "--epochs")
    again = f'recbole_alibaba.run(..., {{..., "epochs": {2 * epochs}}}, resume="{run}")'
    if words is not None:
        again = shlex.join([*words, f"--resume={run}", f"--epochs={2 * epochs}"])
    recommend = shlex.join([script(), "recommend", *source])
    if not has_tables and kind not in RANKING_KINDS:
        recommend = f"not for a {kind} model; only general ones can be recommended from."
    return f"Recommend from it: {recommend}", f"Go on with it:     {again}"


IN_GROUP = ("--nproc", "--world_size", "--ip", "--port", "--group_offset")
"""Options of a run of several processes; it goes on in one."""


def training_command(*replaced: str) -> list[str] | None:
    """The command of this process without these options and `IN_GROUP`; None for a program of the reader's own."""
    program, *words = sys.argv
    name = Path(program).name
    if name == "run.py":
        start = ["python", program]
    elif name == SCRIPT and words[:1] == ["run"]:
        start, words = [script(), "run"], words[1:]
    else:
        return None
    kept, values_of = [], False
    for word in words:
        named = word.partition("=")[0] in (*replaced, *IN_GROUP)
        value = values_of and not word.startswith("--")
        values_of = named and "=" not in word
        if not named and not value:
            kept.append(word)
    return [*start, *kept]
