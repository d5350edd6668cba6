"""Do the tests notice? Single changes to the core logic, each in a copy of the tree, and the tests nearest to it.

python -m tests.mutation --number 50 --seed 1 --modules 'dataset_prep/*'
"""

from __future__ import annotations

import csv
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from shutil import copyfile

import click
from tqdm import tqdm

from hatch_build import compiled
from tests.mutation.changes import Change, changes

# Package -> patterns of its core modules -> the tests/*/test_NAME.py that should notice, fastest first.
# Of several rows that fit, the first counts.
TESTS = {
    "dataset_prep": {
        "api.py": "public_names settings frames forms sources command_line",
        "settings.py machine.py errors.py command.py": "settings command_line split memory_limit sources",
        "conversion.py": "settings split remedies accounting enough golden",
        "inspection.py": "inspection headers enough",
        "published.py": "published split_forms",
        "choices/*": "remedies enough tianchi_slice",
        "engines/sql.py engines/duckdb.py": "sources readers lists memory_limit accounting golden",
        "files/frame.py": "frames",
        "files/parquet.py": "forms frames",
        "files/*": "layout files split_forms headers forms readers lists golden",
        "pairs/core.*": "core",
        "pairs/kept.py pairs/split.py": "pairs split settings remedies",
        "pairs/distinct.py pairs/rows.py pairs/sorting.py": "pairs memory_limit readers",
        "pairs/*.py": "pairs split settings remedies inspection accounting golden",
        "reading/lists.py": "lists sources headers",
        "reading/pairs_file.py": "split_forms published",
        "reading/remote.py": "addresses",
        "reading/log.py": "layout files sources lists readers headers forms accounting addresses golden",
        "reading/*": "layout files sources lists readers headers forms accounting golden",
        "sources/sample.py": "sample golden",
        "sources/*": "layout sources settings headers readers inspection forms",
        "writing/atomic.py": "atomic",
        "writing/lock.py": "forms",
        "writing/text.*": "text",
        "writing/target.py": "settings files published golden",
        "writing/dataset.py writing/recbole_yaml.py": "settings sources published lists golden",
    },
    "recbole_alibaba": {
        "model/alibabalightgcn.py": "losses pair_scores propagation softmax_scores model trainer",
        "model/sampled_softmax.py model/softmax_scores.py": "sampled_softmax softmax_scores model",
        "model/losses.py model/pair_scores.py": "losses pair_scores model",
        "model/*.py": "graph propagation model",
        "data/negatives.py data/train_loader.py": "negatives dataset",
        "data/atomic/atomic_file.py data/sorting.py data/dataset.py": "atomic_file sorting dataset",
        "data/atomic/*.py": "atomic_check",
        "data/explicit_negatives.py": "typed_settings",
        "data/*.py evaluation/top_k.*": "top_k dataset full_sort",
        "evaluation/popularity.py": "popularity popularity_sign",
        "evaluation/*.py": "top_k full_sort",
        "experiment.py": "host_config trainer run",
        "trainer/cost_estimate.py": "cost_estimate",
        "trainer/zero_metrics.py": "zero_metrics",
        "trainer/continued.py saved/training_state.py saved/state_file.py saved/earlier_run.py": "resume",
        "saved/*.py": "saved_run recommend",
        "recommending/files/*.py": "recommend_command names",
        "recommending/*.py": "recommend saved_run serve",
        "serving/*.py": "serve",
        "settings/*.py": "setting_kinds setting_combinations guards typed_settings host_config",
        "console/*.py": "console terminal",
        "trainer/*.py": "optimizer trainer host_trainers",
        "host/cache.py host/guards.py": "guards host_cache dataset load_failure run",
        "host/checkpoints.py": "checkpoints",
        "host/compat/*.py": "host_compat baselines terminal",
        "host/own_pickles.py": "host_cache",
        "host/loading.py": "host_loading host_compat",
        "host/*.py": "host_config host_compat public_face",
        "diagnosis/causes/cause_ranking.py": "trials",
        "diagnosis/signs/*.py diagnosis/causes/*.py": "sign* causes popularity_sign",
        "diagnosis/settings_lint.py": "lint check*",
        "diagnosis/monitor/epoch_record.py": "watcher",
        "diagnosis/checks/*.py": "check* thin_data popularity_sign",
        "diagnosis/monitor/*.py diagnosis/readings.py": "watcher sign*",
        "diagnosis/report/*.py": "console_report curves doctor_page doctor_command",
        "diagnosis/cures/trials.py diagnosis/cures/outcome.py": "trials",
        "diagnosis/cures/*.py": "trials thin_data thin_bank doctor_command",
        "diagnosis/*.py": "check* preflight trials load_failure doctor_command",
    },
}
# Pattern of files, what "now -> changed" must hold (a regular expression), why nothing can be seen.
EQUIVALENT = [
    ("*.py", r"strict=True.* -> (?!.*strict=True)", "both are as long by construction"),
    ("*.py", r"encoding=.* -> (?!.*encoding=)", "UTF-8 is the machine's own encoding, too"),
    ("dataset_prep/pairs/core.py", r"len\(pairs\[[01]\]\)", "users and items of the pairs are as many"),
    ("dataset_prep/pairs/core.c", r"prefetch|AHEAD", "a hint to the processor"),
    ("dataset_prep/files/streams.py", r"^FIRST =", "how many bytes are looked at"),
    ("dataset_prep/files/streams.py", r"LEAST_UNPACKED =.*1 <<", "how large a bomb may become"),
    ("dataset_prep/choices/heldout.py", r"where\(surely, 1\.0", "a row that is never held out weighs nothing"),
    ("dataset_prep/engines/sql.py", r"^MOST_ROWS =", "how much memory is used"),
    ("dataset_prep/*.py", r"spark_url=spark_url", "only a cluster would notice"),
    ("dataset_prep/writing/text.c", r"value < 1 \?", "zero is its own negative"),
    ("*.py", r"set_to_none=True.* -> (?!.*set_to_none)", "the default"),
    ("recbole_alibaba/data/atomic/atomic_lines.py", r"max\(\) >= ord", "more text is decoded than must be"),
    ("dataset_prep/pairs/sorting.py", r"max\(initial=1\)", "far below the limit, too"),
    ("dataset_prep/reading/compiled.py", r"collect\(\) -> pass", "how many blocks wait"),
    ("dataset_prep/inspection.py", r"rows\[:21\]", "how many rows are looked at"),
    ("dataset_prep/engines/duckdb.py", r"max\(2, memory_of", "how much memory is used"),
    (
        "recbole_alibaba/diagnosis/checks/signal_check.py",
        r"rtol=2e-09",
        "rounding is far below, a difference far above",
    ),
    ("recbole_alibaba/diagnosis/monitor/embedding_tables.py", r'"n_(users|items)", -2', "no table has such a length"),
    ("dataset_prep/pairs/sorting.py", r"code\.min\(\)\) < int", "the slower way gives the same"),
    ("recbole_alibaba/model/alibabalightgcn.py", r"numel\(\) > 2", "the slower way gives the same"),
    ("recbole_alibaba/data/sorting.py", r"len\(keys\) \+ 1", "a bit more than the positions need"),
    ("recbole_alibaba/data/user_lists.py", r"np\.append\(keys, -", "no key is negative"),
    ("recbole_alibaba/model/sampled_softmax.py", r"F\.normalize.*dim=1", "the default"),
    ("recbole_alibaba/evaluation/top_k.py", r"^BUFFER_BYTES =|^width =", "how much memory is used"),
    ("recbole_alibaba/host/checkpoints.py", r"map_location=.* -> (?!.*map_location)", "seen on a GPU only"),
    ("recbole_alibaba/evaluation/top_k.c", r"BLOCK", "how many scores are compared at once"),
]

ROOT = Path(__file__).resolve().parents[2]
MOST_MEMORY = 16 << 30
SLOW = "spark or gowalla or taobao_buy"
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", f"not ({SLOW})"]


def tests_of(file: str) -> tuple[str, ...]:
    package, _, module = file.partition("/")
    rows = TESTS.get(package, {}).items()
    names = next((names for patterns, names in rows if any(fnmatch(module, one) for one in patterns.split())), "")
    found = (sorted(ROOT.glob(f"tests/*/test_{name}.py")) for name in names.split())
    return tuple(str(path.relative_to(ROOT)) for paths in found for path in paths)


class Tree:
    """A copy of the working tree, compiled, in which one change at a time is made and tested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        found = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        self.files = [name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]
        for name in self.files:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copyfile(ROOT / name, self.folder / name)
            self._compile(name)
        (folder / "shared").symlink_to(ROOT.parent / "shared")
        self.seconds = cache(self._seconds)

    def read(self, file: str) -> bytes:
        return (self.folder / file).read_bytes() if file in self.files else b""

    def _compile(self, name: str) -> bool:
        return not name.endswith(".c") or compiled(self.folder / name, lambda _: None) is not None

    def _seconds(self, tests: tuple[str, ...]) -> float:
        """How long the tests take without any change. Raises ClickException where they fail."""
        began = time.monotonic()
        if not self._pass(tests, 3600):
            raise click.ClickException(f"these fail without any change: {' '.join(tests)}")
        return time.monotonic() - began

    def verdict(self, change: Change) -> str:
        """noticed, survived, or broken: what does not compile is no change of the logic."""
        path = self.folder / change.file
        source, tests = self.read(change.file), tests_of(change.file)
        limit = 60 + 5 * self.seconds(tests)
        made = change.made(source)
        try:
            path.write_bytes(made)
            if not self._compile(change.file) or not _parses(change.file, made):
                return "broken"
            return "survived" if self._pass(tests, limit) else "noticed"
        finally:
            path.write_bytes(source)
            self._compile(change.file)

    def _pass(self, tests: tuple[str, ...], limit: float) -> bool:
        """Whether all tests pass in time. The group ends with them: what they started, too."""
        new = {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        running = subprocess.Popen(
            [*PYTEST, *tests], cwd=self.folder, env=os.environ | new, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_limit_memory,
        )  # fmt: skip
        try:
            return running.wait(limit) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _parses(file: str, source: bytes) -> bool:
    try:
        return not file.endswith(".py") or compile(source, file, "exec") is not None
    except SyntaxError:
        return False


def drawn(tree: Tree, seed: int, number: int, modules: tuple[str, ...]) -> list[Change]:
    files = [name for name in tree.files if tests_of(name) and any(fnmatch(name, pattern) for pattern in modules)]
    found = [change for name in files for change in changes(name, tree.read(name))]
    return sorted(random.Random(seed).sample(found, min(number, len(found))))


def listed(tree: Tree, table: Path) -> Iterator[Change]:
    """The changes of a table (file, now, changed to), told where the text is no longer there."""
    with table.open(encoding="utf-8", newline="") as file:
        for name, now, new in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            source = tree.read(name)
            at = source.find(now.encode())
            if at < 0 or not tests_of(name):
                click.echo(f"{name}: {now}: {'not there any more' if at < 0 else 'no tests are named for this file'}")
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
        tried = list(listed(tree, table)) if table else drawn(tree, seed, number, modules)
        for change in tqdm(tried, unit=" change", disable=None):
            shown = change.shown(tree.read(change.file))
            fits = (fnmatch(change.file, files) and re.search(text, shown) for files, text, _ in EQUIVALENT)
            verdict = "equivalent" if any(fits) else tree.verdict(change)
            count[verdict] += 1
            if verdict == "survived":
                tqdm.write(f"{change.file}:{change.line} {shown}", file=sys.stdout)
    judged = count["noticed"] + count["survived"]
    click.echo(
        f"noticed {count['noticed']} of {judged} ({count['noticed'] / max(judged, 1):.0%}); "
        f"{count['equivalent']} equivalent, {count['broken']} did not compile"
    )


if __name__ == "__main__":
    main()
