"""How much memory do models really take? Each in a process forked from this one, which has done nothing before.

    python -m tests.board.memory_taken FOLDER

In the process of a test, memory that other tests have freed would be used first. Prints JSON: for each world and model
the megabytes that the model and two steps take, and those that it surely needs.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recbole_alibaba import build_config, prepare
from recbole_alibaba.board.measures.memory_needs import memory_needed
from recbole_alibaba.host.registry import find_model
from tests.conftest import write_inter

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
QUICK = {"epochs": 1, "show_progress": False, "metrics": ["Recall"], "topk": [10], "valid_metric": "Recall@10"}
QUICK |= {"state": "WARNING"}
MODELS = {"few": ("EASE",), "many": ("EASE", "MultiVAE", "RecVAE", "SGL", "DMF")}


def worlds(folder: Path) -> dict[str, Any]:
    """`few` and `many`: loaded data of 800 and 1,600 items, 600 users with eight interactions each."""
    rng = np.random.default_rng(0)
    for name, items in (("few", 800), ("many", 1600)):
        rows = np.append(np.arange(items), rng.integers(0, items, 4800 - items))
        write_inter(folder, name, [(f"u{row % 600}", f"i{item}", row) for row, item in enumerate(rows)])
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    settings = {**QUICK, "data_path": str(folder), "load_col": columns, "train_neg_sample_args": None}
    return {name: prepare(build_config("Pop", name, config_dict=settings)) for name in MODELS}


def megabytes(key: str) -> float:
    return int(next(line for line in STATUS.read_text().splitlines() if line.startswith(key)).split()[1]) / 1024


def taken(world: Any, model: str, folder: Path) -> tuple[float, float]:
    """Megabytes that a process takes more for the model and two steps, and those that it surely needs."""
    config = build_config(model, world.config["dataset"], config_dict={**QUICK, "data_path": str(folder)})
    sizes = world.dataset.user_num, world.dataset.item_num, len(world.train_data._dataset)
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
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


if __name__ == "__main__":
    place = Path(sys.argv[1])
    made = worlds(place)
    print(json.dumps({name: {one: taken(made[name], one, place) for one in models} for name, models in MODELS.items()}))
