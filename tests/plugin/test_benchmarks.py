"""The contestants of the benchmark can step, and do the same maths."""

from pathlib import Path

import pytest
import torch

import recbole_alibaba  # noqa: F401  (makes RecBole importable)

pytest.importorskip("benchmarks.worlds", reason="the benchmarks are in the repository, not in the package")
from benchmarks import contestants, worlds


@pytest.mark.parametrize("name", contestants.CONTESTANTS)
def test_every_contestant_steps_on_a_small_world(name: str) -> None:
    if name.startswith("PyG"):
        pytest.importorskip("torch_geometric", reason="pip install -e .[bench]")
    users, items = worlds.made_up(2_000, 80, 120)
    assert 1_500 < len(users) == len(items) <= 2_000 and users.min() == items.min() == 1
    torch.manual_seed(0)
    step = contestants.CONTESTANTS[name](users, items)
    for batch in contestants.batches(users, items, 64, 2):
        step(batch)


def test_the_page_is_rendered_from_its_own_numbers() -> None:
    import json

    from benchmarks.table import render

    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    if not (folder / "training.json").is_file():
        pytest.skip("no numbers yet: python -m benchmarks")
    numbers = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    assert render(numbers) == (folder / "training.md").read_text(encoding="utf-8")
