"""Do the tests notice? Single changes to the core logic, each in a copy of the tree, and the tests that execute it.

python -m tests.mutation --number 50 --seed 1 --modules 'dataset_prep/*'
"""

from __future__ import annotations

import csv
import random
import re
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import click
from tqdm import tqdm

from tests.mutation.changes import Change, changes
from tests.mutation.equivalent import is_equivalent
from tests.mutation.executed import executed
from tests.mutation.tree import ROOT, Tree

# No core logic: pages, boards and commands. Spark's tests are too slow for it.
NO_CORE = (
    *("*/pages/*", "*/progress.py", "*/report.py", "*_page/*", "recbole_alibaba/board/*"),
    *("*/__main__.py", "recbole_alibaba/cli.py", "recbole_alibaba/demo.py", "dataset_prep/engines/spark.py"),
)
KEPT = ROOT / "build" / "mutants"


def drawn(tree: Tree, seed: int, number: int, modules: tuple[str, ...]) -> list[Change]:
    found = [change for name in core(tree, modules) for change in changes(name, tree.read(name))]
    return sorted(random.Random(seed).sample(found, min(number, len(found))))


def core(tree: Tree, modules: tuple[str, ...]) -> list[str]:
    """The files of the core that fit one of the patterns."""
    files = (name for name in tree.files if re.match(r"(dataset_prep|recbole_alibaba)/.*\.(py|c)$", name))
    files = (name for name in files if not any(fnmatch(name, pattern) for pattern in NO_CORE))
    return [name for name in files if any(fnmatch(name, pattern) for pattern in modules)]


def listed(tree: Tree, table: Path) -> Iterator[Change]:
    """The changes of a table (file, now, changed to), told where the text is no longer there."""
    with table.open(encoding="utf-8", newline="") as file:
        for name, now, new in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            source = tree.read(name)
            at = source.find(now.encode())
            if at < 0:
                click.echo(f"{name}: {now}: not there any more")
                continue
            whole = re.search(rb"^\s*" + re.escape(now.encode()) + rb"\s*$", source, re.MULTILINE)
            new = ("pass" if whole and name.endswith(".py") else "") if new == "(removed)" else new
            yield Change(name, source.count(b"\n", 0, at) + 1, at, at + len(now.encode()), new.encode())


@click.command(context_settings={"show_default": True})
@click.option("--seed", default=1, help="Of the draw.")
@click.option("--number", default=50, help="How many changes to draw.")
@click.option("--modules", multiple=True, default=["*"], help="Only files that fit this pattern; several may be given.")
@click.option("--list", "table", type=click.Path(exists=True, path_type=Path), help="A table of changes, all of them.")
def main(seed: int, number: int, modules: tuple[str, ...], table: Path | None) -> None:
    """Print each change that the tests did not notice, and the share they did."""
    # As Ctrl-C does, so that the running tests end and the copy is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    count: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        tree = Tree(Path(scratch))
        tests = executed(tree.folder, tree.files, KEPT)
        for change in tqdm(list(listed(tree, table)) if table else drawn(tree, seed, number, modules), disable=None):
            shown = change.shown(tree.read(change.file))
            verdict = "equivalent" if is_equivalent(change.file, shown) else tree.verdict(change, tests)
            count[verdict] += 1
            if verdict == "survived":
                tqdm.write(f"{change.file}:{change.line} {shown}", file=sys.stdout)
                sys.stdout.flush()
    judged = count["noticed"] + count["survived"]
    click.echo(
        f"noticed {count['noticed']} of {judged} ({count['noticed'] / max(judged, 1):.0%}); "
        f"{count['equivalent']} equivalent, {count['broken']} did not compile"
    )


if __name__ == "__main__":
    main()
