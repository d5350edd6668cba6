"""The files of a data set, and when an existing one may be replaced."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset_prep import pipeline
from dataset_prep.atomic import replaced
from dataset_prep.core import Size, Thresholds
from dataset_prep.engines.base import Engine
from dataset_prep.facts import Facts, density
from dataset_prep.funnel import Funnel
from dataset_prep.guards import OutputError
from dataset_prep.reading import Log
from dataset_prep.recbole_yaml import dataset_yaml
from dataset_prep.report import page
from dataset_prep.rows import can_write, write_rows
from dataset_prep.settings import Settings
from dataset_prep.splits import PARTS
from dataset_prep.swift.kept import columns_of


@dataclass(frozen=True)
class Outcome:
    """Everything that is told about a conversion beside its rows.

    in_order: the rows of ``kept`` with their ids in the order of .inter; ``keep_items`` has its items.
    """

    read: Log
    funnel: Funnel
    facts: Facts
    used: Thresholds
    size: Size
    rows: int
    fingerprint: str
    in_order: Mapping[str, np.ndarray] | None = None


def mark_of(settings: Mapping[str, Any], digests: Sequence[str]) -> str:
    """Fingerprint of the files' content and every setting that decides the result."""
    told = json.dumps({"settings": settings, "files": list(digests)}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def check_target(target: Path) -> None:
    """Refuse a folder that holds what this program did not write, before any work is done."""
    ours = (target / "funnel.json").is_file()
    if target.exists() and not ours and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists and was not written by dataset_prep. Choose another --name or --output.")


def check_overwrite(target: Path, mark: str, force: bool) -> None:
    """Refuse to replace a data set of another source or other settings, unless forced."""
    former = target / "funnel.json"
    if force or not former.is_file():
        return
    try:
        known = json.loads(former.read_text(encoding="utf-8")).get("fingerprint")
    except (ValueError, AttributeError):
        known = None
    if known != mark:
        raise OutputError(
            f"{target} holds a data set of another source or other settings (fingerprint {known}, this would be "
            f"{mark}). Add --force to replace it, or choose another --name."
        )


def write(engine: Engine, settings: Settings, outcome: Outcome) -> None:
    """Write the whole data set from the tables ``kept``, ``users`` and ``items``, or nothing."""
    name = settings.name
    title = f"{name}: {settings.source.title}"
    told = title, outcome.funnel, outcome.facts, settings.asked, outcome.used, outcome.size, outcome.rows
    with replaced(settings.output, name) as folder, ThreadPoolExecutor(1) as pool:
        drawn = pool.submit(page, *told)
        columns: dict[str, list[str]] = {
            "inter": ["user_id", "item_id", *(["timestamp"] if settings.source.timed else [])]
        }
        if settings.cut:
            for number, part in enumerate(PARTS):
                where = f"WHERE kept.part = {number}"
                engine.write(pipeline.inter_sql(settings.source, where), folder / f"{name}.{part}.inter")
        elif outcome.in_order is not None and can_write():
            write_rows(folder / f"{name}.inter", columns_of(outcome.in_order, settings.source))
        else:
            engine.write(pipeline.inter_sql(settings.source), folder / f"{name}.inter")
        features = outcome.read.features
        if features:
            if settings.item_geohash:
                _upload_places(engine, outcome.read)
            kept = "kept" if outcome.in_order is None else "keep_items"
            engine.write(pipeline.item_sql(features, settings.item_geohash, kept), folder / f"{name}.item")
            columns["item"] = ["item_id", *features]
        if settings.user_info:
            engine.write(pipeline.user_sql(), folder / f"{name}.user")
            columns["user"] = ["user_id", "age_range", "gender"]
        parts = PARTS if settings.cut else None
        text = dataset_yaml(name, settings.protocol, columns, parts, settings.source.timed)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        if outcome.read.rejects:
            shutil.copyfile(outcome.read.rejects, folder / "rejects.csv")
        record = json.dumps(_record(settings, outcome), indent=2, ensure_ascii=False)
        (folder / "funnel.json").write_text(record + "\n", encoding="utf-8")
        (folder / "funnel.html").write_text(drawn.result(), encoding="utf-8")


def _upload_places(engine: Engine, read: Log) -> None:
    known = {item: place for item, place in read.subset.items.items() if place}
    ids = read.subset.__class__(items=known).ids(read.integers)
    places = [known[str(item)] for item in ids]
    engine.upload("places", {"item_id": ids, "geohash": np.array(places, dtype=object)})


def _record(settings: Settings, outcome: Outcome) -> dict[str, Any]:
    """funnel.json: nothing in it depends on the machine, the engine or the moment."""
    read = outcome.read
    return {
        "name": settings.name,
        "fingerprint": outcome.fingerprint,
        "files": [{"name": n, "digest": d} for n, d in zip(read.names, read.digests, strict=True)],
        "settings": settings.as_dict(),
        "asked": settings.asked._asdict(),
        "used": outcome.used._asdict(),
        "size": outcome.size._asdict(),
        "rows": outcome.rows,
        "density": density(outcome.size),
        "core_on": f"{settings.core_on} pairs" + ("" if settings.core_on == "train" else ", RecBole's habit"),
        "parts": outcome.facts.parts,
        "funnel": outcome.funnel.as_dict(),
        "dropped_rows": outcome.funnel.dropped(),
        "rejected_item_rows": read.subset.rejected,
        "days": outcome.facts.days,
    }
