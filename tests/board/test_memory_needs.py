"""Memory that a model surely needs, against what a process of its own really took."""

import ctypes
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recbole_alibaba import build_config, prepare
from recbole_alibaba.board.measures.memory_needs import memory_needed
from recbole_alibaba.host.registry import find_model
from tests.conftest import write_inter

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
QUICK = {"epochs": 1, "show_progress": False, "metrics": ["Recall"], "topk": [10], "valid_metric": "Recall@10"}
pytestmark = pytest.mark.skipif(not CLEAR.exists(), reason="reads what a process took from /proc")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """`few` and `many`: loaded data of 800 and 1,600 items, 600 users with eight interactions each."""
    folder, rng = tmp_path_factory.mktemp("worlds"), np.random.default_rng(0)
    for name, items in (("few", 800), ("many", 1600)):
        rows = np.append(np.arange(items), rng.integers(0, items, 4800 - items))
        write_inter(folder, name, [(f"u{row % 600}", f"i{item}", row) for row, item in enumerate(rows)])
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    settings = {**QUICK, "data_path": str(folder), "load_col": columns, "train_neg_sample_args": None}
    return {name: prepare(build_config("Pop", name, config_dict=settings)) for name in ("few", "many")}


def megabytes(key: str) -> float:
    return int(next(line for line in STATUS.read_text().splitlines() if line.startswith(key)).split()[1]) / 1024


def taken(world: Any, model: str) -> tuple[float, float]:
    """Megabytes that a process takes more for the model and two steps, and those that it surely needs."""
    folder = str(Path(world.config["data_path"]).parent)
    config = build_config(model, world.config["dataset"], config_dict={**QUICK, "data_path": folder})
    sizes = world.dataset.user_num, world.dataset.item_num, len(world.train_data._dataset)
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            import torch

            ctypes.CDLL(None).malloc_trim(0)  # what other tests have freed would be used first
            before = megabytes("VmRSS")
            CLEAR.write_text("5")
            made = find_model(model)(config, world.train_data._dataset)
            adam = torch.optim.Adam(made.parameters())
            rows = world.train_data._dataset.inter_feat[:2048]
            rows.update(type(rows)({"neg_item_id": rows["item_id"].flip(0), "label": torch.ones(len(rows))}))
            if model.endswith("VAE"):  # a row for each user
                rows = rows[:600]
            loss = partial(made.calculate_loss, encoder_flag=True) if model == "RecVAE" else made.calculate_loss
            made.train()
            for _ in range(0 if model == "EASE" else 2):
                adam.zero_grad()
                loss(rows).backward()
                adam.step()
            needed = memory_needed(model, *sizes, dict(config.final_config_dict)) or 0
            os.write(writer, json.dumps((megabytes("VmHWM") - before, needed / 2**20)).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    real, needed = json.loads(os.read(reader, 100))
    return real, needed


def test_ease_takes_nine_numbers_for_each_pair_of_items(worlds: dict[str, Any]) -> None:
    few, many = (taken(worlds[name], "EASE") for name in ("few", "many"))
    assert (many[0] - few[0]) / (many[1] - few[1]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("model", ["MultiVAE", "RecVAE", "SGL", "DMF"])
def test_no_model_gets_by_with_less(worlds: dict[str, Any], model: str) -> None:
    real, needed = taken(worlds["many"], model)
    assert needed < real < 6 * needed


def test_what_depends_on_the_data_is_not_known() -> None:
    assert memory_needed("ItemKNN", 10, 10, 10, {"k": 5}) is None
    assert memory_needed("EASE", 10_000, 2_800_000, 10**6, {}) == 282_240_000_000_000
