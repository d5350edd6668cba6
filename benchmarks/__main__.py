"""`python -m benchmarks [PART...]`: this plugin against its peers, and the table of targets.

Each measurement runs in a process of its own, its contestants in turns. What was measured goes into
benchmarks/training.json, part by part, beside what was measured before on the same machine with the same packages;
benchmarks/training.md is rendered from it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from benchmarks.table import render
from benchmarks.targets import LARGE_BATCH
from dataset_prep.machine import cpu_name

HERE = Path(__file__).parent
PARTS = (
    "step", "negatives", "evaluation", "million-items", "growth", "large-batch", "ways", "graph", "loading", "fits",
)  # fmt: skip
PACKAGES = ("torch", "numpy", "scipy", "pandas", "recbole", "torch_geometric")
Measurement = tuple[str, str, tuple[str, ...]]


def measured(*words: str) -> dict[str, Any]:
    """What `python -m benchmarks.measure WORDS` prints. Raises ClickException with its error where it fails."""
    command = [sys.executable, "-m", "benchmarks.measure", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode:
        raise click.ClickException(f"{' '.join(words)} stopped with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def plan(parts: tuple[str, ...], sizes: list[str], threads: list[str], rounds: int) -> Iterator[Measurement]:
    """(kind, key, words for `measure`) of everything these parts measure."""
    for count in threads:
        if "step" in parts:
            for world in ("gowalla", "ml-100k"):
                yield "step", f"{world}, {count}t", ("step", world, count, str(rounds))
        if "evaluation" in parts:
            yield "evaluation", f"gowalla, {count}t", ("evaluation", count, "40981", "29858")
    if "negatives" in parts:
        yield "negatives", "gowalla", ("negatives", "gowalla", "3")
    if "million-items" in parts:
        yield "evaluation", "1 M items, 1t", ("evaluation", "1", "1000000", "5000")
    for size in sizes:
        if "growth" in parts:
            # A step of RecBole's takes half a minute at 10 M pairs.
            yield "growth", f"{size} M", ("step", size, "1", "3" if float(size) < 5 else "1")
        if "large-batch" in parts:
            yield "large-batch", f"{size} M", ("step", size, "2", "1", str(LARGE_BATCH))
        if "ways" in parts:
            yield "ways", f"{size} M", ("ways", size, "2")
        for kind in ("graph", "loading"):
            if kind in parts:
                yield kind, f"{size} M", (kind, size)
    if "fits" in parts:
        yield "fits", "3 M", ("fits", "3", "1")


def both(kind: str, size: str) -> dict[str, Any]:
    """Ours and RecBole's, a process each because their memory is compared."""
    sides = {whose: measured(kind, size, whose.lower()) for whose in ("ours", "RecBole")}
    pairs = {one.pop("pairs") for one in sides.values()}
    if len(pairs) != 1:
        raise click.ClickException(f"{kind} {size}: ours and RecBole's hold different numbers of pairs, {pairs}.")
    return {"pairs": pairs.pop()} | {f"{whose}, {name}": one[name] for whose, one in sides.items() for name in one}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--quick", is_flag=True, help="Gowalla's and 1 M rows only: three minutes, without the targets at 10 M.")
@click.option("--sizes", default="1,3,10", show_default=True, help="Millions of pairs for growth, graph and loading.")
@click.option("--threads", default="1,2", show_default=True, help="Numbers of threads for steps and evaluation.")
@click.option("--rounds", default=7, show_default=True, help="Repeats of each step; medians are shown.")
@click.option("--output", type=click.Path(path_type=Path), default=HERE, show_default="this folder")
def main(parts: tuple[str, ...], quick: bool, sizes: str, threads: str, rounds: int, output: Path) -> None:
    """Time what this plugin replaces against RecBole and PyG, and write the table of targets.

    Name PARTS to measure only them again. Use a quiet machine: a second busy process doubles what two threads take.
    """
    parts = parts or PARTS
    if quick:
        parts, sizes, rounds = tuple(part for part in parts if part not in ("million-items", "fits")), "1", 3
    here = machine(PACKAGES)
    planned = plan(parts, sizes.split(","), threads.split(","), rounds)
    click.echo(record(output, here, (_announced(*one) for one in planned)))


def _announced(kind: str, key: str, words: tuple[str, ...]) -> tuple[str, str, dict[str, Any]]:
    click.echo(f"{kind} {key}", err=True)
    return kind, key, both(*words) if kind in ("graph", "loading") else measured(*words)


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """The processor and the versions of the packages. Raises ClickException where one is not installed."""
    try:
        versions = {name: version(name) for name in packages}
    except PackageNotFoundError as error:
        raise click.ClickException(f"{error.name} is not installed: pip install -e .[bench]") from error
    return {"cpu": cpu_name(), "cores": os.cpu_count(), **versions}


def record(folder: Path, here: dict[str, Any], measurements: Iterable[tuple[str, str, dict[str, Any]]]) -> str:
    """Write each measurement (kind, key, numbers) into training.json as it comes, and the page of all of them.

    What the file holds of another machine or of other packages is dropped. Returns the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "training.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"machine": here}
    if found["machine"] != here:
        click.echo(f"{file.name} is of another machine or other packages, so it begins anew.", err=True)
        found = {"machine": here}
    for kind, key, numbers in measurements:
        found.setdefault(kind, {})[key] = numbers
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = render(found)
    (folder / "training.md").write_text(page, encoding="utf-8")
    return page


if __name__ == "__main__":
    main()
