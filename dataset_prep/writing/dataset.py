"""The files of a data set, written whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset_prep.files.streams import is_remote
from dataset_prep.pairs.core import Codes, Size, Thresholds
from dataset_prep.pairs.funnel import Funnel
from dataset_prep.pairs.kept import Rows
from dataset_prep.pairs.split import PARTS, PartOf
from dataset_prep.pairs.statistics import Statistics, density
from dataset_prep.pairs.table import Column
from dataset_prep.reading.lists import UNKNOWN_AGE, UNKNOWN_GENDER, USER_FEATURES
from dataset_prep.reading.log import Log
from dataset_prep.settings import Settings
from dataset_prep.sources.base import BEHAVIOR
from dataset_prep.writing.atomic import replaced
from dataset_prep.writing.recbole_yaml import dataset_yaml
from dataset_prep.writing.text import write_table

FILES = ("users", "items", "user_info", "train", "valid", "test")
"""Options that are paths."""


@dataclass(frozen=True)
class Outcome:
    """All that is written of a conversion. rows: in the order of .inter; part: of each row, where a split was asked.

    asked: the settings before the behaviours were widened.
    """

    asked: Settings
    read: Log
    rows: Rows
    part: PartOf | None
    funnel: Funnel
    statistics: Statistics
    used: Thresholds
    size: Size
    fingerprint: str


def load_report() -> Callable[..., str]:
    """The function ``page`` of the report, with the template and the libraries that it needs."""
    from dataset_prep.pages.html import load
    from dataset_prep.writing.report import page

    load()
    return page


def write(settings: Settings, outcome: Outcome, beside: Executor) -> None:
    """Write the whole data set, or nothing. *beside* draws the report meanwhile."""
    name, read, rows = settings.name, outcome.read, outcome.rows
    columns = {"inter": ["user_id", "item_id", *(["timestamp"] if settings.source.timed else [])]}
    with replaced(settings.output, name) as folder:
        title = f"{name}: {settings.source.title}"
        shown = outcome.funnel, outcome.statistics, settings.asked, outcome.used, outcome.size, len(rows)
        drawn = beside.submit(lambda: load_report()(title, *shown))
        if outcome.part is None:
            write_table(folder / f"{name}.inter", _inter(settings, read, rows))
        else:
            for number, part in enumerate(PARTS):
                chosen = rows.where(outcome.part == number)
                write_table(folder / f"{name}.{part}.inter", _inter(settings, read, chosen))
        if read.table.features:
            write_table(folder / f"{name}.item", _item(settings, read, _present(rows.i)))
            columns["item"] = ["item_id", *read.table.features]
        if settings.user_info:
            write_table(folder / f"{name}.user", _user(read, _present(rows.u)))
            columns["user"] = list(USER_FEATURES)
        parts = PARTS if settings.cut else None
        text = dataset_yaml(name, settings.protocol, columns, parts, settings.source.timed)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        if read.rejects:
            shutil.copyfile(read.rejects, folder / "rejects.csv")
        write_json(folder / "funnel.json", _record(settings, outcome))
        (folder / "funnel.html").write_text(drawn.result(), encoding="utf-8")
        write_source(folder, settings.word, outcome.asked.given)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_source(folder: Path, source: str, given: Mapping[str, Any]) -> None:
    """source.json: the options as they were given, so that others can be tried on the same files.

    It stands apart from funnel.json because its paths belong to this machine.
    """

    def place(file: str) -> str:
        return file if is_remote(file) else str(Path(file).absolute())

    options = {name: value for name, value in given.items() if name not in ("name", "output", "force")}
    for name, value in options.items():
        if name in FILES:
            options[name] = place(value) if isinstance(value, str) else [place(file) for file in value]
    write_json(folder / "source.json", {"source": source, "options": options})


def _present(codes: Codes) -> Codes:
    return np.flatnonzero(np.bincount(codes)).astype(np.int32)


def _inter(settings: Settings, read: Log, rows: Rows) -> dict[str, Column]:
    pairs, source = read.table.pairs, settings.source
    columns = {"user_id:token": pairs.users.rows(rows.u), "item_id:token": pairs.items.rows(rows.i)}
    if source.timed:
        columns["timestamp:float"] = Column(rows.t)
    if BEHAVIOR in source.columns:
        columns["behavior_type:token"] = Column.of_words([b.value for b in source.behaviors], rows.rank)
    return columns


def _item(settings: Settings, read: Log, items: Codes) -> dict[str, Column]:
    """The items of any part."""
    ids = read.table.pairs.items.rows(items)
    columns = {"item_id:token": ids} | {f"{f}:token": c.rows(items) for f, c in read.table.features.items()}
    if settings.item_geohash:
        columns["item_geohash:token"] = Column.of_words([read.subset.items.get(item, "") for item in ids.texts()])
    return columns


def _user(read: Log, users: Codes) -> dict[str, Column]:
    """The users of any part; one that the file does not know gets its words for unknown."""
    ids = read.table.pairs.users.rows(users)
    known = [read.user_features.get(user, (UNKNOWN_AGE, UNKNOWN_GENDER)) for user in ids.texts()]
    features = zip(USER_FEATURES[1:], zip(*known, strict=True), strict=True)
    return {"user_id:token": ids} | {f"{feature}:token": Column.of_words(words) for feature, words in features}


def _record(settings: Settings, outcome: Outcome) -> dict[str, Any]:
    """funnel.json. Nothing in it depends on the machine, the reader or the time."""
    read, funnel = outcome.read, outcome.funnel
    return {
        "name": settings.name,
        "fingerprint": outcome.fingerprint,
        "files": [{"name": part.name, "digest": part.digest} for part in read.parts],
        "settings": outcome.asked.as_dict(),
        **({"behaviors_used": list(settings.kept)} if settings.kept != outcome.asked.kept else {}),
        "asked": settings.asked._asdict(),
        "used": outcome.used._asdict(),
        "size": outcome.size._asdict(),
        "rows": len(outcome.rows),
        "density": density(outcome.size),
        "core_on": f"{settings.core_on} pairs" + ("" if settings.core_on == "train" else ", RecBole's habit"),
        "parts": outcome.statistics.parts,
        "funnel": funnel.as_dict(),
        "dropped_rows": funnel.dropped(),
        "rejected_item_rows": read.subset.rejected,
        "days": outcome.statistics.days,
    }
