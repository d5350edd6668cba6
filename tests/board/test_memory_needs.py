"""Memory that a model surely needs, against what a process of its own really took."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recbole_alibaba.board.measures.memory_needs import memory_needed

ROOT = Path(__file__).resolve().parents[2]
reads_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="reads what a process took from /proc"
)
Taken = dict[str, dict[str, tuple[float, float]]]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """By world and model: megabytes that were taken, and those that are surely needed."""
    words = [sys.executable, "-m", "tests.board.memory_taken", str(tmp_path_factory.mktemp("worlds"))]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@reads_proc
def test_ease_takes_nine_numbers_for_each_pair_of_items(taken: Taken) -> None:
    few, many = taken["few"]["EASE"], taken["many"]["EASE"]
    assert (many[0] - few[0]) / (many[1] - few[1]) == pytest.approx(1, abs=0.1)


@reads_proc
@pytest.mark.parametrize("model", ["MultiVAE", "RecVAE", "SGL", "DMF"])
def test_no_model_gets_by_with_less(taken: Taken, model: str) -> None:
    real, needed = taken["many"][model]
    assert needed < real < 6 * needed


def test_what_depends_on_the_data_is_not_known() -> None:
    assert memory_needed("ItemKNN", 10, 10, 10, {"k": 5}) is None
    assert memory_needed("EASE", 10_000, 2_800_000, 10**6, {}) == 282_240_000_000_000
