"""Times the converter against pandas, polars and DuckDB on seeded logs; writes converter.md and its part of README.md.

python benchmarks/converter.py [--rows 1e6,3e6,12.25e6] [--repeats 3] [--folder DIR]

Every run is a process of its own: wall seconds, CPU seconds (user and system) and peak memory come from the system's
accounting of it. Repeats are interleaved, medians reported. The files all peers write must be the same to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from converter_targets import SMALL, figures, growth, into, targets

from dataset_prep.pairs.core import Thresholds, core_of

HERE = Path(__file__).parent
TABLE, README = HERE / "converter.md", HERE / "README.md"
PEERS = ["pandas_plain", "pandas_tuned", "polars_streaming", "duckdb_alone", "ours"]
TASKS = {"everything": ("1,2,3,4", False), "filtered": ("3,4", True)}
SMALL_REPEATS = 11
"""A million rows take half a second, of which the next process of the machine decides a tenth."""
CORE_REPEATS = 7
"""The core is quick, and what the run before left of free memory decides a third of its time."""
LARGE = 50_000_000
"""From here on plain pandas is left out, and the limited memory is tried."""


@dataclass(frozen=True)
class Run:
    wall: float
    cpu: float
    gigabytes: float
    output: str


def timed(peer: str, log: Path, items: Path, task: str, folder: Path, limit: str | None = None) -> Run:
    behaviors, subset = TASKS[task]
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    words = [peer, str(log), str(items) if subset else "-", str(out), behaviors, *([limit] if limit else [])]
    began = time.perf_counter()
    # As on a user's machine, the modules of each are compiled once.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-W", "ignore", str(HERE / "converter_peers.py"), *words]
    process = subprocess.Popen(command, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{peer} failed on {log.name}, {task}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6, digest(out))


def digest(out: Path) -> str:
    told = hashlib.sha256()
    for suffix in ("inter", "item"):
        (path,) = out.rglob(f"*.{suffix}")
        with path.open("rb") as file:
            told.update(hashlib.file_digest(file, "sha256").digest())
    return told.hexdigest()[:12]


def repeats_of(rows: int, repeats: int) -> int:
    """How often each peer converts a log of that size, where *repeats* were asked for."""
    if rows >= LARGE:
        return 1
    return max(repeats, SMALL_REPEATS) if rows <= SMALL else repeats


def compare(rows: int, repeats: int, folder: Path) -> list[str]:
    """Lines of the table for one size."""
    log = folder / f"log-{rows}.csv"
    items = log.with_suffix(".items.csv")
    # In a process of its own: what this one ever held would count as memory of those it starts.
    subprocess.run([sys.executable, str(HERE / "converter_log.py"), str(log), str(rows)], check=True)
    size = log.stat().st_size / 1e6
    lines = []
    peers = [p for p in PEERS if rows < LARGE or p != "pandas_plain"]
    for task in TASKS if rows < LARGE else ["everything"]:
        runs: dict[str, list[Run]] = {p: [] for p in peers}
        for _ in range(repeats_of(rows, repeats)):
            for peer in peers:
                runs[peer].append(timed(peer, log, items, task, folder))
        outputs = {run.output for told in runs.values() for run in told}
        if len(outputs) != 1:
            sys.exit(f"{rows:,} rows, {task}: the peers wrote different files")
        if rows >= LARGE:
            runs["ours, --memory-limit 4GB"] = [timed("ours", log, items, task, folder, "4GB")]
        best = statistics.median(run.wall for run in runs["ours"])
        for peer, told in runs.items():
            wall, cpu = (statistics.median(getattr(run, key) for run in told) for key in ("wall", "cpu"))
            memory = max(run.gigabytes for run in told)
            what = f"{rows:,} ({size:,.0f} MB) | {task} | {peer.replace('_', ' ')}"
            lines.append(f"| {what} | {wall:.2f} | {cpu:.2f} | {memory:.2f} | {wall / best:.2f} |")
            print(lines[-1], flush=True)
    log.unlink()
    items.unlink()
    return lines


def core_alone(edges: int) -> tuple[str, float]:
    """The core of about that many distinct pairs, by codes: against rounds of SQL in DuckDB; the ratio."""
    rng = np.random.default_rng(0)
    # A long tail on both sides: taking the weakest away weakens others, round after round.
    users = (edges // 10 * rng.random(edges) ** 2).astype(np.int64)
    items = (edges // 3 * rng.random(edges) ** 3).astype(np.int64)
    pairs = np.unique(users << 32 | items)
    users, items = (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
    ours, sql = [], []
    for _ in range(CORE_REPEATS):
        began = time.perf_counter()
        core = core_of(users, items, Thresholds(5, 5), int(users.max()) + 1, int(items.max()) + 1)
        ours.append(time.perf_counter() - began)
        seconds, left = core_by_sql(users, items)
        sql.append(seconds)
        if left != core.size.pairs:
            sys.exit(f"the cores differ: {left:,} and {core.size.pairs:,}")
    mine, theirs = statistics.median(ours), statistics.median(sql)
    told = f"The core alone, {len(users):,} pairs, (5, 5), medians of {CORE_REPEATS}: {mine:.2f} s, "
    return f"{told}rounds of SQL in DuckDB {theirs:.2f} s: {theirs / mine:.1f} times.", theirs / mine


def core_by_sql(users: np.ndarray, items: np.ndarray) -> tuple[float, int]:
    """(seconds, pairs left); the pairs stand in a table of DuckDB before the clock starts."""
    with duckdb.connect() as con:
        con.register("arrays", {"u": users, "i": items})
        con.execute("CREATE TEMP TABLE pairs AS SELECT * FROM arrays")
        began, before, left = time.perf_counter(), -1, len(users)
        while left != before:
            before = left
            for key in ("u", "i"):
                good = f"SELECT {key} FROM pairs GROUP BY {key} HAVING count(*) >= 5"
                con.execute(f"CREATE OR REPLACE TEMP TABLE pairs AS SELECT * FROM pairs WHERE {key} IN ({good})")
            left = con.execute("SELECT count(*) FROM pairs").fetchall()[0][0]
        return time.perf_counter() - began, left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1e6,3e6,12.25e6", help="sizes, comma separated; 98e6: 15 GB, minutes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="for the logs, which are deleted afterwards")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as scratch:
        lines = [line for n in chosen.rows.split(",") for line in compare(int(float(n)), chosen.repeats, Path(scratch))]
    core, times = core_alone(12_000_000)
    print(core)
    lines = merged(lines)
    found = figures(lines)
    told = (HERE / "converter.head.md").read_text().format(
        cores=os.cpu_count(), machine=platform.machine(), python=platform.python_version(),
        duckdb=duckdb.__version__, repeats=chosen.repeats, small=repeats_of(SMALL, chosen.repeats),
        targets="\n".join(targets(found, times)), growth="\n".join(growth(found)),
    )  # fmt: skip
    TABLE.write_text(told + "\n".join([*lines, "", core]) + "\n")
    README.write_text(into(README.read_text(), "converter", targets(found, times)))


def merged(lines: list[str]) -> list[str]:
    """The new lines, and those of sizes that were not timed this time."""
    former = TABLE.read_text().splitlines() if TABLE.exists() else []
    sizes = {line.split("|")[1] for line in lines}
    kept = [line for line in former if re.match(r"\| [0-9,]+ \(", line) and line.split("|")[1] not in sizes]
    return sorted(lines + kept, key=lambda line: int(line.split("|")[1].split("(")[0].replace(",", "")))


if __name__ == "__main__":
    main()
