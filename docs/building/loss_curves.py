"""How do the losses of docs/loss.md run? Trains what the page shows, and writes the record that it is drawn from.

    python -m docs.building.loss_curves demo
    python -m docs.building.loss_curves taobao FOLDER

FOLDER has `train.txt.gz` and `test.txt.gz` of Taobao's purchases, lines of `user item item ...`; every sixth user is
taken. One to three minutes each on an idle core. Then `python -m docs.building.draw` draws the page.
"""

import argparse
import gzip
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import dataset_prep
from recbole_alibaba import run
from recbole_alibaba.demo import METRICS, SIMPLE, trainings
from recbole_alibaba.settings.property_files import properties_folder, read_mapping

RECORDS = Path("results/records").resolve()
KEPT = ("bpr", "decay_share", "user_norm")
SHOWN = {"topk": [10, 20], "metrics": ["Recall", "NDCG", "Hit"], "valid_metric": "NDCG@20", "show_progress": False}


def trained(model: str, dataset: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a run leaves for the page: the curves and the test metrics."""
    made = run(model, dataset, config_dict={**SHOWN, **settings})
    history = [
        {"epoch": record["epoch"]}
        | {key: float(f"{record[key]:.7g}") for key in KEPT if key in record}
        | ({"valid": record["valid"]["ndcg@20"]} if record.get("valid") else {})
        for record in made["history"]
    ]
    return {"settings": dict(settings), "history": history, "test": {key: made["test_result"][key] for key in METRICS}}


def demo() -> dict[str, Any]:
    """The demo's log: what the report's filters leave of it, and its trainings."""
    users, items = dataset_prep.write_sample(".")
    log = {"source": "mobile", "users": users, "items": items, "name": "demo", "force": True}
    try:
        dataset_prep.convert(**log, **read_mapping(properties_folder() / "experiment" / "before.yaml")["prep"])
    except dataset_prep.EmptyDatasetError as error:
        refused, advice = error.funnel.lines(), error.message
    converted = dataset_prep.convert(**log, **read_mapping(properties_folder() / "experiment" / "after.yaml")["prep"])
    rows = {
        name: trained("AlibabaLightGCN", "demo", {"epochs": 60, "eval_step": 5} | settings)
        for name, (_, settings) in trainings().items()
    }
    rows |= {model: trained(model, "demo", {"epochs": 1}) for model in SIMPLE}
    return {"funnel": refused, "refused": advice, "kept": converted.funnel.lines(), "trainings": rows}


def taobao(source: Path) -> dict[str, Any]:
    """Taobao's purchases, every sixth user: the reported decay and the repaired one."""
    for part in ("train", "test"):
        with gzip.open(source / f"{part}.txt.gz", "rt") as lines:
            Path(f"{part}.txt").write_text("".join(list(lines)[::6]), encoding="utf-8")
    published = dataset_prep.convert_published("train.txt", "test.txt", name="taobao")
    rows = {
        name: trained("AlibabaLightGCN", "taobao", {"epochs": 12, "eval_step": 12} | settings)
        for name, (_, settings) in trainings().items()
        if "1e-2" not in name
    }
    pairs, size = published.pairs, published.size
    return {"train": pairs["train"], "users": size.users, "items": size.items, "trainings": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("demo", "taobao"))
    parser.add_argument("folder", nargs="?", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    record = {
        "command": f"python -m docs.building.loss_curves {given.part}" + (" FOLDER" if given.folder else ""),
        "date": date.today().isoformat(),
        "versions": {name: version(name) for name in ("recbole", "torch", "numpy")},
    }
    source = given.folder.resolve() if given.folder else Path()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        record |= demo() if given.part == "demo" else taobao(source)
    path = RECORDS / f"loss-{given.part}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
