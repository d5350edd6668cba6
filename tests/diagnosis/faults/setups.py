"""How a faulty set-up is described and built: a world, settings, and what is broken after building."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recbole_alibaba import experiment
from recbole_alibaba.host.config import deep_update

from .worlds import World

LOADED = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "item_category"]}
COMMON: dict[str, Any] = {
    "load_col": LOADED,
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user", "mode": "full"},
    "train_batch_size": 256,
    "eval_batch_size": 10_000_000,
    "learning_rate": 0.01,
    "embedding_size": 16,
    "metrics": ["Recall", "NDCG"],
    "topk": [10],
    "valid_metric": "NDCG@10",
    "gpu_id": "",
    "state": "ERROR",
    "show_progress": False,
}


@dataclass(frozen=True)
class Fault:
    """One faulty set-up. ``cause`` is the id that must be named first or second; ``curable`` by a setting."""

    id: str
    cause: str
    world: str = "two-tastes"
    model: str = "AlibabaLightGCN"
    settings: Mapping[str, Any] = field(default_factory=dict)
    twin: Mapping[str, Any] = field(default_factory=dict)  # settings of both, fault and twin
    spoil_world: Callable[[World], World] | None = None
    spoil: Callable[[Any], Any] | None = None  # of what was built
    before: Callable[[Path, str], None] | None = None  # of the folder, before RecBole looks
    curable: bool = False
    elsewhere: bool = True  # whether it is a fault in the other worlds, too


Built = tuple[Callable[[Mapping[str, Any]], Any], dict[str, Any]]


def builder(fault: Fault, world: World, folder: Path, healthy: bool = False) -> Built:
    """A function from changed settings to RecBole's objects, and the settings it starts from."""
    name = "twin" if healthy else "faulty"
    settings = deep_update(dict(COMMON), {"data_path": str(folder), "checkpoint_dir": str(folder / "saved")})
    deep_update(settings, fault.twin)
    if not healthy:
        deep_update(settings, fault.settings)
        world = fault.spoil_world(world) if fault.spoil_world else world
    world.write(folder, name)
    if fault.before and not healthy:
        fault.before(folder, name)

    def build(changes: Mapping[str, Any]) -> Any:
        asked = deep_update(dict(settings), changes)
        made = experiment.prepare(experiment.build_config(fault.model, name, [], asked, checked=False))
        return fault.spoil(made) if fault.spoil and not healthy else made

    return build, {**settings, "dataset": name, "model": fault.model}
