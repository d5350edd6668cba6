"""`python -m benchmarks`: training, graph, negatives, evaluation and loading against their peers, as one table.

Each measurement runs in a process of its own, its contestants in turns; benchmarks/training.md is written from what
came out, and benchmarks/training.json holds the numbers.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from benchmarks.table import render

HERE = Path(__file__).parent


def measured(*words: str) -> dict[str, Any]:
    """What `python -m benchmarks.measure WORDS` prints. Raises ClickException with its error where it fails."""
    # Two teams of threads that spin while they wait would slow each other, and whatever else runs here.
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    command = [sys.executable, "-m", "benchmarks.measure", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=HERE.parent)
    if done.returncode:
        raise click.ClickException(f"{' '.join(words)} stopped with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--sizes", default="1", show_default=True, help="Millions of pairs for growth and loading, as 1,3,10.")
@click.option("--threads", default="1,2", show_default=True, help="Numbers of threads for steps and evaluation.")
@click.option("--rounds", default=7, show_default=True, help="Repeats of each step; medians are shown.")
@click.option("--million-items/--no-million-items", default=False, help="Evaluation over 1 M items, too: minutes.")
@click.option("--output", type=click.Path(path_type=Path), default=HERE, show_default="this folder")
def main(sizes: str, threads: str, rounds: int, million_items: bool, output: Path) -> None:
    """Time what this plugin replaces against RecBole and PyG, and write the table of targets."""
    found: dict[str, Any] = {
        "machine": _machine(),
        "step": {},
        "growth": {},
        "graph": {},
        "evaluation": {},
        "loading": {},
    }

    def note(kind: str, key: str, *words: str) -> None:
        click.echo(f"{kind} {key}", err=True)
        found[kind][key] = measured(*words)

    for count in threads.split(","):
        for world in ("gowalla", "ml-100k"):
            note("step", f"{world}, {count}t", "step", world, count, str(rounds))
        note("evaluation", f"gowalla, {count}t", "evaluation", count, "40981", "29858")
        if million_items:
            note("evaluation", f"1 M items, {count}t", "evaluation", count, "1000000", "1000")
    found["negatives"] = measured("negatives", "gowalla", "3")
    for size in sizes.split(","):
        note("growth", f"{size} M", "step", size, "1", "3" if float(size) < 5 else "1")
        for whose in ("ours", "recbole"):
            note("graph", f"{size} M, {whose}", "graph", size, whose)
            note("loading", f"{size} M, {whose}", "loading", size, whose)
    (output / "training.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (output / "training.md").write_text(render(found), encoding="utf-8")
    click.echo(render(found))


def _machine() -> dict[str, Any]:
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    packages = {name: version(name) for name in ("torch", "numpy", "scipy", "pandas", "recbole", "torch_geometric")}
    return {"cpu": cpu or platform.processor(), "cores": os.cpu_count(), **packages}


def _lines(file: str) -> list[str]:
    return Path(file).read_text().splitlines() if Path(file).is_file() else []


if __name__ == "__main__":
    main()
