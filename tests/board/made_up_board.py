"""A made-up board: what do the records and the scores by user of a finished one look like?

Two data sets, four models (EASE and Pop do not depend on the seed), three seeds, one search, a model that failed, one
that ran out of time, lists made elsewhere and a published row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recbole_alibaba.board.standings.contents import BoardHead

SEEDS = (2020, 2021, 2022)
USERS = 300
# The share of users who find something, and how much seeds move it.
QUALITY = {"AlibabaLightGCN": (0.30, 0.01), "LightGCN": (0.29, 0.01), "EASE": (0.31, 0.0), "Pop": (0.08, 0.0)}
DATASETS = {"taobao-buy": 1.0, "tianchi-slice": 0.6}
PUBLISHED = [
    {
        "name": "LightGCN (He et al. 2020)",
        "dataset": "taobao-buy",
        "source": "table 3",
        "recall@20": 0.1823,
        "ndcg@20": 0.1555,
    }
]
HEAD = BoardHead(
    name="made-up",
    title="Made-up purchases",
    text="Two small data sets & four models.",
    command="recbole-alibaba board properties/board/made-up.yaml",
    plan={
        "datasets": list(DATASETS),
        "models": {
            "AlibabaLightGCN": {"search": {"reg_weight": {"low": 1e-06, "high": 1e-03, "log": True}}},
            "LightGCN": None,
            "EASE": None,
            "Pop": None,
            "MultiVAE": None,
            "NGCF": None,
        },
        "seeds": list(SEEDS),
        "topk": [10, 20],
        "valid_metric": "NDCG@20",
        "search": {"trials": 4, "seconds": 900},
    },
    spaces={"AlibabaLightGCN": {"reg_weight": "1e-06 to 0.001, log"}},
)


def made_up_board() -> tuple[list[dict[str, Any]], dict[str, Mapping[str, np.ndarray]]]:
    """The records in the order of their making, and the arrays of each scores file by the record's id."""
    rng = np.random.default_rng(7)
    records: list[dict[str, Any]] = []
    scores: dict[str, Mapping[str, np.ndarray]] = {}
    for dataset, scale in DATASETS.items():
        liking = rng.random(USERS)
        for index in range(4):
            failed = index == 2
            record = _record(dataset, "AlibabaLightGCN", SEEDS[0], "search", index, "memory" if failed else "done")
            record["searched"] = {"reg_weight": [1e-5, 1e-4, 1e-3, 2e-5][index]}
            record["settings"] = {"n_layers": 3, **record["searched"]}
            if failed:
                record["reason"] = "The trial needed more than 8 GB of memory."
            else:
                record["valid"] = {"recall@20": 0.2 + 0.01 * index, "ndcg@20": 0.1 + 0.005 * index}
                record |= {"valid_score": record["valid"]["ndcg@20"], "best_epoch": 7}
            records.append(record)
        for label, (quality, spread) in QUALITY.items():
            for seed in SEEDS:
                record = _record(dataset, label, seed, "final", None, "done")
                if label == "AlibabaLightGCN":
                    record["settings"] = {"n_layers": 3, "reg_weight": 2e-5}
                    record["searched"] = {"reg_weight": 2e-5}
                chance = np.random.default_rng([seed if spread else 0, *label.encode()])
                hit = chance.random(USERS) < 2 * scale * (quality + spread * chance.normal()) * liking
                recall = (hit * chance.choice([0.25, 0.5, 1.0], USERS)).astype(np.float32)
                scores[record["id"]] = _arrays(recall)
                records.append(_measured(record, recall, epochs=8 if spread else 1))
        outside = _record(dataset, "Their lists", 0, "outside", None, "done")
        recall = (rng.random(USERS) < 0.4 * scale * liking).astype(np.float32)
        scores[outside["id"]] = _arrays(recall)
        records.append(_measured(outside, recall, epochs=0) | {"model": None, "reason": "3 items are not in the data."})
        for seed in SEEDS:
            crash = _record(dataset, "MultiVAE", seed, "final", None, "failed")
            records.append(crash | {"reason": "ValueError: the loss is not finite in epoch 3 <x> & |y|."})
            late = _record(dataset, "NGCF", seed, "final", None, "timeout")
            records.append(late | {"reason": "The trial had not ended after 1,800 s."})
    return records, scores


def _record(dataset: str, label: str, seed: int, purpose: str, index: int | None, state: str) -> dict[str, Any]:
    """A record with all keys; nothing is measured yet."""
    return {
        "id": f"{dataset}-{label}-{seed}-{purpose}-{index}",
        "board": "made-up",
        "purpose": purpose,
        "dataset": dataset,
        "model": label,
        "label": label,
        "seed": seed,
        "index": index,
        "settings": {},
        "searched": {},
        "config": {"valid_metric": "NDCG@20", "topk": [10, 20], "learning_rate": 0.001},
        "config_hash": "0" * 16,
        "data": {
            "fingerprint": f"fingerprint of {dataset}",
            "users": USERS,
            "items": 900,
            "train": 5_000,
            "valid": 600,
            "test": 610,
            "notes": ["12 pairs of the test part are in the training part too."] if dataset == "taobao-buy" else [],
        },
        "state": state,
        "reason": None,
        "best_epoch": None,
        "valid": None,
        "valid_score": None,
        "test": None,
        "test_read": None,
        "groups": None,
        "beyond": None,
        "competition": None,
        "history": [],
        "seconds": {"wait": 0.1, "prepare": 0.5, "train": 12.5, "validate": 1.0, "rank": 0.25, "total": 14.35},
        "peak_memory_mb": 512.0,
        "parameters": 76_800,
        "scores": None,
        "versions": {"recbole": "1.2.1"},
        "machine": {"cpu": "a processor", "cores": 2, "threads": 1},
        "code": "1.0",
        "at": "2026-01-01T00:00:00+00:00",
    }


def _arrays(recall: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a scores file."""
    users = np.arange(1, USERS + 1, dtype=np.int32)
    return {"users": users, "activity": users % 30 + 1, "recall@20": recall, "ndcg@20": (0.6 * recall).astype("f4")}


def _measured(record: dict[str, Any], recall: np.ndarray, epochs: int) -> dict[str, Any]:
    """The record of a trial that ended well."""
    value = float(recall.mean())
    thirds = {
        f"users: {name} active third": part for name, part in zip(("least", "middle", "most"), range(3), strict=True)
    }
    groups = {
        name: {
            "users": USERS // 3,
            "recall@20": float(recall[part::3].mean()),
            "ndcg@20": 0.6 * float(recall[part::3].mean()),
        }
        for name, part in thirds.items()
    }
    groups["items: cold"] = {"users": 12, "recall@20": 0.0, "ndcg@20": 0.0}
    test = {
        f"{name}@{k}": share * value * (0.8 if k == 10 else 1.0) for name, share in METRICS.items() for k in (10, 20)
    }
    history = [
        {
            "epoch": epoch,
            "loss": 0.69 * 0.9**epoch,
            "bpr": 0.68 * 0.9**epoch,
            "reg": 0.01 * 0.9**epoch,
            "valid": {"recall@20": value * (1 - 0.5**epoch), "ndcg@20": 0.6 * value * (1 - 0.5**epoch)},
            "seconds": 1.5,
        }
        for epoch in range(1, epochs + 1)
    ]
    return record | {
        "best_epoch": epochs or None,
        "valid": {"recall@20": value, "ndcg@20": 0.6 * value} if epochs else None,
        "valid_score": 0.6 * value if epochs else None,
        "test": test,
        "test_read": "2026-01-01T00:00:00+00:00",
        "groups": groups,
        "beyond": {"coverage@20": 0.4, "gini@20": 0.7, "average_popularity@20": 21.5},
        "competition": {"precision": 0.02, "recall": 0.05, "f1": 0.0286, "pairs": 140},
        "history": history,
        "scores": f"made-up/{record['id']}.npz",
    }


METRICS = {"recall": 1.0, "ndcg": 0.6, "mrr": 0.5, "hit": 1.1, "precision": 0.06, "map": 0.4}
