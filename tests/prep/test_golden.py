"""Does every conversion still write the same bytes, whatever reads the log, in any time zone?

After an intended change: python tests/prep/prep_golden.py --replace
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prep_data import READERS, real
from prep_golden import CASES, DIRT, GOLDEN, converted, digests, words

RECORDED = json.loads(GOLDEN.read_text())
TEXT_IDS = ("csv ", " zeros.csv", " all.csv")
"""Logs with ids that are not plain numbers: --reader compiled refuses them."""


def for_readers() -> list[tuple[str, str]]:
    """(case, reader) for all dirt, one case of each command and every ninth; without what the compiled one refuses."""
    logs = [case for case in CASES if not case.startswith("split") and "shared/" not in case]
    commands = [" ".join(case.split()[:3]) for case in logs]
    first = [case for n, case in enumerate(logs) if commands[n] not in commands[:n]]
    dirty = [case for case in logs if any(f"{kind}.csv" in case for kind in DIRT)]
    chosen = {*first, *dirty, *logs[::9]}
    every = [(case, reader) for case in logs if case in chosen for reader in READERS]
    return [(case, reader) for case, reader in every if reader != "compiled" or not any(t in case for t in TEXT_IDS)]


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """A command; skips where it needs a slice that is absent."""
    command: str = request.param
    real(*(word.removeprefix("shared/") for word in command.split() if word.startswith("shared/")))
    return command


def test_every_case_is_recorded() -> None:
    assert list(RECORDED) == CASES


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_the_same_bytes(case: str, golden_logs: Path, tmp_path: Path) -> None:
    assert converted(case, golden_logs, tmp_path) == RECORDED[case]


@pytest.mark.parametrize(("case", "reader"), for_readers())
def test_the_same_bytes_by_every_reader(case: str, reader: str, golden_logs: Path, tmp_path: Path) -> None:
    assert converted(case, golden_logs, tmp_path, "--reader", reader) == RECORDED[case]


@pytest.mark.parametrize("case", [case for case in CASES if "date 2014" in case][:1])
def test_the_same_bytes_in_another_time_zone(case: str, golden_logs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dataset_prep", *words(case, golden_logs, tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TZ": "America/New_York"})
    assert digests(done.returncode, done.stderr, tmp_path / "x") == RECORDED[case]


def test_the_report_is_the_same_in_another_time_zone(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    written = []
    for zone in ("UTC", "America/New_York"):
        folder = tmp_path / zone.replace("/", "-")
        command = [sys.executable, "-m", "dataset_prep", "mobile", "--users", str(sample[0]), "--output", str(folder)]
        subprocess.run([*command, "--name", "x"], check=True, capture_output=True, env=os.environ | {"TZ": zone})
        written.append({path.name: path.read_bytes() for path in (folder / "x").iterdir()})
    assert written[0] == written[1] and "funnel.html" in written[0]


WITHOUT_COMPILER = [case for case in CASES if not case.startswith("split") and "shared/" not in case][::11]


def test_the_same_bytes_without_a_compiler(without_compiler: Path, golden_logs: Path, tmp_path: Path) -> None:
    """Several conversions in one process."""
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "sys.path.append(sys.argv[1])\n"
        "from prep_golden import converted\n"
        "made = {case: converted(case, Path(sys.argv[2]), Path(sys.argv[3]) / str(n)) for n, case in\n"
        "        enumerate(json.loads(sys.argv[4]))}\n"
        "print(json.dumps(made))\n"
    )
    words = [str(GOLDEN.parent), str(golden_logs), str(tmp_path), json.dumps(WITHOUT_COMPILER)]
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, cwd=without_compiler, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {case: RECORDED[case] for case in WITHOUT_COMPILER}
