"""Which lines does each test execute? One run of the suite under coverage tells, with this module as a plugin."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import click
import coverage
import pytest

TIMES = "MUTANTS_TIMES"
SLOW = "spark or gowalla or taobao_buy"
SETTINGS = """\
[run]
source_pkgs = dataset_prep, recbole_alibaba
concurrency = multiprocessing, thread
patch = subprocess
parallel = true
sigterm = true
data_file = {folder}/.coverage
context = ${{PYTEST_CURRENT_TEST-}}
"""


class Executed:
    """The tests that pass, how many seconds each takes, and the tests that execute a line of a file."""

    def __init__(self, seconds: dict[str, float], lines: dict[str, dict[int, list[int]]]) -> None:
        self.seconds = seconds
        self._tests = list(seconds)
        self._lines = lines

    def of(self, file: str, lines: Iterable[int]) -> set[str]:
        known = self._lines.get(file, {})
        return {self._tests[number] for line in lines for number in known.get(line, ())}

    def of_file(self, file: str) -> set[str]:
        return self.of(file, self._lines.get(file, ()))


def executed(root: Path, files: list[str], kept: Path) -> Executed:
    """What is kept in folder *kept* of this very tree, else of a run of the suite at *root*.

    Raises:
        ClickException: The tests do not run.
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    path = kept / f"{digest.hexdigest()[:16]}.json"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        click.echo("The suite runs once, to see which lines each test executes: eight minutes.", err=True)
        path.write_text(json.dumps(_measured(root)), encoding="utf-8")
    seconds, lines = json.loads(path.read_text(encoding="utf-8"))
    return Executed(seconds, {file: {int(line): tests for line, tests in of.items()} for file, of in lines.items()})


def environment(root: Path) -> dict[str, str]:
    """That of the tests of the tree at *root*."""
    return os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def _measured(root: Path) -> tuple[dict[str, float], dict[str, dict[int, list[int]]]]:
    folder = root.parent / "coverage"
    folder.mkdir()
    settings, times = folder / "coveragerc", folder / "times.json"
    settings.write_text(SETTINGS.format(folder=folder), encoding="utf-8")
    suite = ["pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", __name__, "-k", f"not ({SLOW})"]
    ran = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", *suite]
    subprocess.run(
        ran,
        cwd=root,
        env=environment(root) | {TIMES: str(times)},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=False,
    )
    if not times.exists():
        raise click.ClickException("the tests did not run to their end")
    seconds = json.loads(times.read_text(encoding="utf-8"))
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q", f"--rcfile={settings}"], cwd=root, check=True)
    data = coverage.CoverageData(str(folder / ".coverage"))
    data.read()
    numbers = {test: number for number, test in enumerate(seconds)}
    lines: dict[str, dict[int, list[int]]] = {}
    for file in data.measured_files():
        if not Path(file).is_relative_to(root):
            continue
        of: defaultdict[int, set[int]] = defaultdict(set)
        for line, contexts in data.contexts_by_lineno(file).items():
            tests = (re.sub(r" \((setup|call|teardown)\)$", "", one.rpartition("|")[2]) for one in contexts)
            of[line] |= {numbers[test] for test in tests if test in numbers}
        lines[str(Path(file).relative_to(root))] = {line: sorted(found) for line, found in of.items()}
    return seconds, lines


# The plugin: in a worker, each test has its own context; the main process keeps the times of what passed.
_seconds: defaultdict[str, float] = defaultdict(float)
_failed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    running = coverage.Coverage.current()
    if running:
        running.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        if running:
            running.switch_context("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid] += report.duration
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        passed = {test: round(seconds, 3) for test, seconds in _seconds.items() if test not in _failed}
        Path(os.environ[TIMES]).write_text(json.dumps(passed), encoding="utf-8")
