"""A start loads only what it needs: help and small logs do not wait for large packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prep_data import mobile_log

from dataset_prep.__main__ import main

HEAVY = {"duckdb", "numpy", "pandas", "scipy", "torch", "recbole", "pyspark"}


def loaded(code: str, *arguments: str) -> set[str]:
    """The heavy packages that are loaded after this code."""
    whole = f"{code}\nimport sys\nprint('loaded:', *({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", whole, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_import_loads_nothing_heavy() -> None:
    assert loaded("import dataset_prep") == set()


HELP = """
import contextlib, runpy, sys
sys.argv[:] = ["dataset_prep", *sys.argv[1:]]
with contextlib.suppress(SystemExit):
    runpy.run_module("dataset_prep", run_name="__main__")
"""


@pytest.mark.parametrize("command", [[], *[[name] for name in sorted(main.commands)]], ids=str)
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    assert loaded(HELP, *command, "--help") == set()


@pytest.mark.parametrize("protocol", ["novel", "repeat"])
def test_a_small_log_of_numbers_needs_numpy_only(protocol: str, tmp_path: Path) -> None:
    pairs = [(u, i) for u in range(60) for i in range(60)]
    log = mobile_log(tmp_path / "log.csv", [(u, i, 4, 1, f"2014-12-{1 + (u + i) % 28:02} 00") for u, i in pairs])
    (tmp_path / "items.csv").write_text("".join(f"{i}\n" for i in range(55)))
    code = (
        "import sys, dataset_prep\n"
        "dataset_prep.convert('mobile', sys.argv[1], items=sys.argv[2], output=sys.argv[3], name='x',\n"
        "                     protocol=sys.argv[4])\n"
    )
    arguments = [str(log), str(tmp_path / "items.csv"), str(tmp_path), protocol]
    assert loaded(code, *arguments) == {"numpy"}
    assert (tmp_path / "x" / "x.inter").exists()
